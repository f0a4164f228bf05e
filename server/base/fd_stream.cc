#include "server/base/fd_stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "server/base/io_error.h"
#include "server/base/turn_budget.h"

namespace base {
namespace {

// One read(2); shared by all streams of a thread, as bytes are handed on before the next read.
constexpr size_t kReadBytes = 128 << 10;
// A stream that has more to say than this waits for its next turn.
constexpr size_t kReadBytesPerTurn = 1 << 20;
constexpr int kPiecesPerWrite = 256;
// Time that all TLS handshakes may take in a turn: hundreds of clients that connect at once must
// not hold up those that are connected.
constexpr std::chrono::milliseconds kHandshakesPerTurn(5);

char* ReadBuffer() {
  static thread_local const std::unique_ptr<char[]> buffer(new char[kReadBytes]);
  return buffer.get();
}

class PlainTransport : public Transport {
 public:
  explicit PlainTransport(int fd) : fd_(fd) {}
  ssize_t Read(char* buffer, size_t size) override {
    const ssize_t n = recv(fd_, buffer, size, 0);
    return n < 0 ? -errno : n;
  }
  ssize_t Write(const iovec* pieces, int n) override {
    if (n == 1) {  // The kernel need not fetch a list of pieces then.
      const ssize_t sent = send(fd_, pieces->iov_base, pieces->iov_len, MSG_NOSIGNAL);
      return sent < 0 ? -errno : sent;
    }
    msghdr message = {};
    message.msg_iov = const_cast<iovec*>(pieces);
    message.msg_iovlen = static_cast<size_t>(n);
    const ssize_t sent = sendmsg(fd_, &message, MSG_NOSIGNAL);
    return sent < 0 ? -errno : sent;
  }
  int write_wants() const override { return FdWatch::kWritable; }

 private:
  int fd_;
};

}  // namespace

std::unique_ptr<Transport> MakePlainTransport(int fd) {
  return std::make_unique<PlainTransport>(fd);
}

FdStream::FdStream(const StreamContext& context, int fd, bool tls, std::string name)
    : context_(context),
      name_(std::move(name)),
      tls_(tls),
      server_(true),
      flush_(context.loop, TurnEnd::kFlush, [this] { EndTurn(); }) {
  TakeDescriptor(fd);
  if (tls_) {
    phase_ = Phase::kHandshaking;
    BeginHandshake();
  } else {
    transport_ = MakePlainTransport(fd_);
    phase_ = Phase::kConnected;
  }
  Watch();
}

FdStream::FdStream(const StreamContext& context, std::string target, bool tls, int dscp,
                   Handler* handler)
    : context_(context),
      name_(std::move(target)),
      tls_(tls),
      server_(false),
      dscp_(dscp),
      handler_(handler),
      flush_(context.loop, TurnEnd::kFlush, [this] { EndTurn(); }) {}

FdStream::~FdStream() {
  if (destroyed_ != nullptr) *destroyed_ = true;
  transport_.reset();
  watch_.reset();
  if (fd_ >= 0) close(fd_);
}

// Calls the handler; false if that destroyed the stream.
template <typename Call>
bool FdStream::Tell(Call call) {
  bool gone = false;
  bool* const outer = std::exchange(destroyed_, &gone);
  call();
  if (gone) {
    if (outer != nullptr) *outer = true;
    return false;
  }
  destroyed_ = outer;
  return true;
}

// Has GoOn called in the next turn.
void FdStream::Soon() {
  if (soon_ == nullptr) soon_ = std::make_unique<Timer>(context_.loop, [this] { GoOn(); });
  soon_->Start(0);
}

// Goes on with what was put off.
void FdStream::GoOn() {
  if (!failure_.ok()) return End(failure_);
  if (phase_ == Phase::kHandshaking) return Handshake();
  if (phase_ == Phase::kConnected) ReadSome();
}

void FdStream::FailSoon(absl::Status reason) {
  failure_ = std::move(reason);
  Soon();
}

void FdStream::StartUnix(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return FailSoon(IoError(errno));
  const int error = ConnectUnix(fd, path);
  if (error != 0 && error != EINPROGRESS) {
    close(fd);
    return FailSoon(IoError(error));
  }
  TakeDescriptor(fd);
  phase_ = Phase::kConnecting;
  Watch();
}

void FdStream::StartInet(const HostPort& address) {
  host_ = address.host;
  if (std::optional<SocketAddress> numeric = NumericAddress(address.host, address.port)) {
    addresses_ = {*numeric};
    absl::Status reason;
    if (!StartConnect(*numeric, &reason)) FailSoon(std::move(reason));
    addresses_.clear();
    return;
  }
  lookup_ = std::make_unique<NameLookup>(context_.loop, address,
                                         [this](absl::StatusOr<std::vector<SocketAddress>> found) {
                                           if (!found.ok()) return End(found.status());
                                           addresses_.assign(found->rbegin(), found->rend());
                                           TryNextAddress(absl::OkStatus());
                                         });
}

// Connects to the next address that can be; ends with `reason` or a newer one if there is none.
void FdStream::TryNextAddress(absl::Status reason) {
  while (!addresses_.empty()) {
    const SocketAddress address = addresses_.back();
    addresses_.pop_back();
    if (StartConnect(address, &reason)) return;
  }
  End(reason);
}

bool FdStream::StartConnect(const SocketAddress& address, absl::Status* reason) {
  const int fd = socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    *reason = IoError(errno);
    return false;
  }
  SetDscp(fd, address.family(), dscp_);
  if (connect(fd, address.get(), address.length) != 0 && errno != EINPROGRESS) {
    *reason = IoError(errno);
    close(fd);
    return false;
  }
  TakeDescriptor(fd);
  phase_ = Phase::kConnecting;
  Watch();
  return true;
}

