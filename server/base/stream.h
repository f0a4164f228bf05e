// Byte streams over unix sockets, TCP and TLS, with a queue of shared output buffers.
//
// A stream is created connecting (Connect) or connected (by a Listener). It tells its Handler what
// happens, never from within a call of the handler's owner. Output is queued by Write and leaves at
// the end of the turn in as few system calls as there can be. Loop thread only.
#ifndef SERVER_BASE_STREAM_H_
#define SERVER_BASE_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace base {

class Loop;
class TlsConfig;

// Text that many connections may have on their way to a socket at once.
using SharedText = std::shared_ptr<const std::string>;

// What streams need of their process. `tls` may be null: then ssl: is refused. Both outlive them.
struct StreamContext {
  Loop* loop = nullptr;
  TlsConfig* tls = nullptr;
};

inline constexpr int kNoDscp = -1;
inline constexpr int kDefaultDscp = 48;  // CS6, as stock marks control connections.
inline constexpr uint16_t kDefaultPort = 6640;

class Stream {
 public:
  // Callbacks may destroy the stream.
  class Handler {
   public:
    virtual ~Handler() = default;
    // The connection is made, the TLS handshake included.
    virtual void OnConnected() {}
    // Bytes came; valid during the call only. Not called while reading is paused.
    virtual void OnData(absl::string_view data) = 0;
    // All output has been handed to the kernel, after some was queued.
    virtual void OnDrained() {}
    // The stream has ended: EndOfFile() or an IoError. Last callback; nothing more is sent.
    virtual void OnClosed(const absl::Status& reason) = 0;
  };

  // Starts to connect to tcp:HOST:PORT, ssl:HOST:PORT or unix:FILE; HOST is a name or an address,
  // IPv6 in brackets, perhaps with %SCOPE. Refuses what is malformed (EAFNOSUPPORT for an unknown
  // kind); what fails later comes as OnClosed. `dscp` 0..63 or kNoDscp.
  static absl::StatusOr<std::unique_ptr<Stream>> Connect(const StreamContext& context,
                                                         absl::string_view target, int dscp,
                                                         Handler* handler);
  virtual ~Stream() = default;

  virtual void SetHandler(Handler* handler) = 0;

  // Queues output. Small pieces are copied together; a SharedText is referenced until sent. Legal
  // while connecting; after the end it is dropped.
  virtual void Write(absl::string_view data) = 0;
  virtual void Write(SharedText text) = 0;
  // Hands the kernel now what it takes of what is queued, for what cannot wait for the turn's end.
  // Calls nobody back: whatever there is to tell is told then.
  virtual void Flush() = 0;
  virtual size_t backlog() const = 0;          // Bytes queued and not yet taken by the kernel.
  virtual uint64_t bytes_written() const = 0;  // Taken by the kernel since the beginning.
  virtual uint64_t bytes_queued() const = 0;   // Queued since the beginning.

  // Flow control: while paused, bytes stay in the kernel and the peer must wait.
  virtual void SetReading(bool reading) = 0;

  virtual bool connected() const = 0;
  // After the end: whether sending failed, rather than receiving.
  virtual bool send_failed() const = 0;

  // As stock names peers: the target of an active stream, "tcp:IP:PORT", "ssl:IP:PORT" or "unix#N"
  // of an accepted one.
  virtual const std::string& name() const = 0;
  // The address without port at either end as text; empty where there is none.
  virtual std::string LocalAddress() const = 0;
  virtual std::string PeerAddress() const = 0;
  // The common name in the peer's TLS certificate; empty without TLS or certificate.
  virtual std::string PeerCommonName() const = 0;
};

// True for a target that Stream::Connect or Listener::Listen understands by its prefix.
bool IsActiveTarget(absl::string_view target);
bool IsPassiveTarget(absl::string_view target);
// True if probes make sense: not for unix sockets.
bool TargetNeedsProbes(absl::string_view target);

}  // namespace base

#endif  // SERVER_BASE_STREAM_H_
