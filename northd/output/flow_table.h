// All logical flows that shall be, each once with the datapaths that it applies to.
//
//   AddFlow(ctx, datapath, Stage::kLsInAclEval, 1001, match, actions, {.hint = acl.uuid()});
//
// Units emit flows for a datapath or for a set of them; the same flow emitted again, for others or
// by others, is the same row. How many emit it for what is counted.
#ifndef NORTHD_OUTPUT_FLOW_TABLE_H_
#define NORTHD_OUTPUT_FLOW_TABLE_H_

#include <cstdint>
#include <memory>
#include <source_location>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/container/inlined_vector.h"
#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"
#include "northd/engine/engine.h"
#include "northd/output/datapath_sets.h"
#include "northd/pipeline/stages.h"
#include "ovsdb/uuid.h"

namespace northd {

// What a flow may have beside its match and actions.
struct FlowExtra {
  ovsdb::Uuid hint;               // The northbound row that it is there for; zero: none.
  absl::string_view meter;        // `controller_meter`; "": none.
  absl::string_view port;         // `tags:in_out_port`; "": none.
  absl::string_view description;  // `flow_desc`; "": none.
};

class FlowTable final : public engine::Sink {
 public:
  // A flow as it is looked up.
  struct Content {
    Stage stage{};
    uint16_t priority = 0;
    absl::string_view match;
    absl::string_view actions;
    absl::string_view meter;
    absl::string_view port;
    absl::string_view description;
    bool operator==(const Content&) const = default;
    template <typename H>
    friend H AbslHashValue(H h, const Content& c) {
      return H::combine(std::move(h), c.stage, c.priority, c.match, c.actions, c.meter, c.port,
                        c.description);
    }
  };
  // Who emits a flow: for a datapath or a set of them, with a hint, how often.
  struct User {
    uint32_t member;  // A DatapathNumber, or kSet | DatapathSet::id().
    uint32_t hint;    // The first 8 digits of the row; 0: none.
    uint32_t count;
  };
  static constexpr uint32_t kSet = 1u << 31;

  struct Flow {
    Content content() const;
    DatapathBits Datapaths(const DatapathSets& sets) const;
    bool HasHint(uint32_t hint) const;
    uint32_t LeastHint() const;

    std::unique_ptr<char[]> text;  // Match, actions, meter, port and description in a row.
    uint32_t sizes[5] = {};
    uint32_t hash = 0;  // Of the content.
    uint16_t priority = 0;
    Stage stage{};
    bool touched = false;
    bool row_fits = false;       // The writer's: the row has this content, it is known.
    uint32_t line = 0;           // Where in our source it is made,
    const char* file = nullptr;  // for people.
    // Nearly all flows have one user.
    absl::InlinedVector<User, 1> users;             // By member and hint.
    absl::InlinedVector<DatapathSet, 1> held_sets;  // That users name.

    // The writer's: the rows in the southbound, and the datapaths that they are written for.
    ovsdb::Uuid row;
    ovsdb::Uuid group;
    DatapathSet written;
  };

  FlowTable(engine::Engine* engine, DatapathSets* sets)
      : sink_(engine->AddSink(this)), sets_(sets) {}

  // Requires that the strings are valid UTF-8 without NUL, as everything from a database is.
  void Emit(engine::Context& ctx, DatapathNumber datapath, const Content& content, uint32_t hint,
            const std::source_location& where);
  void Emit(engine::Context& ctx, const DatapathSet& datapaths, const Content& content,
            uint32_t hint, const std::source_location& where);

  // ---- For the writer ----

  // Of a number below flow_count(); null where there is none.
  const Flow* Find(uint32_t number) const { return flows_[number].get(); }
  Flow* Find(uint32_t number) { return flows_[number].get(); }
  // The number of the flow with this content, or -1.
  int64_t Lookup(const Content& content) const;
  uint32_t flow_count() const { return static_cast<uint32_t>(flows_.size()); }
  size_t live_count() const { return by_content_.size(); }
  // Numbers of flows whose users have changed since the last call; those without users go when
  // they are passed to Erase().
  std::vector<uint32_t> TakeTouched();
  void Touch(uint32_t number);
  void Erase(uint32_t number);

  void Add(const engine::Emission& emission) override;
  void Remove(const engine::Emission& emission) override;

 private:
  // A flow with its content's hash: so neither growing nor most comparisons look at the flow.
  struct Slot {
    uint32_t number;
    uint32_t hash;
  };
  struct Key {
    explicit Key(const Content& c) : content(c), hash(static_cast<uint32_t>(absl::HashOf(c))) {}
    const Content& content;
    uint32_t hash;
  };
  struct SlotHash {
    using is_transparent = void;
    size_t operator()(const Slot& slot) const { return absl::HashOf(slot.hash); }
    size_t operator()(const Key& key) const { return absl::HashOf(key.hash); }
  };
  struct SlotEqual {
    using is_transparent = void;
    const std::vector<std::unique_ptr<Flow>>* flows;
    bool operator()(const Slot& a, const Slot& b) const { return a.number == b.number; }
    bool operator()(const Slot& slot, const Key& key) const {
      return slot.hash == key.hash && (*flows)[slot.number]->content() == key.content;
    }
  };

  uint32_t FindOrMake(const Content& content, const std::source_location& where);

  const uint32_t sink_;
  DatapathSets* const sets_;
  std::vector<std::unique_ptr<Flow>> flows_;
  std::vector<uint32_t> free_;
  absl::flat_hash_set<Slot, SlotHash, SlotEqual> by_content_{0, SlotHash(), SlotEqual{&flows_}};
  std::vector<uint32_t> touched_;
  // Sets that emissions name which may not have been added yet: kept until the pass is over.
  std::vector<DatapathSet> recent_sets_;
};

// The first 8 digits of a row's UUID as a number: what a `stage-hint` says.
inline uint32_t HintOf(const ovsdb::Uuid& uuid) { return static_cast<uint32_t>(uuid.hi >> 32); }

// Adds a flow to one datapath, or to all of a set (to none, if that is empty).
void AddFlow(engine::Context& ctx, DatapathNumber datapath, Stage stage, int priority,
             absl::string_view match, absl::string_view actions, const FlowExtra& extra = {},
             const std::source_location& where = std::source_location::current());
void AddFlow(engine::Context& ctx, const DatapathSet& datapaths, Stage stage, int priority,
             absl::string_view match, absl::string_view actions, const FlowExtra& extra = {},
             const std::source_location& where = std::source_location::current());

}  // namespace northd

#endif  // NORTHD_OUTPUT_FLOW_TABLE_H_