void FdStream::TakeDescriptor(int fd) {
  watch_.reset();
  if (fd_ >= 0) close(fd_);
  fd_ = fd;
  watch_ = std::make_unique<FdWatch>(context_.loop, fd_, [this](int events) { OnEvents(events); });
}

// Watches for what the present phase waits for.
void FdStream::Watch() {
  if (watch_ == nullptr) return;
  int events = FdWatch::kNone;
  switch (phase_) {
    case Phase::kStarting:
    case Phase::kClosed:
      break;
    case Phase::kConnecting:
      events = FdWatch::kWritable;
      break;
    case Phase::kHandshaking:
      if (transport_ != nullptr) events = transport_->handshake_wants();
      break;
    case Phase::kConnected:
      if (reading_) events |= FdWatch::kReadable;
      if (!output_.empty()) events |= transport_->write_wants();
      break;
  }
  watch_->Set(events);
}

void FdStream::OnEvents(int events) {
  switch (phase_) {
    case Phase::kConnecting:
      ConnectFinished();
      return;
    case Phase::kHandshaking:
      Handshake();
      return;
    case Phase::kConnected:
      // With TLS either kind of event may be what a write waits for.
      if (!output_.empty() && (events & transport_->write_wants()) != 0) flush_.Arm();
      if ((events & FdWatch::kReadable) != 0) ReadSome();
      return;
    case Phase::kStarting:
    case Phase::kClosed:
      return;
  }
}

void FdStream::ConnectFinished() {
  int error = 0;
  socklen_t length = sizeof error;
  getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &length);
  if (error != 0) return TryNextAddress(IoError(error));
  addresses_.clear();
  if (!tls_) {
    transport_ = MakePlainTransport(fd_);
    return BecomeConnected();
  }
  phase_ = Phase::kHandshaking;
  BeginHandshake();
  Watch();
}

void FdStream::BeginHandshake() {
  auto made = MakeTlsTransport(context_.tls, fd_, server_, host_, name_);
  if (!made.ok()) return FailSoon(made.status());
  transport_ = *std::move(made);
  limit_ = std::make_unique<Timer>(context_.loop, [this] { End(IoError(ETIMEDOUT)); });
  limit_->Start(kHandshakeTimeoutMs);
}

