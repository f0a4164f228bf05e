#include "server/base/tls.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "server/base/io_error.h"
#include "server/base/log.h"
#include "server/base/loop.h"

namespace base {
namespace {

LogModule log("stream_ssl");
RateLimit limit(10, 25);

constexpr int64_t kLookIntervalMs = 1000;
constexpr char kDefaultProtocols[] = "TLSv1.2+";
constexpr char kDefaultCiphers[] = "DEFAULT:@SECLEVEL=2";

struct Protocol {
  const char* name;
  int version;
  bool deprecated;
};
constexpr Protocol kProtocols[] = {{"TLSv1", TLS1_VERSION, true},
                                   {"TLSv1.1", TLS1_1_VERSION, true},
                                   {"TLSv1.2", TLS1_2_VERSION, false},
                                   {"TLSv1.3", TLS1_3_VERSION, false}};

// The place of a protocol in kProtocols, from its name; -1, logged, if there is none.
int FindProtocol(absl::string_view name) {
  for (size_t i = 0; i < std::size(kProtocols); i++) {
    if (name == kProtocols[i].name) return static_cast<int>(i);
  }
  log.Error("%s: SSL/TLS protocol not recognized", std::string(name));
  return -1;
}

// Which of kProtocols `text` names: a list, or all from one to another ("A-B", "A+"). Mistakes are
// logged.
absl::StatusOr<std::vector<bool>> ParseProtocols(absl::string_view text) {
  std::vector<bool> wanted(std::size(kProtocols), false);
  const auto unknown = absl::InvalidArgumentError("protocol not recognized");
  const size_t dash = text.find('-');
  const bool open = absl::EndsWith(text, "+");
  if (open || dash != absl::string_view::npos) {
    int low = FindProtocol(open ? text.substr(0, text.size() - 1) : text.substr(0, dash));
    if (low < 0) return unknown;
    int high = static_cast<int>(std::size(kProtocols)) - 1;
    if (!open) high = FindProtocol(text.substr(dash + 1));
    if (high < 0) return unknown;
    if (low > high) std::swap(low, high);
    std::fill(wanted.begin() + low, wanted.begin() + high + 1, true);
    return wanted;
  }
  for (absl::string_view name : absl::StrSplit(text, absl::ByAnyChar(" ,\t"), absl::SkipEmpty())) {
    const int found = FindProtocol(name);
    if (found < 0) return unknown;
    wanted[found] = true;
  }
  return wanted;
}

struct ContextDeleter {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using ContextPtr = std::unique_ptr<SSL_CTX, ContextDeleter>;

struct FileCloser {
  void operator()(FILE* file) const { fclose(file); }
};
using FilePtr = std::unique_ptr<FILE, FileCloser>;

// A file by name, with what shows that it was written anew or that its mode changed.
struct WatchedFile {
  std::string name;
  timespec modified = {};
  ino_t inode = 0;
  off_t size = -1;  // Of a file that is not there.

  // Notes how the file is now; true if that differs from the last time.
  bool Look() {
    struct stat now = {};
    now.st_size = -1;
    if (!name.empty()) stat(name.c_str(), &now);
    const bool changed = now.st_ctim.tv_sec != modified.tv_sec ||
                         now.st_ctim.tv_nsec != modified.tv_nsec || now.st_ino != inode ||
                         now.st_size != size;
    modified = now.st_ctim;
    inode = now.st_ino;
    size = now.st_size;
    return changed;
  }
  bool exists() const { return size >= 0; }
};

std::string Fingerprint(X509* certificate) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  if (X509_digest(certificate, EVP_sha1(), digest, &length) == 0) return "unknown";
  std::string text;
  for (unsigned i = 0; i < length; i++) {
    absl::StrAppendFormat(&text, "%s%02x", i > 0 ? ":" : "", digest[i]);
  }
  return text;
}

}  // namespace

std::string TakeTlsError() {
  const unsigned long code = ERR_peek_error();  // NOLINT: OpenSSL's type.
  ERR_clear_error();
  if (code == 0) return "unexpected error";
  char text[256];
  ERR_error_string_n(code, text, sizeof text);
  return text;
}

struct TlsConfig::Impl {
  WatchedFile key;
  WatchedFile certificate;
  WatchedFile ca;
  WatchedFile peer_ca;
  bool bootstrap = false;
  std::string protocols = kDefaultProtocols;
  int min_version = TLS1_2_VERSION;
  int max_version = TLS1_3_VERSION;
  std::string ciphers = kDefaultCiphers;
  std::string ciphersuites;

