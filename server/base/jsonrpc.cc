#include "server/base/jsonrpc.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ovsdb/json.h"
#include "server/base/coverage.h"
#include "server/base/io_error.h"
#include "server/base/log.h"
#include "server/base/pace.h"

namespace base {
namespace {

using rapidjson::Value;

LogModule log("jsonrpc");
RateLimit limit(5, 5);
Counter sent("jsonrpc_send");
Counter received("jsonrpc_recv");

// What a message's values are allocated from grows in steps of its text's size, within these.
constexpr size_t kMinChunk = 1 << 10;
constexpr size_t kMaxChunk = 64 << 10;

// A peer that has this much to read is answered no more echoes before it has read all of it.
constexpr size_t kMaxEchoBacklog = 1 << 20;

// A message of more bytes is parsed on another thread: it would take milliseconds.
constexpr size_t kLargeFrame = 2 << 20;

constexpr char kEchoId[] = "echo";

const Value& NullValue() {
  static const Value null;
  return null;
}

absl::string_view View(const Value& string) {
  return absl::string_view(string.GetString(), string.GetStringLength());
}

absl::Status BadMessage(absl::string_view problem) {
  return absl::InvalidArgumentError(absl::StrCat("received bad JSON-RPC message: ", problem));
}

}  // namespace

JsonRpcMessage::JsonRpcMessage(std::string text)
    : text_(std::move(text)),
      allocator_(std::clamp(text_.size(), kMinChunk, kMaxChunk)),
      document_(&allocator_),
      method_(&NullValue()),
      params_(method_),
      result_(method_),
      error_(method_),
      id_(method_) {}

absl::StatusOr<std::unique_ptr<JsonRpcMessage>> JsonRpcMessage::Parse(std::string text) {
  std::unique_ptr<JsonRpcMessage> message(new JsonRpcMessage(std::move(text)));
  absl::Status status = ovsdb::ParseJsonInSitu(&message->text_, &message->document_);
  if (!status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("error parsing stream: ", status.message()));
  }
  status = message->Assign();
  if (!status.ok()) return status;
  return message;
}

// Finds the members; a null one is as good as none, as stock has it.
absl::Status JsonRpcMessage::Assign() {
  if (!document_.IsObject()) return BadMessage("message is not a JSON object");
  absl::string_view unexpected;
  const Value* method = nullptr;
  for (const auto& member : document_.GetObject()) {
    const absl::string_view name = View(member.name);
    if (name == "method") {
      method = &member.value;
    } else if (name == "params") {
      params_ = &member.value;
    } else if (name == "result") {
      result_ = &member.value;
    } else if (name == "error") {
      error_ = &member.value;
    } else if (name == "id") {
      id_ = &member.value;
    } else {
      unexpected = name;
    }
  }
  if (method != nullptr) {
    if (!method->IsString()) return BadMessage("method is not a JSON string");
    method_ = method;
  }
  if (unexpected.data() != nullptr) {
    return BadMessage(absl::StrCat("message has unexpected member \"", unexpected, "\""));
  }
  if (!result_->IsNull()) {
    type_ = Type::kReply;
  } else if (!error_->IsNull()) {
    type_ = Type::kError;
  } else {
    type_ = id_->IsNull() ? Type::kNotify : Type::kRequest;
  }
  return Check();
}

absl::Status JsonRpcMessage::Check() const {
  struct Rule {
    const char* type;
    bool method, params, result, error, id;
  };
  // By Type.
  static constexpr Rule kRules[] = {{"request", true, true, false, false, true},
                                    {"notification", true, true, false, false, false},
                                    {"reply", false, false, true, false, true},
                                    {"error", false, false, false, true, true}};
  const Rule& rule = kRules[static_cast<int>(type_)];
  if (!params_->IsNull() && !params_->IsArray()) return BadMessage("\"params\" must be JSON array");
  const struct {
    const char* name;
    const Value* value;
    bool wanted;
  } members[] = {{"method", method_, rule.method},
                 {"params", params_, rule.params},
                 {"result", result_, rule.result},
                 {"error", error_, rule.error},
                 {"id", id_, rule.id}};
  for (const auto& member : members) {
    if (!member.value->IsNull() == member.wanted) continue;
    return BadMessage(absl::StrCat(rule.type, " must", member.wanted ? "" : " not", " have \"",
                                   member.name, "\""));
  }
  return absl::OkStatus();
}

size_t JsonRpcMessage::memory() const {
  return sizeof *this + text_.capacity() + allocator_.Capacity();
}

std::string JsonRpcMessage::Describe() const {
  static constexpr const char* kNames[] = {"request", "notification", "reply", "error"};
  std::string text = kNames[static_cast<int>(type_)];
  auto append = [&text](const char* name, const Value& value) {
    if (!value.IsNull()) absl::StrAppend(&text, ", ", name, "=", ValueText(value));
  };
  append("method", *method_);
  append("params", *params_);
  append("result", *result_);
  append("error", *error_);
  append("id", *id_);
  return text;
}

