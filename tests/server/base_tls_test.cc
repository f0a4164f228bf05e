#include "server/base/tls.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base_test_util.h"
#include "server/base/address.h"
#include "server/base/io_error.h"
#include "server/base/listener.h"
#include "server/base/log.h"
#include "server/base/stream.h"

namespace base {
namespace {

// Writes DIR/NAME.key and DIR/NAME.crt, signed by `issuer` or by itself.
class Identity {
 public:
  Identity(const TempDir& dir, const std::string& name, const Identity* issuer = nullptr,
           long lifetime_s = 3600)  // NOLINT: OpenSSL's type.
      : name_(name),
        key_(EVP_EC_gen("P-256")),
        certificate_(X509_new()),
        key_file_(dir / (name + ".key")),
        certificate_file_(dir / (name + ".crt")) {
    X509_set_version(certificate_, 2);
    static int serial = 0;
    ASN1_INTEGER_set(X509_get_serialNumber(certificate_), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate_), -7200);
    X509_gmtime_adj(X509_getm_notAfter(certificate_), lifetime_s);
    X509_set_pubkey(certificate_, key_);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate_), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    const Identity& signer = issuer != nullptr ? *issuer : *this;
    X509_set_issuer_name(certificate_, X509_get_subject_name(signer.certificate_));
    if (issuer == nullptr) {
      X509_EXTENSION* ca = X509V3_EXT_conf_nid(nullptr, nullptr, NID_basic_constraints, "CA:TRUE");
      X509_add_ext(certificate_, ca, -1);
      X509_EXTENSION_free(ca);
    }
    X509_sign(certificate_, signer.key_, EVP_sha256());
    WriteFiles();
  }
  ~Identity() {
    X509_free(certificate_);
    EVP_PKEY_free(key_);
  }
  Identity(const Identity&) = delete;
  Identity& operator=(const Identity&) = delete;

  const std::string& key() const { return key_file_; }
  const std::string& certificate() const { return certificate_file_; }

 private:
  void WriteFiles() const {
    FILE* file = fopen(key_file_.c_str(), "w");
    PEM_write_PrivateKey(file, key_, nullptr, nullptr, 0, nullptr, nullptr);
    fclose(file);
    file = fopen(certificate_file_.c_str(), "w");
    PEM_write_X509(file, certificate_);
    fclose(file);
  }

  std::string name_;
  EVP_PKEY* key_;
  X509* certificate_;
  std::string key_file_;
  std::string certificate_file_;
};

struct Peer : Stream::Handler {
  std::unique_ptr<Stream> stream;
  bool connected = false;
  bool closed = false;
  std::string data;
  absl::Status reason;
  void OnConnected() override { connected = true; }
  void OnData(absl::string_view bytes) override { data.append(bytes.data(), bytes.size()); }
  void OnClosed(const absl::Status& status) override {
    closed = true;
    reason = status;
  }
};

class TlsTest : public testing::Test {
 protected:
  TlsTest() {
    SetLogLevels("console:off").IgnoreError();
    SetLogLevels("syslog:off").IgnoreError();
    SetLogFile((dir_ / "log").c_str()).IgnoreError();
    Use(&server_tls_, server_identity_, ca_);
    Use(&client_tls_, client_identity_, ca_);
  }
  ~TlsTest() override { CloseLogFile(); }

  static void Use(TlsConfig* tls, const Identity& identity, const Identity& ca) {
    tls->SetPrivateKey(identity.key());
    tls->SetCertificate(identity.certificate());
    tls->SetCaCert(ca.certificate(), false);
  }

  void Listen() {
    auto listener = Listener::Listen(server_context_, "pssl:0:127.0.0.1", kNoDscp,
                                     [this](std::unique_ptr<Stream> stream) {
                                       auto peer = std::make_unique<Peer>();
                                       stream->SetHandler(peer.get());
                                       peer->stream = std::move(stream);
                                       accepted_.push_back(std::move(peer));
                                     });
    ASSERT_TRUE(listener.ok()) << listener.status();
    listener_ = *std::move(listener);
  }

  void Connect(Peer* peer) {
    auto stream = Stream::Connect(
        client_context_, absl::StrCat("ssl:127.0.0.1:", listener_->bound_port()), kNoDscp, peer);
    ASSERT_TRUE(stream.ok());
    peer->stream = *std::move(stream);
  }

  // Connects and waits until either end knows how it went; true if both are connected.
  bool Try() {
    if (listener_ == nullptr) Listen();
    accepted_.clear();
    client_ = std::make_unique<Peer>();
    Connect(client_.get());
    // With TLS 1.3 a client learns late that its certificate was refused: ask the server, too.
    const auto both = [&] {
      return client_->connected && !accepted_.empty() && !accepted_.back()->closed;
    };
    RunUntil(&loop_, [&] { return client_->closed || both(); });
    return both() && !client_->closed;
  }

