#include "ovsdb/log_json.h"

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "ovsdb/error.h"
#include "ovsdb/row_json.h"

namespace ovsdb {
namespace {

constexpr char kDate[] = "_date";
constexpr char kComment[] = "_comment";
constexpr char kIsDiff[] = "_is_diff";

// Writes the members of a record.
class RecordWriter {
 public:
  RecordWriter(const DatabaseSchema& schema, RecordForm form, std::string* out)
      : schema_(schema), form_(form), out_(out) {}

  void Begin(int64_t date_msec, absl::string_view comment) {
    absl::StrAppend(out_, "{\"", kDate, "\":", date_msec);
    if (form_ == RecordForm::kDifferences) absl::StrAppend(out_, ",\"", kIsDiff, "\":true");
    if (comment.empty()) return;
    absl::StrAppend(out_, ",\"", kComment, "\":");
    AppendJsonString(comment, out_);
  }

  // Between these come the rows of one table.
  void BeginTable(int table) {
    table_ = &schema_.tables[table];
    first_row_ = true;
  }
  void EndTable() {
    if (!first_row_) out_->push_back('}');
  }

  void End() { out_->push_back('}'); }

  void Deleted(const Row& row) {
    BeginRow(row.uuid());
    out_->append("null");
  }

  void Inserted(const Row& row) {
    BeginRow(row.uuid());
    out_->push_back('{');
    for (size_t i = TableSchema::kFirstRealColumn; i < table_->columns.size(); i++) {
      const ColumnSchema& column = table_->columns[i];
      if (column.persistent && !column.type.IsDefault(row.datum(i))) Value(column, row.datum(i));
    }
    out_->push_back('}');
  }

  // Nothing, if no column is different that is kept in a file.
  void Modified(const Row& before, const Row& after) {
    bool begun = false;
    for (size_t i = TableSchema::kFirstRealColumn; i < table_->columns.size(); i++) {
      const ColumnSchema& column = table_->columns[i];
      if (!column.persistent || before.datum(i) == after.datum(i)) continue;
      if (!std::exchange(begun, true)) {
        BeginRow(after.uuid());
        out_->push_back('{');
      }
      if (form_ == RecordForm::kDifferences && column.type.n_max > 1) {
        Value(column, Difference(before.datum(i), after.datum(i)));
      } else {
        Value(column, after.datum(i));
      }
    }
    if (begun) out_->push_back('}');
  }

 private:
  void BeginRow(const Uuid& uuid) {
    if (std::exchange(first_row_, false)) {
      out_->push_back(',');
      AppendJsonString(table_->name, out_);
      out_->append(":{\"");
    } else {
      out_->append(",\"");
    }
    uuid.AppendTo(out_);
    out_->append("\":");
  }

  void Value(const ColumnSchema& column, const Datum& datum) {
    if (out_->back() != '{') out_->push_back(',');
    out_->push_back('"');
    out_->append(column.name);  // An identifier: nothing to escape.
    out_->append("\":");
    datum.AppendJson(column.type.is_map(), out_, RealForm::kExact);
  }

  const DatabaseSchema& schema_;
  const RecordForm form_;
  std::string* const out_;
  const TableSchema* table_ = nullptr;
  bool first_row_ = true;
};

// Reads the members of a record and makes rows of them.
class RecordReader {
 public:
  RecordReader(const Database& database, char* text, size_t size, UuidGenerator* uuids)
      : database_(database), scanner_(text, size), text_(text), size_(size), uuids_(uuids) {}

  absl::StatusOr<Record> Read() {
    if (!scanner_.Skip('{')) return NoObject();
    if (!scanner_.Skip('}')) {
      do {
        if (auto status = ReadMember(); !status.ok()) return status;
      } while (scanner_.Skip(','));
      if (!scanner_.Skip('}')) return scanner_.error();
    }
    if (!scanner_.AtEnd()) return scanner_.error();
    for (auto& [index, table] : tables_) {
      if (!table.rows.empty()) record_.change.tables.push_back(std::move(table));
    }
    return std::move(record_);
  }

