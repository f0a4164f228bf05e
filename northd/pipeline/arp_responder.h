// Answers to ARP requests and neighbour solicitations on switches: the stage arp_rsp.
#ifndef NORTHD_PIPELINE_ARP_RESPONDER_H_
#define NORTHD_PIPELINE_ARP_RESPONDER_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

// What all switches have.
std::monostate AddArpResponder(Context& ctx, const std::monostate&);
inline constexpr engine::Kind<std::monostate> kArpResponder{"arp_responder", &AddArpResponder};

// What one switch port has.
std::monostate AddArpResponderOf(Context& ctx, const Uuid& port);
inline constexpr engine::Kind<Uuid> kArpResponderOf{"arp_responder_of", &AddArpResponderOf};

}  // namespace northd

#endif  // NORTHD_PIPELINE_ARP_RESPONDER_H_
