#include "northd/sync/meters.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/sb_rows.h"

namespace northd {
namespace {

struct Band {
  std::string action;
  int64_t rate = 0;
  int64_t burst_size = 0;
  auto operator<=>(const Band& o) const = default;
};

// A band is known by its meter, by what it says, and by which of several that say the same it is.
std::string KeyOf(absl::string_view meter, const Band& band, size_t n) {
  return absl::StrCat(meter, "/", band.action, "/", band.rate, "/", band.burst_size, "/", n);
}

Band ReadBand(const ovsdb::Row& row) {
  return {std::string(row.datum(sb::MeterBand::kAction).key(0).string()),
          row.datum(sb::MeterBand::kRate).key(0).integer(),
          row.datum(sb::MeterBand::kBurstSize).key(0).integer()};
}

void EmitMeter(Context& ctx, const std::string& name, absl::string_view unit,
               const std::vector<Band>& bands) {
  DesiredRows& rows = ctx.world().sb_rows;
  std::vector<Uuid> uuids;
  std::map<Band, size_t> seen;
  for (const Band& band : bands) {
    const std::string key = KeyOf(name, band, seen[band]++);
    uuids.push_back(rows.Identity(sb::MeterBand::kTable, key));
    OutRow row = OutRow::Of<sb::MeterBand>(key);
    row.Set(sb::MeterBand::kAction, band.action);
    row.Set(sb::MeterBand::kRate, band.rate);
    row.Set(sb::MeterBand::kBurstSize, band.burst_size);
    rows.Emit(ctx, std::move(row));
  }
  OutRow row = OutRow::Of<sb::Meter>(name);
  row.Set(sb::Meter::kName, name);
  row.Set(sb::Meter::kUnit, unit);
  row.Set(sb::Meter::kBands, uuids);
  rows.Emit(ctx, std::move(row));
}

std::monostate SyncMeter(Context& ctx, const Uuid& uuid) {
  const auto meter = Row<nb::Meter>(ctx, uuid);
  if (!meter) return {};
  const std::string name(meter.name());
  std::vector<Band> bands;
  for (const Uuid& band_uuid : meter.bands()) {
    const auto band = Row<nb::MeterBand>(ctx, band_uuid);
    if (band) bands.push_back({std::string(band.action()), band.rate(), band.burst_size()});
  }
  EmitMeter(ctx, name, meter.unit(), bands);
  if (!meter.fair().value_or(false)) return {};
  for (const Uuid& acl : RowsWith<nb::ACL>(ctx, nb::ACL::kMeter, name)) {
    if (!Row<nb::ACL>(ctx, acl).log()) continue;
    EmitMeter(ctx, FairMeterName(name, acl), meter.unit(), bands);
  }
  return {};
}
constexpr engine::Kind<Uuid> kSyncMeter{"sync_meter", &SyncMeter};

bool ComputeIsFair(Context& ctx, const std::string& name) {
  const auto meter = FindRow<nb::Meter>(ctx, nb::Meter::kName, absl::string_view(name));
  return meter && meter.fair().value_or(false);
}
constexpr engine::Kind<std::string, bool> kIsFair{"is_fair_meter", &ComputeIsFair,
                                                  /*is_cutoff=*/true};

}  // namespace

std::monostate SyncMeters(Context& ctx, const std::monostate&) {
  for (const Uuid& uuid : AllRows<nb::Meter>(ctx)) ctx.Require(kSyncMeter, uuid);
  return {};
}
constexpr engine::Kind<std::monostate> kSyncMeters{"sync_meters", &SyncMeters};

bool IsFairMeter(Context& ctx, absl::string_view meter) {
  return ctx.Get(kIsFair, std::string(meter));
}

std::string FairMeterName(absl::string_view meter, const Uuid& acl) {
  return absl::StrCat(meter, "__", acl.ToString());
}

std::string MeterBandKey(Replica& southbound, const ovsdb::Row& row) {
  const absl::Span<const Uuid> meters =
      southbound.PeekIndex(sb::Meter::kTable, sb::Meter::kBands, ovsdb::Atom::Of(row.uuid()));
  if (meters.empty()) return "";
  const ovsdb::Row* meter = southbound.Peek(sb::Meter::kTable, meters.front());
  // It may go with its band, before the index knows.
  if (meter == nullptr) return "";
  const Band band = ReadBand(row);
  const absl::Span<const Uuid> siblings = meter->datum(sb::Meter::kBands).uuids();
  const auto n = std::count_if(siblings.begin(), siblings.end(), [&](const Uuid& uuid) {
    if (uuid >= row.uuid()) return false;
    const ovsdb::Row* sibling = southbound.Peek(sb::MeterBand::kTable, uuid);
    return sibling != nullptr && ReadBand(*sibling) == band;
  });
  return KeyOf(meter->datum(sb::Meter::kName).key(0).string(), band, static_cast<size_t>(n));
}

}  // namespace northd
