// A relation that units put together pair by pair and read by its left side: who belongs to what,
// when the many know the one but not the other way round.
//
//   relation.Emit(ctx, group, port);              // By a unit of the port.
//   for (const Uuid& port : relation.Read(ctx, group)) ...
//
// A pair holds as long as some unit emits it. A unit that reads runs again only when what it read
// differs, however many emit. It must not Get others after it has read, since those may be about to
// emit: so reading belongs in a unit of its own.
#ifndef NORTHD_ENGINE_RELATION_H_
#define NORTHD_ENGINE_RELATION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "northd/engine/engine.h"

namespace northd::engine {

template <typename Left, typename Right>
class Relation final : public Sink {
 public:
  using Rights = absl::btree_set<Right>;

  explicit Relation(Engine* engine) : engine_(engine), sink_(engine->AddSink(this)) {}

  void Emit(Context& ctx, const Left& left, const Right& right) {
    const auto [at, is_new] = numbers_.try_emplace({left, right}, 0);
    if (is_new) {
      at->second = NewNumber();
      pairs_[at->second] = {left, right, GroupOf(left), 0};
      unused_.push_back(at->second);
    }
    ctx.Emit({sink_, at->second, 0, 0});
  }

  // What `left` is related to, in order. Valid during the run.
  const Rights& Read(Context& ctx, const Left& left) {
    Group* group = GroupOf(left);
    ctx.Read(&group->cell);
    return group->rights;
  }

  // Forgets what is neither emitted nor read. Between passes.
  void Sweep() {
    for (const uint32_t number : unused_) {
      Pair& pair = pairs_[number];
      if (pair.group == nullptr || pair.count != 0) continue;
      numbers_.erase({pair.left, pair.right});
      pair = {};
      free_.push_back(number);
    }
    unused_.clear();
    // Not at every pass, since most groups are in use.
    if (groups_.size() < sweep_groups_at_) return;
    absl::erase_if(groups_, [](const auto& entry) {
      return entry.second->rights.empty() && !entry.second->cell.has_readers();
    });
    sweep_groups_at_ = 2 * groups_.size() + kFewGroups;
  }

  void Add(const Emission& emission) override {
    Pair& pair = pairs_[emission.item];
    if (++pair.count != 1) return;
    pair.group->rights.insert(pair.right);
    engine_->Touch(&pair.group->cell);
  }

  void Remove(const Emission& emission) override {
    Pair& pair = pairs_[emission.item];
    if (--pair.count != 0) return;
    pair.group->rights.erase(pair.right);
    unused_.push_back(emission.item);
    engine_->Touch(&pair.group->cell);
  }

 private:
  static constexpr size_t kFewGroups = 1024;
  struct Group {
    Rights rights;
    Cell cell;
  };
  struct Pair {
    Left left{};
    Right right{};
    Group* group = nullptr;
    uint32_t count = 0;
  };

  Group* GroupOf(const Left& left) {
    std::unique_ptr<Group>& group = groups_[left];
    if (group == nullptr) group = std::make_unique<Group>();
    return group.get();
  }

  uint32_t NewNumber() {
    if (free_.empty()) {
      pairs_.emplace_back();
      return static_cast<uint32_t>(pairs_.size() - 1);
    }
    const uint32_t number = free_.back();
    free_.pop_back();
    return number;
  }

  Engine* const engine_;
  const uint32_t sink_;
  absl::flat_hash_map<Left, std::unique_ptr<Group>> groups_;
  absl::flat_hash_map<std::pair<Left, Right>, uint32_t> numbers_;
  std::vector<Pair> pairs_;
  std::vector<uint32_t> free_;
  std::vector<uint32_t> unused_;  // Pairs that perhaps nobody emits.
  size_t sweep_groups_at_ = kFewGroups;
};

}  // namespace northd::engine

#endif  // NORTHD_ENGINE_RELATION_H_
