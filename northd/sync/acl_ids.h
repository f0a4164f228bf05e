// ACL_ID rows: numbers of the ACLs that keep what they allowed (options:persist-established), by
// which connections remember them.
#ifndef NORTHD_SYNC_ACL_IDS_H_
#define NORTHD_SYNC_ACL_IDS_H_

#include <cstdint>
#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/row_view.h"

namespace northd {

// All rows of the table.
std::monostate SyncAclIds(Context& ctx, const std::monostate&);
extern const engine::Kind<std::monostate> kSyncAclIds;

bool PersistsEstablished(const nb::ACL& acl);
// The number of such an ACL; 0 if there is none left.
int64_t AclId(Context& ctx, const Uuid& acl);

}  // namespace northd

#endif  // NORTHD_SYNC_ACL_IDS_H_
