// Tables that say the same for every network: which DHCP options there are (DHCP_Options,
// DHCPv6_Options), and what controllers may write (RBAC_Role, RBAC_Permission).
#ifndef NORTHD_SYNC_CATALOGUES_H_
#define NORTHD_SYNC_CATALOGUES_H_

#include <string>
#include <variant>

#include "northd/engine/engine.h"
#include "northd/replica/replica.h"
#include "northd/rows/row_view.h"
#include "ovsdb/row.h"

namespace northd {

std::monostate SyncCatalogues(Context& ctx, const std::monostate&);
extern const engine::Kind<std::monostate> kSyncCatalogues;

// The key of an RBAC_Permission that is there (DesiredRows::Policy): all that it says, since others
// may have one for the same table.
std::string PermissionKey(const Replica& southbound, const ovsdb::Row& row);
// Whether an RBAC_Role that is there is not by us.
bool IsForeignRole(const ovsdb::Row& row);

}  // namespace northd

#endif  // NORTHD_SYNC_CATALOGUES_H_
