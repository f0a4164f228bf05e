#include "server/remotes.h"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "ovsdb/error.h"
#include "server/base/io_error.h"
#include "server/base/listener.h"
#include "server/base/log.h"
#include "server/db_session.h"

namespace server {
namespace {

base::LogModule log("ovsdb_jsonrpc_server");
base::LogModule server_log("ovsdb_server");  // Of what the tables say.
base::LogModule util_log("ovsdb_util");      // Of the columns that they lack.
base::RateLimit limit;

constexpr int64_t kStatusIntervalMs = 2500;
constexpr int64_t kListenRetryMs = 1000;
constexpr int kMinMaxBackoffMs = 1000;

constexpr char kDbPrefix[] = "db:";

// Reads the columns of a row that says how to connect: nothing from a column that is empty, missing
// or of another type than expected, as of several strings.
class RowReader {
 public:
  RowReader(const ovsdb::TableSchema& table, const ovsdb::Row& row) : table_(table), row_(row) {}

  std::optional<absl::string_view> String(absl::string_view column) const {
    const ovsdb::Datum* value = Find(column, ovsdb::AtomType::kString, ovsdb::AtomType::kVoid);
    if (value == nullptr) return std::nullopt;
    return value->key(0).string();
  }
  std::optional<bool> Boolean(absl::string_view column) const {
    const ovsdb::Datum* value = Find(column, ovsdb::AtomType::kBoolean, ovsdb::AtomType::kVoid);
    if (value == nullptr) return std::nullopt;
    return value->key(0).boolean();
  }
  std::optional<int> Integer(absl::string_view column) const {
    const ovsdb::Datum* value = Find(column, ovsdb::AtomType::kInteger, ovsdb::AtomType::kVoid);
    if (value == nullptr) return std::nullopt;
    return static_cast<int>(std::clamp<int64_t>(
        value->key(0).integer(), std::numeric_limits<int>::min(), std::numeric_limits<int>::max()));
  }
  std::optional<int> IntegerInMap(absl::string_view column, absl::string_view key) const {
    const ovsdb::Datum* value = Find(column, ovsdb::AtomType::kString, ovsdb::AtomType::kString);
    if (value == nullptr) return std::nullopt;
    const int position = value->Find(ovsdb::Atom::String(key));
    int result = 0;
    if (position < 0 || !absl::SimpleAtoi(value->value(position).string(), &result)) {
      return std::nullopt;
    }
    return result;
  }

 private:
  const ovsdb::Datum* Find(absl::string_view name, ovsdb::AtomType key,
                           ovsdb::AtomType value) const {
    const ovsdb::ColumnSchema* column = table_.FindColumn(name);
    if (column == nullptr || column->index < ovsdb::TableSchema::kFirstRealColumn ||
        column->type.key.type != key || column->type.value.type != value || column->type.is_set()) {
      return nullptr;
    }
    const ovsdb::Datum& datum = row_.datum(column->index);
    return datum.empty() ? nullptr : &datum;
  }

  const ovsdb::TableSchema& table_;
  const ovsdb::Row& row_;
};

// What a row says counts, whatever the target has been given before: rows restrict what clients may
// do (role, read_only) and must not lose to a mention on the command line.
void OverrideFromRow(const RowReader& row, RemoteOptions* options) {
  if (auto ms = row.Integer("max_backoff")) options->max_backoff_ms = ms;
  if (auto ms = row.Integer("inactivity_probe")) options->inactivity_probe_ms = ms;
  if (auto read_only = row.Boolean("read_only")) options->read_only = *read_only;
  if (auto role = row.String("role")) options->role = std::string(*role);
  options->dscp = row.IntegerInMap("other_config", "dscp");
  if (options->dscp && (*options->dscp < 0 || *options->dscp > 63)) options->dscp.reset();
}

// What the status columns of a remote tell; at first, of one without connections.
struct RemoteStatus {
  bool connected = false;
  std::map<std::string, std::string> details = {{"sec_since_connect", "0"},
                                                {"sec_since_disconnect", "0"}};
};

void AddNames(absl::string_view key, const std::vector<std::string>& names, RemoteStatus* status) {
  if (!names.empty()) status->details[std::string(key)] = absl::StrJoin(names, " ");
}

}  // namespace

// One target: a listening socket with its sessions, or a session that connects.
class Remotes::Remote {
 public:
  Remote(Remotes* owner, std::string target, RemoteOptions options)
      : owner_(owner),
        target_(std::move(target)),
        options_(std::move(options)),
        retry_(owner->context_.loop, [this] { Listen(); }) {
    if (base::IsPassiveTarget(target_)) {
      Listen();
    } else {
      Connect();
    }
  }