  ContextPtr context;
  bool settings_changed = true;
  int64_t looked_ms = 0;

  bool verifies() const { return ca.name != "none"; }

  void Set(WatchedFile* file, absl::string_view name) {
    if (file->name == name) return;
    *file = WatchedFile{std::string(name)};
    settings_changed = true;
  }

  bool FilesChanged() {
    const int64_t now = MonotonicMs();
    if (!settings_changed && now - looked_ms < kLookIntervalMs) return false;
    looked_ms = now;
    bool changed = false;
    for (WatchedFile* file : {&key, &certificate, &ca, &peer_ca}) changed |= file->Look();
    return changed;
  }

  // True if nothing that a connection needs is missing; logs what is.
  bool Complete() const {
    const struct {
      const WatchedFile& file;
      const char* name;
    } needed[] = {{key, "Private key"}, {certificate, "Certificate"}, {ca, "CA certificate"}};
    bool complete = true;
    for (const auto& [file, name] : needed) {
      if (!file.name.empty()) continue;
      log.ErrorLimited(limit, "%s must be configured to use SSL", name);
      complete = false;
    }
    return complete;
  }

  // Sees to it that the context is one of the present settings and files, or stays as it is if they
  // cannot be used.
  void Refresh() {
    const bool files_changed = FilesChanged();
    if (files_changed || settings_changed) Renew();
  }

  bool Renew() {
    settings_changed = false;
    ContextPtr made = Build();
    if (made == nullptr) return false;
    context = std::move(made);
    return true;
  }

  // A context of what is set; null if any of it cannot be used, with all mistakes logged.
  ContextPtr Build() const {
    ContextPtr made(SSL_CTX_new(TLS_method()));
    SSL_CTX* ctx = made.get();
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    // JSON tells where a message ends: a connection cut off is no more than a closed one.
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_min_proto_version(ctx, min_version);
    SSL_CTX_set_max_proto_version(ctx, max_version);
    // A list without a cipher that is known leaves TLS 1.2 without any: SetCiphers has said so.
    if (SSL_CTX_set_cipher_list(ctx, ciphers.c_str()) != 1) ERR_clear_error();
    bool good = true;
    if (!ciphersuites.empty()) {
      good &=
          Check(SSL_CTX_set_ciphersuites(ctx, ciphersuites.c_str()), "SSL_CTX_set_ciphersuites");
    }
    good &= UseKeyPair(ctx);
    good &= AddPeerCa(ctx);
    good &= TrustCa(ctx);
    return good ? std::move(made) : nullptr;
  }

  // Whether a call of the library succeeded; logs why not.
  static bool Check(int result, absl::string_view what) {
    if (result == 1) return true;
    log.ErrorLimited(limit, "%s: %s", std::string(what), TakeTlsError());
    return false;
  }

  bool UseKeyPair(SSL_CTX* ctx) const {
    if (key.name.empty() || certificate.name.empty()) return true;
    bool good = Check(SSL_CTX_use_certificate_chain_file(ctx, certificate.name.c_str()),
                      "SSL_use_certificate_file");
    good &= Check(SSL_CTX_use_PrivateKey_file(ctx, key.name.c_str(), SSL_FILETYPE_PEM),
                  "SSL_use_PrivateKey_file");
    return good && Check(SSL_CTX_check_private_key(ctx),
                         "Private key does not match certificate public key");
  }

