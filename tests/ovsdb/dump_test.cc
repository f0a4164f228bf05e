#include "ovsdb/dump.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/ovsdb/monitored.h"

namespace ovsdb {
namespace {

constexpr size_t kPieceBytes = 64 << 10;

class DumpTest : public testing::Test {
 protected:
  // One change that inserts rows into A whose `n` counts from 0.
  void Fill(int n_rows) {
    Change change;
    change.tables.push_back({data_.table("A").index, {}});
    for (int i = 0; i < n_rows; ++i) {
      rows_.push_back(data_.MakeRow(
          "A", nullptr, absl::StrCat("{\"n\":", i, ",\"s\":\"", std::string(300, 'x'), "\"}")));
      change.tables[0].rows.push_back({nullptr, rows_.back()});
    }
    data_.Commit(change);
  }

  // The texts of all pieces, of which none must be much over the limit.
  std::vector<Text> Pieces(TextSource* source, int* calls = nullptr) {
    std::vector<Text> all;
    bool more = true;
    while (more) {
      std::vector<Text> pieces;
      more = source->Next(&pieces);
      size_t bytes = 0;
      for (const Text& piece : pieces) bytes += piece->size();
      EXPECT_LT(bytes, 2 * kPieceBytes);
      all.insert(all.end(), pieces.begin(), pieces.end());
      if (calls != nullptr) ++*calls;
    }
    return all;
  }
  std::string Join(const std::vector<Text>& pieces) {
    std::string text;
    for (const Text& piece : pieces) text += *piece;
    return text;
  }
  static std::string Quoted(const RowRef& row) {
    return absl::StrCat("\"", row->uuid().ToString(), "\"");
  }
  std::unique_ptr<TextSource> Initial(const Monitor& monitor) {
    return monitor.Initial(data_.db(), {"<", ">", true});
  }