 private:
  absl::Status NoObject() {
    scanner_.Value();
    return scanner_.error();
  }

  absl::Status ReadMember() {
    const std::optional<absl::string_view> name = scanner_.String();
    if (!name || !scanner_.Skip(':')) return scanner_.error();
    if (const TableSchema* table = database_.schema().FindTable(*name)) return ReadTable(*table);
    const Json* value = scanner_.Value();
    if (value == nullptr) return scanner_.error();
    if (*name == kDate && JsonInteger(*value)) {
      SetDate(*JsonInteger(*value));
    } else if (*name == kIsDiff && value->IsBool()) {
      is_diff_ = value->GetBool();
    } else if (*name == kComment) {
      if (value->IsString()) record_.change.comment = std::string(StringView(*value));
    } else {
      return ErrorIn(*name, *value, "unknown table", absl::StrCat("No table named ", *name, "."));
    }
    return absl::OkStatus();
  }

  // Files of old have seconds.
  void SetDate(int64_t date) {
    constexpr int64_t kFirstMsec = int64_t{1} << 32;
    record_.date_msec = date < kFirstMsec ? date * 1000 : date;
  }

  absl::Status ReadTable(const TableSchema& table) {
    if (!scanner_.Skip('{')) {
      const Json* value = scanner_.Value();
      return value == nullptr ? scanner_.error() : SyntaxError(*value, "object expected");
    }
    TableChange& change = tables_[table.index];
    change.table = table.index;
    change.rows.clear();  // Of equal names the last one counts.
    if (scanner_.Skip('}')) return absl::OkStatus();
    do {
      if (auto status = ReadRow(table, &change.rows); !status.ok()) return status;
    } while (scanner_.Skip(','));
    if (!scanner_.Skip('}')) return scanner_.error();
    KeepLastOfEach(&change.rows);
    return absl::OkStatus();
  }

  absl::Status ReadRow(const TableSchema& table, std::vector<RowChange>* rows) {
    const std::optional<absl::string_view> name = scanner_.String();
    if (!name || !scanner_.Skip(':')) return scanner_.error();
    const Json* json = scanner_.Value();
    if (json == nullptr) return scanner_.error();
    const std::optional<Uuid> uuid = Uuid::Parse(*name);
    if (!uuid) {
      return ErrorIn(*name, *json, kSyntaxError,
                     absl::StrCat("\"", *name, "\" is not a valid UUID"));
    }
    RowRef before = database_.table(table.index).FindRef(*uuid);
    if (json->IsNull()) {
      if (before == nullptr) {
        return Error(kSyntaxError, absl::StrCat("transaction deletes row ", uuid->ToString(),
                                                " that does not exist"));
      }
      rows->push_back({std::move(before), nullptr});
      return absl::OkStatus();
    }
    if (!json->IsObject()) return SyntaxError(*json, "row must be JSON object");
    const bool is_diff = before != nullptr && IsDiff();
    MutableRow after = before != nullptr ? MutableRow(*before, uuids_->Next())
                                         : MutableRow(table, *uuid, uuids_->Next());
    if (auto status = ReadColumns(table, *json, is_diff, &after); !status.ok()) return status;
    rows->push_back({std::move(before), std::move(after).Finish()});
    return absl::OkStatus();
  }

  // Whether the record holds differences, which it may say behind the rows.
  bool IsDiff() {
    if (!is_diff_) is_diff_ = FindIsDiff();
    return *is_diff_;
  }

  // Looks for `"_is_diff":true` in what is left of the text, outside of strings and nested values.
  bool FindIsDiff() const;

  static void KeepLastOfEach(std::vector<RowChange>* rows) {
    if (rows->size() < 2) return;
    absl::flat_hash_map<Uuid, size_t> positions;
    positions.reserve(rows->size());
    size_t kept = 0;
    for (RowChange& row : *rows) {
      const auto [it, is_new] = positions.try_emplace(row.uuid(), kept);
      RowChange& place = (*rows)[it->second];
      if (is_new) kept++;
      if (&place != &row) place = std::move(row);
    }
    rows->resize(kept);
  }

