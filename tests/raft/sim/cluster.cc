#include "tests/raft/sim/cluster.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/raft/sim/faults.h"

namespace raft::sim {
namespace {

constexpr ClusterId kCluster{0xc000000000004000, 1};

// A hundred times what happens in a cluster on the average. One in which each message brings about
// more than one other would never end, and take all memory before.
constexpr uint64_t kMaxSteps = 1000000;

std::string AddressOf(int node) { return absl::StrCat("tcp:n", node); }

}  // namespace

Cluster::Cluster(uint64_t seed, bool tracing) : world_(seed, tracing), network_(&world_) {}

// ---- Beginning ----

SnapshotInfo Cluster::FirstSnapshot(int n_servers) {
  SnapshotInfo first;
  first.term = 1;
  first.index = 1;
  first.eid = IdOfCommand(0);
  Servers servers;
  for (int i = 0; i < n_servers; ++i) servers[IdOfNode(i)] = AddressOf(i);
  first.servers = std::make_shared<const Servers>(std::move(servers));
  first.election_timer_ms = static_cast<uint64_t>(random().Between(2, 10) * 100);
  return first;
}

Node::Habits Cluster::RandomHabits() {
  Node::Habits habits;
  habits.max_append_bytes = random().Chance(50) ? 1 : static_cast<size_t>(random().Between(1, 200));
  habits.max_in_flight_bytes = static_cast<size_t>(random().Between(1, 100));
  habits.max_sync_ms = random().Chance(30) ? 50 : 4;
  habits.max_turn_ms = random().Chance(30) ? 10 : 1;
  return habits;
}

Weather Cluster::RandomWeather() {
  Weather weather;
  weather.max_delay_ms = random().Chance(30) ? 40 : 3;
  if (random().Chance(50)) return weather;
  weather.reorder = true;
  weather.drop_percent = static_cast<double>(random().Between(0, 5));
  weather.duplicate_percent = static_cast<double>(random().Between(0, 5));
  return weather;
}

void Cluster::Start() {
  const int n_servers = random().Chance(10) ? 1 : random().Chance(40) ? 5 : 3;
  const SnapshotInfo first = FirstSnapshot(n_servers);
  network_.set_weather(RandomWeather());
  invariants_ = std::make_unique<Invariants>(&world_, first);
  clients_ = std::make_unique<Clients>(&world_, invariants_.get(), &nodes_);
  for (int i = 0; i < n_servers; ++i) {
    Header header;
    header.server_id = IdOfNode(i);
    header.local_address = AddressOf(i);
    header.name = "list";
    header.cluster_id = kCluster;
    header.snapshot = first;
    header.snapshot_data = SnapshotPayload(List());
    nodes_.push_back(std::make_unique<Node>(&world_, &network_, invariants_.get(), clients_.get(),
                                            i, std::move(header), RandomHabits()));
  }
  invariants_->set_holds([this](const ServerId& server, Index index, Term term) {
    const Node& node = *nodes_[server.lo - 1];
    const Log& log = node.disk().durable().log;
    // What was lost with a disk may have been acknowledged before.
    return node.lost_disk() || index <= log.snapshot().index ||
           (log.has_term(index) && log.term(index) == term);
  });
  for (auto& node : nodes_) node->Start();
}

void Cluster::AddNode() {
  if (size() == kMaxNodes) return;
  Header header;
  header.server_id = IdOfNode(size());
  header.local_address = AddressOf(size());
  header.name = "list";
  if (random().Chance(50)) header.cluster_id = kCluster;
  for (const auto& [id, address] : invariants_->servers()) {
    if (header.remote_addresses.empty() || random().Chance(70)) {
      header.remote_addresses.push_back(address);
    }
  }
  nodes_.push_back(std::make_unique<Node>(&world_, &network_, invariants_.get(), clients_.get(),
                                          size(), std::move(header), RandomHabits()));
  nodes_.back()->Start();
}

// ---- The middle ----

Node* Cluster::leader() {
  Node* newest = nullptr;
  for (const auto& node : nodes_) {
    if (!node->up() || node->server()->role() != Role::kLeader) continue;
    if (newest == nullptr || node->server()->term() > newest->server()->term()) newest = node.get();
  }
  return newest;
}

Node* Cluster::AnyUp() {
  std::vector<Node*> up;
  for (const auto& node : nodes_) {
    if (node->up()) up.push_back(node.get());
  }
  return up.empty() ? nullptr : random().Pick(up);
}

void Cluster::Restart(Node* node) {
  if (node->up() || node->left()) return;
  node->Start();
  // Its file says that it does not belong to the cluster, but that was taken back: it begins again.
  if (!node->up() && CanLoseDisk(*node)) {
    node->LoseDisk(AddressesToAsk(*node));
    node->Start();
  }
}

void Cluster::RestartLater(Node* node, int64_t delay_ms) {
  world_.timeline.After(delay_ms, [this, node] { Restart(node); });
}

std::vector<std::string> Cluster::AddressesToAsk(const Node& node) const {
  std::vector<std::string> addresses;
  for (const auto& [id, address] : invariants_->servers()) {
    if (id != node.id()) addresses.push_back(address);
  }
  return addresses;
}

bool Cluster::CanLoseDisk(const Node& node) const {
  if (!is_member(node) || node.left()) return false;
  return std::all_of(nodes_.begin(), nodes_.end(), [&](const auto& other) {
    if (is_member(*other) && (other->lost_disk() || other->returning())) return false;
    if (other->up() && !other->server()->status(world_.timeline.now_ms()).removing.empty()) {
      return false;
    }
    const Log& log = other->up() ? other->server()->log() : other->disk().durable().log;
    const ServersRef& servers = log.servers(log.last_index());
    return servers == nullptr || servers->size() >= 3 || servers->count(node.id()) == 0;
  });
}

void Cluster::RunFor(int64_t duration_ms) {
  const int64_t until_ms = world_.timeline.now_ms() + duration_ms;
  while (!world_.failed() && world_.timeline.Step(until_ms)) {
    if (world_.timeline.step() > kMaxSteps) world_.Fail("liveness: there is no end of messages");
  }
}

void Cluster::Run() {
  Start();
  clients_->Start(random().Between(20, 200));
  Faults faults(this);
  faults.Start();
  RunFor(random().Between(5, 40) * 1000);
  faults.Stop();
  clients_->Stop();
  Heal();
  RunUntilConverged("after all was healed");
  CheckThatAllWork();
  if (world_.failed()) return;
  if (const absl::Status status = clients_->Check(); !status.ok()) {
    world_.Fail(absl::StrCat("linearizability: ", status.message()));
  }
}

// ---- The end ----

// Else there is nobody whom it could ask for anything.
bool Cluster::KnowsMembers(const Server& server) const {
  const std::vector<std::string> known = server.peer_addresses();
  const Servers& members = invariants_->servers();
  return std::any_of(members.begin(), members.end(), [&](const auto& member) {
    return std::count(known.begin(), known.end(), member.second) != 0;
  });
}

void Cluster::Heal() {
  if (world_.tracing) world_.Trace("***", "all is healed");
  network_.set_weather(Weather());
  network_.MendAll();
  for (auto& node : nodes_) node->HealDisk();
}

std::string Cluster::Complaint() {
  std::vector<std::string> complaints;
  Node* leader = this->leader();
  if (leader == nullptr) complaints.push_back("there is no leader");
  for (const auto& node : nodes_) {
    const auto complain = [&](const std::string& what) {
      complaints.push_back(absl::StrCat(node->name(), " ", what));
    };
    if (!node->up()) {
      if (is_member(*node)) complain("is down");
      continue;
    }
    if (!node->responsive()) complain("stands still");
    const Server& server = *node->server();
    if (server.membership() == Membership::kLeft) continue;
    if (server.membership() == Membership::kJoining) {
      if (KnowsMembers(server)) complain("has not joined");
      continue;
    }
    // One that was removed while it was away may know no one but followers, who cannot tell it.
    if (server.membership() == Membership::kLeaving && is_member(*node) &&
        invariants_->servers().size() > 1) {
      complain("has not left");
    }
    if (!is_member(*node)) continue;
    if (leader != nullptr && server.leader() != leader->id()) complain("does not follow");
    if (server.log().end() != invariants_->committed() + 1) complain("has another log");
    if (node->applied() != invariants_->committed()) complain("has not applied everything");
    if (node->has_unsettled()) complain("has not settled everything");
  }
  return absl::StrJoin(complaints, ", ");
}

void Cluster::RunUntilConverged(const std::string& stage) {
  const int64_t until_ms = world_.timeline.now_ms() + 30 * (election_timer_ms() + 1000);
  while (!world_.failed()) {
    const std::string complaint = Complaint();
    if (complaint.empty()) return;
    if (world_.timeline.now_ms() >= until_ms) {
      world_.Fail(absl::StrCat("liveness: ", stage, ": ", complaint));
      return;
    }
    for (auto& node : nodes_) Restart(node.get());
    RunFor(50);
  }
}

// A new command at every member: it is taken, and committed everywhere. Leadership that was given
// away before all was healed may move only now, and what the old leader took is refused: so it is
// tried once more.
void Cluster::CheckThatAllWork() {
  for (auto& node : nodes_) {
    if (!node->up() || !is_member(*node)) continue;
    if (!CanCommitAt(node.get()) && !CanCommitAt(node.get()) && !world_.failed()) {
      world_.Fail(absl::StrCat("liveness: ", node->name(), " cannot commit a command"));
    }
    if (world_.failed()) return;
  }
}

bool Cluster::CanCommitAt(Node* node) {
  if (world_.failed()) return false;
  // A turn of a follower may begin just when the leader is to take it.
  uint64_t number = 0;
  for (int i = 0; i < 100 && number == 0; ++i) {
    if (node->server()->accepts_proposals()) number = clients_->Append(node);
    if (number == 0) RunFor(1);
  }
  if (number == 0) {
    world_.Fail(absl::StrCat("liveness: ", node->name(), " does not take a command"));
    return false;
  }
  clients_->Read(*node);
  RunUntilConverged(absl::StrCat("after a last command at ", node->name()));
  if (world_.failed()) return false;
  clients_->Read(*node);
  return clients_->IsCommitted(number);
}

}  // namespace raft::sim
