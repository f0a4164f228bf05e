// Self-adjusting computation: units of work that remember what they read.
//
// A unit is a pure function of a key, named by its kind. What it reads (cells, which the outside
// changes, and other units' values) is recorded while it runs; when something of that changes, the
// unit runs again. A unit whose value comes out as before stops the wave. What a unit emits, into
// sinks, stands until it runs again without emitting it, or is needed no more.
//
//   Value Compute(Context& ctx, const Key& key);  // Reads and emits through ctx only.
//   extern const engine::Kind<Key, Value> kThing;               // In the header.
//   constexpr engine::Kind<Key, Value> kThing{"thing", &Compute};  // In the source.
//   ... ctx.Get(kThing, key) ...       // Its value; this unit runs again if that changes.
//   ... ctx.Require(kThing, key) ...   // It shall exist, for what it emits.
//
// A unit lives as long as another one gets or requires it; what nobody needs is taken back with all
// that it emitted. A full recompute is nothing but 'every unit is dirty'.
//
// Nothing here knows OVN. Single-threaded.
#ifndef NORTHD_ENGINE_ENGINE_H_
#define NORTHD_ENGINE_ENGINE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/functional/function_ref.h"
#include "ovsdb/uuid.h"

namespace northd {
class World;  // What units see beside each other: inputs and sinks. The engine does not look at it.
}

namespace northd::engine {

class Context;
class Engine;
class Unit;

// Something that units read. It knows its readers.
class Node {
 public:
  Node() = default;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  bool has_readers() const { return !readers_.empty(); }

 private:
  friend class Context;
  friend class Engine;
  struct Reader {
    Unit* unit;
    uint32_t edge;  // Position in the unit's edges.
  };
  absl::InlinedVector<Reader, 1> readers_;  // Most have one.
  // The run that read it last, and as which edge: so most nodes are recorded once a run.
  uint64_t run_ = 0;
  uint32_t run_edge_ = 0;
};

// An input, in up to 64 parts: a row is one, with a part for each column. Must have no readers when
// it is destroyed, unless the engine was before.
using Cell = Node;

inline constexpr uint64_t kAllParts = ~uint64_t{0};

// Something that a unit emits: what it means is up to the sink. Equal emissions mean the same.
struct Emission {
  uint32_t sink = 0;  // As Engine::AddSink numbered it.
  uint32_t item = 0;
  uint32_t a = 0;
  uint32_t b = 0;
  bool operator==(const Emission&) const = default;
};

// Where emissions go. They are counted: the same one may be added several times.
class Sink {
 public:
  virtual void Add(const Emission& emission) = 0;
  virtual void Remove(const Emission& emission) = 0;

 protected:
  ~Sink() = default;
};

class Unit : public Node {
 public:
  virtual ~Unit() = default;

 protected:
  friend class Context;
  friend class Engine;
  enum class State : uint8_t { kClean, kMaybe, kDirty };

  // Computes the value anew; whether it is another one than before.
  virtual bool Run(Context& context) = 0;
  // Out of the engine's store: destroys this.
  virtual void Forget() = 0;
  virtual const char* kind_name() const = 0;

  // What it read, and which parts of it. With no parts it only keeps the other alive.
  struct Edge {
    Node* node;
    Unit* unit;  // The same, if it is a unit.
    uint64_t parts;
    uint32_t reader;  // Position in the node's readers.
  };
  static constexpr uint32_t kNotQueued = ~uint32_t{0};

  std::vector<Edge> edges_;
  std::vector<Emission> emissions_;
  uint32_t queued_ = kNotQueued;  // Position in the engine's queue.
  State state_ = State::kDirty;
  bool is_cutoff_ = false;
  bool running_ = false;
  bool root_ = false;
  bool orphan_ = false;   // It waits to be looked at as one.
  bool waiting_ = false;  // For what it read last time to be brought up to date.
};

// What readers know of one.
template <typename Value>
class ValueUnit : public Unit {
 public:
  const Value& value() const { return value_; }

 protected:
  Value value_{};
};

template <typename Key, typename Value>
struct Kind;

namespace internal {
class Store {
 public:
  virtual ~Store() = default;
  virtual void ForEach(absl::FunctionRef<void(Unit*)> f) = 0;

  const char* kind_name = "";
  uint64_t runs = 0;  // Of its units.
};

template <typename Key, typename Value>
ValueUnit<Value>* FindOrMake(Engine* engine, const Kind<Key, Value>& kind, const Key& key);
}  // namespace internal

// A kind of unit: a name for people, and its function. A constant, which a header only declares: so
// what there is to compile for its units is compiled once, where it is defined.
template <typename Key, typename Value = std::monostate>
struct Kind {
  const char* name;
  Value (*compute)(Context& context, const Key& key);
  // Its readers are only looked at once it has another value, not whenever it might. For small
  // values that many read and that seldom change though what they are made of does often. A reader
  // may meanwhile run on the old value: then it runs again.
  bool is_cutoff = false;