  std::string Log() {
    FlushLog();
    return ReadFile(dir_ / "log");
  }

  TempDir dir_;
  Identity ca_{dir_, "ca"};
  Identity other_ca_{dir_, "other-ca"};
  Identity server_identity_{dir_, "server", &ca_};
  Identity client_identity_{dir_, "client", &ca_};
  Loop loop_;
  TlsConfig server_tls_;
  TlsConfig client_tls_;
  StreamContext server_context_{&loop_, &server_tls_};
  StreamContext client_context_{&loop_, &client_tls_};
  std::unique_ptr<Listener> listener_;
  std::vector<std::unique_ptr<Peer>> accepted_;
  std::unique_ptr<Peer> client_;
};

TEST_F(TlsTest, CarriesBothWaysAndNamesThePeer) {
  ASSERT_TRUE(Try()) << Log();
  Peer& server = *accepted_[0];
  EXPECT_EQ(server.stream->PeerCommonName(), "client");
  EXPECT_EQ(client_->stream->PeerCommonName(), "server");
  EXPECT_EQ(server.stream->name().substr(0, 14), "ssl:127.0.0.1:");
  client_->stream->Write("ping");
  server.stream->Write("pong");
  ASSERT_TRUE(RunUntil(&loop_, [&] { return server.data == "ping" && client_->data == "pong"; }));
  client_->stream.reset();
  ASSERT_TRUE(RunUntil(&loop_, [&] { return server.closed; }));
  EXPECT_EQ(ErrorNumber(server.reason), -1);
}

TEST_F(TlsTest, CarriesMegabytesOfSmallAndLargePiecesUnderBackpressure) {
  ASSERT_TRUE(Try()) << Log();
  Peer& server = *accepted_[0];
  server.stream->SetReading(false);
  const auto shared = std::make_shared<const std::string>(70000, 's');
  std::string expected;
  for (int i = 0; i < 200; i++) {
    const std::string own = absl::StrCat("<", i, std::string(i, '.'), ">");
    client_->stream->Write(absl::string_view(own));
    client_->stream->Write(shared);
    client_->stream->Write("small");
    client_->stream->Write(std::make_shared<const std::string>(600, 't'));
    absl::StrAppend(&expected, own, *shared, "small", std::string(600, 't'));
  }
  for (int i = 0; i < 20; i++) loop_.RunOnce(false);
  EXPECT_GT(client_->stream->backlog(), 0U);
  client_->stream->Write("late");
  expected += "late";
  server.stream->SetReading(true);
  ASSERT_TRUE(RunUntil(&loop_, [&] { return server.data.size() >= expected.size(); }));
  EXPECT_EQ(server.data, expected);
}

TEST_F(TlsTest, BytesHeldByTheLibraryAreNotForgottenAfterAPause) {
  ASSERT_TRUE(Try()) << Log();
  Peer& server = *accepted_[0];
  struct Pausing : Peer {
    void OnData(absl::string_view bytes) override {
      Peer::OnData(bytes);
      stream->SetReading(false);
    }
  } pausing;
  server.stream->SetHandler(&pausing);
  pausing.stream = std::move(server.stream);
  const std::string text(1 << 20, 'x');
  client_->stream->Write(absl::string_view(text));
  ASSERT_TRUE(RunUntil(&loop_, [&] {
    pausing.stream->SetReading(true);
    return pausing.data.size() == text.size();
  }));
}

TEST_F(TlsTest, CertificateOfAForeignAuthorityIsRefused) {
  const Identity stranger(dir_, "stranger", &other_ca_);
  Use(&client_tls_, stranger, ca_);
  EXPECT_FALSE(Try());
  EXPECT_TRUE(absl::StrContains(Log(), "SSL_accept: error:")) << Log();
  EXPECT_TRUE(absl::StrContains(Log(), "certificate verify failed")) << Log();
}

TEST_F(TlsTest, ExpiredCertificateIsRefusedWithTheReason) {
  const Identity expired(dir_, "expired", &ca_, -3600);
  Use(&client_tls_, expired, ca_);
  EXPECT_FALSE(Try());
  EXPECT_TRUE(absl::StrContains(Log(), "certificate has expired")) << Log();
}

TEST_F(TlsTest, ServerOfAForeignAuthorityIsRefused) {
  client_tls_.SetCaCert(other_ca_.certificate(), false);
  EXPECT_FALSE(Try());
  EXPECT_EQ(ErrorNumber(client_->reason), EPROTO);
  EXPECT_TRUE(absl::StrContains(Log(), "SSL_connect: error:")) << Log();
}

