// Where a load balancer is. Those in the same places share what is made of these.
#ifndef NORTHD_MODEL_LB_PLACES_H_
#define NORTHD_MODEL_LB_PLACES_H_

#include <compare>
#include <utility>
#include <vector>

#include "ovsdb/uuid.h"

namespace northd {

// What names a load balancer: groups, switches, routers, each in order.
struct LbPlaces {
  std::vector<ovsdb::Uuid> groups;
  std::vector<ovsdb::Uuid> switches;
  std::vector<ovsdb::Uuid> routers;

  auto operator<=>(const LbPlaces& o) const = default;
  template <typename H>
  friend H AbslHashValue(H h, const LbPlaces& p) {
    return H::combine(std::move(h), p.groups, p.switches, p.routers);
  }
};

}  // namespace northd

#endif  // NORTHD_MODEL_LB_PLACES_H_