std::string ValueText(const Value& value) {
  return ovsdb::JsonText(value, ovsdb::JsonForm::kShown);
}

std::string StringText(absl::string_view string) {
  std::string text;
  ovsdb::AppendJsonString(string, &text);
  return text;
}

std::string RequestText(absl::string_view method, absl::string_view params, absl::string_view id) {
  return absl::StrCat("{\"id\":", id, ",\"method\":\"", method, "\",\"params\":", params, "}");
}
std::string NotifyText(absl::string_view method, absl::string_view params) {
  return RequestText(method, params, "null");
}
std::string ReplyText(absl::string_view id, absl::string_view result) {
  return absl::StrCat("{\"id\":", id, ",\"result\":", result, ",\"error\":null}");
}
std::string ReplyText(const Value& id, absl::string_view result) {
  return ReplyText(ValueText(id), result);
}
std::string ErrorReplyText(absl::string_view id, absl::string_view error) {
  return absl::StrCat("{\"id\":", id, ",\"error\":", error, "}");
}
std::string ErrorReplyText(const Value& id, absl::string_view error) {
  return ErrorReplyText(ValueText(id), error);
}

JsonRpc::JsonRpc(Loop* loop, Handler* handler, size_t max_frame)
    : loop_(loop),
      handler_(handler),
      framer_(max_frame),
      later_(loop, [this] { Continue(); }),
      resume_(loop, TurnEnd::kWork, [this] { Continue(); }) {}

JsonRpc::JsonRpc(Loop* loop, std::unique_ptr<Stream> stream, Handler* handler, size_t max_frame)
    : JsonRpc(loop, handler, max_frame) {
  stream_ = std::move(stream);
  stream_->SetHandler(this);
}

absl::StatusOr<std::unique_ptr<JsonRpc>> JsonRpc::Connect(const StreamContext& context,
                                                          absl::string_view target, int dscp,
                                                          Handler* handler, size_t max_frame) {
  std::unique_ptr<JsonRpc> rpc(new JsonRpc(context.loop, handler, max_frame));
  auto stream = Stream::Connect(context, target, dscp, rpc.get());
  if (!stream.ok()) return stream.status();
  rpc->stream_ = *std::move(stream);
  rpc->connecting_ = true;
  return rpc;
}

JsonRpc::~JsonRpc() {
  *alive_ = false;
  if (destroyed_ != nullptr) *destroyed_ = true;
}

void JsonRpc::Send(absl::string_view text) {
  stream_->Write(text);
  MessageQueued();
  LogSent(text);
}

void JsonRpc::Send(SharedText text) {
  LogSent(*text);
  stream_->Write(std::move(text));
  MessageQueued();
}

void JsonRpc::Send(absl::string_view head, const SharedText& body, absl::string_view tail) {
  stream_->Write(head);
  stream_->Write(body);
  stream_->Write(tail);
  MessageQueued();
  if (log.on(LogLevel::kDebug)) LogSent(absl::StrCat(head, *body, tail));
}

void JsonRpc::Send(absl::string_view head, const std::vector<SharedText>& body,
                   absl::string_view tail) {
  stream_->Write(head);
  for (const SharedText& text : body) stream_->Write(text);
  stream_->Write(tail);
  MessageQueued();
  if (!log.on(LogLevel::kDebug)) return;
  std::string text(head);
  for (const SharedText& piece : body) text += *piece;
  LogSent(absl::StrCat(text, tail));
}

void JsonRpc::SendEcho() { Send(RequestText("echo", "[]", absl::StrCat("\"", kEchoId, "\""))); }

void JsonRpc::MessageQueued() {
  ++sent;
  message_ends_.push_back(stream_->bytes_queued());
  backlog_messages();
}

size_t JsonRpc::backlog_messages() {
  const uint64_t written = stream_->bytes_written();
  while (!message_ends_.empty() && message_ends_.front() <= written) message_ends_.pop_front();
  return message_ends_.size();
}

void JsonRpc::LogSent(absl::string_view text) const {
  if (!log.on(LogLevel::kDebug)) return;
  const auto message = JsonRpcMessage::Parse(std::string(text));
  if (!message.ok()) return log.Debug("%s: send %s", name(), std::string(text));
  const std::string description = (*message)->Describe();
  // Stock calls an error that it sends a reply.
  if ((*message)->type() == JsonRpcMessage::Type::kError) {
    log.Debug("%s: send reply%s", name(), description.substr(description.find(',')));
  } else {
    log.Debug("%s: send %s", name(), description);
  }
}

void JsonRpc::SetReading(bool reading) {
  if (reading == reading_) return;
  reading_ = reading;
  UpdateReading();
}

