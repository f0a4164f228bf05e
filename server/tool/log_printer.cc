#include "server/tool/log_printer.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace tool {
namespace {

using ovsdb::Json;
using ovsdb::StringView;

// Dates below this are in seconds, as old versions wrote them.
constexpr int64_t kFirstMillisecondDate = std::numeric_limits<int32_t>::max();

std::string Date(const Json& record) {
  const Json* const date = ovsdb::FindMember(record, "_date");
  std::optional<int64_t> msec;
  if (date != nullptr) msec = ovsdb::JsonInteger(*date);
  if (!msec) return "";
  const absl::Time time =
      *msec < kFirstMillisecondDate ? absl::FromUnixSeconds(*msec) : absl::FromUnixMillis(*msec);
  return absl::FormatTime(" %Y-%m-%d %H:%M:%E3S", time, absl::UTCTimeZone());
}

void AppendColumn(const ovsdb::TableSchema* table, absl::string_view name, const Json& value,
                  std::string* out) {
  const ovsdb::ColumnSchema* column = table != nullptr ? table->FindColumn(name) : nullptr;
  absl::StrAppend(out, "    ", name, "=");
  absl::StatusOr<ovsdb::Datum> datum = absl::NotFoundError("");
  if (column != nullptr) datum = column->type.ParseDatum(value, nullptr);
  if (datum.ok()) {
    column->type.AppendText(*datum, out);
  } else {
    ovsdb::AppendJson(value, out, ovsdb::JsonForm::kSorted);
  }
  out->push_back('\n');
}

}  // namespace

std::string LogPrinter::SetSchema(ovsdb::SchemaRef schema) {
  schema_ = std::move(schema);
  return absl::StrCat("version=\"", schema_->version, "\", cksum=\"", schema_->cksum, "\"");
}

std::string LogPrinter::Transaction(const Json& record) {
  std::string out = Date(record);
  if (const Json* comment = ovsdb::FindMember(record, "_comment");
      comment != nullptr && comment->IsString()) {
    absl::StrAppend(&out, " \"", StringView(*comment), "\"");
  }
  out.push_back('\n');
  if (more_ > 0) AppendChanges(record, &out);
  return out;
}

void LogPrinter::AppendChanges(const Json& record, std::string* out) {
  const Json* const is_diff = ovsdb::FindMember(record, "_is_diff");
  is_diff_ = is_diff != nullptr && is_diff->IsTrue();
  bool any = false;
  for (const auto& table : record.GetObject()) {
    if (absl::StartsWith(StringView(table.name), "_") || !table.value.IsObject()) continue;
    const ovsdb::TableSchema* schema =
        schema_ != nullptr ? schema_->FindTable(StringView(table.name)) : nullptr;
    for (const auto& row : table.value.GetObject()) {
      absl::StrAppend(out, "  table ", StringView(table.name));
      AppendRow(schema, StringView(row.name), row.value, out);
    }
    any = true;
  }
  if (any) out->push_back('\n');
}

void LogPrinter::AppendRow(const ovsdb::TableSchema* schema, absl::string_view uuid,
                           const Json& row, std::string* out) {
  const absl::string_view short_uuid = uuid.substr(0, 8);
  const Json* const name = ovsdb::FindMember(row, "name");
  const std::string new_name =
      name != nullptr ? ovsdb::JsonText(*name, ovsdb::JsonForm::kSorted) : "";
  const auto [old_name, is_new] = names_.try_emplace(uuid, new_name);
  if (is_new) {
    absl::StrAppend(out, " insert row ", new_name, new_name.empty() ? "" : " (", short_uuid,
                    new_name.empty() ? ":\n" : "):\n");
  } else {
    absl::StrAppend(out, " row ", old_name->second.empty() ? short_uuid : old_name->second, " (",
                    short_uuid, ")", is_diff_ ? " diff" : "", ":\n");
    if (!new_name.empty()) old_name->second = new_name;
  }
  if (row.IsNull()) {
    absl::StrAppend(out, "    delete row\n");
    names_.erase(old_name);
  } else if (row.IsObject() && more_ > 1) {
    for (const auto& column : row.GetObject()) {
      AppendColumn(schema, StringView(column.name), column.value, out);
    }
  }
}

}  // namespace tool
