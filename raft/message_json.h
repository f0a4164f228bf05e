// Messages as JSON-RPC notifications: `method` says which, `params` is an array of one object.
#ifndef RAFT_MESSAGE_JSON_H_
#define RAFT_MESSAGE_JSON_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ovsdb/json.h"
#include "raft/message.h"

namespace raft {

absl::string_view MethodName(const Message& message);  // "append_request", ...

// Appends the one object of `params`.
void AppendMessage(const Message& message, std::string* out);

// Takes a notification apart. What stock does not know is an error, which stock answers by closing
// the connection: unknown methods and members, missing members, members of the wrong type, numbers
// out of range.
absl::StatusOr<Message> ParseMessage(absl::string_view method, const ovsdb::Json& params);

}  // namespace raft

#endif  // RAFT_MESSAGE_JSON_H_
