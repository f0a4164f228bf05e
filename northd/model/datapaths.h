// Switches and routers as datapaths: their numbers and their rows in the southbound.
#ifndef NORTHD_MODEL_DATAPATHS_H_
#define NORTHD_MODEL_DATAPATHS_H_

#include <cstdint>
#include <string>
#include <variant>

#include "northd/engine/engine.h"
#include "northd/output/datapath_sets.h"
#include "northd/rows/row_view.h"
#include "ovsdb/uuid.h"

namespace northd {

// How high tunnel keys may go: with VXLAN, which some chassis may use, their bits are few.
struct KeyLimits {
  bool vxlan = false;
  int64_t max_datapath = 0;  // Of those that are not requested.
  int64_t max_port = 0;

  // What a requested key must stay below: that of a transit switch is any that its zones agree on.
  int64_t datapath_end(bool is_transit) const { return vxlan && !is_transit ? 1 << 12 : 1 << 24; }
  bool operator==(const KeyLimits& o) const = default;
};

KeyLimits ComputeKeyLimits(Context& ctx, const std::monostate&);
extern const engine::Kind<std::monostate, KeyLimits> kKeyLimits;

// What a switch or router is to flows and southbound rows.
struct Datapath {
  bool exists =
      false;  // Else nothing below means anything: it has gone, is disabled, or has no key.
  bool is_router = false;
  DatapathNumber number = 0;
  Uuid nb_uuid;
  Uuid sb_uuid;
  int64_t tunnel_key = 0;

  bool operator==(const Datapath& o) const = default;
};

// By the UUID of the Logical_Switch or Logical_Router.
Datapath ComputeDatapath(Context& ctx, const Uuid& uuid);
extern const engine::Kind<Uuid, Datapath> kDatapath;

// The switch (router) that a switch port (router port) belongs to; zero if none does.
Uuid SwitchOf(Context& ctx, const Uuid& port);
Uuid RouterOf(Context& ctx, const Uuid& port);

}  // namespace northd

#endif  // NORTHD_MODEL_DATAPATHS_H_
