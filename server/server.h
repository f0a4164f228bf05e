// The parts of an ovsdb-server process and how they are joined: databases, sessions, remotes, TLS,
// and the configuration that they follow.
#ifndef SERVER_SERVER_H_
#define SERVER_SERVER_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "ovsdb/log_json.h"
#include "server/backups.h"
#include "server/base/loop.h"
#include "server/base/stream.h"
#include "server/cluster/cluster_member.h"
#include "server/config_file.h"
#include "server/databases.h"
#include "server/db_session.h"
#include "server/relay.h"
#include "server/remotes.h"
#include "server/status.h"
#include "server/storage_standalone.h"
#include "server/tls_settings.h"

namespace server {

// A database as a command line or add-db names it, a file or relay:NAME:REMOTES, in the terms of a
// configuration file.
std::pair<std::string, DatabaseOptions> ParseDatabaseName(absl::string_view text);

// Loop thread only.
class Server final : private Databases::Observer {
 public:
  // Both outlive this.
  Server(base::Loop* loop, base::TlsConfig* tls);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  base::Loop* loop() const { return loop_; }
  Databases& databases() { return databases_; }
  Sessions& sessions() { return sessions_; }
  Remotes& remotes() { return remotes_; }
  TlsSettings& tls() { return tls_; }

  // Makes databases and remotes what `config` says. What cannot be done is logged, the rest is done
  // all the same; false then.
  bool Configure(const ServerConfig& config);
  const ServerConfig& config() const { return config_; }
  // Called whenever the configuration has changed.
  void SetConfigSaver(std::function<void(const ServerConfig&)> saver) { saver_ = std::move(saver); }

  // Changes of the configuration at run time; errors as the control socket tells them.
  absl::Status AddDatabase(absl::string_view file);
  absl::Status RemoveDatabase(absl::string_view name);
  absl::Status AddRemote(absl::string_view target);
  absl::Status RemoveRemote(absl::string_view target);

  // Roles of databases: active, or backups of the same source. Where there is a configuration file
  // only that says so.
  const SyncOptions& sync() const { return config_.sync; }
  const Backups& backups() const { return backups_; }
  void SetSyncSource(absl::string_view target);  // For the next ConnectActive().
  bool ConnectActive();                          // False if there is no source.
  void DisconnectActive();
  void SetSyncExcludeTables(absl::string_view tables);
  void SetSyncProbeInterval(int ms) { backups_.SetProbeInterval(ms); }
  void SetRelayProbeInterval(int ms);

  // Called when the first clustered database is opened.
  void SetClusterCallback(std::function<void()> callback) {
    cluster_callback_ = std::move(callback);
  }
  void ForEachCluster(const std::function<void(ClusterStorage&)>& f);
  // The storage of a clustered database; null if there is none of this name.
  ClusterStorage* FindCluster(absl::string_view name);
  // Gives leadership away, before this server stops. Whether it led anything.
  bool TransferLeadership();

  void SetRecordForm(ovsdb::RecordForm form) { record_form_ = form; }
  // Whether conversions in clusters carry the data for the sake of servers before 3.2.
  void SetConvertData(bool on) { convert_data_ = on; }
  void AddMemoryUsage(base::MemoryUsage* usage) const;

 private:
  void OnAdded(HostedDatabase* database, absl::string_view reason) override;
  void OnLeave(HostedDatabase* database) override;
  void OnReplaced(HostedDatabase* database, absl::string_view reason) override;
  void OnRemoved(HostedDatabase* database, absl::string_view reason) override;

  bool ConfigureDatabases(const std::map<std::string, DatabaseOptions>& wanted);
  bool ConfigureRemotes(const std::map<std::string, RemoteOptions>& wanted);
  bool IsOpen(const std::string& file) const;
  absl::Status Open(const std::string& name, const DatabaseOptions& options);
  absl::StatusOr<std::unique_ptr<HostedDatabase>> OpenFile(const std::string& file);
  absl::StatusOr<std::unique_ptr<HostedDatabase>> OpenStandalone(const std::string& file,
                                                                 std::unique_ptr<LogFile> log_file);
  absl::StatusOr<std::unique_ptr<HostedDatabase>> OpenCluster(const std::string& file,
                                                              std::unique_ptr<LogFile> log_file);
  void JoinCluster(HostedDatabase* database);
  absl::Status OpenRelay(const std::string& name, const DatabaseOptions& options);
  DbClient::Options RelaySource(const std::string& name, const DatabaseOptions& options) const;
  void Adapt(const std::string& name, const DatabaseOptions& options);
  void Close(HostedDatabase* database, absl::string_view reason);
  void SetRole(HostedDatabase* database, DatabaseOptions options);
  void SetRoles();
  void SettingsChanged();
  void CompactWhatIsDue();

  base::Loop* loop_;
  const base::StreamContext context_;
  // The workers come first: those that use them wait for nothing when they are destroyed.
  base::Worker sync_worker_;
  base::Worker rewrite_worker_;
  ovsdb::UuidGenerator uuids_;
  ovsdb::RecordForm record_form_ = ovsdb::RecordForm::kDifferences;
  std::function<void()> cluster_callback_;
  bool convert_data_ = false;
  ServerConfig config_;
  std::function<void(const ServerConfig&)> saver_;
  Databases databases_;
  Sessions sessions_;
  Remotes remotes_;
  TlsSettings tls_;
  std::unique_ptr<ServerStatus> status_;
  Backups backups_;
  std::map<std::string, std::unique_ptr<Relay>> relays_;           // By name of the database.
  std::map<std::string, std::unique_ptr<ClusterMember>> members_;  // Likewise.
  int relay_probe_interval_ms_ = base::kDefaultProbeIntervalMs;
  base::Timer compaction_timer_;
};

}  // namespace server

#endif  // SERVER_SERVER_H_
