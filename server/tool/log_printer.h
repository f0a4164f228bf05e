// Prints the transactions of database files for people (ovsdb-tool(1) show-log).
#ifndef SERVER_TOOL_LOG_PRINTER_H_
#define SERVER_TOOL_LOG_PRINTER_H_

#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "ovsdb/json.h"
#include "ovsdb/schema.h"

namespace tool {

class LogPrinter {
 public:
  // `more`: 0 for dates and comments alone, 1 for rows too, 2 for columns too.
  explicit LogPrinter(int more) : more_(more) {}

  // The schema of what comes; without one values are shown as JSON. Returns its versions, as
  // `version="V", cksum="C"`.
  std::string SetSchema(ovsdb::SchemaRef schema);
  // All lines about it.
  std::string Transaction(const ovsdb::Json& record);

 private:
  void AppendChanges(const ovsdb::Json& record, std::string* out);
  void AppendRow(const ovsdb::TableSchema* schema, absl::string_view uuid, const ovsdb::Json& row,
                 std::string* out);

  ovsdb::SchemaRef schema_;
  const int more_;
  bool is_diff_ = false;
  absl::flat_hash_map<std::string, std::string> names_;  // Of rows, by UUID, as JSON text.
};

}  // namespace tool

#endif  // SERVER_TOOL_LOG_PRINTER_H_
