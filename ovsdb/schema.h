// Database schemas (RFC 7047 section 3.2), parsed and checked.
#ifndef OVSDB_SCHEMA_H_
#define OVSDB_SCHEMA_H_

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ovsdb/json.h"
#include "ovsdb/type.h"

namespace ovsdb {

struct ColumnSchema {
  std::string name;
  ColumnType type;
  int index = 0;  // Position in TableSchema::columns and in Row.
  bool is_mutable = true;
  // Not "ephemeral"; or it refers strongly to rows that garbage collection would take otherwise.
  bool persistent = true;

  bool operator==(const ColumnSchema& o) const = default;
};

struct TableSchema {
  // Every table begins with these two.
  static constexpr int kUuidColumn = 0;
  static constexpr int kVersionColumn = 1;
  static constexpr int kFirstRealColumn = 2;

  std::string name;
  int index = 0;  // Position in DatabaseSchema::tables.
  bool is_root = true;
  uint32_t max_rows = std::numeric_limits<uint32_t>::max();
  std::vector<ColumnSchema> columns;      // "_uuid", "_version", then the others by name.
  std::vector<std::vector<int>> indexes;  // Unique indexes: column positions as given.

  const ColumnSchema* FindColumn(absl::string_view name) const;  // Null if there is none.
  bool operator==(const TableSchema& o) const;

  absl::flat_hash_map<std::string, int> column_by_name;
};

// Immutable once made; shared by everything that was built from it.
class DatabaseSchema {
 public:
  std::string name;
  std::string version;              // x.y.z, or empty.
  std::string cksum;                // As given, or empty.
  std::vector<TableSchema> tables;  // By name.

  // Errors as stock words them: which table and column, what is wrong.
  static absl::StatusOr<std::shared_ptr<const DatabaseSchema>> Parse(const Json& json);
  static absl::StatusOr<std::shared_ptr<const DatabaseSchema>> ParseText(absl::string_view text);

  const TableSchema* FindTable(absl::string_view name) const;  // Null if there is none.
  // As get_schema answers and as the first record of a file.
  void AppendJson(std::string* out) const;
  // Same tables and columns, whatever version and checksum say (what needs-conversion compares is
  // the text).
  bool operator==(const DatabaseSchema& o) const;

 private:
  absl::Status ResolveReferences();

  absl::flat_hash_map<std::string, int> table_by_name_;
};

using SchemaRef = std::shared_ptr<const DatabaseSchema>;

bool IsValidVersion(absl::string_view version);  // x.y.z

}  // namespace ovsdb

#endif  // OVSDB_SCHEMA_H_