  void SetOptions(const RemoteOptions& options) {
    if (options == options_) return;
    const bool reconnect = options.read_only != options_.read_only || options.role != options_.role;
    const int old_dscp = dscp();
    options_ = options;
    if (reconnect) sessions_.clear();
    if (reconnect && connects_) Connect();
    for (auto& session : sessions_) Configure(session.get());
    if (dscp() != old_dscp && listener_ != nullptr) {
      listener_->SetDscp(dscp());
      for (auto& session : sessions_) session->rpc().ForceReconnect();
    }
  }

  RemoteStatus Status() const {
    RemoteStatus status;
    if (connects_) {
      AddSessionStatus(*sessions_.front(), &status);
      return status;
    }
    status.connected = !sessions_.empty();
    if (sessions_.size() > 1) status.details["n_connections"] = absl::StrCat(sessions_.size());
    if (listener_ != nullptr && listener_->bound_port() != 0) {
      status.details["bound_port"] = absl::StrCat(listener_->bound_port());
    }
    return status;
  }

 private:
  int dscp() const { return options_.dscp.value_or(base::kDefaultDscp); }
  DbSession::Options SessionOptions() const { return {options_.read_only, options_.role}; }

  void Connect() {
    connects_ = true;
    sessions_.push_back(std::make_unique<DbSession>(owner_->sessions_, owner_->context_, target_,
                                                    SessionOptions()));
    Configure(sessions_.back().get());
  }

  void Listen() {
    absl::StatusOr<std::unique_ptr<base::Listener>> listener =
        base::Listener::Listen(owner_->context_, target_, dscp(),
                               [this](std::unique_ptr<base::Stream> s) { Accept(std::move(s)); });
    if (listener.ok()) {
      listener_ = *std::move(listener);
    } else if (base::ErrorNumber(listener.status()) == EAFNOSUPPORT) {
      Connect();  // That the target makes no sense is then told like failures to connect.
    } else {
      log.Error("%s: listen failed: %s", target_, std::string(listener.status().message()));
      retry_.Start(kListenRetryMs);
    }
  }

  void Accept(std::unique_ptr<base::Stream> stream) {
    sessions_.push_back(std::make_unique<DbSession>(
        owner_->sessions_, owner_->context_, std::move(stream), SessionOptions(),
        [this](DbSession* ended) {
          std::erase_if(sessions_, [ended](const auto& s) { return s.get() == ended; });
        }));
    Configure(sessions_.back().get());
  }

  void Configure(DbSession* session) {
    base::Reconnect& reconnect = session->rpc().reconnect();
    const int default_probe = base::TargetNeedsProbes(target_) ? base::kDefaultProbeIntervalMs : 0;
    reconnect.SetProbeInterval(options_.inactivity_probe_ms.value_or(default_probe));
    reconnect.SetBackoff(
        base::kDefaultMinBackoffMs,
        std::max(options_.max_backoff_ms.value_or(base::kDefaultMaxBackoffMs), kMinMaxBackoffMs));
    if (connects_) session->rpc().SetDscp(dscp());  // Accepted ones have that of the listener.
    session->rpc().Update();
  }

  void AddSessionStatus(const DbSession& session, RemoteStatus* status) const {
    const base::RpcSession& rpc = session.rpc();
    const int64_t now = base::MonotonicMs();
    status->connected = rpc.reconnect().is_connected();
    status->details.clear();
    status->details["state"] = std::string(rpc.reconnect().StateText());
    if (auto since = rpc.reconnect().last_connected()) {
      status->details["sec_since_connect"] = absl::StrCat((now - *since) / 1000);
    }
    if (auto since = rpc.reconnect().last_disconnected()) {
      status->details["sec_since_disconnect"] = absl::StrCat((now - *since) / 1000);
    }
    const ovsdb::LockTable::Names locks = session.lock_names();
    AddNames("locks_held", locks.held, status);
    AddNames("locks_waiting", locks.waiting, status);
    AddNames("locks_lost", locks.lost, status);
  }