  Monitored data_;
  std::vector<RowRef> rows_;
};

TEST_F(DumpTest, ComesInPiecesThatMakeAWhole) {
  Fill(1000);
  data_.Insert("B", R"({"x":7})");
  for (const char* where : {"", R"(,"where":[["n",">=",0]])"}) {
    auto monitor = data_.Add(
        MonitorVersion::kV2,
        absl::StrCat(R"({"A":{"columns":["n","s"])", where, R"(},"B":{"columns":["x"]}})"));
    const std::string text = Join(Pieces(Initial(*monitor).get()));
    ASSERT_EQ(text.front(), '<');
    ASSERT_EQ(text.back(), '>');
    absl::StatusOr<JsonDocument> json = ParseJson(text.substr(1, text.size() - 2));
    ASSERT_TRUE(json.ok()) << json.status();
    EXPECT_EQ(FindMember(*json, "A")->MemberCount(), 1000u);
    EXPECT_EQ(FindMember(*json, "B")->MemberCount(), 1u);
    for (const RowRef& row : rows_) {
      EXPECT_NE(FindMember(*FindMember(*json, "A"), row->uuid().ToString()), nullptr);
    }
  }
}

TEST_F(DumpTest, ThereIsAReplyEvenIfThereIsNothing) {
  auto monitor = data_.Add(MonitorVersion::kV2, R"({"A":{},"B":{}})");
  EXPECT_EQ(Join(Pieces(Initial(*monitor).get())), "<{}>");
  monitor->Pause(data_.db().TakeSnapshot());
  auto nothing = monitor->Resume(data_.db().TakeSnapshot(), {"<", ">", false});
  EXPECT_TRUE(Pieces(nothing.get()).empty());
}

TEST_F(DumpTest, ReadersOfTheSamePagesShareTheirText) {
  Fill(10 * Page::kSlots);
  auto first = data_.Add(MonitorVersion::kV2, R"({"A":{"columns":["n","s"]}})");
  auto second = data_.Add(MonitorVersion::kV2, R"({"A":{"columns":["s","n"]}})");
  auto other = data_.Add(MonitorVersion::kV2, R"({"A":{"columns":["n"]}})");
  auto source = Initial(*first);
  const std::vector<Text> pieces = Pieces(source.get());
  std::set<const std::string*> texts;
  for (const Text& piece : pieces) texts.insert(piece.get());

  auto shared = [&](const std::vector<Text>& later) {
    return std::count_if(later.begin(), later.end(),
                         [&](const Text& piece) { return texts.contains(piece.get()); });
  };
  EXPECT_EQ(shared(Pieces(Initial(*second).get())), 10);
  EXPECT_EQ(shared(Pieces(Initial(*other).get())), 0);
  data_.Update("A", rows_[3 * Page::kSlots], R"({"n":-1})");
  const std::vector<Text> later = Pieces(Initial(*second).get());
  EXPECT_EQ(shared(later), 9) << "one page has changed";
  EXPECT_NE(Join(later), Join(pieces));
}

TEST_F(DumpTest, TextsGoWithTheirReaders) {
  Fill(10 * Page::kSlots);
  auto monitor = data_.Add(MonitorVersion::kV2, R"({"A":{"columns":["n","s"]}})");
  EXPECT_EQ(data_.index().text_count(), 0u);
  auto slow = Initial(*monitor);
  Pieces(Initial(*monitor).get());
  EXPECT_EQ(data_.index().text_count(), 10u) << "the slow reader will want them";
  slow = nullptr;
  EXPECT_EQ(data_.index().text_count(), 0u);
}

TEST_F(DumpTest, OutlivesTheMonitorAndWhatHappensMeanwhile) {
  Fill(1000);
  auto monitor = data_.Add(MonitorVersion::kV1, R"({"A":{"columns":["n","s"]}})");
  const std::string expected = Join(Pieces(Initial(*monitor).get()));
  auto source = Initial(*monitor);
  std::vector<Text> pieces;
  ASSERT_TRUE(source->Next(&pieces));
  monitor = nullptr;
  for (const RowRef& row : rows_) data_.Delete("A", row);
  while (source->Next(&pieces)) {
  }
  EXPECT_EQ(Join(pieces), expected);
}

TEST_F(DumpTest, LookingAtRowsInVainIsCutIntoTurnsToo) {
  Fill(20000);
  auto monitor = data_.Add(MonitorVersion::kV2, R"({"A":{"columns":["n"],"where":[["n","<",0]]}})");
  int calls = 0;
  EXPECT_EQ(Join(Pieces(Initial(*monitor).get(), &calls)), "<{}>");
  EXPECT_GE(calls, 4);

  JsonDocument params = *ParseJson(R"(["id","id",{"A":[{"where":[["n",">",19998]]}]}])");
  auto request = FilterRequest::Parse(*monitor->shape(), monitor->filters(), params, Never);
  auto update = monitor->ChangeFilters(*std::move(request), data_.db(), {"<", ">", false});
  calls = 0;
  EXPECT_EQ(Join(Pieces(update.get(), &calls)),
            absl::StrCat("<{\"A\":{", Quoted(rows_.back()), ":{\"insert\":{\"n\":19999}}}}>"));
  EXPECT_GE(calls, 4);
}

TEST_F(DumpTest, RowsThatAreAskedForOftenAreFoundByTheirValues) {
  Fill(20000);
  auto monitor = data_.Add(MonitorVersion::kV2,
                           R"({"A":{"columns":["n"],"where":[["n","==",3],["n","==",70000]]}})");
  auto update = [](const RowRef& row, absl::string_view what) {
    return absl::StrCat("{\"A\":{", Quoted(row), ":{", what, "}}}");
  };
  int calls = 0;
  for (int i = 0; i < 20 && calls != 1; ++i) {
    calls = 0;
    EXPECT_EQ(Join(Pieces(Initial(*monitor).get(), &calls)),
              absl::StrCat("<", update(rows_[3], R"("initial":{"n":3})"), ">"));
  }
  EXPECT_EQ(calls, 1) << "every row is still looked at";

  EXPECT_EQ(data_.ChangeWhere(monitor.get(), R"([["n","==",70000],["n","==",3],["n","==",4]])"),
            update(rows_[4], R"("insert":{"n":4})"));
  data_.Update("A", rows_[4], R"({"n":5})");
  EXPECT_EQ(data_.ChangeWhere(monitor.get(), R"([["n","==",4]])"),
            update(rows_[3], R"("delete":null)"));
  EXPECT_EQ(data_.ChangeWhere(monitor.get(), absl::StrCat(R"([["_uuid","==",["uuid",)",
                                                          Quoted(rows_[6]), R"(]],["n","==",6]])")),
            update(rows_[6], R"("insert":{"n":6})"));
}

TEST_F(DumpTest, ALongDifferenceComesInPieces) {
  auto monitor = data_.Add(MonitorVersion::kV2, R"({"A":{"columns":["n","s"]}})");
  monitor->Pause(data_.db().TakeSnapshot());
  Fill(2000);
  auto update = monitor->Resume(data_.db().TakeSnapshot(), {"<", ">", false});
  int calls = 0;
  const std::string text = Join(Pieces(update.get(), &calls));
  EXPECT_GE(calls, 5);
  absl::StatusOr<JsonDocument> json = ParseJson(text.substr(1, text.size() - 2));
  ASSERT_TRUE(json.ok()) << json.status();
  EXPECT_EQ(FindMember(*json, "A")->MemberCount(), 2000u);
}

TEST_F(DumpTest, OfOneChange) {
  RowRef row = data_.Insert("A", R"({"n":1,"s":"k"})");
  auto monitor =
      data_.Add(MonitorVersion::kV3, R"({"A":{"columns":["n"],"where":[["s","==","k"]]}})");
  RowRef after = data_.MakeRow("A", row, R"({"n":2})");
  auto update = monitor->Since(data_.ChangeOf("A", row, after), {"<", ">", true});
  EXPECT_EQ(Join(Pieces(update.get())),
            absl::StrCat("<{\"A\":{", Quoted(row), ":{\"modify\":{\"n\":2}}}}>"));
  update = monitor->Since(Change(), {"<", ">", true});
  EXPECT_EQ(Join(Pieces(update.get())), "<{}>");
}

}  // namespace
}  // namespace ovsdb
