// TLS settings of a process: key, certificate, trusted CAs, protocols and ciphers.
//
// Files are read by Load() or for the first connection, and again when they have changed on disk,
// which is looked at for each new connection, at most once a second. A change that cannot be read
// is logged and keeps the old settings; connections that exist keep theirs anyway. Loop thread
// only.
#ifndef SERVER_BASE_TLS_H_
#define SERVER_BASE_TLS_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

typedef struct ssl_st SSL;
typedef struct ssl_ctx_st SSL_CTX;

namespace base {

class TlsConfig {
 public:
  TlsConfig();
  ~TlsConfig();
  TlsConfig(const TlsConfig&) = delete;
  TlsConfig& operator=(const TlsConfig&) = delete;

  // Each is a file name, empty for none; setting the same again costs nothing. `ca_cert` may be
  // "none": the peer's certificate is not checked, and a warning says so.
  void SetPrivateKey(absl::string_view file);
  void SetCertificate(absl::string_view file);
  // With `bootstrap`, a missing CA file is written from the chain that the first server presents.
  void SetCaCert(absl::string_view file, bool bootstrap);
  // A CA certificate to send along with ours, for peers that bootstrap.
  void SetPeerCaCert(absl::string_view file);

  // A list ("TLSv1.2,TLSv1.3", of which the ends count) or a range ("TLSv1.2-TLSv1.3", "TLSv1.2+").
  // Mistakes are logged and returned, and leave the setting as it was. Empty is the default,
  // TLS 1.2 and later.
  absl::Status SetProtocols(absl::string_view protocols);
  // Of TLS 1.2 and earlier; empty is the default. A list without any known cipher, which is logged
  // and returned, leaves them none, so that what was meant as a restriction is one.
  absl::Status SetCiphers(absl::string_view ciphers);
  // Of TLS 1.3; empty is the default. Mistakes leave the setting as it was.
  absl::Status SetCipherSuites(absl::string_view ciphersuites);

  const std::string& private_key() const;
  const std::string& certificate() const;
  const std::string& ca_cert() const;
  bool bootstrap_ca_cert() const;

  // Reads the files at once, if settings changed, so that the log tells of mistakes in them now.
  void Load();
  // Reads the files in any case. An error, with what is wrong in the log, if they cannot be used:
  // then connections get what they got before.
  absl::Status Reload();
  // False, and logged, if key, certificate or CA are not set.
  bool Complete() const;

  // A new session with the present settings, as the server or the client of it. Without key,
  // certificate or CA: ENOPROTOOPT, logged.
  absl::StatusOr<SSL*> NewSession(bool server);

  // True while the CA certificate is still to be had from a server that we connect to: then a
  // finished handshake must be followed by Bootstrap, and the connection be dropped. Until then
  // nobody who connects to us is trusted.
  bool must_bootstrap() const;
  // Stores the root of the chain that the peer of `ssl` presented as the CA certificate.
  absl::Status Bootstrap(SSL* ssl);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The newest error of the TLS library on this thread, as text; forgets all of them.
std::string TakeTlsError();

}  // namespace base

#endif  // SERVER_BASE_TLS_H_
