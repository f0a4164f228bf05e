#include "northd/model/datapaths.h"

#include <map>
#include <utility>
#include <variant>
#include <vector>

#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/sb_rows.h"
#include "server/base/log.h"

namespace northd {
namespace {

base::LogModule log("northd");

constexpr int64_t kMaxDatapathKey = 16711680;  // Above are those of interconnection.

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
  std::vector<NumberWish> wishes;
  std::vector<Uuid> uuids;
  const auto add = [&](const Uuid& uuid, int64_t requested) {
    uuids.push_back(uuid);
    wishes.push_back({uuid.ToString(), requested, ExistingKey(ctx, uuid)});
  };
  for (const Uuid& uuid : AllRows<nb::LogicalSwitch>(ctx)) {
    add(uuid, Row<nb::LogicalSwitch>(ctx, uuid).other_config().GetInt("requested-tnl-key", 0));
  }
  for (const Uuid& uuid : AllRows<nb::LogicalRouter>(ctx)) {
    add(uuid, Row<nb::LogicalRouter>(ctx, uuid).options().GetInt("requested-tnl-key", 0));
  }
  const std::vector<int64_t> numbers =
      ctx.world().numbers.Assign("datapath", wishes, 1, kMaxDatapathKey);
  Keys keys;
  for (size_t i = 0; i < uuids.size(); ++i) {
    if (wishes[i].requested != 0 && numbers[i] != wishes[i].requested) {
      static base::RateLimit limit(1, 5);
      log.WarnLimited(limit, "datapath %s requests tunnel key %d, which another has",
                      wishes[i].key, wishes[i].requested);
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
constexpr engine::Kind<Uuid, int64_t> kKey{"datapath_key", &ComputeKey};

}  // namespace

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

  std::map<std::string, std::string> ids;
  for (const auto& [name, value] : sw ? sw.external_ids() : router.external_ids()) {
    ids.emplace(name, value);
  }
  const auto name2 = ids.find("neutron:network_name");
  const auto router_name2 = ids.find("neutron:router_name");
  if (name2 != ids.end()) {
    ids["name2"] = name2->second;
  } else if (router_name2 != ids.end()) {
    ids["name2"] = router_name2->second;
  }
  ids["name"] = std::string(sw ? sw.name() : router.name());
  ids[sw ? "logical-switch" : "logical-router"] = key;
  OutRow row = OutRow::Of<sb::DatapathBinding>(key);
  row.Set(sb::DatapathBinding::kTunnelKey, datapath.tunnel_key);
  row.Set(sb::DatapathBinding::kExternalIds, ids);
  ctx.world().sb_rows.Emit(ctx, std::move(row));
  return datapath;
}

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
