// Tables that say the same for every network: which DHCP options there are (DHCP_Options,
// DHCPv6_Options), and what controllers may write (RBAC_Role, RBAC_Permission).
#ifndef NORTHD_SYNC_CATALOGUES_H_
#define NORTHD_SYNC_CATALOGUES_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

std::monostate SyncCatalogues(Context& ctx, const std::monostate&);
extern const engine::Kind<std::monostate> kSyncCatalogues;

}  // namespace northd

#endif  // NORTHD_SYNC_CATALOGUES_H_