  // An error about one member.
  static absl::Status ErrorIn(absl::string_view name, const Json& value, absl::string_view error,
                              absl::string_view details) {
    JsonDocument object(rapidjson::kObjectType);
    object.AddMember(Json(name.data(), name.size(), object.GetAllocator()),
                     Json(value, object.GetAllocator()), object.GetAllocator());
    return ErrorAbout(object, error, details);
  }

  const Database& database_;
  JsonScanner scanner_;
  const char* const text_;
  const size_t size_;
  UuidGenerator* const uuids_;
  std::optional<bool> is_diff_;
  std::map<int, TableChange> tables_;
  Record record_;
};

bool RecordReader::FindIsDiff() const {
  int depth = 2;  // In the object of a table.
  for (size_t i = scanner_.offset(); i < size_ && depth > 0; i++) {
    switch (text_[i]) {
      case '{':
      case '[':
        depth++;
        break;
      case '}':
      case ']':
        depth--;
        break;
      case '"': {
        const size_t begin = ++i;
        while (i < size_ && text_[i] != '"') i += text_[i] == '\\' ? 2 : 1;
        if (depth > 1 || i >= size_) break;
        const absl::string_view string(text_ + begin, i - begin);
        absl::string_view rest = absl::StripLeadingAsciiWhitespace({text_ + i + 1, size_ - i - 1});
        if (string != kIsDiff || !absl::ConsumePrefix(&rest, ":")) break;
        return absl::StartsWith(absl::StripLeadingAsciiWhitespace(rest), "true");
      }
    }
  }
  return false;
}

}  // namespace

bool LeavesRecord(const DatabaseSchema& schema, const Change& change) {
  for (const TableChange& table : change.tables) {
    const std::vector<ColumnSchema>& columns = schema.tables[table.table].columns;
    for (const RowChange& row : table.rows) {
      if (row.before == nullptr || row.after == nullptr) return true;
      for (size_t i = TableSchema::kFirstRealColumn; i < columns.size(); i++) {
        if (columns[i].persistent && row.before->datum(i) != row.after->datum(i)) return true;
      }
    }
  }
  return false;
}

bool AppendRecord(const DatabaseSchema& schema, const Change& change, int64_t date_msec,
                  RecordForm form, std::string* out) {
  const size_t begin = out->size();
  RecordWriter writer(schema, form, out);
  writer.Begin(date_msec, change.comment);
  const size_t empty_size = out->size();
  for (const TableChange& table : change.tables) {
    writer.BeginTable(table.table);
    for (const RowChange& row : table.rows) {
      if (row.after == nullptr) {
        writer.Deleted(*row.before);
      } else if (row.before == nullptr) {
        writer.Inserted(*row.after);
      } else {
        writer.Modified(*row.before, *row.after);
      }
    }
    writer.EndTable();
  }
  if (out->size() == empty_size) {
    out->resize(begin);
    return false;
  }
  writer.End();
  return true;
}

absl::Status WriteSnapshotRecord(const Snapshot& snapshot, int64_t date_msec,
                                 absl::string_view comment, RecordForm form,
                                 absl::FunctionRef<absl::Status(absl::string_view)> write) {
  constexpr size_t kPieceSize = size_t{100} * 1024;
  std::string piece;
  absl::Status status;
  RecordWriter writer(*snapshot.schema, form, &piece);
  writer.Begin(date_msec, comment);
  for (const TableSnapshot& table : snapshot.tables) {
    writer.BeginTable(table.schema().index);
    for (const PageRef& page : table.pages()) {
      for (const RowRef& row : page->rows) {
        if (row != nullptr) writer.Inserted(*row);
      }
      if (piece.size() < kPieceSize) continue;
      status = write(piece);
      if (!status.ok()) return status;
      piece.clear();
    }
    writer.EndTable();
  }
  writer.End();
  return write(piece);
}

absl::StatusOr<Record> ReadRecord(const Database& database, char* text, size_t size,
                                  UuidGenerator* uuids) {
  return RecordReader(database, text, size, uuids).Read();
}

}  // namespace ovsdb
