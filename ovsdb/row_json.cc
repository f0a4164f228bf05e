#include "ovsdb/row_json.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "ovsdb/error.h"

namespace ovsdb {

absl::Status ReadColumns(const TableSchema& table, const Json& object, bool is_diff,
                         MutableRow* row) {
  for (const auto& member : object.GetObject()) {
    const ColumnSchema* column = table.FindColumn(StringView(member.name));
    if (column == nullptr) {
      return ErrorAbout(
          object, "unknown column",
          absl::StrCat("No column ", StringView(member.name), " in table ", table.name, "."));
    }
    if (column->index < TableSchema::kFirstRealColumn) continue;
    const ColumnType& type = column->type;
    const bool is_difference = is_diff && type.n_max > 1;
    auto datum = type.ParseDatum(member.value, nullptr, is_difference ? 0 : type.n_min,
                                 is_difference ? ColumnType::kUnlimited : type.n_max,
                                 ColumnType::Duplicates::kDrop);
    if (!datum.ok()) return datum.status();
    if (is_difference) {
      *datum = ApplyDifference(row->datum(column->index), *datum);
      if (!type.CheckSize(*datum).ok()) {
        return Error("ovsdb error", "Datum crated by diff has size error");  // Stock's spelling.
      }
    }
    row->Set(column->index, *std::move(datum));
  }
  return absl::OkStatus();
}

}  // namespace ovsdb
