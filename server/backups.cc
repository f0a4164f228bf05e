#include "server/backups.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace server {
namespace {

constexpr int kDefaultProbeIntervalMs = 60 * 1000;

}  // namespace

Backups::Backups(const base::StreamContext& context, ovsdb::UuidGenerator* uuids,
                 const ovsdb::Uuid& server_id)
    : context_(context),
      uuids_(uuids),
      server_id_(server_id),
      probe_interval_ms_(kDefaultProbeIntervalMs) {}

Backups::~Backups() = default;

void Backups::Set(HostedDatabase* database, const DatabaseOptions& options) {
  if (options.model != DatabaseOptions::Model::kActiveBackup) return Forget(database);
  const auto [it, is_new] = roles_.try_emplace(database->name());
  Role& role = it->second;
  if (!is_new && role.options == options) return;
  const bool failed = !is_new && role.failed();
  role.database = database;
  role.options = options;
  role.replication = nullptr;
  database->SetReadOnly(false);
  if (options.backup && !failed) Start(&role);
}

DbClient::Options Backups::Source(const Role& role) const {
  const RemoteOptions& connection = role.options.source_options;
  DbClient::Options source;
  source.database = role.database->name();
  source.remotes = {role.options.source};
  source.probe_interval_ms = connection.inactivity_probe_ms.value_or(probe_interval_ms_);
  source.max_backoff_ms = connection.max_backoff_ms;
  source.dscp = connection.dscp;
  return source;
}

void Backups::Start(Role* role) {
  Replication::Options options;
  options.source = Source(*role);
  options.exclude_tables = role->options.exclude_tables;
  role->database->SetReadOnly(true);
  role->replication = std::make_unique<Replication>(
      context_, options, uuids_, server_id_, role->database, [this, source = role->options.source] {
        Fail(std::string(source));  // This function is destroyed.
      });
}

void Backups::Fail(const std::string& source) {
  for (auto& [name, role] : roles_) {
    if (role.replication == nullptr || role.options.source != source) continue;
    role.replication = nullptr;
    role.database->SetReadOnly(false);
  }
}

bool Backups::any_failed() const {
  return std::any_of(roles_.begin(), roles_.end(),
                     [](const auto& entry) { return entry.second.failed(); });
}

void Backups::Retry() {
  for (auto& [name, role] : roles_) {
    if (role.failed()) Start(&role);
  }
}

void Backups::Forget(HostedDatabase* database) {
  if (roles_.erase(database->name()) > 0) database->SetReadOnly(false);
}

void Backups::SetProbeInterval(int ms) {
  probe_interval_ms_ = ms;
  for (auto& [name, role] : roles_) {
    if (role.replication) role.replication->SetSource(Source(role));
  }
}

std::string Backups::StatusText() const {
  if (roles_.empty()) return "state: active\n";
  std::string text;
  for (const auto& [name, role] : roles_) {
    absl::StrAppend(&text, "database: ", name, "\n");
    if (!role.replication) {
      absl::StrAppend(&text, "state: active\n\n");
      continue;
    }
    absl::StrAppend(&text, "state: backup\n",
                    role.replication->replicating() ? "replicating: " : "connecting: ",
                    role.options.source, "\n");
    if (!role.replication->replicating()) continue;
    if (!role.options.exclude_tables.empty()) {
      absl::StrAppend(&text, "exclude: ",
                      absl::StrJoin(role.options.exclude_tables, ",",
                                    [&name = name](std::string* out, const std::string& table) {
                                      absl::StrAppend(out, name, ":", table);
                                    }));
    }
    absl::StrAppend(&text, "\n");
  }
  return text;
}

}  // namespace server
