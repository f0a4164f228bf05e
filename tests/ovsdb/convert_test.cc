#include "ovsdb/convert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "ovsdb/error.h"
#include "tests/ovsdb/engine.h"

// What is expected here is what OVS 3.5 answers.

namespace ovsdb {
namespace {

std::string Schema(absl::string_view type, absl::string_view more = "") {
  return absl::StrCat(
      R"({"name":"D","version":"1.0.0","tables":{"T":{"isRoot":true,"columns":{"a":{"type":)", type,
      "}}", more, "}}}");
}

// The values of the column after the conversion, or the error.
std::string Converted(absl::string_view from, absl::string_view value, const std::string& to) {
  Engine engine(Schema(from));
  engine.Run(Insert("T", 1, absl::StrCat(R"({"a":)", value, "}")));
  engine.Run(Insert("T", 2, absl::StrCat(R"({"a":)", value, "}")));
  const auto database = ConvertDatabase(engine.db().TakeSnapshot(), *DatabaseSchema::ParseText(to),
                                        OldDefault::kConvert, &engine.uuids());
  if (!database.ok()) return ErrorText(database.status());
  std::string text;
  (*database)->table(0).ForEach([&text](const Row& row) {
    if (!text.empty()) return;
    row.datum(TableSchema::kFirstRealColumn).AppendJson(false, &text);
  });
  return text;
}

TEST(ConvertTest, NumbersOfAnotherKind) {
  EXPECT_EQ(Converted(R"("integer")", "2", Schema(R"("real")")), "2");
  EXPECT_EQ(Converted(R"("real")", "2", Schema(R"("integer")")),
            R"(syntax "2": syntax error: expected integer)");
}

TEST(ConvertTest, RowsMustFitTogether) {
  const std::string unique = Schema(R"("integer")", R"(,"indexes":[["a"]])");
  EXPECT_THAT(Converted(R"("integer")", "1", unique), testing::HasSubstr("constraint violation"));
  const std::string few = Schema(R"("integer")", R"(,"maxRows":1)");
  EXPECT_THAT(Converted(R"("integer")", "1", few), testing::HasSubstr("constraint violation"));
  const std::string reference = Schema(R"({"key":{"type":"uuid","refTable":"T"}})");
  EXPECT_THAT(Converted(R"("uuid")", UuidJson(9), reference),
              testing::HasSubstr("referential integrity violation"));
  EXPECT_EQ(Converted(R"("uuid")", UuidJson(2), reference), UuidJson(2));
}

}  // namespace
}  // namespace ovsdb
