#include "northd/sync/acl_ids.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "northd/replica/lookup.h"
#include "northd/rows/sb_rows.h"

namespace northd {
namespace {

constexpr int64_t kMaxAclId = 65535;  // What 16 bits of a connection's label hold.

using Ids = std::map<Uuid, int64_t>;

Ids ComputeIds(Context& ctx, const std::monostate&) {
  World& world = ctx.world();
  std::vector<Uuid> acls;
  std::vector<NumberWish> wishes;
  for (const Uuid& uuid : RowsWith<nb::ACL>(ctx, nb::ACL::kOptions, "persist-established")) {
    if (!PersistsEstablished(Row<nb::ACL>(ctx, uuid))) continue;
    const ovsdb::Row* row = world.sb.Peek(sb::ACLID::kTable, uuid);
    acls.push_back(uuid);
    wishes.push_back(
        {.key = uuid.ToString(),
         .existing = row == nullptr ? 0 : row->datum(sb::ACLID::kId).key(0).integer()});
  }
  const std::vector<int64_t> numbers = world.numbers.Assign("acl_id", wishes, 1, kMaxAclId);
  Ids ids;
  for (size_t i = 0; i < acls.size(); ++i) {
    if (numbers[i] != 0) ids[acls[i]] = numbers[i];
  }
  return ids;
}
constexpr engine::Kind<std::monostate, Ids> kIds{"acl_ids", &ComputeIds};

int64_t ComputeId(Context& ctx, const Uuid& acl) {
  const Ids& ids = ctx.Get(kIds, {});
  const auto found = ids.find(acl);
  return found == ids.end() ? 0 : found->second;
}
constexpr engine::Kind<Uuid, int64_t> kId{"acl_id", &ComputeId, /*is_cutoff=*/true};

}  // namespace

std::monostate SyncAclIds(Context& ctx, const std::monostate&) {
  for (const auto& [acl, id] : ctx.Get(kIds, {})) {
    // The row has the ACL's UUID.
    ctx.world().sb_rows.Identity(sb::ACLID::kTable, acl.ToString(), acl);
    OutRow row = OutRow::Of<sb::ACLID>(acl.ToString());
    row.Set(sb::ACLID::kId, id);
    ctx.world().sb_rows.Emit(ctx, std::move(row));
  }
  return {};
}
constexpr engine::Kind<std::monostate> kSyncAclIds{"sync_acl_ids", &SyncAclIds};

bool PersistsEstablished(const nb::ACL& acl) {
  return acl.action() == "allow-related" && acl.options().GetBool("persist-established", false);
}

int64_t AclId(Context& ctx, const Uuid& acl) { return ctx.Get(kId, acl); }

}  // namespace northd
