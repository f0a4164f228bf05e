// Matches and actions of ARP and IPv6 neighbour discovery, as switches have them.
#ifndef NORTHD_PIPELINE_NEIGHBOR_REPLIES_H_
#define NORTHD_PIPELINE_NEIGHBOR_REPLIES_H_

#include <string>

#include "absl/strings/string_view.h"

namespace northd {

// Turns an ARP request for `ip` into a reply that `mac` has it, and sends that back.
std::string ArpReply(absl::string_view mac, absl::string_view ip);
// Answers a neighbour solicitation for `ip`.
std::string NeighborAdvertisement(absl::string_view mac, absl::string_view ip, bool by_router);

// A request for an address: "arp.op == 1 && arp.tpa == ..." or "nd_ns && nd.target == ...".
std::string RequestFor(absl::string_view ip, bool v6);

}  // namespace northd

#endif  // NORTHD_PIPELINE_NEIGHBOR_REPLIES_H_
