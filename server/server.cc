#include "server/server.h"

#include <sys/stat.h>

#include <random>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "ovsdb/error.h"
#include "server/base/log.h"
#include "server/log_file.h"

namespace server {
namespace {

base::LogModule log("ovsdb_server");

constexpr int64_t kCompactionLookMs = 10'000;
constexpr char kRelayPrefix[] = "relay:";

uint64_t RandomSeed() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

// Whether a change of options leaves the storage as it is.
bool SameStorage(const DatabaseOptions& a, const DatabaseOptions& b) {
  using Model = DatabaseOptions::Model;
  auto same = [&](Model model) { return (a.model == model) == (b.model == model); };
  return same(Model::kRelay) && same(Model::kClustered);
}

// The tables of one database in a list DB:TABLE[,DB:TABLE]..., see SyncOptions.
std::set<std::string> TablesOf(absl::string_view list, absl::string_view database) {
  std::set<std::string> tables;
  for (absl::string_view entry : absl::StrSplit(list, ',', absl::SkipEmpty())) {
    const size_t colon = entry.find(':');
    if (colon == absl::string_view::npos || entry.substr(0, colon) == database) {
      tables.emplace(entry.substr(colon + 1));  // All of it without a colon.
    }
  }
  tables.erase("");
  return tables;
}

// `tail` is why the reading of a file ended before its end.
absl::Status CheckTail(const std::string& file, const absl::Status& tail, LogFile* log_file) {
  if (tail.ok()) return tail;
  // What a crash tears off was never acknowledged as durable. Anything else must not be lost
  // without somebody's looking at it.
  const uint64_t good = log_file->size();
  const absl::StatusOr<bool> torn = log_file->IsTorn();
  if (!torn.ok()) return torn.status();
  if (!*torn) {
    return ovsdb::Error("ovsdb error",
                        absl::StrCat(ovsdb::ErrorText(tail), "; what stands before offset ", good,
                                     " is good: to do without the rest, cut the file there"));
  }
  log.Error("%s", ovsdb::ErrorText(tail));
  log.Warn("%s: ignoring the end of the file", file);
  return absl::OkStatus();
}

}  // namespace

std::pair<std::string, DatabaseOptions> ParseDatabaseName(absl::string_view text) {
  DatabaseOptions options;
  absl::string_view rest = text;
  if (absl::ConsumePrefix(&rest, kRelayPrefix)) {
    const size_t colon = rest.find(':');
    if (colon != absl::string_view::npos) {
      options.model = DatabaseOptions::Model::kRelay;
      options.source = std::string(rest.substr(colon + 1));
      return {std::string(rest.substr(0, colon)), options};
    }
  }
  return {std::string(text), options};
}

Server::Server(base::Loop* loop, base::TlsConfig* tls)
    : loop_(loop),
      context_{loop, tls},
      sync_worker_(loop),
      rewrite_worker_(loop, base::Worker::Priority::kLow),
      uuids_(RandomSeed()),
      databases_(loop, &rewrite_worker_, &uuids_, this),
      sessions_(loop, &databases_, uuids_.Next()),
      remotes_(context_, &sessions_, &databases_),
      tls_(loop, tls, &databases_),
      backups_(context_, &uuids_, sessions_.server_id()),
      compaction_timer_(loop, [this] { CompactWhatIsDue(); }) {
  status_ = std::make_unique<ServerStatus>(&databases_);
  databases_.ForEach([this](HostedDatabase& database) { status_->Update(database); });
  compaction_timer_.Start(kCompactionLookMs);
}

Server::~Server() = default;

// What depends on which databases there are

void Server::OnAdded(HostedDatabase* database, absl::string_view reason) {
  database->AddChangeCallback([this, database](const ovsdb::Change& change) {
    remotes_.OnChange(*database, change);
    tls_.OnChange(*database, change);
  });
  if (status_ != nullptr) status_->Update(*database);
  sessions_.Disconnect(reason, /*even_aware=*/false);
  SettingsChanged();
}

void Server::OnLeave(HostedDatabase* database) { sessions_.Leave(database); }

void Server::OnReplaced(HostedDatabase* database, absl::string_view reason) {
  status_->Update(*database);
  sessions_.Disconnect(reason, /*even_aware=*/false);
  SettingsChanged();
}

void Server::OnRemoved(HostedDatabase* database, absl::string_view reason) {
  status_->Remove(*database);
  sessions_.Disconnect(reason, /*even_aware=*/false);
  // Now, for they must not find it again.
  remotes_.Reconfigure();
  tls_.Reconfigure();
}

void Server::SettingsChanged() {
  remotes_.SetDirty();
  tls_.SetDirty();
}

// Configuration

bool Server::Configure(const ServerConfig& config) {
  config_.sync = config.sync;
  const bool databases_ok = ConfigureDatabases(config.databases);
  const bool remotes_ok = ConfigureRemotes(config.remotes);
  if (saver_) saver_(config_);
  return databases_ok && remotes_ok;
}

bool Server::ConfigureDatabases(const std::map<std::string, DatabaseOptions>& wanted) {
  bool ok = true;
  for (auto it = config_.databases.begin(); it != config_.databases.end();) {
    HostedDatabase* const database = databases_.FindByFile(it->first);
    auto same = wanted.find(it->first);
    if (same != wanted.end() && SameStorage(same->second, it->second)) {
      it->second = same->second;
      Adapt(it->first, it->second);
      ++it;
      continue;
    }
    if (database != nullptr) {
      Close(database,
            absl::StrCat("removing ", database->name(), " database from the configuration"));
    }
    it = config_.databases.erase(it);
  }
  for (const auto& [name, options] : wanted) {
    if (config_.databases.contains(name)) continue;
    absl::Status status = Open(name, options);
    if (status.ok()) {
      config_.databases[name] = options;
    } else {
      log.Warn("failed to open database '%s': %s", name, ovsdb::ErrorText(status));
      ok = false;
    }
  }
  if (!ok) log.Warn("failed to configure databases");
  return ok;
}

bool Server::ConfigureRemotes(const std::map<std::string, RemoteOptions>& wanted) {
  config_.remotes = wanted;
  remotes_.Set(wanted);
  for (const auto& [target, options] : wanted) {
    if (!absl::StartsWith(target, "db:")) continue;
    const absl::Status status = ColumnPlace::Check(databases_, target);
    if (!status.ok()) {
      log.Warn("failed to configure remotes: %s", std::string(status.message()));
      return false;
    }
  }
  remotes_.Reconfigure();
  return true;
}

absl::Status Server::Open(const std::string& name, const DatabaseOptions& options) {
  if (options.model == DatabaseOptions::Model::kRelay) return OpenRelay(name, options);
  if (IsOpen(name)) return ovsdb::Error("ovsdb error", absl::StrCat(name, ": already open"));
  absl::StatusOr<std::unique_ptr<HostedDatabase>> database = OpenFile(name);
  if (!database.ok()) return database.status();
  HostedDatabase* const opened = database->get();
  const bool clustered = opened->executor().storage().cluster().has_value();
  if (options.model == DatabaseOptions::Model::kClustered && !clustered) {
    return ovsdb::Error("ovsdb error",
                        absl::StrCat(name, ": database is standalone and not clustered"));
  }
  if (options.model != DatabaseOptions::Model::kFromFile &&
      options.model != DatabaseOptions::Model::kClustered && clustered) {
    return ovsdb::Error("ovsdb error",
                        absl::StrCat(name, ": database is clustered and not standalone"));
  }
  absl::Status status = databases_.Add(*std::move(database));
  if (!status.ok()) return status;
  if (clustered) {
    JoinCluster(opened);
  } else {
    SetRole(opened, options);
  }
  return absl::OkStatus();
}

void Server::JoinCluster(HostedDatabase* database) {
  if (const auto first = std::exchange(cluster_callback_, nullptr)) first();
  members_[database->name()] = std::make_unique<ClusterMember>(
      loop_, database, static_cast<ClusterStorage*>(&database->executor().storage()),
      [this, database] { status_->Update(*database); },
      [this, database] {
        log.Info("%s: this server has left the cluster", database->name());
        config_.databases.erase(database->file());
        Close(database, absl::StrCat("removing database ", database->name(),
                                     " because this server left the cluster"));
        if (saver_) saver_(config_);
      });
}

ClusterStorage* Server::FindCluster(absl::string_view name) {
  const auto it = members_.find(std::string(name));
  return it == members_.end() ? nullptr : &it->second->storage();
}

void Server::ForEachCluster(const std::function<void(ClusterStorage&)>& f) {
  for (auto& [name, member] : members_) f(member->storage());
}

bool Server::TransferLeadership() {
  bool led = false;
  for (auto& [name, member] : members_) {
    led = led || member->storage().leader();
    member->storage().TransferLeadership("shutdown");
  }
  return led;
}

// What can change while a database is open.
void Server::Adapt(const std::string& name, const DatabaseOptions& options) {
  if (const auto relay = relays_.find(name); relay != relays_.end()) {
    relay->second->SetSource(RelaySource(name, options));
  } else if (HostedDatabase* database = databases_.FindByFile(name)) {
    SetRole(database, options);
  }
}

// Whether a database has `file` open, under this name or another.
bool Server::IsOpen(const std::string& file) const {
  struct stat wanted;
  if (stat(file.c_str(), &wanted) != 0) return false;
  bool found = false;
  databases_.ForEach([&](const HostedDatabase& database) {
    struct stat open;
    found |= !database.built_in() && stat(database.file().c_str(), &open) == 0 &&
             open.st_dev == wanted.st_dev && open.st_ino == wanted.st_ino;
  });
  return found;
}

absl::Status Server::OpenRelay(const std::string& name, const DatabaseOptions& options) {
  auto storage = std::make_unique<RelayStorage>();
  RelayStorage* const relay_storage = storage.get();
  auto database = std::make_unique<HostedDatabase>(&databases_.environment(), name, name,
                                                   std::move(storage), nullptr);
  HostedDatabase* const opened = database.get();
  absl::Status status = databases_.Add(std::move(database));
  if (!status.ok()) return status;

  relays_[name] =
      std::make_unique<Relay>(context_, RelaySource(name, options), &uuids_, opened, relay_storage,
                              [this, opened] { status_->Update(*opened); });
  return absl::OkStatus();
}

DbClient::Options Server::RelaySource(const std::string& name,
                                      const DatabaseOptions& options) const {
  DbClient::Options source;
  source.database = name;
  source.remotes = SplitRemotes(options.source);
  source.probe_interval_ms =
      options.source_options.inactivity_probe_ms.value_or(relay_probe_interval_ms_);
  source.max_backoff_ms = options.source_options.max_backoff_ms;
  source.dscp = options.source_options.dscp;
  return source;
}

void Server::Close(HostedDatabase* database, absl::string_view reason) {
  relays_.erase(database->name());
  backups_.Forget(database);
  const auto member = members_.extract(database->name());  // Goes last: this may be its doing.
  // The word leaves at once, as far as the connection takes it.
  if (!member.empty()) member.mapped()->storage().TransferLeadership("the database is removed");
  databases_.Remove(database, reason);
}

absl::StatusOr<std::unique_ptr<HostedDatabase>> Server::OpenFile(const std::string& file) {
  absl::StatusOr<std::unique_ptr<LogFile>> log_file =
      LogFile::Open(file, LogFile::Mode::kReadWrite, std::nullopt);
  if (!log_file.ok()) return log_file.status();
  if ((*log_file)->magic() == LogMagic::kClustered) {
    return OpenCluster(file, *std::move(log_file));
  }
  return OpenStandalone(file, *std::move(log_file));
}

absl::StatusOr<std::unique_ptr<HostedDatabase>> Server::OpenStandalone(
    const std::string& file, std::unique_ptr<LogFile> log_file) {
  absl::StatusOr<LoadedDatabase> contents = LoadDatabase(log_file.get());
  if (!contents.ok()) return contents.status();
  const absl::Status tail = CheckTail(file, contents->tail, log_file.get());
  if (!tail.ok()) return tail;
  absl::Status mended = RecordMends(*contents, base::WallMs(), record_form_, log_file.get());
  if (!mended.ok()) return mended;
  auto storage = std::make_unique<StandaloneStorage>(
      StandaloneStorage::Environment{loop_, &sync_worker_, &rewrite_worker_}, std::move(log_file),
      &record_form_, *contents);
  std::string name = contents->database->schema().name;
  return std::make_unique<HostedDatabase>(&databases_.environment(), std::move(name), file,
                                          std::move(storage), std::move(contents->database));
}

absl::StatusOr<std::unique_ptr<HostedDatabase>> Server::OpenCluster(
    const std::string& file, std::unique_ptr<LogFile> log_file) {
  absl::StatusOr<LoadedCluster> loaded = LoadCluster(log_file.get(), &uuids_);
  if (!loaded.ok()) return loaded.status();
  const absl::Status tail = CheckTail(file, loaded->tail, log_file.get());
  if (!tail.ok()) return tail;
  std::string name = loaded->state.name;
  const bool available = loaded->database != nullptr;
  auto storage = std::make_unique<ClusterStorage>(
      ClusterStorage::Environment{context_, &sync_worker_, &rewrite_worker_, &uuids_, &record_form_,
                                  &convert_data_},
      std::move(log_file), std::move(loaded->state), loaded->base_size);
  auto database = std::make_unique<HostedDatabase>(&databases_.environment(), std::move(name), file,
                                                   std::move(storage), std::move(loaded->database));
  if (available) database->RestoreHistory(loaded->history_base, std::move(loaded->history));
  return database;
}

absl::Status Server::AddDatabase(absl::string_view text) {
  const auto [name, options] = ParseDatabaseName(text);
  absl::Status status = Open(name, options);
  if (!status.ok()) return status;
  config_.databases[name] = options;
  if (saver_) saver_(config_);
  return absl::OkStatus();
}

absl::Status Server::RemoveDatabase(absl::string_view name) {
  HostedDatabase* database = databases_.Find(name);
  if (database == nullptr) return absl::NotFoundError("Failed to find the database.");
  if (database->built_in()) return absl::NotFoundError("Cannot remove reserved database.");
  config_.databases.erase(database->file());
  Close(database, absl::StrCat("removing ", name, " database by user request"));
  if (saver_) saver_(config_);
  return absl::OkStatus();
}

absl::Status Server::AddRemote(absl::string_view target) {
  absl::Status status = remotes_.Add(target);
  if (!status.ok()) return status;
  config_.remotes = remotes_.configured();
  if (saver_) saver_(config_);
  return absl::OkStatus();
}

absl::Status Server::RemoveRemote(absl::string_view target) {
  if (!remotes_.Remove(target)) return absl::NotFoundError("no such remote");
  config_.remotes = remotes_.configured();
  if (saver_) saver_(config_);
  return absl::OkStatus();
}

// Backups

// Gives a database the role that it has by itself, or else the one that all have.
void Server::SetRole(HostedDatabase* database, DatabaseOptions options) {
  // The content of these comes from elsewhere, whatever a source says.
  if (options.model == DatabaseOptions::Model::kRelay) return;
  if (database->executor().storage().cluster().has_value()) return;
  const SyncOptions& sync = config_.sync;
  if (options.model != DatabaseOptions::Model::kActiveBackup &&
      (sync.backup || !sync.source.empty())) {
    options.model = DatabaseOptions::Model::kActiveBackup;
    options.source = sync.source;
    options.backup = sync.backup;
    options.exclude_tables = TablesOf(sync.exclude_tables, database->name());
  }
  backups_.Set(database, options);
}

void Server::SetRoles() {
  for (const auto& [name, options] : config_.databases) {
    if (HostedDatabase* database = databases_.FindByFile(name)) SetRole(database, options);
  }
  if (saver_) saver_(config_);
}

void Server::SetSyncSource(absl::string_view target) {
  config_.sync.source = std::string(target);
  if (saver_) saver_(config_);
}

bool Server::ConnectActive() {
  if (config_.sync.source.empty()) return false;
  if (config_.sync.backup && !backups_.any_failed()) return true;
  config_.sync.backup = true;
  SetRoles();
  backups_.Retry();
  return true;
}

void Server::DisconnectActive() {
  if (!config_.sync.backup) return;
  config_.sync.backup = false;
  SetRoles();
}

void Server::SetSyncExcludeTables(absl::string_view tables) {
  config_.sync.exclude_tables = std::string(tables);
  if (config_.sync.backup) {
    SetRoles();
  } else if (saver_) {
    saver_(config_);
  }
}

void Server::SetRelayProbeInterval(int ms) {
  relay_probe_interval_ms_ = ms;
  for (const auto& [name, relay] : relays_) Adapt(name, config_.databases[name]);
}

// Housekeeping

void Server::CompactWhatIsDue() {
  compaction_timer_.Start(kCompactionLookMs);
  databases_.ForEach([](HostedDatabase& database) {
    if (database.executor().storage().WantsCompaction()) {
      database.Compact("compacting database online", nullptr);
    }
  });
}

void Server::AddMemoryUsage(base::MemoryUsage* usage) const {
  sessions_.AddMemoryUsage(usage);
  databases_.ForEach([usage](const HostedDatabase& database) { database.AddMemoryUsage(usage); });
}

}  // namespace server
