// Control plane protection: the meters that limit what packets of a datapath reach controllers.
#ifndef NORTHD_MODEL_COPP_H_
#define NORTHD_MODEL_COPP_H_

#include <string>

#include "absl/strings/string_view.h"
#include "northd/engine/engine.h"
#include "northd/rows/row_view.h"

namespace northd {

// The name of the meter for a protocol ("arp", "reject" ...: ovn-nb(5) Copp) on a switch or router,
// as flows have it in `controller_meter`; "" if it has none, or there is no such Meter.
const std::string& CoppMeter(Context& ctx, const Uuid& datapath, absl::string_view protocol);

}  // namespace northd

#endif  // NORTHD_MODEL_COPP_H_