  ValueUnit<Value>* (*find_or_make)(Engine* engine, const Kind& kind,
                                    const Key& key) = &internal::FindOrMake<Key, Value>;
};

// What a running unit reads and emits through.
class Context {
 public:
  explicit Context(Engine* engine);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  World& world() const { return *world_; }
  Engine& engine() { return *engine_; }

  // The value of another unit, which runs first if it must. Valid until the end of this run.
  template <typename Key, typename Value>
  const Value& Get(const Kind<Key, Value>& kind, const Key& key);
  // Another unit shall exist. It runs some time later, and its changes do not concern this one.
  template <typename Key, typename Value>
  void Require(const Kind<Key, Value>& kind, const Key& key);

  // Records that `parts` of a cell are read; the handle adds further ones.
  uint32_t Read(Cell* cell, uint64_t parts = kAllParts) { return Record(cell, nullptr, parts); }
  void ReadMore(uint32_t edge, uint64_t parts) { trace_->edges[edge].parts |= parts; }

  void Emit(const Emission& emission) { trace_->emissions.push_back(emission); }

 private:
  friend class Engine;
  // What a run leaves behind. Kept for the next one, since they are many.
  struct Trace {
    std::vector<Unit::Edge> edges;
    std::vector<Emission> emissions;
  };
  uint32_t Record(Node* node, Unit* unit, uint64_t parts);
  bool HasRecorded(const Node* node) const;

  Engine* const engine_;
  World* const world_;
  const uint64_t run_;
  std::unique_ptr<Trace> trace_;
  bool outdated_ = false;  // Something that it has read has changed since, in the same run.
};

struct EngineStats {
  uint64_t runs = 0;       // Of units.
  uint64_t changed = 0;    // Runs that gave another value.
  uint64_t units = 0;      // Alive.
  uint64_t edges = 0;      // Among what is alive.
  uint64_t emissions = 0;  // Likewise.
};

class Engine {
 public:
  explicit Engine(World* world) : world_(world) {}
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Sinks outlive the engine's use, not the engine: nothing is taken back at its end.
  uint32_t AddSink(Sink* sink);

  // A unit that exists without being needed by another.
  template <typename Key, typename Value>
  void AddRoot(const Kind<Key, Value>& kind, const Key& key);

  // `parts` of the cell have changed.
  void Touch(Cell* cell, uint64_t parts = kAllParts);
  // Every unit runs again.
  void TouchAll();

  // Brings units up to date until none is left (true), or until `stop` says so between two of them
  // (false).
  bool Run(const std::function<bool()>& stop);
  bool Run() { return Run(nullptr); }
  bool idle() const {
    return queue_.empty() && orphans_.empty() && untouched_.empty() && waiting_.empty();
  }

  // The value of a unit, which must exist and be up to date: for tests and writers. Null if it does
  // not exist.
  template <typename Key, typename Value>
  const Value* Peek(const Kind<Key, Value>& kind, const Key& key);

  World& world() { return *world_; }
  const EngineStats& stats() const { return stats_; }
  // Runs by kind, for people: name and number, most first.
  std::vector<std::pair<std::string, uint64_t>> RunsByKind() const;
  void ClearRunsByKind();

 private:
  friend class Context;
  template <typename Key, typename Value>
  class TypedUnit;
  template <typename Key>
  class Store;
  template <typename Key, typename Value>
  friend ValueUnit<Value>* internal::FindOrMake(Engine* engine, const Kind<Key, Value>& kind,
                                                const Key& key);

  void TouchNextStore();
  void TakeNext();
  void Step();
  void Enqueue(Unit* unit);
  void MarkDirty(Unit* unit);
  void MarkReadersMaybe(Unit* unit);
  void Refresh(Unit* unit);
  void Execute(Unit* unit);
  void TellRunning(const Unit* changed);
  void Relink(Unit* unit, const std::vector<Unit::Edge>& edges);
  void Link(Unit* unit, size_t first);
  void Unlink(Unit* unit, size_t first);
  void Reemit(Unit* unit, const std::vector<Emission>& emissions);
  void DropOrphans();
  void Drop(Unit* unit);

