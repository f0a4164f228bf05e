// Answers to ARP requests and neighbour solicitations on switches: the stage arp_rsp.
#ifndef NORTHD_PIPELINE_ARP_RESPONDER_H_
#define NORTHD_PIPELINE_ARP_RESPONDER_H_

#include <variant>

#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

// What all switches have.
std::monostate AddArpResponder(Context& ctx, const std::monostate&);
extern const engine::Kind<std::monostate> kArpResponder;

// What one switch port has.
std::monostate AddArpResponderOf(Context& ctx, const Uuid& port);
extern const engine::Kind<Uuid> kArpResponderOf;

}  // namespace northd

#endif  // NORTHD_PIPELINE_ARP_RESPONDER_H_
