// What messages and records are made of: members that both have, read and written alike.
//
// The readers take a member from an ovsdb::ObjectParser, to which they report what is wrong, in
// stock's words where it has some; they return an empty value then, as they do for an optional
// member that is absent.
#ifndef RAFT_FIELDS_H_
#define RAFT_FIELDS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ovsdb/json.h"
#include "ovsdb/object_parser.h"
#include "raft/types.h"

namespace raft {

// Writes the members of one object, in the order of calls.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string* out) : out_(out) { out_->push_back('{'); }
  ObjectWriter(const ObjectWriter&) = delete;
  ObjectWriter& operator=(const ObjectWriter&) = delete;

  void Number(absl::string_view name, uint64_t value);
  void String(absl::string_view name, absl::string_view value);
  void Boolean(absl::string_view name, bool value);
  void Uuid(absl::string_view name, const ovsdb::Uuid& value);  // Bare, as a string.
  void Servers(absl::string_view name, const Servers& value);
  void Addresses(absl::string_view name, const std::vector<std::string>& value);
  void Text(absl::string_view name, absl::string_view json);  // JSON text.
  // An array of what the caller makes of one Element() after the other.
  void BeginArray(absl::string_view name);
  ObjectWriter Element();  // To be ended before anything else is written.
  void EndArray() { out_->push_back(']'); }
  void End() { out_->push_back('}'); }

 private:
  void Name(absl::string_view name);

  std::string* const out_;
  bool first_ = true;
};

bool ReadBoolean(absl::string_view name, ovsdb::ObjectParser* parser);
bool ReadOptionalBoolean(absl::string_view name, ovsdb::ObjectParser* parser);
std::string ReadString(absl::string_view name, ovsdb::ObjectParser* parser);
std::string ReadOptionalString(absl::string_view name, ovsdb::ObjectParser* parser);

// Counters: from 0 to 2^63 - 1.
uint64_t ReadNumber(absl::string_view name, ovsdb::ObjectParser* parser);
uint64_t ReadOptionalNumber(absl::string_view name, ovsdb::ObjectParser* parser);
// A counter, or -1, which is taken for 0: a leader of stock's counts an entry back for each refusal
// of a member that has none, and further than there are any.
uint64_t ReadPlace(absl::string_view name, ovsdb::ObjectParser* parser);
// Election timers, in the range they may have.
uint64_t ReadTimer(absl::string_view name, ovsdb::ObjectParser* parser);
uint64_t ReadOptionalTimer(absl::string_view name, ovsdb::ObjectParser* parser);

// A UUID as a bare string. A server's is not zero, which stands for none.
ovsdb::Uuid ReadUuid(absl::string_view name, ovsdb::ObjectParser* parser);
ovsdb::Uuid ReadOptionalUuid(absl::string_view name, ovsdb::ObjectParser* parser);
ServerId ReadServerId(absl::string_view name, ovsdb::ObjectParser* parser);

// An array or object that is carried as it is.
Payload ReadPayload(absl::string_view name, ovsdb::ObjectParser* parser);

// Of objects and arrays, with errors of their own.
absl::StatusOr<ServersRef> ParseServers(const ovsdb::Json& object);
absl::StatusOr<std::vector<std::string>> ParseAddresses(const ovsdb::Json& array);

// An entry's members, which a record and an append request have alike. Reading takes them as the
// last ones of `parser`'s object, which is called `what` in errors.
void WriteEntry(const Entry& entry, ObjectWriter* writer);
absl::StatusOr<Entry> ReadEntry(absl::string_view what, ovsdb::ObjectParser* parser);

// Whether `address` can be a server's: tcp:HOST:PORT, ssl:HOST:PORT, or unix:PATH for tests.
absl::Status CheckAddress(absl::string_view address);

}  // namespace raft

#endif  // RAFT_FIELDS_H_
