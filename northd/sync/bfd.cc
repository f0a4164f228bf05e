#include "northd/sync/bfd.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "northd/model/bfd.h"
#include "northd/replica/lookup.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/sb_rows.h"

namespace northd {
namespace {

// UDP source ports (RFC 5881).
constexpr int64_t kFirstPort = 49152;
constexpr int64_t kLastPort = 65535;

constexpr int64_t kDefaultInterval = 1000;  // Milliseconds, both ways.
constexpr int64_t kDefaultMultiplier = 5;

std::string KeyOf(const nb::BFD& bfd) {
  return absl::StrCat(bfd.logical_port(), " ", bfd.dst_ip());
}

// The row that the southbound has for a session, if any. Not recorded as read.
const ovsdb::Row* PeekSession(Context& ctx, const std::string& key) {
  return ctx.world().sb.Peek(sb::BFD::kTable, ctx.world().sb_rows.Identity(sb::BFD::kTable, key));
}

using Ports = std::map<Uuid, int64_t>;

Ports ComputePorts(Context& ctx, const std::monostate&) {
  std::vector<NumberWish> wishes;
  std::vector<Uuid> sessions;
  for (const Uuid& uuid : AllRows<nb::BFD>(ctx)) {
    const std::string key = KeyOf(Row<nb::BFD>(ctx, uuid));
    const ovsdb::Row* row = PeekSession(ctx, key);
    wishes.push_back(
        {.key = key,
         .existing = row == nullptr ? 0 : row->datum(sb::BFD::kSrcPort).key(0).integer()});
    sessions.push_back(uuid);
  }
  const std::vector<int64_t> numbers =
      ctx.world().numbers.Assign("bfd_port", wishes, kFirstPort, kLastPort);
  Ports ports;
  for (size_t i = 0; i < sessions.size(); ++i) ports[sessions[i]] = numbers[i];
  return ports;
}
constexpr engine::Kind<std::monostate, Ports> kPorts{"bfd_ports", &ComputePorts};

int64_t ComputePort(Context& ctx, const Uuid& bfd) {
  const Ports& ports = ctx.Get(kPorts, {});
  const auto found = ports.find(bfd);
  return found == ports.end() ? 0 : found->second;
}
constexpr engine::Kind<Uuid, int64_t> kPort{"bfd_port", &ComputePort};

std::monostate SyncBfd(Context& ctx, const Uuid& uuid) {
  const auto bfd = Row<nb::BFD>(ctx, uuid);
  if (!bfd) return {};
  const std::string& status = ctx.Get(kBfdStatus, uuid);
  OutRow in_nb = OutRow::Of<nb::BFD>(uuid.ToString());
  in_nb.Set(nb::BFD::kStatus, status);
  ctx.world().nb_rows.Emit(ctx, std::move(in_nb));

  const int64_t port = ctx.Get(kPort, uuid);
  if (port == 0) return {};
  const std::string key = KeyOf(bfd);
  const ovsdb::Row* written = PeekSession(ctx, key);
  // Whoever hears it may not know it before: as random as the row's name.
  const int64_t discriminator =
      written != nullptr ? written->datum(sb::BFD::kDisc).key(0).integer()
                         : HintOf(ctx.world().sb_rows.Identity(sb::BFD::kTable, key)) | 1;
  OutRow row = OutRow::Of<sb::BFD>(key);
  row.Set(sb::BFD::kLogicalPort, bfd.logical_port());
  row.Set(sb::BFD::kDstIp, bfd.dst_ip());
  row.Set(sb::BFD::kSrcPort, port);
  row.Set(sb::BFD::kDisc, discriminator);
  row.Set(sb::BFD::kStatus, status);
  row.Set(sb::BFD::kMinTx, bfd.min_tx().value_or(kDefaultInterval));
  row.Set(sb::BFD::kMinRx, bfd.min_rx().value_or(kDefaultInterval));
  row.Set(sb::BFD::kDetectMult, bfd.detect_mult().value_or(kDefaultMultiplier));
  const auto binding =
      FindRow<sb::PortBinding>(ctx, sb::PortBinding::kLogicalPort, bfd.logical_port());
  if (binding && binding.chassis()) {
    const auto chassis = Row<sb::Chassis>(ctx, *binding.chassis());
    if (chassis) row.Set(sb::BFD::kChassisName, chassis.name());
  }
  ctx.world().sb_rows.Emit(ctx, std::move(row));
  return {};
}
constexpr engine::Kind<Uuid> kSyncBfd{"sync_bfd", &SyncBfd};

}  // namespace

std::monostate SyncAllBfd(Context& ctx, const std::monostate&) {
  for (const Uuid& uuid : AllRows<nb::BFD>(ctx)) ctx.Require(kSyncBfd, uuid);
  return {};
}
constexpr engine::Kind<std::monostate> kSyncAllBfd{"sync_all_bfd", &SyncAllBfd};

}  // namespace northd
