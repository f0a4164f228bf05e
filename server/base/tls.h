// TLS settings of a process: key, certificate, trusted CAs, protocols and ciphers.
//
// Files are read when the first connection needs them and again when they change on disk (looked at
// for each new connection, at most every second). A change that cannot be read keeps the old
// settings and is logged.
#ifndef SERVER_BASE_TLS_H_
#define SERVER_BASE_TLS_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

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
  // With `bootstrap`, a missing CA file is written from the chain of the first peer connected to.
  void SetCaCert(absl::string_view file, bool bootstrap);
  // A CA certificate to send along with ours, for peers that bootstrap.
  void SetPeerCaCert(absl::string_view file);

  // A list ("TLSv1.2,TLSv1.3") or range ("TLSv1.2-TLSv1.3", "TLSv1.2+"); empty is the default.
  // Errors are logged and returned, and leave the setting as it was; so for the next two.
  absl::Status SetProtocols(absl::string_view protocols);
  absl::Status SetCiphers(absl::string_view ciphers);            // TLS 1.2 and earlier.
  absl::Status SetCipherSuites(absl::string_view ciphersuites);  // TLS 1.3.

  bool configured() const;  // A key, a certificate or a CA was named.
  const std::string& private_key() const;
  const std::string& certificate() const;
  const std::string& ca_cert() const;
  bool bootstrap_ca_cert() const;

  // The context for a new connection; kFailedPrecondition with the reason if something is missing.
  absl::StatusOr<SSL_CTX*> Context();

 private:
  friend class TlsStream;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace base

#endif  // SERVER_BASE_TLS_H_
