// Name service by switches: the stages dns_lookup and dns_response.
#ifndef NORTHD_PIPELINE_DNS_H_
#define NORTHD_PIPELINE_DNS_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

// What many switches have.
std::monostate AddDns(Context& ctx, const std::monostate&);
extern const engine::Kind<std::monostate> kDns;

// What one switch has.
std::monostate AddDnsOf(Context& ctx, const Uuid& switch_uuid);
extern const engine::Kind<Uuid> kDnsOf;

}  // namespace northd

#endif  // NORTHD_PIPELINE_DNS_H_
