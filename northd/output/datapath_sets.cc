#include "northd/output/datapath_sets.h"

namespace northd {

const DatapathBits& DatapathSet::bits() const {
  static const DatapathBits& none = *new DatapathBits;
  return empty() ? none : entry_->bits;
}

DatapathNumber DatapathSets::Claim(engine::Context& ctx, const ovsdb::Uuid& nb_uuid,
                                   const ovsdb::Uuid& sb_uuid) {
  const auto [at, is_new] = by_nb_.try_emplace(nb_uuid, 0);
  if (is_new) {
    if (free_.empty()) {
      at->second = static_cast<DatapathNumber>(datapaths_.size());
      datapaths_.emplace_back();
      claims_.push_back(0);
    } else {
      at->second = free_.back();
      free_.pop_back();
    }
    unclaimed_.push_back(at->second);
  }
  const DatapathNumber n = at->second;
  if (datapaths_[n].sb_uuid != sb_uuid) {
    by_sb_.erase(datapaths_[n].sb_uuid);
    by_sb_[sb_uuid] = n;
  }
  datapaths_[n] = {nb_uuid, sb_uuid};
  ctx.Emit({sink_, n, 0, 0});
  return n;
}

int64_t DatapathSets::FindSb(const ovsdb::Uuid& sb_uuid) const {
  const auto found = by_sb_.find(sb_uuid);
  return found == by_sb_.end() ? -1 : static_cast<int64_t>(found->second);
}

DatapathSet DatapathSets::Make(const DatapathBits& bits) {
  if (bits.empty()) return {};
  const auto found = alive_->sets.find(&bits);
  if (found != alive_->sets.end()) {
    if (auto entry = found->second.lock()) return DatapathSet(std::move(entry));
  }
  auto fresh = std::make_unique<DatapathSet::Entry>();
  fresh->bits = bits;
  if (alive_->free_ids.empty()) {
    fresh->id = static_cast<uint32_t>(alive_->by_id.size());
    alive_->by_id.emplace_back();
  } else {
    fresh->id = alive_->free_ids.back();
    alive_->free_ids.pop_back();
  }
  const std::shared_ptr<const DatapathSet::Entry> entry(
      fresh.release(), [alive = alive_](const DatapathSet::Entry* gone) {
        alive->sets.erase(&gone->bits);
        alive->free_ids.push_back(gone->id);
        delete gone;
      });
  alive_->sets[&entry->bits] = entry;
  alive_->by_id[entry->id] = entry;
  return DatapathSet(entry);
}

DatapathSet DatapathSets::MakeSingle(DatapathNumber n) {
  DatapathBits bits;
  bits.Add(n);
  return Make(bits);
}

void DatapathSets::Sweep() {
  for (DatapathNumber n : unclaimed_) {
    if (claims_[n] != 0 || datapaths_[n].nb_uuid.is_zero()) continue;
    by_nb_.erase(datapaths_[n].nb_uuid);
    by_sb_.erase(datapaths_[n].sb_uuid);
    datapaths_[n] = {};
    free_.push_back(n);
  }
  unclaimed_.clear();
}

void DatapathSets::Add(const engine::Emission& emission) { ++claims_[emission.item]; }

void DatapathSets::Remove(const engine::Emission& emission) {
  if (--claims_[emission.item] == 0) unclaimed_.push_back(emission.item);
}

}  // namespace northd
