#include "ovsdb/locks.h"

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "ovsdb/error.h"
#include "ovsdb/schema.h"

namespace ovsdb {
namespace {

absl::StatusOr<absl::string_view> LockName(absl::string_view method, const Json& params) {
  if (params.IsArray() && params.Size() == 1 && params[0].IsString() &&
      IsValidIdentifier(StringView(params[0]))) {
    return StringView(params[0]);
  }
  return SyntaxError(params, absl::StrCat(method, " request params must be <id>"));
}

template <typename Queue>
auto FindWaiter(Queue& queue, LockTable::Session session) {
  return std::find_if(queue.begin(), queue.end(),
                      [&](const auto& waiter) { return waiter.session == session; });
}

absl::Status AlreadyAsked(absl::string_view method, const Json& params) {
  return SyntaxError(params, absl::StrCat("must issue \"unlock\" before new \"", method, "\""));
}

}  // namespace

absl::Status LockTable::Lock(Session session, const Json& params, std::string* result) {
  absl::StatusOr<absl::string_view> name = LockName("lock", params);
  if (!name.ok()) return name.status();
  Queue& queue = queues_[*name];
  if (FindWaiter(queue, session) != queue.end()) return AlreadyAsked("lock", params);
  queue.push_back({session, /*by_steal=*/false});
  absl::StrAppend(result, "{\"locked\":", queue.size() == 1 ? "true" : "false", "}");
  return absl::OkStatus();
}

absl::Status LockTable::Steal(Session session, const Json& params, std::string* result,
                              std::vector<Notice>* notices) {
  absl::StatusOr<absl::string_view> name = LockName("steal", params);
  if (!name.ok()) return name.status();
  Queue& queue = queues_[*name];
  if (FindWaiter(queue, session) != queue.end()) return AlreadyAsked("steal", params);
  if (!queue.empty()) {
    notices->push_back({Notice::kStolen, queue.front().session, std::string{*name}});
  }
  queue.insert(queue.begin(), {session, /*by_steal=*/true});
  absl::StrAppend(result, "{\"locked\":true}");
  return absl::OkStatus();
}

absl::Status LockTable::Unlock(Session session, const Json& params, std::string* result,
                               std::vector<Notice>* notices) {
  absl::StatusOr<absl::string_view> name = LockName("unlock", params);
  if (!name.ok()) return name.status();
  auto it = queues_.find(*name);
  if (it == queues_.end() || FindWaiter(it->second, session) == it->second.end()) {
    return SyntaxError(params, "unlock: \"unlock\" without \"lock\" or \"steal\"");
  }
  Queue& queue = it->second;
  queue.erase(FindWaiter(queue, session));
  if (queue.empty()) {
    queues_.erase(it);
  } else {
    notices->push_back({Notice::kLocked, queue.front().session, it->first});
  }
  absl::StrAppend(result, "{}");
  return absl::OkStatus();
}

void LockTable::Remove(Session session, std::vector<Notice>* notices) {
  for (auto it = queues_.begin(); it != queues_.end();) {
    Queue& queue = it->second;
    auto waiter = FindWaiter(queue, session);
    if (waiter == queue.end()) {
      ++it;
      continue;
    }
    queue.erase(waiter);
    if (queue.empty()) {
      it = queues_.erase(it);
      continue;
    }
    notices->push_back({Notice::kLocked, queue.front().session, it->first});
    ++it;
  }
}

bool LockTable::Owns(Session session, absl::string_view lock) const {
  auto it = queues_.find(lock);
  return it != queues_.end() && it->second.front().session == session;
}

LockTable::Names LockTable::NamesOf(Session session) const {
  Names names;
  for (const auto& [name, queue] : queues_) {
    auto waiter = FindWaiter(queue, session);
    if (waiter == queue.end()) continue;
    if (waiter == queue.begin()) {
      names.held.push_back(name);
    } else {
      (waiter->by_steal ? names.lost : names.waiting).push_back(name);
    }
  }
  return names;
}

}  // namespace ovsdb
