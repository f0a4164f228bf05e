#include "northd/model/datapaths.h"

#include <map>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "northd/model/age_thresholds.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/sb_rows.h"
#include "server/base/log.h"

namespace northd {
namespace {

base::LogModule log("northd");

// Above are those of interconnection.
constexpr int64_t kMaxDatapathKey = 16711680;
constexpr int64_t kMaxDatapathKeyVxlan = 4095;
constexpr int64_t kMaxDatapathKeyVxlanLocal = 1023;
constexpr int64_t kMaxPortKey = 32767;
constexpr int64_t kMaxPortKeyVxlan = 2047;

constexpr char kScope[] = "datapath";  // Of numbers.

struct Keys {
  std::map<Uuid, int64_t> by_datapath;
  bool operator==(const Keys& o) const = default;
};

// The key that the southbound has for it.
int64_t ExistingKey(Context& ctx, const Uuid& uuid) {
  const ovsdb::Row* row = ctx.world().sb.Peek(
      sb::DatapathBinding::kTable,
      ctx.world().sb_rows.Identity(sb::DatapathBinding::kTable, uuid.ToString()));
  return row == nullptr ? 0 : row->datum(sb::DatapathBinding::kTunnelKey).key(0).integer();
}

Keys ComputeKeys(Context& ctx, const std::monostate&) {
  const KeyLimits& limits = ctx.Get(kKeyLimits, {});
  std::vector<NumberWish> wishes;
  std::vector<Uuid> uuids;
  const auto add = [&](const Uuid& uuid, int64_t requested, bool is_transit) {
    if (requested < 0 || requested >= limits.datapath_end(is_transit)) {
      static base::RateLimit limit(1, 5);
      log.WarnLimited(limit, "Tunnel key %d for datapath %s is out of range%s", requested,
                      uuid.ToString(), limits.vxlan ? " with VXLAN" : "");
      requested = 0;
    }
    uuids.push_back(uuid);
    wishes.push_back({.key = uuid.ToString(), .requested = requested});
    NumberWish& wish = wishes.back();
    if (!ctx.world().numbers.Remembers(kScope, wish.key)) wish.existing = ExistingKey(ctx, uuid);
  };
  for (const Uuid& uuid : AllRows<nb::LogicalSwitch>(ctx)) {
    const StringMap config = Row<nb::LogicalSwitch>(ctx, uuid).other_config();
    add(uuid, config.GetInt("requested-tnl-key", 0), config.Contains("interconn-ts"));
  }
  for (const Uuid& uuid : AllRows<nb::LogicalRouter>(ctx)) {
    const auto router = Row<nb::LogicalRouter>(ctx, uuid);
    if (!router.enabled().value_or(true)) continue;
    add(uuid, router.options().GetInt("requested-tnl-key", 0), /*is_transit=*/false);
  }
  const std::vector<int64_t> numbers =
      ctx.world().numbers.Assign(kScope, wishes, 1, limits.max_datapath);
  Keys keys;
  for (size_t i = 0; i < uuids.size(); ++i) {
    if (wishes[i].requested != 0 && numbers[i] != wishes[i].requested) {
      static base::RateLimit limit(1, 5);
      log.WarnLimited(limit, "datapath %s requests tunnel key %d, which another has", wishes[i].key,
                      wishes[i].requested);
    }
    if (numbers[i] != 0) keys.by_datapath[uuids[i]] = numbers[i];
  }
  return keys;
}
constexpr engine::Kind<std::monostate, Keys> kKeys{"datapath_keys", &ComputeKeys};

// A map's own answer for one datapath: so that others do not run when one comes or goes.
int64_t ComputeKey(Context& ctx, const Uuid& uuid) {
  const Keys& keys = ctx.Get(kKeys, {});
  const auto found = keys.by_datapath.find(uuid);
  return found == keys.by_datapath.end() ? 0 : found->second;
}
constexpr engine::Kind<Uuid, int64_t> kKey{"datapath_key", &ComputeKey, /*is_cutoff=*/true};

using Ids = std::map<std::string, std::string>;

// A limit above 0 as it is written, if there is one; 0 is none.
void AddZoneLimit(const StringMap& options, Ids* ids) {
  const int64_t limit = options.GetInt("ct-zone-limit", -1);
  if (limit > 0) (*ids)["ct-zone-limit"] = absl::StrCat(limit);
}

void AddSwitchIds(const nb::LogicalSwitch& sw, Ids* ids) {
  const StringMap config = sw.other_config();
  AddZoneLimit(config, ids);
  if (const auto transit = config.Get("interconn-ts"))
    (*ids)["interconn-ts"] = std::string(*transit);
  const int64_t age = config.GetInt("fdb_age_threshold", 0);
  if (age > 0 && age <= UINT32_MAX) (*ids)["fdb_age_threshold"] = absl::StrCat(age);
}

void AddRouterIds(const nb::LogicalRouter& router, Ids* ids) {
  const StringMap options = router.options();
  AddZoneLimit(options, ids);
  const int64_t zone = options.GetInt("snat-ct-zone", -1);
  if (zone >= 0 && zone <= INT32_MAX) (*ids)["snat-ct-zone"] = absl::StrCat(zone);
  if (!options.GetBool("always_learn_from_arp_request", true)) {
    (*ids)["always_learn_from_arp_request"] = "false";
  }
  const uint32_t age =
      AgeThresholds::Parse(options.GetOrEmpty("mac_binding_age_threshold")).Least();
  if (age != 0) (*ids)["mac_binding_age_threshold"] = absl::StrCat(age);
}

}  // namespace

KeyLimits ComputeKeyLimits(Context& ctx, const std::monostate&) {
  KeyLimits limits;
  const nb::NBGlobal global = OnlyRow<nb::NBGlobal>(ctx);
  const bool allowed = !global || global.options().GetBool("vxlan_mode", true);
  limits.vxlan = allowed && !RowsWith<sb::Encap>(ctx, sb::Encap::kType, "vxlan").empty();
  const bool interconnected =
      !RowsWith<nb::LogicalSwitch>(ctx, nb::LogicalSwitch::kOtherConfig, "ic-vxlan_mode").empty();
  limits.max_datapath = interconnected ? kMaxDatapathKeyVxlanLocal
                        : limits.vxlan ? kMaxDatapathKeyVxlan
                                       : kMaxDatapathKey;
  limits.max_port = limits.vxlan ? kMaxPortKeyVxlan : kMaxPortKey;
  return limits;
}
constexpr engine::Kind<std::monostate, KeyLimits> kKeyLimits{"key_limits", &ComputeKeyLimits};

Datapath ComputeDatapath(Context& ctx, const Uuid& uuid) {
  const nb::LogicalSwitch sw = Row<nb::LogicalSwitch>(ctx, uuid);
  const nb::LogicalRouter router = sw ? nb::LogicalRouter() : Row<nb::LogicalRouter>(ctx, uuid);
  Datapath datapath;
  if (!sw && !router) return datapath;
  datapath.is_router = !sw;
  datapath.nb_uuid = uuid;
  datapath.tunnel_key = ctx.Get(kKey, uuid);
  if (datapath.tunnel_key == 0) return datapath;
  datapath.exists = true;
  const std::string key = uuid.ToString();
  datapath.sb_uuid = ctx.world().sb_rows.Identity(sb::DatapathBinding::kTable, key);
  datapath.number = ctx.world().datapath_sets.Claim(ctx, uuid, datapath.sb_uuid);

  Ids ids;
  ids[sw ? "logical-switch" : "logical-router"] = key;
  ids["name"] = std::string(sw ? sw.name() : router.name());
  const absl::string_view name2 = sw ? sw.external_ids().GetOrEmpty("neutron:network_name")
                                     : router.external_ids().GetOrEmpty("neutron:router_name");
  if (!name2.empty()) ids["name2"] = std::string(name2);
  if (sw) {
    AddSwitchIds(sw, &ids);
  } else {
    AddRouterIds(router, &ids);
  }
  OutRow row = OutRow::Of<sb::DatapathBinding>(key);
  row.Set(sb::DatapathBinding::kTunnelKey, datapath.tunnel_key);
  row.Set(sb::DatapathBinding::kExternalIds, ids);
  ctx.world().sb_rows.Emit(ctx, std::move(row));
  return datapath;
}
constexpr engine::Kind<Uuid, Datapath> kDatapath{"datapath", &ComputeDatapath};

Uuid SwitchOf(Context& ctx, const Uuid& port) {
  const absl::Span<const Uuid> rows =
      RowsWith<nb::LogicalSwitch>(ctx, nb::LogicalSwitch::kPorts, port);
  return rows.empty() ? Uuid() : rows.front();
}

Uuid RouterOf(Context& ctx, const Uuid& port) {
  const absl::Span<const Uuid> rows =
      RowsWith<nb::LogicalRouter>(ctx, nb::LogicalRouter::kPorts, port);
  return rows.empty() ? Uuid() : rows.front();
}

}  // namespace northd