void JsonRpc::UpdateReading() {
  if (!close_reason_.ok()) return;
  if (may_read() && !held_.empty()) {
    resume_.Arm();  // What is held comes before what is to be read.
  } else {
    stream_->SetReading(may_read());
  }
}

void JsonRpc::Close(absl::Status reason) {
  if (!close_reason_.ok()) return;
  close_reason_ = std::move(reason);
  stream_->SetReading(false);
  later_.Start(0);
}

void JsonRpc::OnConnected() {
  connecting_ = false;
  handler_->OnConnected();
}

void JsonRpc::OnDrained() {
  if (std::exchange(peer_is_slow_, false)) UpdateReading();
  handler_->OnDrained();
}

void JsonRpc::OnClosed(const absl::Status& reason) {
  if (!connecting_ && ErrorNumber(reason) > 0) {
    log.WarnLimited(limit, "%s: %s error: %s", name(), stream_->send_failed() ? "send" : "receive",
                    std::string(reason.message()));
  }
  if (close_reason_.ok()) close_reason_ = reason;
  Finish();
}

void JsonRpc::Finish() {
  if (std::exchange(closed_, true)) return;
  later_.Stop();
  const absl::Status reason = close_reason_;
  handler_->OnClosed(reason);
}

void JsonRpc::OnData(absl::string_view data) {
  bool destroyed = false;
  destroyed_ = &destroyed;
  handler_->OnActivity();
  if (destroyed) return;
  destroyed_ = nullptr;
  if (!held_.empty()) {
    held_.append(data.data(), data.size());
    return;
  }
  Frames(data);
}

// Goes on with what was put off.
void JsonRpc::Continue() {
  if (!close_reason_.ok()) return Finish();
  if (!may_read()) return;
  const std::string held = std::exchange(held_, {});
  Frames(held);
}

// Hands over the messages in `data`; holds the rest if reading is paused or the turn's share is
// used up. May destroy the connection.
void JsonRpc::Frames(absl::string_view data) {
  bool destroyed = false;
  destroyed_ = &destroyed;
  // Of all connections of a thread, as they share its loop.
  static thread_local Pace pace;
  const int allowance = pace.Allowance(loop_->turn(), loop_->last_turn_ms());
  int handled = 0;
  while (close_reason_.ok() && may_read() && handled < allowance) {
    std::string frame;
    const absl::StatusOr<bool> complete = framer_.Next(&data, &frame);
    if (!complete.ok()) {
      Fail(absl::InvalidArgumentError(
          absl::StrCat("error parsing stream: ", complete.status().message())));
      break;
    }
    if (!*complete) break;
    pace.Handled(++handled);
    Deliver(std::move(frame));
    if (destroyed) return;
  }
  destroyed_ = nullptr;
  if (!close_reason_.ok()) return;
  held_.assign(data.data(), data.size());
  stream_->SetReading(may_read() && held_.empty());
  if (may_read() && !held_.empty()) later_.Start(0);
}

void JsonRpc::Deliver(std::string frame) {
  ++received;
  if (frame.size() > kLargeFrame) {
    ParseAside(std::move(frame));
  } else {
    HandOver(JsonRpcMessage::Parse(std::move(frame)));
  }
}

void JsonRpc::ParseAside(std::string frame) {
  struct Job {
    std::string frame;
    absl::StatusOr<std::unique_ptr<JsonRpcMessage>> message;
  };
  auto job = std::make_shared<Job>();
  job->frame = std::move(frame);
  parsing_ = true;
  loop_->Work([job] { job->message = JsonRpcMessage::Parse(std::move(job->frame)); },
              [this, alive = alive_, job] {
                if (!*alive) return;
                parsing_ = false;
                if (close_reason_.ok()) HandOver(std::move(job->message));
                if (*alive) UpdateReading();
              });
}

// May destroy the connection.
void JsonRpc::HandOver(absl::StatusOr<std::unique_ptr<JsonRpcMessage>> message) {
  if (!message.ok()) return Fail(message.status());
  if (log.on(LogLevel::kDebug)) log.Debug("%s: received %s", name(), (*message)->Describe());
  if (!HandleInternally(**message)) handler_->OnMessage(*std::move(message));
}

bool JsonRpc::HandleInternally(const JsonRpcMessage& message) {
  using Type = JsonRpcMessage::Type;
  if (message.type() == Type::kRequest && message.method() == "echo") {
    Send(ReplyText(message.id(), ValueText(message.params())));
    peer_is_slow_ = backlog() > kMaxEchoBacklog;
    return true;
  }
  return message.type() == Type::kReply && message.id().IsString() && View(message.id()) == kEchoId;
}

// Ends the connection for what the peer sent.
void JsonRpc::Fail(const absl::Status& error) {
  log.WarnLimited(limit, "%s: %s", name(), std::string(error.message()));
  Close(IoError(EPROTO));
}

}  // namespace base
