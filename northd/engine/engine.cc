#include "northd/engine/engine.h"

#include <algorithm>
#include <functional>

#include "server/base/log.h"

namespace northd::engine {
namespace {
base::LogModule log("inc_proc_eng");

constexpr size_t kPrefetch = 4;  // So many units ahead in the queue.
}  // namespace

template class Engine::Store<ovsdb::Uuid>;

// ---- A run ----

Context::Context(Engine* engine)
    : engine_(engine), world_(engine->world_), run_(++engine->n_contexts_) {
  if (engine->spare_traces_.empty()) {
    trace_ = std::make_unique<Trace>();
  } else {
    trace_ = std::move(engine->spare_traces_.back());
    engine->spare_traces_.pop_back();
  }
}

Context::~Context() {
  trace_->edges.clear();
  trace_->emissions.clear();
  engine_->spare_traces_.push_back(std::move(trace_));
}

uint32_t Context::Record(Node* node, Unit* unit, uint64_t parts) {
  std::vector<Unit::Edge>& edges = trace_->edges;
  if (node->run_ == run_) {
    edges[node->run_edge_].parts |= parts;
    return node->run_edge_;
  }
  const uint32_t edge = static_cast<uint32_t>(edges.size());
  node->run_ = run_;
  node->run_edge_ = edge;
  edges.push_back({node, unit, parts, 0});
  return edge;
}

bool Context::HasRecorded(const Node* node) const {
  // Who has recorded it since must be a unit that this one needs: its run is a later one.
  if (node->run_ <= run_) return node->run_ == run_;
  return std::any_of(trace_->edges.begin(), trace_->edges.end(),
                     [node](const Unit::Edge& edge) { return edge.node == node; });
}

// ---- What is to be done ----

uint32_t Engine::AddSink(Sink* sink) {
  sinks_.push_back(sink);
  return static_cast<uint32_t>(sinks_.size() - 1);
}

void Engine::Enqueue(Unit* unit) {
  if (unit->state_ == Unit::State::kClean || unit->queued_ != Unit::kNotQueued) return;
  unit->queued_ = static_cast<uint32_t>(queue_.size());
  queue_.push_back(unit);
}

void Engine::MarkDirty(Unit* unit) {
  const bool was_clean = unit->state_ == Unit::State::kClean;
  unit->state_ = Unit::State::kDirty;
  if (!was_clean) return;
  Enqueue(unit);
  MarkReadersMaybe(unit);
}

void Engine::MarkReadersMaybe(Unit* unit) {
  if (unit->is_cutoff_) return;
  std::vector<Unit*> marking = {unit};
  while (!marking.empty()) {
    const Unit* marked = marking.back();
    marking.pop_back();
    for (const Node::Reader& reader : marked->readers_) {
      Unit* other = reader.unit;
      if (other->state_ != Unit::State::kClean || other->edges_[reader.edge].parts == 0) continue;
      other->state_ = Unit::State::kMaybe;
      Enqueue(other);
      if (!other->is_cutoff_) marking.push_back(other);
    }
  }
}

void Engine::Touch(Cell* cell, uint64_t parts) {
  for (const Node::Reader& reader : cell->readers_) {
    if ((reader.unit->edges_[reader.edge].parts & parts) != 0) MarkDirty(reader.unit);
  }
}

void Engine::TouchAll() {
  untouched_.clear();
  for (auto& [kind, store] : stores_) untouched_.push_back(store.get());
}

void Engine::TouchNextStore() {
  internal::Store* store = untouched_.back();
  untouched_.pop_back();
  std::vector<Unit*> units;
  store->ForEach([&units](Unit* unit) {
    unit->state_ = Unit::State::kDirty;
    if (unit->queued_ == Unit::kNotQueued) units.push_back(unit);
  });
  // In the order of memory, which is about that in which they were made: neighbours use the same.
  std::sort(units.begin(), units.end());
  for (Unit* unit : units) Enqueue(unit);
}

bool Engine::Run(const std::function<bool()>& stop) {
  while (true) {
    if (next_ == queue_.size() && untouched_.empty() && waiting_.empty()) {
      queue_.clear();
      next_ = 0;
      if (orphans_.empty()) return true;
      DropOrphans();
      continue;
    }
    if (stop && stop()) return false;
    if (!untouched_.empty()) {
      TouchNextStore();
      continue;
    }
    if (waiting_.empty()) TakeNext();
    if (!waiting_.empty()) Step();
  }
}

// The next in the queue, if there is anybody who needs it.
void Engine::TakeNext() {
  // What has lost its readers goes while nothing waits for it.
  DropOrphans();
  Unit* unit = queue_[next_++];
  // Units lie all over the memory: waiting for it is a good part of the time.
  if (next_ + kPrefetch < queue_.size()) __builtin_prefetch(queue_[next_ + kPrefetch]);
  if (unit == nullptr) return;
  unit->queued_ = Unit::kNotQueued;
  if (unit->root_ || unit->has_readers()) {
    unit->waiting_ = true;
    waiting_.push_back({unit, 0});
  } else if (!unit->orphan_) {
    unit->orphan_ = true;
    orphans_.push_back(unit);
  }
}

// Runs one unit: the one whose turn it is, or what that read last time and is not up to date
// either, down to what can run. So a step is short even if much has to be done before a unit's
// turn.
void Engine::Step() {
  while (true) {
    auto& [unit, next] = waiting_.back();
    Unit* before = nullptr;
    while (unit->state_ != Unit::State::kClean && before == nullptr && next < unit->edges_.size()) {
      const Unit::Edge& edge = unit->edges_[next++];
      if (edge.unit == nullptr || edge.parts == 0) continue;
      if (edge.unit->state_ != Unit::State::kClean && !edge.unit->waiting_) before = edge.unit;
    }
    if (before == nullptr) break;
    before->waiting_ = true;
    waiting_.push_back({before, 0});
  }
  Unit* unit = waiting_.back().unit;
  waiting_.pop_back();
  unit->waiting_ = false;
  Refresh(unit);
}

// ---- Bringing up to date ----

void Engine::Refresh(Unit* unit) {
  if (unit->state_ == Unit::State::kClean) return;
  if (unit->running_) {
    log.Error("%s reads itself by way of others", unit->kind_name());
    return;
  }
  if (unit->state_ == Unit::State::kMaybe) {
    for (size_t i = 0; i < unit->edges_.size() && unit->state_ == Unit::State::kMaybe; ++i) {
      const Unit::Edge& edge = unit->edges_[i];
      if (edge.unit != nullptr && edge.parts != 0) Refresh(edge.unit);
    }
    if (unit->state_ == Unit::State::kMaybe) {
      unit->state_ = Unit::State::kClean;
      return;
    }
  }
  Execute(unit);
}

void Engine::Execute(Unit* unit) {
  Context context(this);
  unit->running_ = true;
  running_.push_back(&context);
  const bool changed = unit->Run(context);
  running_.pop_back();
  unit->running_ = false;
  unit->state_ = Unit::State::kClean;
  ++stats_.runs;
  Relink(unit, context.trace_->edges);
  Reemit(unit, context.trace_->emissions);
  if (changed) {
    ++stats_.changed;
    TellRunning(unit);
    for (const Node::Reader& reader : unit->readers_) {
      // One that runs has been told, or is about to be given the new value.
      if (reader.unit->running_ || reader.unit->edges_[reader.edge].parts == 0) continue;
      MarkDirty(reader.unit);
    }
  }
  if (context.outdated_) MarkDirty(unit);
}

// A unit that runs may have read this one before a cutoff on the way to it was looked at: then it
// has to run again.
void Engine::TellRunning(const Unit* changed) {
  for (Context* context : running_) {
    if (!context->outdated_) context->outdated_ = context->HasRecorded(changed);
  }
}

void Engine::Relink(Unit* unit, const std::vector<Unit::Edge>& edges) {
  const size_t common = std::min(edges.size(), unit->edges_.size());
  size_t same = 0;
  while (same < common && edges[same].node == unit->edges_[same].node) ++same;
  Unlink(unit, same);
  for (size_t i = 0; i < same; ++i) unit->edges_[i].parts = edges[i].parts;
  unit->edges_.reserve(edges.size());
  unit->edges_.insert(unit->edges_.end(), edges.begin() + static_cast<ptrdiff_t>(same),
                      edges.end());
  Link(unit, same);
}

void Engine::Link(Unit* unit, size_t first) {
  stats_.edges += unit->edges_.size() - first;
  for (size_t i = first; i < unit->edges_.size(); ++i) {
    Unit::Edge& edge = unit->edges_[i];
    edge.reader = static_cast<uint32_t>(edge.node->readers_.size());
    edge.node->readers_.push_back({unit, static_cast<uint32_t>(i)});
  }
}

// Takes back the edges from `first` on.
void Engine::Unlink(Unit* unit, size_t first) {
  stats_.edges -= unit->edges_.size() - first;
  for (size_t i = first; i < unit->edges_.size(); ++i) {
    const Unit::Edge edge = unit->edges_[i];
    auto& readers = edge.node->readers_;
    const Node::Reader last = readers.back();
    readers[edge.reader] = last;
    last.unit->edges_[last.edge].reader = edge.reader;
    readers.pop_back();
    if (edge.unit != nullptr && readers.empty() && !edge.unit->orphan_) {
      edge.unit->orphan_ = true;
      orphans_.push_back(edge.unit);
    }
  }
  unit->edges_.resize(first);
}

void Engine::Reemit(Unit* unit, const std::vector<Emission>& emissions) {
  std::vector<Emission>& old = unit->emissions_;
  const size_t common = std::min(old.size(), emissions.size());
  size_t head = 0;
  while (head < common && old[head] == emissions[head]) ++head;
  if (head == old.size() && head == emissions.size()) return;
  size_t tail = 0;
  while (tail < common - head &&
         old[old.size() - 1 - tail] == emissions[emissions.size() - 1 - tail]) {
    ++tail;
  }
  stats_.emissions += emissions.size();
  stats_.emissions -= old.size();
  for (size_t i = head; i < emissions.size() - tail; ++i) {
    sinks_[emissions[i].sink]->Add(emissions[i]);
  }
  for (size_t i = head; i < old.size() - tail; ++i) sinks_[old[i].sink]->Remove(old[i]);
  old = emissions;
}

// ---- What nobody needs ----

void Engine::DropOrphans() {
  while (!orphans_.empty()) {
    Unit* unit = orphans_.back();
    orphans_.pop_back();
    unit->orphan_ = false;
    if (!unit->root_ && !unit->has_readers()) Drop(unit);
  }
}

void Engine::Drop(Unit* unit) {
  for (const Emission& emission : unit->emissions_) sinks_[emission.sink]->Remove(emission);
  stats_.emissions -= unit->emissions_.size();
  Unlink(unit, 0);
  if (unit->queued_ != Unit::kNotQueued) queue_[unit->queued_] = nullptr;
  --stats_.units;
  unit->Forget();
}

std::vector<std::pair<std::string, uint64_t>> Engine::RunsByKind() const {
  std::vector<std::pair<std::string, uint64_t>> runs;
  for (const auto& [kind, store] : stores_) {
    if (store->runs != 0) runs.emplace_back(store->kind_name, store->runs);
  }
  std::sort(runs.begin(), runs.end(),
            [](const auto& a, const auto& b) { return a.second > b.second; });
  return runs;
}

void Engine::ClearRunsByKind() {
  for (auto& [kind, store] : stores_) store->runs = 0;
}

}  // namespace northd::engine
