// JSON-RPC 1.0 over a stream (RFC 7047 section 4): messages, and a connection that carries them.
//
//   class Session : public base::JsonRpc::Handler { ... };
//   base::JsonRpc rpc(context, std::move(stream), &session);
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

  // Takes a frame apart. The error's message is what stock logs after "received bad JSON-RPC
  // message: " for a well-formed value that is no message, or the JSON error.
  static absl::StatusOr<std::unique_ptr<JsonRpcMessage>> Parse(std::string text);

  Type type() const { return type_; }
  absl::string_view method() const;        // kRequest, kNotify.
  const rapidjson::Value& params() const;  // kRequest, kNotify: an array.
  const rapidjson::Value& result() const;  // kReply.
  const rapidjson::Value& error() const;   // kError.
  const rapidjson::Value& id() const;      // All but kNotify.
  // Bytes of memory held, about.
  size_t memory() const;

 private:
  JsonRpcMessage() = default;
  const rapidjson::Value& Member(const char* name) const;

  Type type_ = kNotify;
  std::string text_;
  rapidjson::Document document_;
};

// Message texts. `params`, `result`, `error` and `id` are JSON texts or values; members come in
// stock's order.
std::string RequestText(absl::string_view method, absl::string_view params, absl::string_view id);
std::string NotifyText(absl::string_view method, absl::string_view params);
std::string ReplyText(const rapidjson::Value& id, absl::string_view result);
std::string ReplyText(absl::string_view id, absl::string_view result);
std::string ErrorReplyText(const rapidjson::Value& id, absl::string_view error);
std::string ErrorReplyText(absl::string_view id, absl::string_view error);

class JsonRpc : private Stream::Handler {
 public:
  // Callbacks may destroy the connection.
  class Handler {
   public:
    virtual ~Handler() = default;
    virtual void OnConnected() {}
    // Echo requests are answered and replies to our own echoes swallowed before this.
    virtual void OnMessage(std::unique_ptr<JsonRpcMessage> message) = 0;
    // Something was received, messages or not (for probes). At most once a turn.
    virtual void OnActivity() {}
    // The backlog has become empty.
    virtual void OnDrained() {}
    // The end, also after a protocol error (EPROTO). Last callback.
    virtual void OnClosed(const absl::Status& reason) = 0;
  };

  JsonRpc(Loop* loop, std::unique_ptr<Stream> stream, Handler* handler,
          size_t max_frame = kMaxClientFrame);
  ~JsonRpc() override;

  // Queues a message, given as its whole text, or as texts whose concatenation it is. Nothing is
  // sent after the end.
  void Send(absl::string_view text);
  void Send(SharedText text);
  void Send(absl::string_view head, const SharedText& body, absl::string_view tail);
  // An echo request whose reply is swallowed.
  void SendEcho();

  // While paused no message is handed over and little is read ahead.
  void SetReading(bool reading);

  size_t backlog() const { return stream_->backlog(); }  // Bytes not yet taken by the kernel.
  size_t backlog_messages() const;                       // Messages not wholly taken.
  size_t received_bytes() const { return received_bytes_; }

  Stream* stream() { return stream_.get(); }
  const std::string& name() const { return stream_->name(); }

  // Ends the connection now: OnClosed(reason) comes in the next turn.
  void Close(absl::Status reason);

 private:
  void OnConnected() override;
  void OnData(absl::string_view data) override;
  void OnDrained() override;
  void OnClosed(const absl::Status& reason) override;
  void Deliver();
  bool HandleInternally(const JsonRpcMessage& message);
  void MessageQueued();

  Loop* loop_;
  std::unique_ptr<Stream> stream_;
  Handler* handler_;
  JsonFramer framer_;
  std::string held_;  // Bytes read but not framed when reading was paused.
  std::deque<uint64_t> message_ends_;
  Timer later_;
  absl::Status close_reason_;
  uint64_t received_bytes_ = 0;
  bool reading_ = true;
  bool* destroyed_ = nullptr;
};

}  // namespace base

#endif  // SERVER_BASE_JSONRPC_H_