void FdStream::Handshake() {
  static thread_local TurnBudget budget(kHandshakesPerTurn);
  if (!budget.Begin(context_.loop->turn())) {
    watch_->Set(FdWatch::kNone);
    return Soon();
  }
  const int error = transport_->Handshake();
  budget.End();
  if (error == 0) return BecomeConnected();
  if (error == -EAGAIN) return Watch();
  End(IoError(-error));
}

void FdStream::BecomeConnected() {
  phase_ = Phase::kConnected;
  limit_.reset();
  const int one = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);  // Fails on unix sockets.
  Watch();
  if (!output_.empty()) flush_.Arm();
  if (transport_->has_pending()) Soon();
  Tell([this] { handler_->OnConnected(); });
}

void FdStream::ReadSome() {
  size_t budget = kReadBytesPerTurn;
  while (reading_ && phase_ == Phase::kConnected && budget > 0) {
    const ssize_t n = transport_->Read(ReadBuffer(), kReadBytes);
    if (n == -EINTR) continue;
    if (n == -EAGAIN) return;
    if (n == 0) return End(EndOfFile());
    if (n < 0) return End(IoError(static_cast<int>(-n)));
    const auto size = static_cast<size_t>(n);
    if (!Tell([&] { handler_->OnData(absl::string_view(ReadBuffer(), size)); })) return;
    if (size < kReadBytes) break;
    budget -= std::min(budget, size);
  }
  // What the TLS library holds does not wake the loop.
  if (reading_ && phase_ == Phase::kConnected && transport_->has_pending()) Soon();
}

void FdStream::SetReading(bool reading) {
  if (reading == reading_) return;
  reading_ = reading;
  Watch();
  if (reading_ && phase_ == Phase::kConnected && transport_->has_pending()) Soon();
}

void FdStream::Write(absl::string_view data) {
  if (phase_ == Phase::kClosed) return;
  output_.Push(data);
  flush_.Arm();
}

void FdStream::Write(SharedText text) {
  if (phase_ == Phase::kClosed) return;
  output_.Push(std::move(text));
  flush_.Arm();
}

void FdStream::Flush() {
  if (output_.empty()) return;
  flush_.Arm();  // Tells what came of it, which may be what was queued in an earlier turn.
  Drain().IgnoreError();
}

// Writes what the kernel takes.
absl::Status FdStream::Drain() {
  if (phase_ != Phase::kConnected) return absl::OkStatus();
  iovec pieces[kPiecesPerWrite];
  while (!output_.empty()) {
    const int n = output_.Peek(pieces, kPiecesPerWrite);
    const ssize_t sent = transport_->Write(pieces, n);
    if (sent == -EINTR) continue;
    if (sent == -EAGAIN) break;
    if (sent < 0) return IoError(static_cast<int>(-sent));
    output_.Pop(static_cast<size_t>(sent));
  }
  return absl::OkStatus();
}

// Something was queued in this turn, or can be written again.
void FdStream::EndTurn() {
  if (phase_ != Phase::kConnected) return;
  const absl::Status status = Drain();
  if (!status.ok()) {
    send_failed_ = true;
    return End(status);
  }
  Watch();
  if (output_.empty()) Tell([this] { handler_->OnDrained(); });
}

void FdStream::End(const absl::Status& reason) {
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kClosed;
  output_.Clear();
  Watch();
  // The reason may live in a callback that destroying the stream destroys.
  const absl::Status copy = reason;
  if (handler_ != nullptr) Tell([&] { handler_->OnClosed(copy); });
}

std::string FdStream::LocalAddress() const { return fd_ < 0 ? "" : SocketName(fd_).Ip(); }
std::string FdStream::PeerAddress() const { return fd_ < 0 ? "" : PeerName(fd_).Ip(); }
std::string FdStream::PeerCommonName() const {
  return transport_ == nullptr ? "" : transport_->PeerCommonName();
}

}  // namespace base
