#include "northd/sync/ip_multicast.h"

#include <algorithm>
#include <utility>

#include "northd/model/datapaths.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/sb_rows.h"

namespace northd {
namespace {

constexpr int64_t kDefaultTableSize = 2048;
constexpr int64_t kDefaultIdleTimeout = 300;  // Seconds, as all below.
constexpr int64_t kMinIdleTimeout = 15;
constexpr int64_t kMaxIdleTimeout = 3600;
constexpr int64_t kMinQueryInterval = 1;
constexpr int64_t kMaxQueryInterval = 3600;
constexpr int64_t kDefaultQueryMaxResponse = 1;

// Within the limits; less than nothing is taken for very much.
int64_t Limited(const StringMap& config, absl::string_view name, int64_t otherwise, int64_t min,
                int64_t max) {
  const int64_t value = config.GetInt(name, otherwise);
  return value < 0 ? max : std::clamp(value, min, max);
}

}  // namespace

std::monostate SyncIpMulticast(Context& ctx, const Uuid& sw) {
  const Datapath& datapath = ctx.Get(kDatapath, sw);
  const auto row = Row<nb::LogicalSwitch>(ctx, sw);
  if (!datapath.exists || !row) return {};
  const StringMap config = row.other_config();
  const int64_t idle =
      Limited(config, "mcast_idle_timeout", kDefaultIdleTimeout, kMinIdleTimeout, kMaxIdleTimeout);
  using M = sb::IPMulticast;
  OutRow out = OutRow::Of<M>(sw.ToString());
  out.Set(M::kDatapath, datapath.sb_uuid);
  out.Set(M::kEnabled, config.GetBool("mcast_snoop", false));
  out.Set(M::kQuerier, config.GetBool("mcast_querier", true));
  out.Set(M::kEthSrc, config.GetOrEmpty("mcast_eth_src"));
  out.Set(M::kIp4Src, config.GetOrEmpty("mcast_ip4_src"));
  out.Set(M::kIp6Src, config.GetOrEmpty("mcast_ip6_src"));
  out.Set(M::kTableSize, config.GetInt("mcast_table_size", kDefaultTableSize));
  out.Set(M::kIdleTimeout, idle);
  out.Set(M::kQueryInterval,
          Limited(config, "mcast_query_interval", idle / 2, kMinQueryInterval, kMaxQueryInterval));
  out.Set(M::kQueryMaxResp, config.GetInt("mcast_query_max_response", kDefaultQueryMaxResponse));
  ctx.world().sb_rows.Emit(ctx, std::move(out));
  return {};
}
constexpr engine::Kind<Uuid> kSyncIpMulticast{"sync_ip_multicast", &SyncIpMulticast};

}  // namespace northd
