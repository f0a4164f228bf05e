#include "raft/message_json.h"

#include <iterator>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ovsdb/error.h"
#include "ovsdb/object_parser.h"
#include "raft/fields.h"

namespace raft {
namespace {

using ovsdb::Json;
using ovsdb::ObjectParser;

constexpr absl::string_view kAppendResults[] = {"OK", "inconsistency", "I/O error"};

// ---- Writing: one function per body ----

void Write(const HelloRequest& body, ObjectWriter* writer) {
  writer->String("address", body.address);
}

void Write(const AppendRequest& body, ObjectWriter* writer) {
  writer->Number("term", body.term);
  writer->Number("prev_log_index", body.prev_log_index);
  writer->Number("prev_log_term", body.prev_log_term);
  writer->Number("leader_commit", body.leader_commit);
  writer->BeginArray("log");
  for (const Entry& entry : body.log) {
    ObjectWriter element = writer->Element();
    WriteEntry(entry, &element);
    element.End();
  }
  writer->EndArray();
}

void Write(const AppendReply& body, ObjectWriter* writer) {
  writer->Number("term", body.term);
  writer->Number("log_end", body.log_end);
  writer->Number("prev_log_index", body.prev_log_index);
  writer->Number("prev_log_term", body.prev_log_term);
  writer->Number("n_entries", body.n_entries);
  writer->String("result", kAppendResults[static_cast<int>(body.result)]);
}

void Write(const VoteRequest& body, ObjectWriter* writer) {
  writer->Number("term", body.term);
  writer->Number("last_log_index", body.last_log_index);
  writer->Number("last_log_term", body.last_log_term);
  if (body.leadership_transfer) writer->Boolean("leadership_transfer", true);
  if (body.is_prevote) writer->Boolean("is_prevote", true);
}

void Write(const VoteReply& body, ObjectWriter* writer) {
  writer->Number("term", body.term);
  writer->Uuid("vote", body.vote);
  if (body.is_prevote) writer->Boolean("is_prevote", true);
}

void Write(const AddServerRequest& body, ObjectWriter* writer) {
  writer->String("address", body.address);
}

void Write(const AddServerReply& body, ObjectWriter* writer) {
  writer->Boolean("success", body.success);
  if (!body.remote_addresses.empty()) {
    writer->Addresses("remote_addresses", body.remote_addresses);
  }
}

void Write(const RemoveServerRequest& body, ObjectWriter* writer) {
  writer->Uuid("server_id", body.server);
}

void Write(const RemoveServerReply& body, ObjectWriter* writer) {
  writer->Boolean("success", body.success);
  if (!body.target.is_zero()) writer->Uuid("target_server", body.target);
}

void Write(const InstallSnapshotRequest& body, ObjectWriter* writer) {
  writer->Number("term", body.term);
  writer->Number("last_index", body.snapshot.index);
  writer->Number("last_term", body.snapshot.term);
  writer->Servers("last_servers", *body.snapshot.servers);
  writer->Uuid("last_eid", body.snapshot.eid);
  writer->Number("election_timer", body.snapshot.election_timer_ms);
  writer->Text("data", *body.data);
}

void Write(const InstallSnapshotReply& body, ObjectWriter* writer) {
  writer->Number("term", body.term);
  writer->Number("last_index", body.last_index);
  writer->Number("last_term", body.last_term);
}

void Write(const BecomeLeader& body, ObjectWriter* writer) { writer->Number("term", body.term); }

void Write(const ExecuteRequest& body, ObjectWriter* writer) {
  writer->Text("data", *body.data);
  writer->Uuid("prereq", body.prereq);
  writer->Uuid("result", body.eid);
}

void Write(const ExecuteReply& body, ObjectWriter* writer) {
  writer->Uuid("result", body.eid);
  writer->String("status", CommandStatusText(body.status));
  if (body.commit_index != 0) writer->Number("commit_index", body.commit_index);
}

// ---- Parsing: each takes the members of its body and finishes the parser ----

struct Context {
  absl::Status Finish() const {
    if (parser->Finish()) return absl::OkStatus();
    return parser->Error(absl::StrCat("raft ", method, " RPC"));
  }

