// What a client asked to see: requests of `monitor` (RFC 7047 section 4.1.5), `monitor_cond`,
// `monitor_cond_change` and `monitor_cond_since` (ovsdb-server(7) sections 4.1.12 to 4.1.15),
// parsed.
#ifndef OVSDB_MONITOR_H_
#define OVSDB_MONITOR_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ovsdb/json.h"
#include "ovsdb/ref_counted.h"
#include "ovsdb/row_filter.h"
#include "ovsdb/schema.h"
#include "ovsdb/update_json.h"
#include "ovsdb/uuid.h"

namespace ovsdb {

// One per table of the shape, in its order; null wants every row. Copying shares.
using RowFilters = std::vector<RowFilterRef>;

// All that is alike in monitors that can share text: the tables with their shapes, and the dialect.
class MonitorShape : public RefCounted<MonitorShape> {
 public:
  MonitorShape(SchemaRef schema, MonitorVersion version, std::vector<TableShapeRef> tables);

  const DatabaseSchema& schema() const { return *schema_; }
  MonitorVersion version() const { return version_; }
  const std::vector<TableShapeRef>& tables() const { return tables_; }  // By TableSchema::index.
  int Position(int table) const;  // Of a TableSchema::index in tables(), or -1.

 private:
  SchemaRef schema_;
  MonitorVersion version_;
  std::vector<TableShapeRef> tables_;
};

using MonitorShapeRef = Ref<const MonitorShape>;

// A parsed request for a monitor.
struct MonitorRequest {
  // `params` is the whole array [db-name, id, requests] (and last-txn-id in version 3), any JSON:
  // every shape that is not a request is an error as stock words it. The name of the database has
  // been looked at by the caller. `id_in_use` tells whether the session has a monitor with an id.
  static absl::StatusOr<MonitorRequest> Parse(MonitorVersion version, const SchemaRef& schema,
                                              const Json& params,
                                              absl::FunctionRef<bool(absl::string_view)> id_in_use);

  std::string id;  // The client's <json-value>, as sorted text: equal for equal values.
  MonitorShapeRef shape;
  RowFilters filters;
  Uuid last_txn_id;  // Version 3: what the client has; zero if nothing.
};

// A parsed request to change the filters of a monitor.
struct FilterRequest {
  // The id of the monitor that `params` ([id, new id, requests], any JSON) is about. The caller
  // looks it up, and answers UnknownMonitor(params) if there is none.
  static absl::StatusOr<std::string> MonitorOf(const Json& params);
  static absl::Status UnknownMonitor(const Json& params);

  // Requires that MonitorOf(params) was OK. Tables that are not mentioned keep what `current` has.
  // Monitors of version 1 have no filters: theirs are not even looked at, as in stock.
  static absl::StatusOr<FilterRequest> Parse(const MonitorShape& shape, const RowFilters& current,
                                             const Json& params,
                                             absl::FunctionRef<bool(absl::string_view)> id_in_use);

  std::string new_id;
  RowFilters filters;
};

// The text under which sessions keep monitors: the sorted JSON of the client's <json-value>.
std::string MonitorId(const Json& id);

// `{"id":null,"method":"update2","params":[ID,`: what precedes a table updates object in a
// notification; `]}` follows it. `txn_id` is for version 3.
std::string UpdatePrefix(MonitorVersion version, absl::string_view id, const Uuid& txn_id);

}  // namespace ovsdb

#endif  // OVSDB_MONITOR_H_
