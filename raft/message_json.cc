#include "raft/message_json.h"

#include <functional>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ovsdb/error.h"
#include "ovsdb/object_parser.h"
#include "raft/fields.h"

namespace raft {
namespace {

using ovsdb::Json;
using ovsdb::ObjectParser;

absl::string_view AppendResultText(AppendResult result) {
  switch (result) {
    case AppendResult::kOk:
      return "OK";
    case AppendResult::kInconsistency:
      return "inconsistency";
    case AppendResult::kIoError:
      return "I/O error";
  }
  return "";
}

// A body's members are listed once, in Members(), for writing and for reading: a Writer and a
// Reader have the same functions, and the one takes what the other gives. What is called optional
// is absent when it is 0, false or empty.

class Writer {
 public:
  template <typename Body>
  using Of = const Body;

  explicit Writer(ObjectWriter* out) : out_(out) {}

  void Number(absl::string_view name, uint64_t value) { out_->Number(name, value); }
  void Place(absl::string_view name, uint64_t value) { Number(name, value); }
  void OptionalNumber(absl::string_view name, uint64_t value) {
    if (value != 0) out_->Number(name, value);
  }
  void Timer(absl::string_view name, uint64_t value) { out_->Number(name, value); }
  void Boolean(absl::string_view name, bool value) { out_->Boolean(name, value); }
  void OptionalBoolean(absl::string_view name, bool value) {
    if (value) out_->Boolean(name, value);
  }
  void String(absl::string_view name, const std::string& value) { out_->String(name, value); }
  void Uuid(absl::string_view name, const ovsdb::Uuid& value) { out_->Uuid(name, value); }
  void OptionalUuid(absl::string_view name, const ovsdb::Uuid& value) {
    if (!value.is_zero()) out_->Uuid(name, value);
  }
  void Id(absl::string_view name, const ServerId& value) { out_->Uuid(name, value); }
  void Data(absl::string_view name, const Payload& value) { out_->Text(name, *value); }
  void Servers(absl::string_view name, const ServersRef& value) { out_->Servers(name, *value); }
  void OptionalAddresses(absl::string_view name, const std::vector<std::string>& value) {
    if (!value.empty()) out_->Addresses(name, value);
  }
  void Entries(absl::string_view name, const std::vector<Entry>& value) {
    out_->BeginArray(name);
    for (const Entry& entry : value) {
      ObjectWriter element = out_->Element();
      WriteEntry(entry, &element);
      element.End();
    }
    out_->EndArray();
  }
  template <typename Enum>
  void Word(absl::string_view name, Enum value, absl::string_view (*text)(Enum), Enum /*last*/) {
    out_->String(name, text(value));
  }

 private:
  ObjectWriter* const out_;
};

class Reader {
 public:
  template <typename Body>
  using Of = Body;

  explicit Reader(ObjectParser* parser) : parser_(parser) {}

  void Number(absl::string_view name, uint64_t& value) { value = ReadNumber(name, parser_); }
  void Place(absl::string_view name, uint64_t& value) { value = ReadPlace(name, parser_); }
  void OptionalNumber(absl::string_view name, uint64_t& value) {
    value = ReadOptionalNumber(name, parser_);
  }
  void Timer(absl::string_view name, uint64_t& value) { value = ReadTimer(name, parser_); }
  void Boolean(absl::string_view name, bool& value) { value = ReadBoolean(name, parser_); }
  void OptionalBoolean(absl::string_view name, bool& value) {
    value = ReadOptionalBoolean(name, parser_);
  }
  void String(absl::string_view name, std::string& value) { value = ReadString(name, parser_); }
  void Uuid(absl::string_view name, ovsdb::Uuid& value) { value = ReadUuid(name, parser_); }
  void OptionalUuid(absl::string_view name, ovsdb::Uuid& value) {
    value = ReadOptionalUuid(name, parser_);
  }
  void Id(absl::string_view name, ServerId& value) { value = ReadServerId(name, parser_); }
  void Data(absl::string_view name, Payload& value) { value = ReadPayload(name, parser_); }
  void Servers(absl::string_view name, ServersRef& value) {
    Later(parser_->Required(name, ObjectParser::kObject), &value, ParseServers);
  }
  void OptionalAddresses(absl::string_view name, std::vector<std::string>& value) {
    Later(parser_->Optional(name, ObjectParser::kArray), &value, ParseAddresses);
  }
  void Entries(absl::string_view name, std::vector<Entry>& value) {
    Later(parser_->Required(name, ObjectParser::kArray), &value, ParseEntries);
  }
  template <typename Enum>
  void Word(absl::string_view name, Enum& value, absl::string_view (*text)(Enum), Enum last) {
    const std::string word = ReadString(name, parser_);
    for (int i = 0; i <= static_cast<int>(last); ++i) {
      value = static_cast<Enum>(i);
      if (word == text(value)) return;
    }
    parser_->Fail(absl::StrCat("unknown ", name, " \"", word, "\""));
  }

