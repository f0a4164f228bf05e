// NAT rules of routers: what a row of NAT says, and what of its router it depends on.
#ifndef NORTHD_MODEL_NAT_H_
#define NORTHD_MODEL_NAT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "northd/engine/engine.h"
#include "northd/model/addresses.h"
#include "northd/model/datapaths.h"
#include "northd/rows/nb_rows.h"
#include "northd/rows/row_view.h"
#include "ovsdb/uuid.h"

namespace northd {

// The addresses that a router translates sources of certain connections to.
struct ForcedSource {
  std::optional<Ip> v4;
  std::optional<Ip> v6;
  bool router_ip =
      false;  // Those of the port that a packet leaves through; of load balancers only.

  bool any() const { return v4 || v6 || router_ip; }
  bool operator==(const ForcedSource& o) const = default;
};

// What a router's flows of NAT and load balancers depend on.
struct NatRouter {
  bool exists = false;  // Else nothing below means anything.
  DatapathNumber number = 0;
  bool is_gateway = false;                 // It is on one chassis: options:chassis.
  std::vector<Uuid> distributed_gateways;  // Ports, in order.
  bool has_nat = false;
  // All connections are committed to conntrack: options:ct-commit-all, and the chassis can.
  bool commit_all = false;
  bool use_common_zone = false;
  ForcedSource dnat_force_snat;
  ForcedSource lb_force_snat;

  bool operator==(const NatRouter& o) const = default;
};

NatRouter ComputeNatRouter(Context& ctx, const Uuid& router);
extern const engine::Kind<Uuid, NatRouter> kNatRouter;

enum class NatType { kSnat, kDnat, kDnatAndSnat };

struct Nat {
  bool valid = false;  // Else nothing below but `router` means anything.
  Uuid uuid;
  Uuid router;  // Zero: it is in none.
  NatType type = NatType::kSnat;
  Ip external_ip;
  Network logical_ip;         // A network only if the type is kSnat.
  std::string external_text;  // As the row spells them.
  std::string logical_text;
  std::string port_range;  // "": none.
  bool stateless = false;
  std::string match;  // "": none, and `priority` counts for nothing.
  int64_t priority = 0;
  std::string allowed;   // A set that the other end must be in; "": any.
  std::string exempted;  // A set that it must not be in; "": none.
  // On a router with distributed gateway ports: the one that this is for. Else zero.
  Uuid gateway_port;
  // Who asks for the address is answered where `logical_port` is, and not on the gateway's chassis;
  // it is translated there, too.
  bool answers_apart = false;
  bool distributed = false;
  std::string external_mac;
  std::string logical_port;

  bool v6() const { return external_ip.v6; }
  bool snat() const { return type != NatType::kDnat; }
  bool dnat() const { return type != NatType::kSnat; }
  bool operator==(const Nat& o) const = default;
};

// Which of a router's distributed gateway ports a rule is for; zero if that cannot be told.
Uuid NatGatewayPort(Context& ctx, const nb::NAT& row, const std::vector<Uuid>& gateways);

Nat ComputeNat(Context& ctx, const Uuid& uuid);
extern const engine::Kind<Uuid, Nat> kNat;

}  // namespace northd

#endif  // NORTHD_MODEL_NAT_H_