TEST_F(TlsTest, NoneTurnsVerificationOff) {
  client_tls_.SetCaCert("none", false);
  EXPECT_TRUE(Try());
  EXPECT_TRUE(absl::StrContains(Log(), "Peer certificate validation disabled")) << Log();
}

TEST_F(TlsTest, MissingSettingsAreNamed) {
  TlsConfig empty;
  EXPECT_EQ(ErrorNumber(empty.NewSession(false).status()), ENOPROTOOPT);
  const std::string log = Log();
  EXPECT_TRUE(absl::StrContains(log, "Private key must be configured to use SSL"));
  EXPECT_TRUE(absl::StrContains(log, "Certificate must be configured to use SSL"));
  EXPECT_TRUE(absl::StrContains(log, "CA certificate must be configured to use SSL"));
}

TEST_F(TlsTest, LoadTellsOfAllMistakes) {
  TlsConfig config;
  config.SetPrivateKey(dir_ / "no-key");
  config.SetCertificate(dir_ / "no-certificate");
  config.SetCaCert(dir_ / "no-ca", false);
  config.SetPeerCaCert(dir_ / "no-peer-ca");
  config.Load();
  const std::string log = Log();
  for (const char* part : {"SSL_use_certificate_file", "SSL_use_PrivateKey_file",
                           "failed to load client certificates from", "failed to open"}) {
    EXPECT_TRUE(absl::StrContains(log, part)) << part;
  }
}

TEST_F(TlsTest, KeyOfAnotherCertificateIsRefused) {
  server_tls_.SetPrivateKey(client_identity_.key());
  EXPECT_FALSE(Try());
  EXPECT_TRUE(absl::StrContains(Log(), "SSL_use_PrivateKey_file")) << Log();
}

TEST_F(TlsTest, ChangedFilesAreReadAgain) {
  ASSERT_TRUE(Try()) << Log();
  // The authority changes under both; the client keeps the old one at first.
  const Identity new_server(dir_, "new-server", &other_ca_);
  std::filesystem::rename(new_server.key(), server_identity_.key());
  std::filesystem::rename(new_server.certificate(), server_identity_.certificate());
  // Files are looked at once a second at most.
  EXPECT_TRUE(RunUntil(&loop_, [&] { return !Try(); }));
  client_tls_.SetCaCert(other_ca_.certificate(), false);
  server_tls_.SetCaCert(ca_.certificate(), false);
  EXPECT_TRUE(Try()) << Log();
  EXPECT_EQ(client_->stream->PeerCommonName(), "new-server");
}

TEST_F(TlsTest, BrokenNewFilesKeepTheOldSettings) {
  ASSERT_TRUE(Try()) << Log();
  std::ofstream(server_identity_.certificate()) << "nonsense";
  EXPECT_TRUE(RunUntil(&loop_, [&] {
    return Try() && absl::StrContains(Log(), "SSL_use_certificate_file");
  })) << Log();
}

TEST_F(TlsTest, ProtocolsAreRespected) {
  ASSERT_TRUE(server_tls_.SetProtocols("TLSv1.3").ok());
  ASSERT_TRUE(client_tls_.SetProtocols("TLSv1.2").ok());
  EXPECT_FALSE(Try());
  ASSERT_TRUE(client_tls_.SetProtocols("TLSv1.2-TLSv1.3").ok());
  EXPECT_TRUE(Try());
  ASSERT_TRUE(client_tls_.SetProtocols("TLSv1.3,TLSv1.2").ok());
  EXPECT_TRUE(Try());
  ASSERT_TRUE(server_tls_.SetProtocols("TLSv1.2+").ok());
  EXPECT_TRUE(Try());
}

TEST_F(TlsTest, MistakesInProtocolsAndCiphersAreLogged) {
  for (const char* wrong : {"TLSv1.5", "tlsv1.2", "TLSv1.2-", "TLSv1.2+,TLSv1.3"}) {
    EXPECT_FALSE(server_tls_.SetProtocols(wrong).ok()) << wrong;
  }
  EXPECT_FALSE(server_tls_.SetProtocols(" ").ok());
  EXPECT_FALSE(server_tls_.SetCiphers("foo").ok());
  EXPECT_FALSE(server_tls_.SetCipherSuites("foo").ok());
  EXPECT_TRUE(server_tls_.SetProtocols("TLSv1.2,TLSv1.3").ok());
  EXPECT_TRUE(server_tls_.SetProtocols("TLSv1.1,TLSv1.3").ok());
  const std::string log = Log();
  for (const char* line :
       {"TLSv1.5: SSL/TLS protocol not recognized", "SSL/TLS protocol settings invalid",
        "SSL_CTX_set_cipher_list: error:0A0000B9:SSL routines::no cipher match",
        "SSL_CTX_set_ciphersuites: error:0A0000B9:SSL routines::no cipher match",
        "TLSv1.1 protocol is deprecated",
        "SSL/TLS protocol TLSv1.2 is not configured, but will be enabled anyway."}) {
    EXPECT_TRUE(absl::StrContains(log, line)) << line;
  }
  EXPECT_TRUE(Try());
  ASSERT_TRUE(client_tls_.SetProtocols("TLSv1.2").ok());
  EXPECT_FALSE(Try());  // There are no ciphers left for it.
}

