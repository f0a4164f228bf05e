// The records of a clustered database's file: each is refused, or its text leads to the same record
// again; and the state that they lead to keeps what a server counts on.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ovsdb/error.h"
#include "ovsdb/json.h"
#include "raft/record.h"
#include "raft/replay.h"

namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

// Parses `line`, and what is written of the result.
template <typename T, typename Parse, typename Append>
std::optional<T> ReadBothWays(absl::string_view line, Parse parse, Append append) {
  const auto json = ovsdb::ParseJson(line);
  if (!json.ok()) return std::nullopt;
  absl::StatusOr<T> value = parse(*json);
  if (!value.ok()) {
    Require(ovsdb::IsOvsdbError(value.status()));
    return std::nullopt;
  }
  std::string text;
  append(*value, &text);
  // Rounded to 15 digits the smallest reals are out of range.
  if (const auto again = ovsdb::ParseJson(text); again.ok()) {
    const absl::StatusOr<T> same = parse(*again);
    Require(same.ok());
    std::string same_text;
    append(*same, &same_text);
    Require(same_text == text);
  }
  return *std::move(value);
}

void CheckState(const raft::PersistentState& state) {
  const raft::Log& log = state.log;
  Require(state.commit_index < log.end() && state.commit_index >= log.snapshot().index);
  if (state.joining()) return;
  Require(state.term >= log.last_term());
  Require(log.servers(log.last_index()) != nullptr);
  raft::Term last = log.snapshot().term;
  for (raft::Index i = log.first_index(); i < log.end(); ++i) {
    Require(log.term(i) >= last);
    last = log.term(i);
  }
}

}  // namespace

// One record a line, the header first.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  absl::string_view rest(reinterpret_cast<const char*>(data), size);
  const auto next_line = [&rest] {
    const absl::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    return line;
  };
  auto header = ReadBothWays<raft::Header>(next_line(), raft::ParseHeader, raft::AppendHeader);
  if (!header) return 0;
  raft::Replay replay(*std::move(header));
  while (!rest.empty()) {
    auto record = ReadBothWays<raft::Record>(next_line(), raft::ParseRecord, raft::AppendRecord);
    if (!record) continue;
    const raft::PersistentState& state = replay.state();
    const auto before = std::make_tuple(state.term, state.commit_index, state.log.end());
    const bool applied = replay.Apply(*std::move(record)).ok();
    Require(state.term >= std::get<0>(before) && state.commit_index >= std::get<1>(before));
    Require(applied || state.log.end() == std::get<2>(before));
    CheckState(state);
  }
  (void)replay.Finish();
  return 0;
}
