// Meter and Meter_Band rows: those of the northbound and, of a meter that is fair, one for each ACL
// that logs through it.
#ifndef NORTHD_SYNC_METERS_H_
#define NORTHD_SYNC_METERS_H_

#include <string>
#include <variant>

#include "absl/strings/string_view.h"
#include "northd/engine/engine.h"
#include "northd/replica/replica.h"
#include "northd/rows/row_view.h"
#include "ovsdb/row.h"

namespace northd {

// All rows of both tables.
std::monostate SyncMeters(Context& ctx, const std::monostate&);
extern const engine::Kind<std::monostate> kSyncMeters;

// Whether a meter of this name exists and is fair.
bool IsFairMeter(Context& ctx, absl::string_view meter);
// The name of what an ACL has of a fair meter.
std::string FairMeterName(absl::string_view meter, const Uuid& acl);

// The key of a Meter_Band that is there (DesiredRows::Policy); "" if no meter has it.
std::string MeterBandKey(Replica& southbound, const ovsdb::Row& row);

}  // namespace northd

#endif  // NORTHD_SYNC_METERS_H_