TEST_F(TlsTest, CiphersAreRespected) {
  ASSERT_TRUE(client_tls_.SetProtocols("TLSv1.2").ok());
  ASSERT_TRUE(server_tls_.SetCiphers("ECDHE-ECDSA-AES128-GCM-SHA256").ok());
  ASSERT_TRUE(client_tls_.SetCiphers("ECDHE-ECDSA-AES256-GCM-SHA384").ok());
  EXPECT_FALSE(Try());
  ASSERT_TRUE(client_tls_.SetCiphers("").ok());
  EXPECT_TRUE(Try());
  ASSERT_TRUE(client_tls_.SetProtocols("").ok());
  ASSERT_TRUE(server_tls_.SetCipherSuites("TLS_AES_128_GCM_SHA256").ok());
  ASSERT_TRUE(client_tls_.SetCipherSuites("TLS_AES_256_GCM_SHA384").ok());
  ASSERT_TRUE(client_tls_.SetProtocols("TLSv1.3").ok());
  EXPECT_FALSE(Try());
}

TEST_F(TlsTest, ClientBootstrapsItsAuthority) {
  const std::string file = dir_ / "bootstrapped.pem";
  client_tls_.SetCaCert(file, true);
  server_tls_.SetPeerCaCert(ca_.certificate());
  EXPECT_FALSE(Try());  // The first connection brings the certificate and is dropped.
  EXPECT_EQ(ReadFile(file), ReadFile(ca_.certificate()));
  EXPECT_TRUE(absl::StrContains(Log(), "successfully bootstrapped CA cert to " + file)) << Log();
  EXPECT_TRUE(absl::StrContains(Log(), "killing successful connection to retry using CA cert"));
  EXPECT_TRUE(Try()) << Log();
  // From now on it counts.
  server_tls_.SetPeerCaCert("");
  const Identity stranger(dir_, "stranger", &other_ca_);
  Use(&server_tls_, stranger, ca_);
  EXPECT_FALSE(Try());
}

TEST_F(TlsTest, BootstrapNeedsAChainWithTheAuthority) {
  const std::string file = dir_ / "bootstrapped.pem";
  client_tls_.SetCaCert(file, true);
  server_tls_.SetCaCert("none", false);  // So it has no authority to send along.
  EXPECT_FALSE(Try());
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_TRUE(absl::StrContains(Log(), "could not bootstrap CA cert")) << Log();
}

TEST_F(TlsTest, PlainClientIsDroppedAndOthersAreServed) {
  Listen();
  const auto address = NumericAddress("127.0.0.1", listener_->bound_port());
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(connect(fd, address->get(), address->length), 0);
  const std::string hello(200, '{');
  ASSERT_GT(write(fd, hello.data(), hello.size()), 0);
  EXPECT_TRUE(Try());
  EXPECT_TRUE(RunUntil(&loop_, [&] { return absl::StrContains(Log(), "wrong version number"); }));
  close(fd);
}

TEST_F(TlsTest, HalfOpenHandshakesAreBoundedAndDoNotDisturb) {
  Listen();
  const auto address = NumericAddress("127.0.0.1", listener_->bound_port());
  std::vector<int> silent;
  for (int i = 0; i < 200; i++) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(connect(fd, address->get(), address->length), 0);
    silent.push_back(fd);
    loop_.RunOnce(false);
  }
  EXPECT_TRUE(Try());
  for (const int fd : silent) close(fd);
}

TEST_F(TlsTest, ReconnectStormFinishes) {
  Listen();
  std::vector<std::unique_ptr<Peer>> clients;
  for (int i = 0; i < 100; i++) {
    clients.push_back(std::make_unique<Peer>());
    Connect(clients.back().get());
  }
  EXPECT_TRUE(RunUntil(&loop_, [&] { return accepted_.size() == clients.size(); }));
  for (const auto& client : clients) EXPECT_FALSE(client->closed);
}

}  // namespace
}  // namespace base
