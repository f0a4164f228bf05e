#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/base/address.h"
#include "server/base/io_error.h"
#include "server/base/log.h"
#include "server/base/loop.h"
#include "server/base/tls.h"
#include "server/base/transport.h"

namespace base {
namespace {

LogModule log("stream_ssl");
RateLimit limit(10, 25);

// Small pieces of output are gathered up to this, the most that one TLS record holds.
constexpr size_t kRecordBytes = 16 << 10;

struct SessionDeleter {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

class TlsTransport : public Transport {
 public:
  TlsTransport(TlsConfig* config, SSL* ssl, bool server, const std::string& name)
      : config_(config),
        ssl_(ssl),
        server_(server),
        name_(name),
        handshake_wants_(server ? FdWatch::kReadable : FdWatch::kWritable) {}  // Clients begin.

  ~TlsTransport() override {
    // Tells the peer that nothing was cut off. Does not wait for its answer.
    if (finished_ && !failed_) SSL_shutdown(ssl_.get());
    ERR_clear_error();
  }

  int Handshake() override {
    const char* what = server_ ? "SSL_accept" : "SSL_connect";
    const bool bootstrap = !server_ && config_->must_bootstrap();
    const int result = server_ ? SSL_accept(ssl_.get()) : SSL_connect(ssl_.get());
    if (result != 1) return Answer(what, result, &handshake_wants_);
    finished_ = true;
    if (!bootstrap) return 0;
    if (config_->Bootstrap(ssl_.get()).ok()) {
      log.Info("killing successful connection to retry using CA cert");
    }
    return -EPROTO;
  }

  ssize_t Read(char* buffer, size_t size) override {
    // One record at a time is what SSL_read gives.
    size_t filled = 0;
    while (filled < size) {
      size_t n = 0;
      const int result = SSL_read_ex(ssl_.get(), buffer + filled, size - filled, &n);
      if (result == 1) {
        filled += n;
        continue;
      }
      // What was read comes first; the error will be there next time.
      if (filled > 0 && SSL_get_error(ssl_.get(), result) == SSL_ERROR_WANT_READ) break;
      if (filled > 0) {
        ended_ = true;
        break;
      }
      return Answer("SSL_read", result, nullptr);
    }
    ERR_clear_error();
    return static_cast<ssize_t>(filled);
  }

  ssize_t Write(const iovec* pieces, int n) override {
    const char* data = static_cast<const char*>(pieces[0].iov_base);
    size_t size = pieces[0].iov_len;
    char record[kRecordBytes];
    // A call that was refused must be repeated with the same bytes in front: gathering from the
    // same queue again gives them, and perhaps more, which the library accepts.
    if (n > 1 && size < kRecordBytes) {
      size = 0;
      for (int i = 0; i < n && size < kRecordBytes; i++) {
        const size_t part = std::min(pieces[i].iov_len, kRecordBytes - size);
        memcpy(record + size, pieces[i].iov_base, part);
        size += part;
      }
      data = record;
    }
    size_t written = 0;
    const int result = SSL_write_ex(ssl_.get(), data, size, &written);
    if (result == 1) return static_cast<ssize_t>(written);
    const int answer = Answer("SSL_write", result, &write_wants_);
    return answer == 0 ? -EPIPE : answer;
  }

  int handshake_wants() const override { return handshake_wants_; }
  int write_wants() const override { return write_wants_; }
  bool has_pending() const override { return ended_ || SSL_has_pending(ssl_.get()) == 1; }

  std::string PeerCommonName() const override {
    X509* certificate = SSL_get1_peer_certificate(ssl_.get());
    if (certificate == nullptr) return "";
    X509_NAME* subject = X509_get_subject_name(certificate);
    std::string name;
    const int length = X509_NAME_get_text_by_NID(subject, NID_commonName, nullptr, 0);
    if (length > 0) {
      name.resize(static_cast<size_t>(length) + 1);
      X509_NAME_get_text_by_NID(subject, NID_commonName, name.data(), length + 1);
      name.resize(static_cast<size_t>(length));
    }
    X509_free(certificate);
    return name;
  }

 private:
  // Turns what the library says into an answer as Transport has it; logs errors.
  int Answer(const char* what, int result, int* wants) {
    const int saved_errno = errno;
    std::string problem;
    switch (SSL_get_error(ssl_.get(), result)) {
      case SSL_ERROR_WANT_READ:
        if (wants != nullptr) *wants = FdWatch::kReadable;
        return -EAGAIN;
      case SSL_ERROR_WANT_WRITE:
        if (wants != nullptr) *wants = FdWatch::kWritable;
        return -EAGAIN;
      case SSL_ERROR_ZERO_RETURN:
        if (finished_) return 0;
        problem = "unexpected SSL_ERROR_ZERO_RETURN";
        break;
      case SSL_ERROR_SYSCALL:
        failed_ = true;
        if (ERR_peek_error() == 0 && saved_errno != 0) return -saved_errno;
        problem = TakeTlsError();
        break;
      default:
        problem = TakeTlsError();
    }
    failed_ = true;
    if (const auto verdict = SSL_get_verify_result(ssl_.get()); verdict != X509_V_OK) {
      absl::StrAppend(&problem, " (", X509_verify_cert_error_string(verdict), ")");
    }
    log.WarnLimited(limit, "%s: %s: %s", name_, what, problem);
    return -EPROTO;
  }

  TlsConfig* config_;
  std::unique_ptr<SSL, SessionDeleter> ssl_;
  bool server_;
  std::string name_;
  bool finished_ = false;  // The handshake.
  bool failed_ = false;    // No more calls, by the library's rules.
  bool ended_ = false;     // The next read will tell the end.
  int handshake_wants_;
  int write_wants_ = FdWatch::kWritable;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Transport>> MakeTlsTransport(TlsConfig* config, int fd, bool server,
                                                            const std::string& host,
                                                            const std::string& name) {
  if (config == nullptr) return IoError(ENOPROTOOPT);
  absl::StatusOr<SSL*> ssl = config->NewSession(server);
  if (!ssl.ok()) return ssl.status();
  auto transport = std::make_unique<TlsTransport>(config, *ssl, server, name);
  SSL_set_fd(*ssl, fd);
  if (!server && !host.empty() && !NumericAddress(host, 0)) {
    SSL_set_tlsext_host_name(*ssl, host.c_str());
  }
  return transport;
}

}  // namespace base