  absl::string_view method;
  ObjectParser* parser;
};

template <typename Body>
absl::StatusOr<Body> Finished(Body body, const Context& context) {
  const absl::Status status = context.Finish();
  if (!status.ok()) return status;
  return body;
}

absl::StatusOr<HelloRequest> ParseHelloRequest(const Context& context) {
  return Finished(HelloRequest{ReadString("address", context.parser)}, context);
}

absl::StatusOr<AppendRequest> ParseAppendRequest(const Context& context) {
  ObjectParser* const parser = context.parser;
  AppendRequest body;
  body.term = ReadNumber("term", parser);
  body.prev_log_index = ReadNumber("prev_log_index", parser);
  body.prev_log_term = ReadNumber("prev_log_term", parser);
  body.leader_commit = ReadNumber("leader_commit", parser);
  const Json* const log = parser->Required("log", ObjectParser::kArray);
  const absl::Status status = context.Finish();
  if (!status.ok()) return status;
  body.log.reserve(log->Size());
  for (const Json& element : log->GetArray()) {
    ObjectParser entry_parser(element);
    absl::StatusOr<Entry> entry = ReadEntry("raft log entry", &entry_parser);
    if (!entry.ok()) return entry.status();
    body.log.push_back(*std::move(entry));
  }
  return body;
}

absl::StatusOr<AppendReply> ParseAppendReply(const Context& context) {
  ObjectParser* const parser = context.parser;
  AppendReply body;
  body.term = ReadNumber("term", parser);
  body.log_end = ReadNumber("log_end", parser);
  body.prev_log_index = ReadNumber("prev_log_index", parser);
  body.prev_log_term = ReadNumber("prev_log_term", parser);
  body.n_entries = ReadNumber("n_entries", parser);
  const std::string result = ReadString("result", parser);
  for (size_t i = 0; i < std::size(kAppendResults); ++i) {
    if (result == kAppendResults[i]) {
      body.result = static_cast<AppendResult>(i);
      return Finished(body, context);
    }
  }
  parser->Fail(absl::StrCat("unknown result \"", result, "\""));
  return Finished(body, context);
}

absl::StatusOr<VoteRequest> ParseVoteRequest(const Context& context) {
  ObjectParser* const parser = context.parser;
  VoteRequest body;
  body.term = ReadNumber("term", parser);
  body.last_log_index = ReadNumber("last_log_index", parser);
  body.last_log_term = ReadNumber("last_log_term", parser);
  body.leadership_transfer = ReadOptionalBoolean("leadership_transfer", parser);
  body.is_prevote = ReadOptionalBoolean("is_prevote", parser);
  return Finished(body, context);
}

absl::StatusOr<VoteReply> ParseVoteReply(const Context& context) {
  ObjectParser* const parser = context.parser;
  VoteReply body;
  body.term = ReadNumber("term", parser);
  body.vote = ReadUuid("vote", parser);
  body.is_prevote = ReadOptionalBoolean("is_prevote", parser);
  return Finished(body, context);
}

absl::StatusOr<AddServerRequest> ParseAddServerRequest(const Context& context) {
  return Finished(AddServerRequest{ReadString("address", context.parser)}, context);
}

absl::StatusOr<AddServerReply> ParseAddServerReply(const Context& context) {
  AddServerReply body;
  body.success = ReadBoolean("success", context.parser);
  const Json* const remotes = context.parser->Optional("remote_addresses", ObjectParser::kArray);
  const absl::Status status = context.Finish();
  if (!status.ok()) return status;
  if (remotes != nullptr) {
    absl::StatusOr<std::vector<std::string>> addresses = ParseAddresses(*remotes);
    if (!addresses.ok()) return addresses.status();
    body.remote_addresses = *std::move(addresses);
  }
  return body;
}

absl::StatusOr<RemoveServerRequest> ParseRemoveServerRequest(const Context& context) {
  return Finished(RemoveServerRequest{ReadServerId("server_id", context.parser)}, context);
}

absl::StatusOr<RemoveServerReply> ParseRemoveServerReply(const Context& context) {
  RemoveServerReply body;
  body.success = ReadBoolean("success", context.parser);
  body.target = ReadOptionalUuid("target_server", context.parser);
  return Finished(body, context);
}

absl::StatusOr<InstallSnapshotRequest> ParseInstallSnapshotRequest(const Context& context) {
  ObjectParser* const parser = context.parser;
  InstallSnapshotRequest body;
  body.term = ReadNumber("term", parser);
  body.snapshot.index = ReadNumber("last_index", parser);
  body.snapshot.term = ReadNumber("last_term", parser);
  body.snapshot.eid = ReadUuid("last_eid", parser);
  body.snapshot.election_timer_ms = ReadTimer("election_timer", parser);
  const Json* const servers = parser->Required("last_servers", ObjectParser::kObject);
  body.data = ReadPayload("data", parser);
  const absl::Status status = context.Finish();
  if (!status.ok()) return status;
  absl::StatusOr<ServersRef> parsed = ParseServers(*servers);
  if (!parsed.ok()) return parsed.status();
  body.snapshot.servers = *std::move(parsed);
  return body;
}

absl::StatusOr<InstallSnapshotReply> ParseInstallSnapshotReply(const Context& context) {
  ObjectParser* const parser = context.parser;
  InstallSnapshotReply body;
  body.term = ReadNumber("term", parser);
  body.last_index = ReadNumber("last_index", parser);
  body.last_term = ReadNumber("last_term", parser);
  return Finished(body, context);
}

absl::StatusOr<BecomeLeader> ParseBecomeLeader(const Context& context) {
  return Finished(BecomeLeader{ReadNumber("term", context.parser)}, context);
}

absl::StatusOr<ExecuteRequest> ParseExecuteRequest(const Context& context) {
  ObjectParser* const parser = context.parser;
  ExecuteRequest body;
  body.data = ReadPayload("data", parser);
  body.prereq = ReadUuid("prereq", parser);
  body.eid = ReadUuid("result", parser);
  return Finished(std::move(body), context);
}

std::optional<CommandStatus> CommandStatusOf(absl::string_view text) {
  for (int i = 0; i <= static_cast<int>(CommandStatus::kTimeout); ++i) {
    const auto status = static_cast<CommandStatus>(i);
    if (text == CommandStatusText(status)) return status;
  }
  return std::nullopt;
}

absl::StatusOr<ExecuteReply> ParseExecuteReply(const Context& context) {
  ObjectParser* const parser = context.parser;
  ExecuteReply body;
  body.eid = ReadUuid("result", parser);
  const std::string text = ReadString("status", parser);
  const std::optional<CommandStatus> status = CommandStatusOf(text);
  if (!status) parser->Fail(absl::StrCat("unknown status \"", text, "\""));
  body.status = status.value_or(CommandStatus::kIncomplete);
  const Index commit_index = ReadOptionalNumber("commit_index", parser);
  if (body.status == CommandStatus::kSuccess) body.commit_index = commit_index;
  return Finished(body, context);
}

// ---- All kinds of messages ----

template <typename Body, absl::StatusOr<Body> (*kParse)(const Context&)>
absl::Status ParseBody(const Context& context, Message* message) {
  absl::StatusOr<Body> body = kParse(context);
  if (!body.ok()) return body.status();
  message->body = *std::move(body);
  return absl::OkStatus();
}

struct Method {
  absl::string_view name;
  absl::Status (*parse)(const Context& context, Message* message);
  bool cluster_may_be_unknown = false;
  bool receiver_may_be_unknown = false;
};

// In the order of Message::body's alternatives.
constexpr Method kMethods[] = {
    {"hello_request", ParseBody<HelloRequest, ParseHelloRequest>, false, true},
    {"append_request", ParseBody<AppendRequest, ParseAppendRequest>},
    {"append_reply", ParseBody<AppendReply, ParseAppendReply>},
    {"vote_request", ParseBody<VoteRequest, ParseVoteRequest>},
    {"vote_reply", ParseBody<VoteReply, ParseVoteReply>},
    {"add_server_request", ParseBody<AddServerRequest, ParseAddServerRequest>, true, true},
    {"add_server_reply", ParseBody<AddServerReply, ParseAddServerReply>},
    {"remove_server_request", ParseBody<RemoveServerRequest, ParseRemoveServerRequest>},
    {"remove_server_reply", ParseBody<RemoveServerReply, ParseRemoveServerReply>},
    {"install_snapshot_request", ParseBody<InstallSnapshotRequest, ParseInstallSnapshotRequest>},
    {"install_snapshot_reply", ParseBody<InstallSnapshotReply, ParseInstallSnapshotReply>},
    {"become_leader", ParseBody<BecomeLeader, ParseBecomeLeader>},
    {"execute_command_request", ParseBody<ExecuteRequest, ParseExecuteRequest>},
    {"execute_command_reply", ParseBody<ExecuteReply, ParseExecuteReply>},
};
static_assert(std::size(kMethods) == std::variant_size_v<decltype(Message::body)>);

const Method* FindMethod(absl::string_view name) {
  for (const Method& method : kMethods) {
    if (name == method.name) return &method;
  }
  return nullptr;
}

}  // namespace

absl::string_view MethodName(const Message& message) { return kMethods[message.body.index()].name; }

void AppendMessage(const Message& message, std::string* out) {
  ObjectWriter writer(out);
  if (!message.cluster.is_zero()) writer.Uuid("cluster", message.cluster);
  if (!message.to.is_zero()) writer.Uuid("to", message.to);
  writer.Uuid("from", message.from);
  if (!message.comment.empty()) writer.String("comment", message.comment);
  std::visit([&writer](const auto& body) { Write(body, &writer); }, message.body);
  writer.End();
}

absl::StatusOr<Message> ParseMessage(absl::string_view name, const Json& params) {
  const Method* const method = FindMethod(name);
  if (method == nullptr) return ovsdb::Error("ovsdb error", absl::StrCat("unknown method ", name));
  const size_t n_params = params.IsArray() ? params.Size() : 0;
  if (n_params != 1) {
    return ovsdb::Error("ovsdb error",
                        absl::StrCat(name, " RPC has ", n_params, " parameters (expected 1)"));
  }
  ObjectParser parser(params[0]);
  Message message;
  message.cluster = method->cluster_may_be_unknown ? ReadOptionalUuid("cluster", &parser)
                                                   : ReadUuid("cluster", &parser);
  message.to =
      method->receiver_may_be_unknown ? ReadOptionalUuid("to", &parser) : ReadUuid("to", &parser);
  message.from = ReadServerId("from", &parser);
  message.comment = ReadOptionalString("comment", &parser);
  const absl::Status status = method->parse({name, &parser}, &message);
  if (!status.ok()) return status;
  return message;
}

}  // namespace raft
