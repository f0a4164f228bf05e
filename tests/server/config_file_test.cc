#include "server/config_file.h"

#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "ovsdb/error.h"

namespace server {
namespace {

using Model = DatabaseOptions::Model;

ServerConfig ParseOk(absl::string_view text) {
  std::vector<ConfigComplaint> complaints;
  auto config = ServerConfig::Parse(text, &complaints);
  EXPECT_TRUE(config.ok()) << config.status();
  EXPECT_TRUE(complaints.empty()) << complaints[0].text;
  return config.ok() ? *config : ServerConfig();
}

std::string ParseError(absl::string_view text) {
  std::vector<ConfigComplaint> complaints;
  const auto config = ServerConfig::Parse(text, &complaints);
  if (config.ok()) return "accepted";
  return ovsdb::ErrorString(config.status()) == ovsdb::kSyntaxError
             ? ovsdb::ErrorText(config.status())
             : std::string(config.status().message());
}

std::string DatabaseError(absl::string_view database) {
  return ParseError("{\"remotes\":{},\"databases\":{\"nb.db\":" + std::string(database) + "}}");
}

TEST(ConfigFile, ReadsRemotesWithTheirOptions) {
  const ServerConfig config = ParseOk(R"({"remotes": {
      "ptcp:6641": {"inactivity-probe": 60000, "read-only": true, "role": "ovn-controller"},
      "punix:nb.sock": null, "tcp:10.0.0.1:6640": {"max-backoff": 2000, "dscp": 8}}})");
  ASSERT_EQ(config.remotes.size(), 3u);
  const RemoteOptions& tcp = config.remotes.at("ptcp:6641");
  EXPECT_EQ(tcp.inactivity_probe_ms, 60000);
  EXPECT_TRUE(tcp.read_only);
  EXPECT_EQ(tcp.role, "ovn-controller");
  EXPECT_EQ(config.remotes.at("punix:nb.sock"), RemoteOptions());
  EXPECT_EQ(config.remotes.at("tcp:10.0.0.1:6640").dscp, 8);
  EXPECT_TRUE(config.databases.empty());
}

TEST(ConfigFile, ReadsEveryServiceModel) {
  const ServerConfig config = ParseOk(R"({"remotes": {}, "databases": {
      "a.db": {}, "b.db": null, "c.db": {"service-model": "standalone"},
      "d.db": {"service-model": "active-backup", "backup": true,
               "source": {"unix:x": {"inactivity-probe": 10000}}, "exclude-tables": ["ACL"]},
      "Relayed": {"service-model": "relay", "source": {"tcp:127.0.0.1:1": {}}}}})");
  EXPECT_EQ(config.databases.at("a.db"), DatabaseOptions());
  EXPECT_EQ(config.databases.at("b.db"), DatabaseOptions());
  EXPECT_EQ(config.databases.at("c.db").model, Model::kStandalone);
  const DatabaseOptions& backup = config.databases.at("d.db");
  EXPECT_TRUE(backup.backup);
  EXPECT_EQ(backup.source, "unix:x");
  EXPECT_EQ(backup.source_options.inactivity_probe_ms, 10000);
  EXPECT_EQ(backup.exclude_tables, std::set<std::string>{"ACL"});
  EXPECT_EQ(config.databases.at("Relayed").source, "tcp:127.0.0.1:1");
}

TEST(ConfigFile, RefusesWhatIsNoConfiguration) {
  EXPECT_EQ(ParseError("[]"), "configuration in a file must be a JSON object");
  EXPECT_EQ(ParseError(R"({"remotes": 5})"), "config: 'remotes' is not a JSON object");
  EXPECT_EQ(ParseError(R"({"databases": []})"), "config: 'databases' is not a JSON object");
  EXPECT_EQ(ParseError(R"({"remotes": {"punix:a": []}})"),
            "punix:a: JSON-RPC options are not a JSON object or null");
  EXPECT_NE(ParseError("{").find("config: reading JSON failed ("), std::string::npos);
}

