// BFD sessions: where they are, and how they stand.
#ifndef NORTHD_MODEL_BFD_H_
#define NORTHD_MODEL_BFD_H_

#include <string>

#include "absl/strings/string_view.h"
#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"
#include "ovsdb/uuid.h"

namespace northd {

// The status of a session, by the UUID of its northbound BFD row: "up", "down", "init" or, as long
// as no route and no policy asks for it, "admin_down". "": there is no such session.
std::string ComputeBfdStatus(Context& ctx, const Uuid& bfd);
extern const engine::Kind<Uuid, std::string> kBfdStatus;

// Whether the session watches this next hop and has lost it.
bool IsBfdDownTowards(Context& ctx, const Uuid& bfd, absl::string_view next_hop);

// Whether a logical port has sessions.
bool HasBfd(Context& ctx, const std::string& logical_port);

}  // namespace northd

#endif  // NORTHD_MODEL_BFD_H_