  // Parts that have errors of their own are read when the whole is known to have its members.
  absl::Status Finish(absl::string_view what) {
    if (!parser_->Finish()) return parser_->Error(what);
    for (const auto& part : parts_) {
      if (absl::Status status = part(); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

 private:
  static absl::StatusOr<std::vector<Entry>> ParseEntries(const Json& array) {
    std::vector<Entry> entries;
    entries.reserve(array.Size());
    for (const Json& element : array.GetArray()) {
      ObjectParser parser(element);
      absl::StatusOr<Entry> entry = ReadEntry("raft log entry", &parser);
      if (!entry.ok()) return entry.status();
      entries.push_back(*std::move(entry));
    }
    return entries;
  }

  template <typename Value>
  void Later(const Json* json, Value* value, absl::StatusOr<Value> (*parse)(const Json&)) {
    if (json == nullptr) return;
    parts_.push_back([json, value, parse]() -> absl::Status {
      absl::StatusOr<Value> parsed = parse(*json);
      if (!parsed.ok()) return parsed.status();
      *value = *std::move(parsed);
      return absl::OkStatus();
    });
  }

  ObjectParser* const parser_;
  std::vector<std::function<absl::Status()>> parts_;
};

// ---- The members of each body ----

template <typename Io>
void Members(Io& io, typename Io::template Of<HelloRequest>& body) {
  io.String("address", body.address);
}

template <typename Io>
void Members(Io& io, typename Io::template Of<AppendRequest>& body) {
  io.Number("term", body.term);
  io.Place("prev_log_index", body.prev_log_index);
  io.Number("prev_log_term", body.prev_log_term);
  io.Number("leader_commit", body.leader_commit);
  io.Entries("log", body.log);
}

template <typename Io>
void Members(Io& io, typename Io::template Of<AppendReply>& body) {
  io.Number("term", body.term);
  io.Number("log_end", body.log_end);
  io.Number("prev_log_index", body.prev_log_index);
  io.Number("prev_log_term", body.prev_log_term);
  io.Number("n_entries", body.n_entries);
  io.Word("result", body.result, AppendResultText, AppendResult::kIoError);
}

template <typename Io>
void Members(Io& io, typename Io::template Of<VoteRequest>& body) {
  io.Number("term", body.term);
  io.Number("last_log_index", body.last_log_index);
  io.Number("last_log_term", body.last_log_term);
  io.OptionalBoolean("leadership_transfer", body.leadership_transfer);
  io.OptionalBoolean("is_prevote", body.is_prevote);
}

template <typename Io>
void Members(Io& io, typename Io::template Of<VoteReply>& body) {
  io.Number("term", body.term);
  io.Uuid("vote", body.vote);
  io.OptionalBoolean("is_prevote", body.is_prevote);
}

template <typename Io>
void Members(Io& io, typename Io::template Of<AddServerRequest>& body) {
  io.String("address", body.address);
}

template <typename Io>
void Members(Io& io, typename Io::template Of<AddServerReply>& body) {
  io.Boolean("success", body.success);
  io.OptionalAddresses("remote_addresses", body.remote_addresses);
}

template <typename Io>
void Members(Io& io, typename Io::template Of<RemoveServerRequest>& body) {
  io.Id("server_id", body.server);
}

template <typename Io>
void Members(Io& io, typename Io::template Of<RemoveServerReply>& body) {
  io.Boolean("success", body.success);
  io.OptionalUuid("target_server", body.target);
}

template <typename Io>
void Members(Io& io, typename Io::template Of<InstallSnapshotRequest>& body) {
  io.Number("term", body.term);
  io.Number("last_index", body.snapshot.index);
  io.Number("last_term", body.snapshot.term);
  io.Servers("last_servers", body.snapshot.servers);
  io.Uuid("last_eid", body.snapshot.eid);
  io.Timer("election_timer", body.snapshot.election_timer_ms);
  io.Data("data", body.data);
}

template <typename Io>
void Members(Io& io, typename Io::template Of<InstallSnapshotReply>& body) {
  io.Number("term", body.term);
  io.Number("last_index", body.last_index);
  io.Number("last_term", body.last_term);
}

template <typename Io>
void Members(Io& io, typename Io::template Of<BecomeLeader>& body) {
  io.Number("term", body.term);
}

template <typename Io>
void Members(Io& io, typename Io::template Of<ExecuteRequest>& body) {
  io.Data("data", body.data);
  io.Uuid("prereq", body.prereq);
  io.Uuid("result", body.eid);
}

template <typename Io>
void Members(Io& io, typename Io::template Of<ExecuteReply>& body) {
  io.Uuid("result", body.eid);
  io.Word("status", body.status, CommandStatusText, CommandStatus::kTimeout);
  io.OptionalNumber("commit_index", body.commit_index);
}

// ---- All kinds of messages ----

template <typename Body>
absl::Status ParseBody(absl::string_view what, ObjectParser* parser, Message* message) {
  Reader reader(parser);
  Members(reader, message->body.emplace<Body>());
  return reader.Finish(what);
}

struct Method {
  absl::string_view name;
  absl::Status (*parse)(absl::string_view what, ObjectParser* parser, Message* message);
  bool cluster_may_be_unknown = false;
  bool receiver_may_be_unknown = false;
};

// In the order of Message::body's alternatives.
constexpr Method kMethods[] = {
    {"hello_request", ParseBody<HelloRequest>, false, true},
    {"append_request", ParseBody<AppendRequest>},
    {"append_reply", ParseBody<AppendReply>},
    {"vote_request", ParseBody<VoteRequest>},
    {"vote_reply", ParseBody<VoteReply>},
    {"add_server_request", ParseBody<AddServerRequest>, true, true},
    {"add_server_reply", ParseBody<AddServerReply>},
    {"remove_server_request", ParseBody<RemoveServerRequest>},
    {"remove_server_reply", ParseBody<RemoveServerReply>},
    {"install_snapshot_request", ParseBody<InstallSnapshotRequest>},
    {"install_snapshot_reply", ParseBody<InstallSnapshotReply>},
    {"become_leader", ParseBody<BecomeLeader>},
    {"execute_command_request", ParseBody<ExecuteRequest>},
    {"execute_command_reply", ParseBody<ExecuteReply>},
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
  ObjectWriter object(out);
  if (!message.cluster.is_zero()) object.Uuid("cluster", message.cluster);
  if (!message.to.is_zero()) object.Uuid("to", message.to);
  object.Uuid("from", message.from);
  if (!message.comment.empty()) object.String("comment", message.comment);
  Writer writer(&object);
  std::visit([&writer](const auto& body) { Members(writer, body); }, message.body);
  object.End();
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
  const absl::Status status = method->parse(absl::StrCat("raft ", name, " RPC"), &parser, &message);
  if (!status.ok()) return status;
  return message;
}

}  // namespace raft
