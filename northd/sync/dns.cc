#include "northd/sync/dns.h"

#include <map>
#include <string>
#include <utility>

#include "northd/model/datapaths.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/sb_rows.h"

namespace northd {
namespace {

std::monostate SyncDns(Context& ctx, const Uuid& dns) {
  const auto row = Row<nb::DNS>(ctx, dns);
  if (!row) return {};
  OutRow out = OutRow::Of<sb::DNS>(dns.ToString());
  out.Set(sb::DNS::kRecords, row.records().datum());
  const bool owned = row.options().GetBool("ovn-owned", false);
  out.Set(sb::DNS::kOptions,
          std::map<std::string, std::string>{{"ovn-owned", owned ? "true" : "false"}});
  ctx.world().sb_rows.Emit(ctx, std::move(out));
  return {};
}
constexpr engine::Kind<Uuid> kSyncDns{"sync_dns", &SyncDns};

}  // namespace

std::monostate SyncSwitchDns(Context& ctx, const Uuid& sw) {
  const Datapath& datapath = ctx.Get(kDatapath, sw);
  const auto row = Row<nb::LogicalSwitch>(ctx, sw);
  if (!datapath.exists || !row) return {};
  for (const Uuid& dns : row.dns_records()) {
    ctx.Require(kSyncDns, dns);
    ctx.world().sb_rows.EmitElement(ctx, sb::DNS::kTable, dns.ToString(), sb::DNS::kDatapaths,
                                    ovsdb::Atom::Of(datapath.sb_uuid));
  }
  return {};
}
constexpr engine::Kind<Uuid> kSyncSwitchDns{"sync_switch_dns", &SyncSwitchDns};

}  // namespace northd