  Remotes* owner_;
  const std::string target_;
  RemoteOptions options_;
  bool connects_ = false;  // There is one session, for ever, and no listener.
  std::unique_ptr<base::Listener> listener_;
  std::vector<std::unique_ptr<DbSession>> sessions_;
  base::Timer retry_;
};

absl::StatusOr<ColumnPlace> ColumnPlace::Parse(const Databases& databases, absl::string_view name) {
  auto error = [name](const auto&... text) {
    return absl::NotFoundError(absl::StrCat("\"", name, "\": ", text...));
  };
  const std::vector<absl::string_view> parts =
      absl::StrSplit(absl::StripPrefix(name, kDbPrefix), absl::MaxSplits(',', 3));
  if (parts.size() < 3 || parts[0].empty() || parts[1].empty() || parts[2].empty()) {
    return error("invalid syntax");
  }
  HostedDatabase* database = databases.Find(parts[0]);
  if (database == nullptr) return error("no database named ", parts[0]);
  if (!database->available()) return absl::UnavailableError(parts[0]);
  const ovsdb::TableSchema* table = database->state().schema().FindTable(parts[1]);
  if (table == nullptr) return error("no table named ", parts[1]);
  const ovsdb::ColumnSchema* column = table->FindColumn(parts[2]);
  if (column == nullptr) {
    return error("table \"", table->name, "\" has no column \"", parts[2], "\"");
  }
  return ColumnPlace{database, table, column};
}

absl::Status ColumnPlace::Check(const Databases& databases, absl::string_view name) {
  const absl::Status status = Parse(databases, name).status();
  return absl::IsUnavailable(status) ? absl::OkStatus() : status;
}

Remotes::Remotes(const base::StreamContext& context, Sessions* sessions, Databases* databases)
    : context_(context),
      sessions_(sessions),
      databases_(databases),
      reconfigure_(context.loop, base::TurnEnd::kWork, [this] { Reconfigure(); }),
      status_timer_(context.loop, [this] { WriteStatus(); }) {
  status_timer_.Start(kStatusIntervalMs);
}

Remotes::~Remotes() = default;

absl::Status Remotes::Add(absl::string_view target) {
  if (absl::StartsWith(target, kDbPrefix)) {
    absl::Status status = ColumnPlace::Check(*databases_, target);
    if (!status.ok()) return status;
  }
  configured_.try_emplace(std::string(target));
  SetDirty();
  return absl::OkStatus();
}

bool Remotes::Remove(absl::string_view target) {
  SetDirty();
  return configured_.erase(std::string(target)) > 0;
}

void Remotes::Set(Targets targets) {
  configured_ = std::move(targets);
  SetDirty();
}

Remotes::WatchedTable* Remotes::Watch(const HostedDatabase* database, int table) {
  for (WatchedTable& watched : watched_) {
    if (watched.database == database && watched.table == table) return &watched;
  }
  return &watched_.emplace_back(WatchedTable{database, table, {}});
}

void Remotes::AddFromColumn(const ColumnPlace& place, Targets* targets) {
  const ovsdb::BaseType& type = place.column->type.key;
  if (place.column->type.is_map() || place.column->index < ovsdb::TableSchema::kFirstRealColumn) {
    return;
  }
  Watch(place.database, place.table->index);
  const ovsdb::Database& state = place.database->state();
  if (type.type == ovsdb::AtomType::kString) {
    state.table(place.table->index).ForEach([&](const ovsdb::Row& row) {
      const ovsdb::Datum& value = row.datum(place.column->index);
      for (size_t i = 0; i < value.size(); i++) {
        targets->try_emplace(std::string(value.key(i).string()));
      }
    });
  } else if (type.is_ref()) {
    const ovsdb::Table& rows = state.table(type.ref_table_index);
    std::set<ovsdb::Uuid>* const remotes = &Watch(place.database, type.ref_table_index)->remotes;
    state.table(place.table->index).ForEach([&](const ovsdb::Row& row) {
      const ovsdb::Datum& value = row.datum(place.column->index);
      for (size_t i = 0; i < value.size(); i++) {
        const ovsdb::Row* remote = rows.Find(value.key(i).uuid());
        if (remote == nullptr) continue;
        const RowReader reader(rows.schema(), *remote);
        const std::optional<absl::string_view> target = reader.String("target");
        if (!target) {
          server_log.InfoLimited(limit, "Table `%s' has missing or invalid `target' column",
                                 rows.schema().name);
          continue;
        }
        remotes->insert(remote->uuid());
        OverrideFromRow(reader, &(*targets)[std::string(*target)]);
      }
    });
  }
}

void Remotes::Reconfigure() {
  watched_.clear();
  Targets wanted;
  for (const auto& [target, options] : configured_) {
    if (!absl::StartsWith(target, kDbPrefix)) wanted.emplace(target, options);
  }
  for (const auto& [target, options] : configured_) {
    if (!absl::StartsWith(target, kDbPrefix)) continue;
    absl::StatusOr<ColumnPlace> place = ColumnPlace::Parse(*databases_, target);
    if (place.ok()) {
      place->database->executor().Settle();
      AddFromColumn(*place, &wanted);
    } else if (!absl::IsUnavailable(place.status())) {
      server_log.WarnLimited(limit, "%s", std::string(place.status().message()));
    }
  }
  for (auto it = remotes_.begin(); it != remotes_.end();) {
    if (wanted.contains(it->first)) {
      ++it;
      continue;
    }
    log.Info("%s: remote deconfigured", it->first);
    it = remotes_.erase(it);
  }
  for (const auto& [target, options] : wanted) {
    std::unique_ptr<Remote>& remote = remotes_[target];
    if (remote == nullptr) {
      remote = std::make_unique<Remote>(this, target, options);
    } else {
      remote->SetOptions(options);
    }
  }
}

void Remotes::OnChange(const HostedDatabase& database, const ovsdb::Change& change) {
  if (watched_.empty()) return;
  for (const ovsdb::TableChange& table : change.tables) {
    for (const WatchedTable& watched : watched_) {
      if (watched.database == &database && watched.table == table.table) {
        SetDirty();
        return;
      }
    }
  }
}

// Writes is_connected and status of the rows that remotes were read from, where they have changed.
void Remotes::WriteStatus() {
  status_timer_.Start(kStatusIntervalMs);
  for (const WatchedTable& watched : watched_) {
    if (watched.remotes.empty()) continue;
    HostedDatabase* database = databases_->Find(watched.database->name());
    if (!database->read_only() && !database->executor().frozen() &&
        database->executor().storage().model() == "standalone") {
      WriteStatus(watched, database);
    }
  }
}

void Remotes::WriteStatus(const WatchedTable& watched, HostedDatabase* database) {
  const ovsdb::Table& table = database->state().table(watched.table);
  const ovsdb::ColumnSchema* is_connected = table.schema().FindColumn("is_connected");
  const ovsdb::ColumnSchema* details = table.schema().FindColumn("status");
  if (details == nullptr) {
    static base::RateLimit limit;
    util_log.WarnLimited(limit, "No status column present in the %s table", table.schema().name);
  }
  if (is_connected == nullptr || is_connected->type.is_set() ||
      is_connected->type.key.type != ovsdb::AtomType::kBoolean ||
      is_connected->type.value.type != ovsdb::AtomType::kVoid) {
    is_connected = nullptr;
  }
  if (details == nullptr || details->type.key.type != ovsdb::AtomType::kString ||
      details->type.value.type != ovsdb::AtomType::kString) {
    details = nullptr;
  }

  ovsdb::TableChange changes{watched.table, {}};
  for (const ovsdb::Uuid& uuid : watched.remotes) {
    const ovsdb::RowRef row = table.FindRef(uuid);
    if (row == nullptr) continue;
    const std::optional<absl::string_view> target =
        RowReader(table.schema(), *row).String("target");
    auto remote = remotes_.find(std::string(target.value_or("")));
    const RemoteStatus status =
        remote != remotes_.end() ? remote->second->Status() : RemoteStatus();
    ovsdb::MutableRow updated(*row, databases_->environment().uuids->Next());
    bool changed = false;
    auto set = [&](const ovsdb::ColumnSchema* column, ovsdb::Datum value) {
      if (column == nullptr || row->datum(column->index) == value) return;
      updated.Set(column->index, std::move(value));
      changed = true;
    };
    set(is_connected, ovsdb::Datum(ovsdb::Atom::Boolean(status.connected)));
    ovsdb::DatumBuilder builder(ovsdb::AtomType::kString, ovsdb::AtomType::kString);
    for (const auto& [key, value] : status.details) {
      builder.Add(ovsdb::Atom::String(key), ovsdb::Atom::String(value));
    }
    set(details, builder.Build());
    if (changed) changes.rows.push_back({row, std::move(updated).Finish()});
  }
  if (changes.rows.empty()) return;
  ovsdb::Change change;
  change.tables.push_back(std::move(changes));
  database->executor().Propose(std::move(change), nullptr);
}

}  // namespace server
