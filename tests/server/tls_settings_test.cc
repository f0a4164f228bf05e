#include "server/tls_settings.h"

#include <string>

#include "absl/strings/substitute.h"
#include "hosting_test_util.h"

namespace server {
namespace {

constexpr char kTables[] = R"({
  "Files":{"isRoot":true,"columns":{
    "key":{"type":"string"},
    "certificates":{"type":{"key":"string","min":0,"max":"unlimited"}},
    "ca":{"type":{"key":"string","min":0}},
    "number":{"type":"integer"}}}})";

class TlsSettingsTest : public HostingTest {
 protected:
  TlsSettingsTest() {
    database_ = Host(
        kTables, [this](const ovsdb::Change& change) { settings_.OnChange(*database_, change); });
  }

  static TlsOptions InDatabase() {
    TlsOptions options;
    options.private_key = "db:D,Files,key";
    options.certificate = "db:D,Files,certificates";
    options.ca_cert = "db:D,Files,ca";
    return options;
  }

  HostedDatabase* database_;
  base::TlsConfig tls_;
  TlsSettings settings_{&loop_, &tls_, &databases_};
};

TEST_F(TlsSettingsTest, FilesAreTakenAsGiven) {
  TlsOptions options;
  options.private_key = "/etc/key.pem";
  options.ca_cert = "/etc/ca.pem";
  options.bootstrap_ca_cert = true;
  EXPECT_TRUE(settings_.Configure(options));
  EXPECT_EQ(tls_.private_key(), "/etc/key.pem");
  EXPECT_EQ(tls_.certificate(), "");
  EXPECT_EQ(tls_.ca_cert(), "/etc/ca.pem");
  EXPECT_TRUE(tls_.bootstrap_ca_cert());
}

TEST_F(TlsSettingsTest, TheDatabaseIsFollowed) {
  EXPECT_TRUE(settings_.Configure(InDatabase()));
  EXPECT_EQ(tls_.private_key(), "");
  Transact(
      R"({"op":"insert","table":"Files","row":
          {"key":"k","certificates":["set",["d","c"]],"ca":"a"}})");
  EXPECT_TRUE(Until([&] { return tls_.private_key() == "k"; }));
  EXPECT_EQ(tls_.certificate(), "c");
  EXPECT_EQ(tls_.ca_cert(), "a");
  Transact(R"({"op":"update","table":"Files","where":[],"row":{"key":"l","ca":["set",[]]}})");
  EXPECT_TRUE(Until([&] { return tls_.private_key() == "l"; }));
  EXPECT_EQ(tls_.certificate(), "c");
  EXPECT_EQ(tls_.ca_cert(), "");
}

TEST_F(TlsSettingsTest, NothingIsLeftOfADatabaseThatGoes) {
  EXPECT_TRUE(settings_.Configure(InDatabase()));
  Transact(R"({"op":"insert","table":"Files","row":{"key":"k"}})");
  ASSERT_TRUE(Until([&] { return tls_.private_key() == "k"; }));
  databases_.Remove(database_, "");
  settings_.Reconfigure();
  EXPECT_EQ(tls_.private_key(), "");
}

TEST_F(TlsSettingsTest, PlacesThatHoldNoFileNamesAreRefused) {
  for (const char* place : {"db:D,Files", "db:X,Files,key", "db:D,X,key", "db:D,Files,number"}) {
    TlsOptions options;
    options.ca_cert = place;
    EXPECT_FALSE(settings_.Configure(options)) << place;
  }
}

}  // namespace
}  // namespace server