  bool AddPeerCa(SSL_CTX* ctx) const {
    if (peer_ca.name.empty()) return true;
    const FilePtr file(fopen(peer_ca.name.c_str(), "re"));
    if (file == nullptr) {
      log.ErrorLimited(limit, "failed to open %s for reading: %s", peer_ca.name, ErrnoText(errno));
      return false;
    }
    X509* cert = PEM_read_X509(file.get(), nullptr, nullptr, nullptr);
    if (cert != nullptr && SSL_CTX_add_extra_chain_cert(ctx, cert) == 1) return true;
    X509_free(cert);
    return Check(0, absl::StrCat("PEM_read_X509 failed reading ", peer_ca.name));
  }

  bool TrustCa(SSL_CTX* ctx) const {
    if (ca.name.empty() || !verifies()) return true;
    // Nobody is trusted yet; NewSession makes the exception for servers that we connect to.
    if (bootstrap && !ca.exists()) {
      SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
      return true;
    }
    STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(ca.name.c_str());
    if (names == nullptr || SSL_CTX_load_verify_locations(ctx, ca.name.c_str(), nullptr) != 1) {
      if (names != nullptr) sk_X509_NAME_pop_free(names, X509_NAME_free);
      return Check(0, absl::StrCat("failed to load client certificates from ", ca.name));
    }
    SSL_CTX_set_client_CA_list(ctx, names);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    return true;
  }
};

TlsConfig::TlsConfig() : impl_(std::make_unique<Impl>()) {}
TlsConfig::~TlsConfig() = default;

void TlsConfig::SetPrivateKey(absl::string_view file) { impl_->Set(&impl_->key, file); }
void TlsConfig::SetCertificate(absl::string_view file) { impl_->Set(&impl_->certificate, file); }
void TlsConfig::SetPeerCaCert(absl::string_view file) { impl_->Set(&impl_->peer_ca, file); }

void TlsConfig::SetCaCert(absl::string_view file, bool bootstrap) {
  if (file == "none" && impl_->ca.name != "none") {
    log.Warn("Peer certificate validation disabled (this is a security risk)");
  }
  impl_->Set(&impl_->ca, file);
  if (impl_->bootstrap != bootstrap) impl_->settings_changed = true;
  impl_->bootstrap = bootstrap;
}

absl::Status TlsConfig::SetProtocols(absl::string_view protocols) {
  if (protocols.empty()) protocols = kDefaultProtocols;
  if (protocols == impl_->protocols) return absl::OkStatus();
  const absl::StatusOr<std::vector<bool>> wanted = ParseProtocols(protocols);
  if (!wanted.ok()) return wanted.status();
  const auto first = std::find(wanted->begin(), wanted->end(), true);
  if (first == wanted->end()) {
    log.Error("SSL/TLS protocol settings invalid");
    return absl::InvalidArgumentError("SSL/TLS protocol settings invalid");
  }
  const auto last = std::find(wanted->rbegin(), wanted->rend(), true).base() - 1;
  for (auto i = first; i <= last; ++i) {
    const Protocol& protocol = kProtocols[i - wanted->begin()];
    if (!*i) {
      log.Warn("SSL/TLS protocol %s is not configured, but will be enabled anyway.", protocol.name);
    } else if (protocol.deprecated) {
      log.Warn("%s protocol is deprecated", protocol.name);
    }
  }
  impl_->min_version = kProtocols[first - wanted->begin()].version;
  impl_->max_version = kProtocols[last - wanted->begin()].version;
  impl_->protocols = std::string(protocols);
  impl_->settings_changed = true;
  return absl::OkStatus();
}

absl::Status TlsConfig::SetCiphers(absl::string_view ciphers) {
  std::string list(ciphers.empty() ? kDefaultCiphers : ciphers);
  if (list == impl_->ciphers) return absl::OkStatus();
  impl_->ciphers = std::move(list);
  impl_->settings_changed = true;
  const ContextPtr trial(SSL_CTX_new(TLS_method()));
  if (SSL_CTX_set_cipher_list(trial.get(), impl_->ciphers.c_str()) == 1) return absl::OkStatus();
  const std::string error = TakeTlsError();
  log.Error("SSL_CTX_set_cipher_list: %s", error);
  return absl::InvalidArgumentError(error);
}

absl::Status TlsConfig::SetCipherSuites(absl::string_view ciphersuites) {
  if (ciphersuites == impl_->ciphersuites) return absl::OkStatus();
  const std::string list(ciphersuites);
  const ContextPtr trial(SSL_CTX_new(TLS_method()));
  if (!list.empty() && SSL_CTX_set_ciphersuites(trial.get(), list.c_str()) != 1) {
    const std::string error = TakeTlsError();
    log.Error("SSL_CTX_set_ciphersuites: %s", error);
    return absl::InvalidArgumentError(error);
  }
  impl_->ciphersuites = list;
  impl_->settings_changed = true;
  return absl::OkStatus();
}

const std::string& TlsConfig::private_key() const { return impl_->key.name; }
const std::string& TlsConfig::certificate() const { return impl_->certificate.name; }
const std::string& TlsConfig::ca_cert() const { return impl_->ca.name; }
bool TlsConfig::bootstrap_ca_cert() const { return impl_->bootstrap; }

void TlsConfig::Load() { impl_->Refresh(); }

absl::Status TlsConfig::Reload() {
  impl_->settings_changed = true;  // However lately the files were looked at.
  impl_->FilesChanged();
  if (impl_->Renew()) return absl::OkStatus();
  return absl::InvalidArgumentError("these files cannot be used.  See the log file for details.");
}

bool TlsConfig::Complete() const { return impl_->Complete(); }

absl::StatusOr<SSL*> TlsConfig::NewSession(bool server) {
  if (!impl_->Complete()) return IoError(ENOPROTOOPT);
  impl_->Refresh();
  if (impl_->context == nullptr) return IoError(ENOPROTOOPT);
  SSL* ssl = SSL_new(impl_->context.get());
  if (!server && must_bootstrap()) {
    // Asks for a certificate and takes any: its chain shall have the CA's.
    SSL_set_verify(ssl, SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
  }
  return ssl;
}

bool TlsConfig::must_bootstrap() const {
  return impl_->bootstrap && impl_->verifies() && !impl_->ca.exists();
}

absl::Status TlsConfig::Bootstrap(SSL* ssl) {
  STACK_OF(X509)* chain = SSL_get_peer_cert_chain(ssl);
  const int n = chain == nullptr ? 0 : sk_X509_num(chain);
  X509* root = n > 0 ? sk_X509_value(chain, n - 1) : nullptr;
  if (root == nullptr) {
    log.Error("could not bootstrap CA cert: no certificate presented by peer");
    return IoError(EPROTO);
  }
  if (X509_NAME_cmp(X509_get_subject_name(root), X509_get_issuer_name(root)) != 0) {
    log.Error(
        "could not bootstrap CA cert: self-signed certificate is not last in the chain of the "
        "peer");
    return IoError(EPROTO);
  }
  const std::string& name = impl_->ca.name;
  const int fd = open(name.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0444);
  if (fd < 0) {
    const int error = errno;
    if (error == EEXIST) return absl::OkStatus();  // Another process was faster.
    log.Error("could not bootstrap CA cert: creating %s failed: %s", name, ErrnoText(error));
    return IoError(error);
  }
  FILE* file = fdopen(fd, "w");
  const bool written = PEM_write_X509(file, root) == 1;
  if (fclose(file) != 0 || !written) {
    log.Error("could not bootstrap CA cert: writing %s failed", name);
    unlink(name.c_str());
    return IoError(EIO);
  }
  char* subject = X509_NAME_oneline(X509_get_subject_name(root), nullptr, 0);
  log.Info("successfully bootstrapped CA cert to %s", name);
  log.Info("Trusting CA cert from %s (%s) (fingerprint %s)", name, subject, Fingerprint(root));
  OPENSSL_free(subject);
  impl_->settings_changed = true;
  return absl::OkStatus();
}

}  // namespace base