// The texts are the reference's.
TEST(ConfigFile, RefusesDatabasesThatMakeNoSense) {
  EXPECT_EQ(DatabaseError(R"({"service-model":"foo"})"),
            "syntax \"{\"service-model\":\"foo\"}\": syntax error: Parsing database nb.db failed: "
            "'foo' is not a valid service model");
  EXPECT_EQ(DatabaseError(R"({"service-model":5})"),
            "syntax \"{\"service-model\":5}\": syntax error: Parsing database nb.db failed: Type "
            "mismatch for member 'service-model'.");
  EXPECT_EQ(DatabaseError("[]"), "syntax error: Parsing database nb.db failed: Object expected.");
  EXPECT_EQ(DatabaseError(R"({"service-model":"active-backup","source":{}})"),
            "syntax \"{\"service-model\":\"active-backup\",\"source\":{}}\": syntax error: Parsing "
            "database nb.db failed: Required 'backup' member is missing.");
  EXPECT_EQ(DatabaseError(R"({"service-model":"active-backup","backup":true})"),
            "syntax \"{\"backup\":true,\"service-model\":\"active-backup\"}\": syntax error: "
            "Parsing database nb.db failed: Required 'source' member is missing.");
  EXPECT_EQ(DatabaseError(R"({"service-model":"active-backup","backup":false})"), "accepted");
  EXPECT_EQ(DatabaseError(R"({"service-model":"relay"})"),
            "syntax \"{\"service-model\":\"relay\"}\": syntax error: Parsing database nb.db "
            "failed: Required 'source' member is missing.");
  EXPECT_EQ(DatabaseError(R"({"service-model":"standalone","source":{"unix:x":{}}})"),
            "syntax \"{\"service-model\":\"standalone\",\"source\":{\"unix:x\":{}}}\": syntax "
            "error: Parsing database nb.db failed: Member 'source' is present but not allowed "
            "here.");
}

TEST(ConfigFile, ComplainsOfTheSectionToo) {
  std::vector<ConfigComplaint> complaints;
  EXPECT_FALSE(ServerConfig::Parse(R"({"remotes":{"ptcp:1":{"foo":1}},"databases":{"nb.db":[]}})",
                                   &complaints)
                   .ok());
  ASSERT_EQ(complaints.size(), 3u);
  EXPECT_TRUE(complaints[0].about_connection);
  EXPECT_FALSE(complaints[1].about_connection);
  EXPECT_EQ(complaints[1].text, "syntax error: Parsing database nb.db failed: Object expected.");
  EXPECT_EQ(complaints[2].text, "config: failed to parse 'databases'");
}

TEST(ConfigFile, WritesWhatItReads) {
  const ServerConfig config = ParseOk(R"({"remotes": {
      "ptcp:6641": {"inactivity-probe": 60000, "read-only": true, "role": "ovn-controller"},
      "punix:nb.sock": null, "tcp:10.0.0.1:6640": {"max-backoff": 2000, "dscp": 8}},
      "databases": {"a.db": {}, "b.db": null, "c.db": {"service-model": "standalone"},
      "d.db": {"service-model": "active-backup", "backup": true,
               "source": {"unix:x": {"inactivity-probe": 10000}},
               "exclude-tables": ["ACL", "B\"FD"]},
      "Relayed": {"service-model": "relay", "source": {"tcp:127.0.0.1:1": {}}}}})");
  const ServerConfig again = ParseOk(config.ToText());
  EXPECT_EQ(again.remotes, config.remotes);
  EXPECT_EQ(again.databases, config.databases);
}

TEST(ConfigFile, WarnsOfBadConnectionOptions) {
  std::vector<ConfigComplaint> complaints;
  const auto config = ServerConfig::Parse(
      R"({"remotes":{"punix:a":{"foo":5},"punix:b":{"dscp":64},"punix:c":{"max-backoff":1e99}}})",
      &complaints);
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(config->remotes.size(), 3u);
  ASSERT_EQ(complaints.size(), 3u);
  EXPECT_EQ(complaints[0].text,
            "syntax \"{\"foo\":5}\": syntax error: Parsing JSON-RPC options failed: Member 'foo' "
            "is present but not allowed here.");
  EXPECT_EQ(complaints[1].text, "punix:b: dscp 64 is not in 0..63");
}

}  // namespace
}  // namespace server
