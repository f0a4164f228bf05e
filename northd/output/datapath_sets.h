// Datapaths by small numbers, and sets of them that are compared by pointer.
//
// A number stands for a datapath while something emits it (Claim). Sets are shared: equal ones are
// the same object.
#ifndef NORTHD_OUTPUT_DATAPATH_SETS_H_
#define NORTHD_OUTPUT_DATAPATH_SETS_H_

#include <bit>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "northd/engine/engine.h"
#include "ovsdb/uuid.h"

namespace northd {

using DatapathNumber = uint32_t;

// A set of small numbers.
class DatapathBits {
 public:
  void Add(DatapathNumber n) {
    if (n / 64 >= words_.size()) words_.resize(n / 64 + 1);
    words_[n / 64] |= uint64_t{1} << (n % 64);
  }
  void Add(const DatapathBits& o) {
    if (words_.size() < o.words_.size()) words_.resize(o.words_.size());
    for (size_t i = 0; i < o.words_.size(); ++i) words_[i] |= o.words_[i];
  }
  void Remove(const DatapathBits& o) {
    for (size_t i = 0; i < words_.size() && i < o.words_.size(); ++i) words_[i] &= ~o.words_[i];
    Trim();
  }
  bool Contains(DatapathNumber n) const {
    return n / 64 < words_.size() && (words_[n / 64] >> (n % 64) & 1) != 0;
  }
  bool empty() const { return words_.empty(); }
  size_t size() const {
    size_t n = 0;
    for (uint64_t word : words_) n += static_cast<size_t>(std::popcount(word));
    return n;
  }
  template <typename F>  // f(DatapathNumber), ascending.
  void ForEach(F&& f) const {
    for (size_t i = 0; i < words_.size(); ++i) {
      for (uint64_t word = words_[i]; word != 0; word &= word - 1) {
        f(static_cast<DatapathNumber>(i * 64 + static_cast<size_t>(std::countr_zero(word))));
      }
    }
  }
  bool operator==(const DatapathBits& o) const = default;
  template <typename H>
  friend H AbslHashValue(H h, const DatapathBits& bits) {
    return H::combine(std::move(h), bits.words_);
  }

 private:
  void Trim() {
    while (!words_.empty() && words_.back() == 0) words_.pop_back();
  }

  std::vector<uint64_t> words_;  // The last one is not zero.
};

class DatapathSets;

// A shared set. Empty by default. May outlive the DatapathSets that made it.
class DatapathSet {
 public:
  DatapathSet() = default;

  bool empty() const { return entry_ == nullptr; }
  size_t size() const { return empty() ? 0 : entry_->bits.size(); }
  const DatapathBits& bits() const;
  // Of equal sets the same, of others another one, while they live; 0 for the empty one.
  uint32_t id() const { return empty() ? 0 : entry_->id; }
  bool operator==(const DatapathSet& o) const { return entry_ == o.entry_; }
  template <typename H>
  friend H AbslHashValue(H h, const DatapathSet& set) {
    return H::combine(std::move(h), set.entry_.get());
  }

 private:
  friend class DatapathSets;
  struct Entry {
    DatapathBits bits;
    uint32_t id = 0;
  };
  explicit DatapathSet(std::shared_ptr<const Entry> entry) : entry_(std::move(entry)) {}

  std::shared_ptr<const Entry> entry_;
};

class DatapathSets final : public engine::Sink {
 public:
  struct Datapath {
    ovsdb::Uuid nb_uuid;  // Of the switch or router.
    ovsdb::Uuid sb_uuid;  // Of its Datapath_Binding.
  };

  explicit DatapathSets(engine::Engine* engine) : sink_(engine->AddSink(this)) {}

  // The number of a switch or router, for as long as the unit emits this.
  DatapathNumber Claim(engine::Context& ctx, const ovsdb::Uuid& nb_uuid,
                       const ovsdb::Uuid& sb_uuid);
  const Datapath& datapath(DatapathNumber n) const { return datapaths_[n]; }
  // The number of a Datapath_Binding, or -1.
  int64_t FindSb(const ovsdb::Uuid& sb_uuid) const;

  DatapathSet Make(const DatapathBits& bits);
  DatapathSet MakeSingle(DatapathNumber n);
  // The set with this id, which must be alive.
  DatapathSet ById(uint32_t id) const { return DatapathSet(alive_->by_id[id].lock()); }

  // Gives numbers free that nobody claims any more. Between passes.
  void Sweep();

  void Add(const engine::Emission& emission) override;
  void Remove(const engine::Emission& emission) override;

 private:
  struct BitsHash {
    using is_transparent = void;
    size_t operator()(const DatapathBits* bits) const { return absl::HashOf(*bits); }
  };
  struct BitsEqual {
    using is_transparent = void;
    bool operator()(const DatapathBits* a, const DatapathBits* b) const { return *a == *b; }
  };

  // The sets that somebody holds. Kept by them, too: units may be the last to go.
  struct Alive {
    absl::flat_hash_map<const DatapathBits*, std::weak_ptr<const DatapathSet::Entry>, BitsHash,
                        BitsEqual>
        sets;
    std::vector<std::weak_ptr<const DatapathSet::Entry>> by_id = {{}};
    std::vector<uint32_t> free_ids;
  };

  const uint32_t sink_;
  std::vector<Datapath> datapaths_;
  std::vector<uint32_t> claims_;
  std::vector<DatapathNumber> free_;
  std::vector<DatapathNumber> unclaimed_;
  absl::flat_hash_map<ovsdb::Uuid, DatapathNumber> by_nb_;
  absl::flat_hash_map<ovsdb::Uuid, DatapathNumber> by_sb_;
  std::shared_ptr<Alive> alive_ = std::make_shared<Alive>();
};

}  // namespace northd

#endif  // NORTHD_OUTPUT_DATAPATH_SETS_H_
