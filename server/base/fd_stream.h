// The one Stream there is: a non-blocking descriptor, its transport, and its output queue.
#ifndef SERVER_BASE_FD_STREAM_H_
#define SERVER_BASE_FD_STREAM_H_

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "server/base/address.h"
#include "server/base/loop.h"
#include "server/base/name_lookup.h"
#include "server/base/output_queue.h"
#include "server/base/stream.h"
#include "server/base/transport.h"

namespace base {

// Time for a TLS handshake before the peer is cut off.
inline constexpr int64_t kHandshakeTimeoutMs = 10000;

class FdStream : public Stream {
 public:
  // An accepted connection; takes `fd`. With `tls` it is to shake hands before it is connected.
  FdStream(const StreamContext& context, int fd, bool tls, std::string name);
  // An active one, to be started by one of Start*.
  FdStream(const StreamContext& context, std::string target, bool tls, int dscp, Handler* handler);
  ~FdStream() override;

  void StartUnix(const std::string& path);
  void StartInet(const HostPort& address);

  void SetHandler(Handler* handler) override { handler_ = handler; }
  void Write(absl::string_view data) override;
  void Write(SharedText text) override;
  void Flush() override;
  size_t backlog() const override { return output_.size(); }
  uint64_t bytes_written() const override { return output_.popped(); }
  uint64_t bytes_queued() const override { return output_.pushed(); }
  void SetReading(bool reading) override;
  bool connected() const override { return phase_ == Phase::kConnected; }
  bool send_failed() const override { return send_failed_; }
  const std::string& name() const override { return name_; }
  std::string LocalAddress() const override;
  std::string PeerAddress() const override;
  std::string PeerCommonName() const override;

 private:
  enum class Phase { kStarting, kConnecting, kHandshaking, kConnected, kClosed };

  void TryNextAddress(absl::Status reason);
  bool StartConnect(const SocketAddress& address, absl::Status* reason);
  void TakeDescriptor(int fd);
  void OnEvents(int events);
  void ConnectFinished();
  void BeginHandshake();
  void Handshake();
  void BecomeConnected();
  void ReadSome();
  absl::Status Drain();
  void EndTurn();
  void Watch();
  void FailSoon(absl::Status reason);
  void End(const absl::Status& reason);
  void Soon();
  void GoOn();
  template <typename Call>
  bool Tell(Call call);

  StreamContext context_;
  std::string name_;
  std::string host_;
  bool tls_;
  bool server_;
  int dscp_ = kNoDscp;
  Handler* handler_ = nullptr;
  Phase phase_ = Phase::kStarting;
  bool reading_ = true;
  bool send_failed_ = false;
  int fd_ = -1;
  std::vector<SocketAddress> addresses_;  // Still to be tried, last first.
  std::unique_ptr<NameLookup> lookup_;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<FdWatch> watch_;
  std::unique_ptr<Timer> limit_;  // The handshake's.
  std::unique_ptr<Timer> soon_;   // Calls GoOn in the next turn.
  absl::Status failure_;          // To be told in the next turn.
  TurnEnd flush_;
  OutputQueue output_;
  bool* destroyed_ = nullptr;
};

}  // namespace base

#endif  // SERVER_BASE_FD_STREAM_H_