  World* world_;
  std::vector<Sink*> sinks_;
  absl::flat_hash_map<const void*, std::unique_ptr<internal::Store>> stores_;  // By kind.
  // What was marked and is not up to date yet, oldest first from `next_` on. Null: dropped.
  std::vector<Unit*> queue_;
  size_t next_ = 0;
  std::vector<internal::Store*> untouched_;  // Whose units TouchAll() is still to mark.
  // The unit whose turn it is, what it waits for, what that waits for ...
  struct Waiting {
    Unit* unit;
    size_t next;  // Position of the edge to be looked at next.
  };
  std::vector<Waiting> waiting_;
  std::vector<Unit*> orphans_;     // That may have lost their last reader.
  std::vector<Context*> running_;  // Of the units that run, each needed by the one before.
  std::vector<std::unique_ptr<Context::Trace>> spare_traces_;
  uint64_t n_contexts_ = 0;
  EngineStats stats_;
};

// ---- Templates ----

// The units of a kind, by key. Not inline, so that stores of the same kind of key are one.
template <typename Key>
class Engine::Store final : public internal::Store {
 public:
  // Null if there is none.
  Unit* Find(const Key& key) const;
  // Null if there is none, to be filled in.
  std::unique_ptr<Unit>* FindOrAdd(const Key& key);
  void Erase(const Key& key);
  void ForEach(absl::FunctionRef<void(Unit*)> f) override;

 private:
  absl::flat_hash_map<Key, std::unique_ptr<Unit>> units_;
};

template <typename Key>
Unit* Engine::Store<Key>::Find(const Key& key) const {
  const auto found = units_.find(key);
  return found == units_.end() ? nullptr : found->second.get();
}

template <typename Key>
std::unique_ptr<Unit>* Engine::Store<Key>::FindOrAdd(const Key& key) {
  return &units_[key];
}

template <typename Key>
void Engine::Store<Key>::Erase(const Key& key) {
  units_.erase(key);
}

template <typename Key>
void Engine::Store<Key>::ForEach(absl::FunctionRef<void(Unit*)> f) {
  for (auto& [key, unit] : units_) f(unit.get());
}

// Nearly all keys.
extern template class Engine::Store<ovsdb::Uuid>;

template <typename Key, typename Value>
class Engine::TypedUnit final : public ValueUnit<Value> {
 public:
  TypedUnit(const Kind<Key, Value>* kind, Store<Key>* store, const Key& key)
      : kind_(kind), store_(store), key_(key) {
    this->is_cutoff_ = kind->is_cutoff;
  }

 private:
  bool Run(Context& context) override {
    ++store_->runs;
    Value value = kind_->compute(context, key_);
    if constexpr (std::is_same_v<Value, std::monostate>) {
      return false;
    } else {
      if (ran_ && value == this->value_) return false;
      this->value_ = std::move(value);
      ran_ = true;
      return true;
    }
  }
  void Forget() override { store_->Erase(Key(key_)); }
  const char* kind_name() const override { return kind_->name; }

  const Kind<Key, Value>* const kind_;
  Store<Key>* const store_;
  const Key key_;
  bool ran_ = false;
};

template <typename Key, typename Value>
ValueUnit<Value>* internal::FindOrMake(Engine* engine, const Kind<Key, Value>& kind,
                                       const Key& key) {
  std::unique_ptr<internal::Store>& slot = engine->stores_[&kind];
  if (slot == nullptr) {
    slot = std::make_unique<Engine::Store<Key>>();
    slot->kind_name = kind.name;
  }
  auto* store = static_cast<Engine::Store<Key>*>(slot.get());
  std::unique_ptr<Unit>* unit = store->FindOrAdd(key);
  if (*unit == nullptr) {
    *unit = std::make_unique<Engine::TypedUnit<Key, Value>>(&kind, store, key);
    ++engine->stats_.units;
  }
  return static_cast<ValueUnit<Value>*>(unit->get());
}

template <typename Key, typename Value>
const Value* Engine::Peek(const Kind<Key, Value>& kind, const Key& key) {
  const auto store = stores_.find(&kind);
  if (store == stores_.end()) return nullptr;
  const Unit* unit = static_cast<const Store<Key>*>(store->second.get())->Find(key);
  return unit == nullptr ? nullptr : &static_cast<const ValueUnit<Value>*>(unit)->value();
}

template <typename Key, typename Value>
void Engine::AddRoot(const Kind<Key, Value>& kind, const Key& key) {
  Unit* unit = kind.find_or_make(this, kind, key);
  unit->root_ = true;
  Enqueue(unit);
}

template <typename Key, typename Value>
const Value& Context::Get(const Kind<Key, Value>& kind, const Key& key) {
  ValueUnit<Value>* unit = kind.find_or_make(engine_, kind, key);
  engine_->Refresh(unit);
  Record(unit, unit, kAllParts);
  return unit->value();
}

template <typename Key, typename Value>
void Context::Require(const Kind<Key, Value>& kind, const Key& key) {
  Unit* unit = kind.find_or_make(engine_, kind, key);
  engine_->Enqueue(unit);
  Record(unit, unit, 0);
}

}  // namespace northd::engine

#endif  // NORTHD_ENGINE_ENGINE_H_
