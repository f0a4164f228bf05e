#include "northd/output/flow_table.h"

#include <algorithm>
#include <cstring>
#include <tuple>

#include "northd/world.h"

namespace northd {
namespace {

bool Before(const FlowTable::User& a, const FlowTable::User& b) {
  return std::tie(a.member, a.hint) < std::tie(b.member, b.hint);
}

}  // namespace

FlowTable::Content FlowTable::Flow::content() const {
  const char* at = text.get();
  const auto next = [&at](size_t size) {
    const absl::string_view part(at, size);
    at += size;
    return part;
  };
  Content c;
  c.stage = stage;
  c.priority = priority;
  c.match = next(sizes[0]);
  c.actions = next(sizes[1]);
  c.meter = next(sizes[2]);
  c.port = next(sizes[3]);
  c.description = next(sizes[4]);
  return c;
}

DatapathBits FlowTable::Flow::Datapaths(const DatapathSets& sets) const {
  DatapathBits bits;
  for (const User& user : users) {
    if ((user.member & kSet) != 0) {
      bits.Add(sets.ById(user.member & ~kSet).bits());
    } else {
      bits.Add(user.member);
    }
  }
  return bits;
}

bool FlowTable::Flow::HasHint(uint32_t hint) const {
  return std::any_of(users.begin(), users.end(), [&](const User& u) { return u.hint == hint; });
}

uint32_t FlowTable::Flow::LeastHint() const {
  uint32_t least = users.empty() ? 0 : users.front().hint;
  for (const User& user : users) least = std::min(least, user.hint);
  return least;
}

void FlowTable::Emit(engine::Context& ctx, DatapathNumber datapath, const Content& content,
                     uint32_t hint, const std::source_location& where) {
  ctx.Emit({sink_, FindOrMake(content, where), datapath, hint});
}

void FlowTable::Emit(engine::Context& ctx, const DatapathSet& datapaths, const Content& content,
                     uint32_t hint, const std::source_location& where) {
  if (recent_sets_.empty() || !(recent_sets_.back() == datapaths)) {
    recent_sets_.push_back(datapaths);
  }
  ctx.Emit({sink_, FindOrMake(content, where), kSet | datapaths.id(), hint});
}

uint32_t FlowTable::FindOrMake(const Content& content, const std::source_location& where) {
  const Key key(content);
  const auto found = by_content_.find(key);
  if (found != by_content_.end()) return found->number;
  auto flow = std::make_unique<Flow>();
  flow->hash = key.hash;
  flow->stage = content.stage;
  flow->priority = content.priority;
  const absl::string_view parts[] = {content.match, content.actions, content.meter, content.port,
                                     content.description};
  size_t size = 0;
  for (absl::string_view part : parts) size += part.size();
  flow->text = std::make_unique_for_overwrite<char[]>(size);
  char* at = flow->text.get();
  for (absl::string_view part : parts) {
    std::memcpy(at, part.data(), part.size());
    at += part.size();
  }
  for (int i = 0; i < 5; ++i) flow->sizes[i] = static_cast<uint32_t>(parts[i].size());
  flow->file = where.file_name();
  flow->line = where.line();
  uint32_t number = 0;
  if (free_.empty()) {
    number = static_cast<uint32_t>(flows_.size());
    flows_.push_back(std::move(flow));
  } else {
    number = free_.back();
    free_.pop_back();
    flows_[number] = std::move(flow);
  }
  by_content_.insert(Slot{number, key.hash});
  return number;
}

int64_t FlowTable::Lookup(const Content& content) const {
  const auto found = by_content_.find(Key(content));
  return found == by_content_.end() ? -1 : static_cast<int64_t>(found->number);
}

void FlowTable::Touch(uint32_t number) {
  Flow& flow = *flows_[number];
  if (flow.touched) return;
  flow.touched = true;
  touched_.push_back(number);
}

void FlowTable::Add(const engine::Emission& emission) {
  Flow& flow = *flows_[emission.item];
  const User user = {emission.a, emission.b, 1};
  const auto at = std::lower_bound(flow.users.begin(), flow.users.end(), user, Before);
  if (at != flow.users.end() && !Before(user, *at)) {
    ++at->count;
    return;
  }
  flow.users.insert(at, user);
  if ((user.member & kSet) != 0) flow.held_sets.push_back(sets_->ById(user.member & ~kSet));
  Touch(emission.item);
}

void FlowTable::Remove(const engine::Emission& emission) {
  Flow& flow = *flows_[emission.item];
  const User user = {emission.a, emission.b, 1};
  const auto at = std::lower_bound(flow.users.begin(), flow.users.end(), user, Before);
  if (--at->count != 0) return;
  flow.users.erase(at);
  Touch(emission.item);
  if ((user.member & kSet) == 0) return;
  const uint32_t id = user.member & ~kSet;
  const auto held = std::find_if(flow.held_sets.begin(), flow.held_sets.end(),
                                 [&](const DatapathSet& set) { return set.id() == id; });
  flow.held_sets.erase(held);
}

std::vector<uint32_t> FlowTable::TakeTouched() {
  std::vector<uint32_t> touched;
  touched.swap(touched_);
  recent_sets_.clear();
  for (uint32_t number : touched) flows_[number]->touched = false;
  return touched;
}

void FlowTable::Erase(uint32_t number) {
  by_content_.erase(Slot{number, flows_[number]->hash});
  flows_[number] = nullptr;
  free_.push_back(number);
}

// ---- For units ----

namespace {

FlowTable::Content ContentOf(Stage stage, int priority, absl::string_view match,
                             absl::string_view actions, const FlowExtra& extra) {
  return {stage,
          static_cast<uint16_t>(priority),
          match,
          actions,
          extra.meter,
          extra.port,
          extra.description};
}

}  // namespace

void AddFlow(engine::Context& ctx, DatapathNumber datapath, Stage stage, int priority,
             absl::string_view match, absl::string_view actions, const FlowExtra& extra,
             const std::source_location& where) {
  ctx.world().flows.Emit(ctx, datapath, ContentOf(stage, priority, match, actions, extra),
                         HintOf(extra.hint), where);
}

void AddFlow(engine::Context& ctx, const DatapathSet& datapaths, Stage stage, int priority,
             absl::string_view match, absl::string_view actions, const FlowExtra& extra,
             const std::source_location& where) {
  if (datapaths.empty()) return;
  ctx.world().flows.Emit(ctx, datapaths, ContentOf(stage, priority, match, actions, extra),
                         HintOf(extra.hint), where);
}

}  // namespace northd
