#include "server/server_face.h"

#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "raft/status.h"
#include "server/base/address.h"
#include "server/cluster/cluster_commands.h"
#include "server/face/json_maker.h"

namespace server {
namespace {

constexpr size_t kShownClients = 10;
constexpr char kSouthbound[] = "OVN_Southbound";
constexpr char kNorthdLock[] = "ovn_northd";  // Whoever has it there is the active one.

template <typename F>  // f(const HostedDatabase&, ClusterStorage* or null)
void ForEachStored(Server* server, F&& f) {
  server->databases().ForEach([&](HostedDatabase& database) {
    if (!database.built_in()) f(database, server->FindCluster(database.name()));
  });
}

uint64_t RowCount(const HostedDatabase& database) {
  uint64_t rows = 0;
  for (const ovsdb::TableSchema& table : database.state().schema().tables) {
    rows += database.state().table(table.index).size();
  }
  return rows;
}

void AddDatabase(const HostedDatabase& database, face::Families* families) {
  const face::Families::Labels of = {{"database", database.name()}};
  const Storage& storage = database.executor().storage();
  const Executor::Stats& stats = database.executor().stats();
  families->Gauge("boreas_database_connected",
                  "1 if the database can be used: loaded, and in touch with its cluster or source.",
                  of, database.available() && storage.connected() ? 1 : 0);
  const char* const kTransactions =
      "Transactions answered, by whether they were to change something.";
  const auto transactions = [&](const char* kind, uint64_t n) {
    families->Counter("boreas_transactions_total", kTransactions,
                      {{"database", database.name()}, {"kind", kind}}, static_cast<double>(n));
  };
  transactions("read", stats.reads);
  transactions("write", stats.writes);
  families->Histogram(
      "boreas_transaction_seconds",
      "From the arrival of a transaction that writes to its answer, where it did not "
      "wait for a condition.",
      of, stats.latency);
  families->Gauge("boreas_requests_waiting", "Transactions that are not answered yet.", of,
                  static_cast<double>(database.executor().request_count()));
  if (const base::DurationHistogram* syncs = storage.sync_durations()) {
    families->Histogram("boreas_fsync_seconds", "How long the disk took to make a log safe.", of,
                        *syncs);
    families->Gauge("boreas_file_bytes", "Size of the database's file.", of,
                    static_cast<double>(storage.file_size()));
    families->Gauge("boreas_file_writable", "0 after a write that failed.", of,
                    storage.status().ok() ? 1 : 0);
  }
  if (!database.available()) return;
  families->Gauge("boreas_monitors", "Monitors of clients.", of,
                  static_cast<double>(database.monitors().monitor_count()));
  families->Gauge("boreas_history_bytes", "Changes kept for clients that come back.", of,
                  static_cast<double>(database.history().bytes()));
  for (const ovsdb::TableSchema& table : database.state().schema().tables) {
    families->Gauge("boreas_rows", "Rows of a table.",
                    {{"database", database.name()}, {"table", table.name}},
                    static_cast<double>(database.state().table(table.index).size()));
  }
}

void AddCluster(const std::string& name, const ClusterStorage& storage, face::Families* families) {
  const face::Families::Labels of = {{"database", name}};
  const raft::Status status = storage.raft().status(base::MonotonicMs());
  for (const raft::Role role :
       {raft::Role::kFollower, raft::Role::kCandidate, raft::Role::kLeader}) {
    families->Gauge("boreas_raft_role", "1 for the role that this member has.",
                    {{"database", name}, {"role", std::string(RoleText(role))}},
                    status.role == role ? 1 : 0);
  }
  const auto gauge = [&](const char* figure, const char* help, double value) {
    families->Gauge(figure, help, of, value);
  };
  gauge("boreas_raft_connected", "1 while a leader is known and heard of.",
        storage.connected() ? 1 : 0);
  gauge("boreas_raft_term", "The term: each election begins a new one.",
        static_cast<double>(status.term));
  gauge("boreas_raft_members", "Members of the cluster.",
        static_cast<double>(status.servers.size()));
  gauge("boreas_raft_log_start_index", "The first entry behind the snapshot.",
        static_cast<double>(status.log_start));
  gauge("boreas_raft_last_index", "The last entry in the log.",
        static_cast<double>(status.log_end - 1));
  gauge("boreas_raft_commit_index", "The last entry that is committed.",
        static_cast<double>(status.commit_index));
  gauge("boreas_raft_applied_index", "The last entry that is applied.",
        static_cast<double>(storage.applied_index()));
  gauge("boreas_raft_snapshot_index", "The last entry that the snapshot in the file holds.",
        static_cast<double>(storage.raft().log().snapshot().index));
  const auto snapshots = [&](const char* kind, uint64_t n) {
    families->Counter("boreas_raft_snapshots_total",
                      "Snapshots that went into the own file (compactions), to a follower that was "
                      "too far behind for the log, and came from the leader for that reason.",
                      {{"database", name}, {"kind", kind}}, static_cast<double>(n));
  };
  snapshots("taken", storage.snapshot_counts().taken);
  snapshots("sent", storage.snapshot_counts().sent);
  snapshots("installed", storage.snapshot_counts().installed);
  families->Counter("boreas_raft_disconnections_total",
                    "Connections to other members that were lost.", of,
                    static_cast<double>(storage.peers().n_disconnections()));
  for (const raft::ServerStatus& peer : status.servers) {
    if (peer.self) continue;
    const face::Families::Labels to = {{"database", name}, {"peer", peer.id.Short(4)}};
    if (peer.last_message_ms) {
      families->Gauge("boreas_raft_peer_silent_seconds", "Since a member was last heard.", to,
                      static_cast<double>(*peer.last_message_ms) / 1000);
    }
    if (status.role == raft::Role::kLeader) {
      families->Gauge(
          "boreas_raft_peer_lag", "Entries that a member has not acknowledged to this leader.", to,
          static_cast<double>(status.log_end - 1 - std::min(peer.match_index, status.log_end - 1)));
    }
  }
}

// ---- /status ----

rapidjson::Value ClusterObject(const ClusterStorage& storage, face::JsonMaker* maker) {
  rapidjson::Value object(rapidjson::kObjectType);
  const raft::Status status = storage.raft().status(base::MonotonicMs());
  maker->AddText(&object, "status", MembershipText(status));
  maker->AddText(&object, "role", RoleText(status.role));
  maker->AddText(&object, "self", storage.raft().id().ToString());
  if (!status.leader.is_zero()) maker->AddText(&object, "leader", status.leader.ToString());
  maker->Add(&object, "term", status.term);
  maker->Add(&object, "log_start", status.log_start);
  maker->Add(&object, "last_index", status.log_end - 1);
  maker->Add(&object, "commit_index", status.commit_index);
  maker->Add(&object, "applied_index", storage.applied_index());
  maker->Add(&object, "election_timer_ms", status.election_timer_ms);
  if (status.election_started_ms) {
    maker->Add(&object, "election_started_ms", *status.election_started_ms);
    maker->AddText(&object, "election_reason",
                   status.election_by_transfer ? "leadership transfer" : "timeout");
  }
  if (status.election_won_ms) maker->Add(&object, "election_won_ms", *status.election_won_ms);
  rapidjson::Value servers(rapidjson::kArrayType);
  for (const raft::ServerStatus& server : status.servers) {
    rapidjson::Value one(rapidjson::kObjectType);
    maker->AddText(&one, "id", server.id.ToString());
    maker->AddText(&one, "address", server.address);
    maker->Add(&one, "is_self", server.self);
    if (status.role == raft::Role::kLeader) maker->Add(&one, "match_index", server.match_index);
    if (server.last_message_ms) maker->Add(&one, "last_message_ms", *server.last_message_ms);
    maker->Push(&servers, std::move(one));
  }
  maker->Add(&object, "servers", std::move(servers));
  return object;
}

rapidjson::Value DatabaseObject(const HostedDatabase& database, const ClusterStorage* cluster,
                                face::JsonMaker* maker) {
  rapidjson::Value object(rapidjson::kObjectType);
  const Storage& storage = database.executor().storage();
  const Executor::Stats& stats = database.executor().stats();
  maker->AddText(&object, "name", database.name());
  maker->AddText(&object, "model", storage.model());
  if (database.available()) {
    maker->Add(&object, "rows", RowCount(database));
    maker->Add(&object, "monitors", uint64_t{database.monitors().monitor_count()});
  }
  maker->Add(&object, "reads", stats.reads);
  maker->Add(&object, "writes", stats.writes);
  if (stats.latency.count() > 0) {
    maker->Add(&object, "latency_p50_us", stats.latency.QuantileUs(0.5));
    maker->Add(&object, "latency_p99_us", stats.latency.QuantileUs(0.99));
  }
  if (const base::DurationHistogram* syncs = storage.sync_durations()) {
    if (syncs->count() > 0) maker->Add(&object, "fsync_p99_us", syncs->QuantileUs(0.99));
    maker->Add(&object, "file_bytes", storage.file_size());
  }
  if (cluster != nullptr) maker->Add(&object, "cluster", ClusterObject(*cluster, maker));
  return object;
}

// Those that have most to read, then those with most monitors.
std::vector<const DbSession*> BiggestClients(const Sessions& sessions) {
  std::vector<const DbSession*> clients;
  sessions.ForEach([&](const DbSession& session) {
    if (session.rpc().connected()) clients.push_back(&session);
  });
  const auto end =
      clients.begin() + static_cast<ptrdiff_t>(std::min(clients.size(), kShownClients));
  std::partial_sort(clients.begin(), end, clients.end(),
                    [](const DbSession* a, const DbSession* b) {
                      return std::make_pair(a->backlog(), a->monitor_count()) >
                             std::make_pair(b->backlog(), b->monitor_count());
                    });
  clients.erase(end, clients.end());
  return clients;
}

}  // namespace

void ServerFace::AddMetrics(face::Families* families) const {
  uint64_t backlog = 0;
  size_t largest = 0;
  server_->sessions().ForEach([&](const DbSession& session) {
    backlog += session.backlog();
    largest = std::max(largest, session.backlog());
  });
  families->Gauge("boreas_sessions", "Clients.", {},
                  static_cast<double>(server_->sessions().count()));
  families->Gauge("boreas_backlog_bytes", "What clients have still to read, all together.", {},
                  static_cast<double>(backlog));
  families->Gauge("boreas_backlog_largest_bytes", "The same of the client that has most.", {},
                  static_cast<double>(largest));
  ForEachStored(server_, [&](const HostedDatabase& database, const ClusterStorage* cluster) {
    AddDatabase(database, families);
    if (cluster != nullptr) AddCluster(database.name(), *cluster, families);
  });
}

void ServerFace::AddStatus(rapidjson::Document* status) const {
  face::JsonMaker maker(status);
  rapidjson::Value databases(rapidjson::kArrayType);
  ForEachStored(server_, [&](const HostedDatabase& database, const ClusterStorage* cluster) {
    maker.Push(&databases, DatabaseObject(database, cluster, &maker));
  });
  maker.Add(status, "databases", std::move(databases));
  if (server_->databases().Find(kSouthbound) != nullptr) {
    const DbSession* const northd = server_->sessions().LockOwner(kNorthdLock);
    maker.AddText(status, "northd", northd != nullptr ? northd->rpc().name() : "");
  }
  maker.Add(status, "n_clients", uint64_t{server_->sessions().count()});
  rapidjson::Value clients(rapidjson::kArrayType);
  for (const DbSession* session : BiggestClients(server_->sessions())) {
    rapidjson::Value one(rapidjson::kObjectType);
    maker.AddText(&one, "name", session->rpc().name());
    maker.Add(&one, "backlog_bytes", uint64_t{session->backlog()});
    maker.Add(&one, "monitors", uint64_t{session->monitor_count()});
    maker.Add(&one, "requests", uint64_t{session->request_count()});
    maker.Add(&one, "connected_s", (base::MonotonicMs() - session->since_ms()) / 1000);
    maker.Push(&clients, std::move(one));
  }
  maker.Add(status, "clients", std::move(clients));
}

std::vector<std::string> ServerFace::Broken() const {
  std::vector<std::string> troubles;
  ForEachStored(server_, [&](const HostedDatabase& database, const ClusterStorage*) {
    const absl::Status status = database.executor().storage().status();
    if (!status.ok()) {
      troubles.push_back(absl::StrCat(database.name(), ": ", database.file(),
                                      " cannot be written: ", status.message()));
    }
  });
  return troubles;
}

std::vector<std::string> ServerFace::NotReady() const {
  std::vector<std::string> troubles;
  ForEachStored(server_, [&](const HostedDatabase& database, const ClusterStorage* cluster) {
    if (cluster != nullptr) {
      const raft::Status status = cluster->raft().status(base::MonotonicMs());
      if (!cluster->connected() || !database.available()) {
        troubles.push_back(absl::StrCat(database.name(), ": ", MembershipText(status),
                                        status.leader.is_zero() ? ", no leader is known" : ""));
      }
    } else if (!database.available() || !database.executor().storage().connected()) {
      troubles.push_back(absl::StrCat(database.name(), ": no contact with its source"));
    }
  });
  return troubles;
}

std::vector<std::string> ServerFace::PeerHosts() const {
  std::set<std::string> hosts;
  ForEachStored(server_, [&](const HostedDatabase&, const ClusterStorage* cluster) {
    if (cluster == nullptr) return;
    for (const raft::ServerStatus& peer : cluster->raft().status(base::MonotonicMs()).servers) {
      const size_t colon = peer.address.find(':');
      if (peer.self || absl::StartsWith(peer.address, "unix:") || colon == std::string::npos)
        continue;
      const absl::StatusOr<base::HostPort> at =
          base::ParseActiveAddress(peer.address.substr(colon + 1));
      if (at.ok()) hosts.insert(at->host);
    }
  });
  return {hosts.begin(), hosts.end()};
}

}  // namespace server
