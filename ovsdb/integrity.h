// What must hold when a transaction ends (RFC 7047 section 3.2 "maxRows", "indexes", "refTable",
// "isRoot"), and what its end brings about by itself: garbage collection and the clean-up of weak
// references.
#ifndef OVSDB_INTEGRITY_H_
#define OVSDB_INTEGRITY_H_

#include "absl/status/status.h"
#include "ovsdb/overlay.h"

namespace ovsdb {

// Brings the overlay to the state that can be committed, or says why there is none: "referential
// integrity violation" or "constraint violation", in stock's order. Once per overlay.
absl::Status CheckIntegrity(Overlay* overlay);

}  // namespace ovsdb

#endif  // OVSDB_INTEGRITY_H_
