// What a router port tells hosts from time to time (RFC 4861): options of its Port_Binding, after
// Logical_Router_Port.ipv6_ra_configs; and prefixes that it asks for (RFC 3633).
#ifndef NORTHD_SYNC_ROUTER_ADVERTISEMENTS_H_
#define NORTHD_SYNC_ROUTER_ADVERTISEMENTS_H_

#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "northd/engine/engine.h"
#include "northd/model/ports.h"
#include "northd/rows/nb_rows.h"

namespace northd {

// What a controller says was delegated to the port of this name: "ID:PREFIX"; or "".
std::string ComputeDelegatedPrefixes(Context& ctx, const std::string& port);
extern const engine::Kind<std::string, std::string> kDelegatedPrefixes;

void AddRouterAdvertisements(const RouterPort& port, const nb::LogicalRouterPort& row,
                             std::map<std::string, std::string>* options);

}  // namespace northd

#endif  // NORTHD_SYNC_ROUTER_ADVERTISEMENTS_H_
