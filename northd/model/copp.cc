#include "northd/model/copp.h"

#include <optional>
#include <utility>

#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"

namespace northd {
namespace {

using Key = std::pair<Uuid, std::string>;  // A datapath and a protocol.

std::string ComputeMeter(Context& ctx, const Key& key) {
  const auto& [datapath, protocol] = key;
  std::optional<Uuid> uuid;
  if (const auto sw = Row<nb::LogicalSwitch>(ctx, datapath)) {
    uuid = sw.copp();
  } else if (const auto router = Row<nb::LogicalRouter>(ctx, datapath)) {
    uuid = router.copp();
  }
  if (!uuid) return "";
  const auto copp = Row<nb::Copp>(ctx, *uuid);
  if (!copp) return "";
  const auto meter = copp.meters().Get(protocol);
  if (!meter || RowsWith<nb::Meter>(ctx, nb::Meter::kName, *meter).empty()) return "";
  return std::string(*meter);
}
constexpr engine::Kind<Key, std::string> kMeter{"copp_meter", &ComputeMeter, /*is_cutoff=*/true};

}  // namespace

const std::string& CoppMeter(Context& ctx, const Uuid& datapath, absl::string_view protocol) {
  return ctx.Get(kMeter, Key(datapath, protocol));
}

}  // namespace northd
