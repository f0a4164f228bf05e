#include "ovsdb/locks.h"

#include <algorithm>
#include <iterator>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "ovsdb/error.h"
#include "ovsdb/object_parser.h"

namespace ovsdb {
namespace {

absl::StatusOr<absl::string_view> LockName(absl::string_view method, const Json& params) {
  if (params.IsArray() && params.Size() == 1 && params[0].IsString() &&
      IsValidIdentifier(StringView(params[0]))) {
    return StringView(params[0]);
  }
  return SyntaxError(params, absl::StrCat(method, " request params must be <id>"));
}

absl::Status AlreadyAsked(absl::string_view method, const Json& params) {
  return SyntaxError(params, absl::StrCat("must issue \"unlock\" before new \"", method, "\""));
}

}  // namespace

bool LockTable::HasAsked(const LockState& lock, Session session) {
  return std::any_of(lock.queue.begin(), lock.queue.end(),
                     [session](const Waiter& w) { return w.session == session; }) ||
         std::find(lock.lost.begin(), lock.lost.end(), session) != lock.lost.end();
}

absl::Status LockTable::Lock(Session session, const Json& params, std::string* result) {
  absl::StatusOr<absl::string_view> name = LockName("lock", params);
  if (!name.ok()) return name.status();
  LockState& lock = locks_[*name];
  if (HasAsked(lock, session)) return AlreadyAsked("lock", params);
  lock.queue.push_back({session, /*by_steal=*/false});
  absl::StrAppend(result, "{\"locked\":", lock.queue.size() == 1 ? "true" : "false", "}");
  return absl::OkStatus();
}

absl::Status LockTable::Steal(Session session, const Json& params, std::string* result,
                              std::vector<Notice>* notices) {
  absl::StatusOr<absl::string_view> name = LockName("steal", params);
  if (!name.ok()) return name.status();
  LockState& lock = locks_[*name];
  if (HasAsked(lock, session)) return AlreadyAsked("steal", params);
  if (!lock.queue.empty()) {
    const Waiter victim = lock.queue.front();
    notices->push_back({Notice::kStolen, victim.session, std::string{*name}});
    if (victim.by_steal) {
      lock.queue.erase(lock.queue.begin());
      lock.lost.push_back(victim.session);
    }
  }
  lock.queue.insert(lock.queue.begin(), {session, /*by_steal=*/true});
  absl::StrAppend(result, "{\"locked\":true}");
  return absl::OkStatus();
}

absl::Status LockTable::Unlock(Session session, const Json& params, std::string* result,
                               std::vector<Notice>* notices) {
  absl::StatusOr<absl::string_view> name = LockName("unlock", params);
  if (!name.ok()) return name.status();
  auto it = locks_.find(*name);
  if (it == locks_.end() || !Leave(it->first, &it->second, session, notices)) {
    return SyntaxError(params, "unlock: \"unlock\" without \"lock\" or \"steal\"");
  }
  if (it->second.queue.empty() && it->second.lost.empty()) locks_.erase(it);
  absl::StrAppend(result, "{}");
  return absl::OkStatus();
}

bool LockTable::Leave(const std::string& name, LockState* lock, Session session,
                      std::vector<Notice>* notices) {
  if (std::erase(lock->lost, session) > 0) return true;
  if (std::erase_if(lock->queue, [&](const Waiter& w) { return w.session == session; }) == 0) {
    return false;
  }
  if (!lock->queue.empty()) {
    notices->push_back({Notice::kLocked, lock->queue.front().session, name});
  }
  return true;
}

void LockTable::Remove(Session session, std::vector<Notice>* notices) {
  for (auto it = locks_.begin(); it != locks_.end();) {
    Leave(it->first, &it->second, session, notices);
    it = it->second.queue.empty() && it->second.lost.empty() ? locks_.erase(it) : std::next(it);
  }
}

bool LockTable::Owns(Session session, absl::string_view lock) const {
  return OwnerOf(lock) == session;
}

std::optional<LockTable::Session> LockTable::OwnerOf(absl::string_view lock) const {
  auto it = locks_.find(lock);
  if (it == locks_.end() || it->second.queue.empty()) return std::nullopt;
  return it->second.queue.front().session;
}

LockTable::Names LockTable::NamesOf(Session session) const {
  Names names;
  for (const auto& [name, lock] : locks_) {
    if (Owns(session, name)) {
      names.held.push_back(name);
    } else if (std::find(lock.lost.begin(), lock.lost.end(), session) != lock.lost.end()) {
      names.lost.push_back(name);
    } else if (HasAsked(lock, session)) {
      names.waiting.push_back(name);
    }
  }
  return names;
}

}  // namespace ovsdb
