// Columns of a row in JSON: objects column -> value, as file records (ovsdb(5)) and the updates of
// monitors (ovsdb-server(7) section 4.1.14) have them.
#ifndef OVSDB_ROW_JSON_H_
#define OVSDB_ROW_JSON_H_

#include "absl/status/status.h"
#include "ovsdb/json.h"
#include "ovsdb/row.h"
#include "ovsdb/schema.h"

namespace ovsdb {

// Sets the columns that `object` has. With `is_diff` those of sets and maps are differences to be
// applied. Elements that are equal count once: stock writes reals that differ only beyond 15 digits
// alike. `_uuid` and `_version` are passed over. Requires object.IsObject(). Errors are stock's.
absl::Status ReadColumns(const TableSchema& table, const Json& object, bool is_diff,
                         MutableRow* row);

}  // namespace ovsdb

#endif  // OVSDB_ROW_JSON_H_
