// What a router answers to who asks for the MAC address of an IP address that it speaks for.
#ifndef NORTHD_PIPELINE_NEIGHBOR_ANSWERS_H_
#define NORTHD_PIPELINE_NEIGHBOR_ANSWERS_H_

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace northd {

// The register with the MAC address of the port that a packet came in through.
inline constexpr absl::string_view kInportMac = "xreg0[0..47]";

// Actions that answer an ARP request, or a neighbor solicitation, with a MAC address or a register.
inline std::string ArpAnswer(absl::string_view mac) {
  return absl::StrCat("eth.dst = eth.src; eth.src = ", mac,
                      "; arp.op = 2; /* ARP reply */ arp.tha = arp.sha; arp.sha = ", mac,
                      "; arp.tpa <-> arp.spa; outport = inport; flags.loopback = 1; output;");
}
inline std::string NdAnswer(absl::string_view mac) {
  return absl::StrCat("nd_na { eth.src = ", mac, "; ip6.src = nd.target; nd.tll = ", mac,
                      "; outport = inport; flags.loopback = 1; output; };");
}

}  // namespace northd

#endif  // NORTHD_PIPELINE_NEIGHBOR_ANSWERS_H_
