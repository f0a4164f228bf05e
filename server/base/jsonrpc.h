// JSON-RPC 1.0 over a stream (RFC 7047 section 4): messages, and a connection that carries them.
//
//   class Session : public base::JsonRpc::Handler { ... };
//   base::JsonRpc rpc(&loop, std::move(stream), &session);
//   rpc.Send(base::ReplyText(request->id(), "{}"));
//
// Loop thread only.
#ifndef SERVER_BASE_JSONRPC_H_
#define SERVER_BASE_JSONRPC_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "rapidjson/document.h"
#include "server/base/json_frame.h"
#include "server/base/loop.h"
#include "server/base/stream.h"

namespace base {

// One received message. Owns its text, into which the strings of its values point; values are valid
// as long as the message. Members that the type does not have are null values.
class JsonRpcMessage {
 public:
  enum Type { kRequest, kNotify, kReply, kError };

  // Takes a frame apart. The error's message is what stock logs behind the peer's name:
  // "received bad JSON-RPC message: ..." for JSON that is no message, or "error parsing stream:
  // ...". Of members of one name the last counts, at any depth.
  static absl::StatusOr<std::unique_ptr<JsonRpcMessage>> Parse(std::string text);
  JsonRpcMessage(const JsonRpcMessage&) = delete;
  JsonRpcMessage& operator=(const JsonRpcMessage&) = delete;

  Type type() const { return type_; }
  absl::string_view method() const {  // Empty unless kRequest, kNotify.
    return method_->IsString() ? absl::string_view(method_->GetString(), method_->GetStringLength())
                               : absl::string_view();
  }
  const rapidjson::Value& params() const { return *params_; }  // kRequest, kNotify: an array.
  const rapidjson::Value& result() const { return *result_; }  // kReply.
  const rapidjson::Value& error() const { return *error_; }    // kError.
  const rapidjson::Value& id() const { return *id_; }          // All but kNotify.

  // Bytes of memory held, about.
  size_t memory() const;
  // As stock describes messages in its debug log: `request, method="echo", params=[], id=0`.
  std::string Describe() const;

 private:
  explicit JsonRpcMessage(std::string text);
  absl::Status Assign();
  absl::Status Check() const;

  Type type_ = Type::kNotify;
  std::string text_;
  rapidjson::MemoryPoolAllocator<> allocator_;
  rapidjson::Document document_;
  const rapidjson::Value* method_;
  const rapidjson::Value* params_;
  const rapidjson::Value* result_;
  const rapidjson::Value* error_;
  const rapidjson::Value* id_;
};

// Message texts. `params`, `result`, `error` and `id` are JSON texts or values; members come in
// stock's order.
std::string RequestText(absl::string_view method, absl::string_view params, absl::string_view id);
std::string NotifyText(absl::string_view method, absl::string_view params);
std::string ReplyText(const rapidjson::Value& id, absl::string_view result);
std::string ReplyText(absl::string_view id, absl::string_view result);
std::string ErrorReplyText(const rapidjson::Value& id, absl::string_view error);
std::string ErrorReplyText(absl::string_view id, absl::string_view error);
// The JSON text of a value, with reals rounded as all that a client is told, and of a string.
std::string ValueText(const rapidjson::Value& value);
std::string StringText(absl::string_view string);

class JsonRpc : private Stream::Handler {
 public:
  // Callbacks may destroy the connection. None comes from within a call of the owner.
  class Handler {
   public:
    virtual ~Handler() = default;
    virtual void OnConnected() {}
    // Echo requests are answered, and replies to our own echoes swallowed, before this.
    virtual void OnMessage(std::unique_ptr<JsonRpcMessage> message) = 0;
    // Something was received, messages or not (for probes).
    virtual void OnActivity() {}
    // The backlog has become empty.
    virtual void OnDrained() {}
    // The end, also after a protocol error (EPROTO). Last callback.
    virtual void OnClosed(const absl::Status& reason) = 0;
  };

  // `stream` may be connecting or connected.
  JsonRpc(Loop* loop, std::unique_ptr<Stream> stream, Handler* handler,
          size_t max_frame = kMaxClientFrame);
  // Connects to an active target (see Stream::Connect).
  static absl::StatusOr<std::unique_ptr<JsonRpc>> Connect(const StreamContext& context,
                                                          absl::string_view target, int dscp,
                                                          Handler* handler,
                                                          size_t max_frame = kMaxClientFrame);
  ~JsonRpc() override;
  JsonRpc(const JsonRpc&) = delete;
  JsonRpc& operator=(const JsonRpc&) = delete;

  // Queues a message, given as its whole text, or as texts whose concatenation it is. It leaves at
  // the end of the turn. After the end it is dropped.
  void Send(absl::string_view text);
  void Send(SharedText text);
  void Send(absl::string_view head, const SharedText& body, absl::string_view tail);
  void Send(absl::string_view head, const std::vector<SharedText>& body, absl::string_view tail);
  void Flush() { stream_->Flush(); }  // Does not wait for that end (Stream::Flush).
  // An echo request whose reply is swallowed.
  void SendEcho();

  // While paused no message is handed over and little is read ahead.
  void SetReading(bool reading);
  bool reading() const { return reading_; }

  size_t backlog() const { return stream_->backlog(); }  // Bytes not yet taken by the kernel.
  size_t backlog_messages();                             // Messages not wholly taken.

  Stream* stream() { return stream_.get(); }
  const std::string& name() const { return stream_->name(); }

  // Ends the connection: no more messages are handed over; what is queued gets one chance to leave,
  // then OnClosed(reason) comes.
  void Close(absl::Status reason);

 private:
  JsonRpc(Loop* loop, Handler* handler, size_t max_frame);
  void OnConnected() override;
  void OnData(absl::string_view data) override;
  void OnDrained() override;
  void OnClosed(const absl::Status& reason) override;

  void Continue();
  bool may_read() const { return reading_ && !peer_is_slow_ && !parsing_; }
  void UpdateReading();
  void Finish();
  void Frames(absl::string_view data);
  void Deliver(std::string frame);
  void ParseAside(std::string frame);
  void HandOver(absl::StatusOr<std::unique_ptr<JsonRpcMessage>> message);
  bool HandleInternally(const JsonRpcMessage& message);
  void Fail(const absl::Status& error);
  void MessageQueued();
  void LogSent(absl::string_view text) const;

  Loop* loop_;
  std::unique_ptr<Stream> stream_;
  Handler* handler_;
  JsonFramer framer_;
  std::string held_;                   // Read, but not to be handed over yet.
  std::deque<uint64_t> message_ends_;  // Of unsent messages, in bytes since the beginning.
  Timer later_;     // Hands over what is held, or the reason of closing, in the next turn.
  TurnEnd resume_;  // Hands over what is held in this turn.
  absl::Status close_reason_;
  bool connecting_ = false;
  bool reading_ = true;
  bool peer_is_slow_ = false;  // It does not read its echoes: it is not read either.
  bool parsing_ = false;       // A large message, on another thread; no other one overtakes it.
  bool closed_ = false;
  bool* destroyed_ = nullptr;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace base

#endif  // SERVER_BASE_JSONRPC_H_
