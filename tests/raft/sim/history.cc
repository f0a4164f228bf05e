#include "tests/raft/sim/history.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"

namespace raft::sim {
namespace {

absl::Status Wrong(const Operation& operation, absl::string_view what) {
  return absl::InternalError(
      absl::StrCat(operation.kind == Operation::kAppend ? "append of " : "read of ",
                   operation.number, " in session ", operation.session, ": ", what));
}

// Whether the result of each operation fits into the list, by itself.
absl::Status CheckResults(const std::vector<uint64_t>& list,
                          const std::vector<Operation>& history) {
  absl::flat_hash_map<uint64_t, size_t> position;  // From 1 on.
  for (const uint64_t number : list) {
    if (!position.emplace(number, position.size() + 1).second) {
      return absl::InternalError(absl::StrCat(number, " is in the list twice"));
    }
  }
  for (const Operation& operation : history) {
    if (operation.outcome == Operation::kDone) {
      if (operation.length > list.size()) return Wrong(operation, "it is not in the list");
      const uint64_t there = operation.length == 0 ? 0 : list[operation.length - 1];
      if (there != operation.number) {
        return Wrong(operation, absl::StrCat("the list has ", there, " there"));
      }
    } else if (operation.outcome == Operation::kRefused && position.contains(operation.number)) {
      return Wrong(operation, "it was refused, but is in the list");
    }
  }
  return absl::OkStatus();
}

// Whether each result shows only what was asked for before it was answered. For appends that is
// all of linearizability: what begins after one was acknowledged cannot come before it.
absl::Status CheckCauses(const std::vector<uint64_t>& list, const std::vector<Operation>& history) {
  absl::flat_hash_map<uint64_t, uint64_t> invoked;
  for (const Operation& operation : history) {
    if (operation.kind == Operation::kAppend) invoked[operation.number] = operation.invoked;
  }
  std::vector<uint64_t> newest;  // When the last of the first n numbers was asked for.
  newest.reserve(list.size() + 1);
  newest.push_back(0);
  for (const uint64_t number : list) {
    const auto found = invoked.find(number);
    if (found == invoked.end()) {
      return absl::InternalError(absl::StrCat(number, " is in the list, but nobody appended it"));
    }
    newest.push_back(std::max(newest.back(), found->second));
  }
  for (const Operation& operation : history) {
    if (operation.outcome == Operation::kDone && newest[operation.length] > operation.answered) {
      return Wrong(operation, "it shows what nobody had asked for yet");
    }
  }
  return absl::OkStatus();
}

// Whether those of a session that began after another had ended come behind it, or with it.
absl::Status CheckOrder(std::vector<const Operation*> operations) {
  std::vector<const Operation*> by_answer = operations;
  std::sort(operations.begin(), operations.end(),
            [](const Operation* a, const Operation* b) { return a->invoked < b->invoked; });
  std::sort(by_answer.begin(), by_answer.end(),
            [](const Operation* a, const Operation* b) { return a->answered < b->answered; });
  const Operation* furthest = nullptr;
  auto ended = by_answer.begin();
  for (const Operation* operation : operations) {
    for (; ended != by_answer.end() && (*ended)->answered < operation->invoked; ++ended) {
      if (furthest == nullptr || (*ended)->length > furthest->length) furthest = *ended;
    }
    if (furthest == nullptr || operation->length > furthest->length) continue;
    if (operation->kind == Operation::kRead && operation->length == furthest->length) continue;
    return Wrong(*operation,
                 absl::StrCat("it comes at length ", operation->length, ", though length ",
                              furthest->length, " had been seen before it began"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckHistory(const std::vector<uint64_t>& list,
                          const std::vector<Operation>& history) {
  if (absl::Status status = CheckResults(list, history); !status.ok()) return status;
  if (absl::Status status = CheckCauses(list, history); !status.ok()) return status;
  std::map<uint64_t, std::vector<const Operation*>> sessions;
  for (const Operation& operation : history) {
    if (operation.outcome == Operation::kDone) sessions[operation.session].push_back(&operation);
  }
  for (auto& [session, operations] : sessions) {
    if (absl::Status status = CheckOrder(std::move(operations)); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace raft::sim
