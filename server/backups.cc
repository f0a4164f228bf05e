#include "server/backups.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace server {
namespace {

constexpr int kDefaultProbeIntervalMs = 60 * 1000;

}  // namespace

Backups::Backups(const base::StreamContext& context, ovsdb::UuidGenerator* uuids,
                 const ovsdb::Uuid& server_id, std::function<void(HostedDatabase*)> failed)
    : context_(context),
      uuids_(uuids),
      server_id_(server_id),
      failed_(std::move(failed)),
      probe_interval_ms_(kDefaultProbeIntervalMs) {}

Backups::~Backups() = default;

void Backups::Set(HostedDatabase* database, const DatabaseOptions& options) {
  if (options.model != DatabaseOptions::Model::kActiveBackup) return Forget(database);
  const auto [it, is_new] = roles_.try_emplace(database->name());
  Role& role = it->second;
  if (!is_new && role.options == options) return;
  role.database = database;
  role.options = options;
  role.replication = nullptr;
  database->SetReadOnly(options.backup);
  if (options.backup) Start(&role);
}

void Backups::Start(Role* role) {
  const RemoteOptions& connection = role->options.source_options;
  Replication::Options options;
  options.source.database = role->database->name();
  options.source.remotes = {role->options.source};
  options.source.probe_interval_ms = connection.inactivity_probe_ms.value_or(probe_interval_ms_);
  options.source.max_backoff_ms = connection.max_backoff_ms;
  options.source.dscp = connection.dscp;
  options.exclude_tables.insert(role->options.exclude_tables.begin(),
                                role->options.exclude_tables.end());
  role->replication =
      std::make_unique<Replication>(context_, options, uuids_, server_id_, role->database,
                                    [this, database = role->database] { failed_(database); });
}

void Backups::Forget(HostedDatabase* database) {
  if (roles_.erase(database->name()) > 0) database->SetReadOnly(false);
}

void Backups::SetProbeInterval(int ms) {
  probe_interval_ms_ = ms;
  for (auto& [name, role] : roles_) {
    if (role.replication && !role.options.source_options.inactivity_probe_ms) {
      role.replication->SetProbeInterval(ms);
    }
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
