// Numbers of the queues that shape what ports send (options:qos_min_rate and its like).
#ifndef NORTHD_MODEL_QUEUES_H_
#define NORTHD_MODEL_QUEUES_H_

#include <cstdint>
#include <optional>
#include <string>

#include "northd/model/ports.h"
#include "northd/rows/row_view.h"

namespace northd {

// The number of a port's queue; 0 if nothing is shaped there.
int64_t QueueOf(Context& ctx, const SwitchPort& port);

// The queue that a port's packets are put in, as text: that one, or what options:qdisc_queue_id asks
// for, whatever that is.
std::optional<std::string> QueueTextOf(Context& ctx, const SwitchPort& port);

}  // namespace northd

#endif  // NORTHD_MODEL_QUEUES_H_
