#include "northd/pipeline/neighbor_replies.h"

#include "absl/strings/str_cat.h"

namespace northd {

std::string ArpReply(absl::string_view mac, absl::string_view ip) {
  return absl::StrCat("eth.dst = eth.src; eth.src = ", mac,
                      "; arp.op = 2; /* ARP reply */ arp.tha = arp.sha; arp.sha = ", mac,
                      "; arp.tpa = arp.spa; arp.spa = ", ip,
                      "; outport = inport; flags.loopback = 1; output;");
}

std::string NeighborAdvertisement(absl::string_view mac, absl::string_view ip, bool by_router) {
  return absl::StrCat(by_router ? "nd_na_router" : "nd_na", " { eth.src = ", mac,
                      "; ip6.src = ", ip, "; nd.target = ", ip, "; nd.tll = ", mac,
                      "; outport = inport; flags.loopback = 1; output; };");
}

std::string RequestFor(absl::string_view ip, bool v6) {
  return v6 ? absl::StrCat("nd_ns && nd.target == ", ip)
            : absl::StrCat("arp.op == 1 && arp.tpa == ", ip);
}

}  // namespace northd
