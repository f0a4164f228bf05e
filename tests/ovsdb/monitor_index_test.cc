// What monitors are told: each corner as the reference was seen to answer it, and a random run in
// which clients that believe every update see their part of the database at any time.
#include "ovsdb/monitor_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "tests/ovsdb/monitored.h"

namespace ovsdb {
namespace {

constexpr MonitorVersion kV1 = MonitorVersion::kV1, kV2 = MonitorVersion::kV2,
                         kV3 = MonitorVersion::kV3;

class MonitorTest : public testing::Test {
 protected:
  // Sorted text with the row's UUID as ROW and its version as VERSION.
  std::string Masked(absl::string_view json, const RowRef& row) {
    if (json.empty()) return "";
    return absl::StrReplaceAll(
        Sorted(json), {{row->uuid().ToString(), "ROW"}, {row->version().ToString(), "VERSION"}});
  }
  std::string Told(const std::unique_ptr<Monitor>& monitor, const RowRef& row) {
    return Masked(data_.told(*monitor), row);
  }

  Monitored data_;
};

TEST_F(MonitorTest, VersionOneTellsWholeRows) {
  RowRef row = data_.Insert("A", R"({"n":1})");
  auto monitor = data_.Add(kV1, R"({"A":{"columns":["n","set","_uuid"]}})");
  const std::string uuid = R"("_uuid":["uuid","ROW"],)";
  EXPECT_EQ(Masked(data_.Initial(*monitor), row),
            R"({"A":{"ROW":{"new":{)" + uuid + R"("n":1,"set":["set",[]]}}}})");

  RowRef inserted = data_.Insert("A", "{}");
  EXPECT_EQ(Told(monitor, inserted),
            R"({"A":{"ROW":{"new":{)" + uuid + R"("n":0,"set":["set",[]]}}}})");

  row = data_.Update("A", row, R"({"set":["set",["x","y"]],"s":"unseen"})");
  EXPECT_EQ(Told(monitor, row),
            R"({"A":{"ROW":{"new":{)" + uuid +
                R"("n":1,"set":["set",["x","y"]]},"old":{"set":["set",[]]}}}})");
  row = data_.Update("A", row, R"({"s":"still unseen"})");
  EXPECT_EQ(Told(monitor, row), "");
  data_.Delete("A", row);
  EXPECT_EQ(Told(monitor, row),
            R"({"A":{"ROW":{"old":{)" + uuid + R"("n":1,"set":["set",["x","y"]]}}}})");
}

TEST_F(MonitorTest, VersionTwoTellsDifferences) {
  RowRef row =
      data_.Insert("A", R"({"n":1,"set":["set",["a","b"]],"m":["map",[["k","v"],["l","w"]]]})");
  auto monitor = data_.Add(kV2, R"({"A":{"columns":["n","set","m","o","om","u","s"]}})");
  EXPECT_EQ(Masked(data_.Initial(*monitor), row),
            R"({"A":{"ROW":{"initial":{"m":["map",[["k","v"],["l","w"]]],"n":1,)"
            R"("set":["set",["a","b"]]}}}})");

  row = data_.Update("A", row, R"({"set":["set",["b","c"]],"m":["map",[["k","v2"],["x","y"]]],"o":5,
                                   "om":["map",[["q",1]]],"s":"t"})");
  EXPECT_EQ(Told(monitor, row),
            R"({"A":{"ROW":{"modify":{"m":["map",[["k","v2"],["l","w"],["x","y"]]],"o":5,)"
            R"("om":["map",[["q",1]]],"s":"t","set":["set",["a","c"]]}}}})");
  row = data_.Update("A", row, R"({"o":["set",[]],"om":["map",[["w",2]]],"set":"z"})");
  EXPECT_EQ(Told(monitor, row), R"({"A":{"ROW":{"modify":{"o":["set",[]],"om":["map",[["w",2]]],)"
                                R"("set":["set",["b","c","z"]]}}}})");
  row = data_.Update("A", row, R"({"om":["map",[]],"s":""})");
  EXPECT_EQ(Told(monitor, row), R"({"A":{"ROW":{"modify":{"om":["map",[]],"s":""}}}})");
  RowRef inserted = data_.Insert("A", "{}");
  EXPECT_EQ(Told(monitor, inserted), R"({"A":{"ROW":{"insert":{}}}})");
  data_.Delete("A", row);
  EXPECT_EQ(Told(monitor, row), R"({"A":{"ROW":{"delete":null}}})");
}

TEST_F(MonitorTest, AllColumnsAreAllButTheUuid) {
  auto v1 = data_.Add(kV1, R"({"B":{}})");
  auto v2 = data_.Add(kV2, R"({"B":[{}]})");
  auto uuid = data_.Add(kV2, R"({"B":{"columns":["_uuid"]}})");
  RowRef row = data_.Insert("B", R"({"x":1})");
  EXPECT_EQ(Told(v1, row), R"({"B":{"ROW":{"new":{"_version":["uuid","VERSION"],"x":1,"y":0}}}})");
  EXPECT_EQ(Told(v2, row), R"({"B":{"ROW":{"insert":{"_version":["uuid","VERSION"],"x":1}}}})");
  EXPECT_EQ(Told(uuid, row), R"({"B":{"ROW":{"insert":{"_uuid":["uuid","ROW"]}}}})");
  row = data_.Update("B", row, R"({"x":1})");
  EXPECT_EQ(Told(v2, row), R"({"B":{"ROW":{"modify":{"_version":["uuid","VERSION"]}}}})");
  EXPECT_EQ(Told(uuid, row), "");
}

TEST_F(MonitorTest, NoColumns) {
  auto v1 = data_.Add(kV1, R"({"A":{"columns":[]}})");
  auto v2 = data_.Add(kV2, R"({"A":{"columns":[]}})");
  auto none = data_.Add(kV2, R"({"A":[]})");
  RowRef row = data_.Insert("A", R"({"n":1})");
  EXPECT_EQ(Told(v1, row), R"({"A":{"ROW":{"new":{}}}})");
  EXPECT_EQ(Told(v2, row), R"({"A":{"ROW":{"insert":{}}}})");
  EXPECT_EQ(Masked(data_.Initial(*v1), row), R"({"A":{"ROW":{"new":{}}}})");
  EXPECT_EQ(data_.Initial(*none), "{}");
  row = data_.Update("A", row, R"({"n":2})");
  EXPECT_TRUE(data_.deliveries().empty());
  data_.Delete("A", row);
  EXPECT_EQ(Told(v1, row), R"({"A":{"ROW":{"old":{}}}})");
  EXPECT_EQ(Told(none, row), "");
}

TEST_F(MonitorTest, SelectIsPerColumn) {
  const char requests[] = R"({"A":[
      {"columns":["n"],"select":{"initial":false,"insert":false,"delete":false}},
      {"columns":["s"],"select":{"modify":false,"delete":false}},
      {"columns":["b"],"select":{"insert":false,"modify":false}},
      {"columns":["r"],"select":{"insert":false}}]})";
  RowRef row = data_.Insert("A", R"({"n":1,"s":"one"})");
  auto v1 = data_.Add(kV1, requests);
  auto v2 = data_.Add(kV2, requests);
  EXPECT_EQ(Masked(data_.Initial(*v1), row),
            R"({"A":{"ROW":{"new":{"b":false,"r":0,"s":"one"}}}})");
  EXPECT_EQ(Masked(data_.Initial(*v2), row), R"({"A":{"ROW":{"initial":{"s":"one"}}}})");

  row = data_.Update("A", row, R"({"n":5})");
  EXPECT_EQ(Told(v1, row), R"({"A":{"ROW":{"new":{"n":5,"r":0},"old":{"n":1}}}})");
  EXPECT_EQ(Told(v2, row), R"({"A":{"ROW":{"modify":{"n":5}}}})");
  row = data_.Update("A", row, R"({"s":"x"})");
  EXPECT_EQ(Told(v1, row), R"({"A":{"ROW":{"new":{"n":5,"r":0},"old":{}}}})");
  EXPECT_EQ(Told(v2, row), R"({"A":{"ROW":{"modify":{}}}})");
  RowRef inserted = data_.Insert("A", R"({"n":9,"s":"nine"})");
  EXPECT_EQ(Told(v1, inserted), R"({"A":{"ROW":{"new":{"s":"nine"}}}})");
  EXPECT_EQ(Told(v2, inserted), R"({"A":{"ROW":{"insert":{"s":"nine"}}}})");
  data_.Delete("A", inserted);
  EXPECT_EQ(Told(v1, inserted), R"({"A":{"ROW":{"old":{"b":false,"r":0}}}})");
  EXPECT_EQ(Told(v2, inserted), R"({"A":{"ROW":{"delete":null}}})");
}

TEST_F(MonitorTest, WhatIsNotSelectedIsNotTold) {
  RowRef row = data_.Insert("A", "{}");
  auto no_initial = data_.Add(kV2, R"({"A":{"select":{"initial":false}}})");
  EXPECT_EQ(data_.Initial(*no_initial), "{}");
  auto no_modify = data_.Add(kV1, R"({"A":{"columns":["n"],"select":{"modify":false}}})");
  row = data_.Update("A", row, R"({"n":3})");
  EXPECT_EQ(Told(no_modify, row), "");
  auto no_insert = data_.Add(kV2, R"({"A":{"columns":["n"],"select":{"insert":false}}})");
  RowRef inserted = data_.Insert("A", "{}");
  EXPECT_EQ(Told(no_insert, inserted), "");
  auto no_delete = data_.Add(kV2, R"({"A":{"columns":["n"],"select":{"delete":false}}})");
  data_.Delete("A", inserted);
  EXPECT_EQ(Told(no_delete, inserted), "");
  EXPECT_EQ(Told(no_insert, inserted), R"({"A":{"ROW":{"delete":null}}})");
}

TEST_F(MonitorTest, ARowThatBeginsToMatchIsAnInsert) {
  RowRef row = data_.Insert("A", R"({"n":1,"s":"other"})");
  auto monitor = data_.Add(kV2, R"({"A":{"columns":["n"],"where":[["s","==","k"],["r",">",5]]}})");
  EXPECT_EQ(data_.Initial(*monitor), "{}");
  row = data_.Update("A", row, R"({"s":"k"})");
  EXPECT_EQ(Told(monitor, row), R"({"A":{"ROW":{"insert":{"n":1}}}})");
  row = data_.Update("A", row, R"({"n":2})");
  EXPECT_EQ(Told(monitor, row), R"({"A":{"ROW":{"modify":{"n":2}}}})");
  row = data_.Update("A", row, R"({"s":"other","r":7.5,"n":3})");
  EXPECT_EQ(Told(monitor, row), R"({"A":{"ROW":{"modify":{"n":3}}}})") << "by the other clause";
  row = data_.Update("A", row, R"({"r":5,"n":4})");
  EXPECT_EQ(Told(monitor, row), R"({"A":{"ROW":{"delete":null}}})");
  row = data_.Update("A", row, R"({"n":5})");
  EXPECT_EQ(Told(monitor, row), "");
  data_.Delete("A", row);
  EXPECT_EQ(Told(monitor, row), "");
}

TEST_F(MonitorTest, TheFirstWhereOfATableCounts) {
  RowRef one = data_.Insert("A", R"({"n":1})");
  auto first = data_.Add(kV2, R"({"A":[{"columns":["n"],"where":[["n","==",1]]},
                                       {"columns":["s"],"where":[["n","==",2]]}]})");
  auto all =
      data_.Add(kV2, R"({"A":[{"columns":["n"]},{"columns":["s"],"where":[["n","==",2]]}]})");
  EXPECT_EQ(Masked(data_.Initial(*first), one), R"({"A":{"ROW":{"initial":{"n":1}}}})");
  EXPECT_EQ(data_.Initial(*first), data_.Initial(*all));
  RowRef two = data_.Insert("A", R"({"n":2})");
  EXPECT_EQ(Told(first, two), "");
  EXPECT_EQ(Told(all, two), R"({"A":{"ROW":{"insert":{"n":2}}}})");
}

TEST_F(MonitorTest, AConditionOnAnUnseenColumnCrashesNobody) {
  auto plain = data_.Add(kV2, R"({"A":{"columns":["n"]}})");
  auto filtered = data_.Add(kV2, R"({"A":{"columns":["n"],"where":[["s","==","k"]]}})");
  RowRef row = data_.Insert("A", R"({"n":1,"s":"k"})");
  EXPECT_EQ(data_.told(*plain), data_.told(*filtered));
  row = data_.Update("A", row, R"({"n":2})");
  EXPECT_EQ(Told(filtered, row), R"({"A":{"ROW":{"modify":{"n":2}}}})");
}

TEST_F(MonitorTest, NewConditionsTellWhatComesAndGoes) {
  RowRef one = data_.Insert("A", R"({"n":1,"s":"one"})");
  RowRef two = data_.Insert("A", R"({"n":2})");
  auto monitor = data_.Add(kV2, R"({"A":{"columns":["n","s"],"where":[["n","==",1]]}})");
  EXPECT_EQ(data_.ChangeWhere(monitor.get(), R"([["n","==",1],["n","==",3]])"), "");
  std::string update = data_.ChangeWhere(monitor.get(), R"([["n","==",2]])");
  EXPECT_EQ(absl::StrReplaceAll(Sorted(update),
                                {{one->uuid().ToString(), "ONE"}, {two->uuid().ToString(), "TWO"}}),
            one->uuid() < two->uuid()
                ? R"({"A":{"ONE":{"delete":null},"TWO":{"insert":{"n":2}}}})"
                : R"({"A":{"TWO":{"insert":{"n":2}},"ONE":{"delete":null}}})");
  EXPECT_EQ(Masked(data_.ChangeWhere(monitor.get(), "[]"), one),
            R"({"A":{"ROW":{"insert":{"n":1,"s":"one"}}}})");
  EXPECT_EQ(data_.ChangeWhere(monitor.get(), "[true]"), "");
  data_.Delete("A", two);
  EXPECT_EQ(Masked(data_.ChangeWhere(monitor.get(), "[false]"), one),
            R"({"A":{"ROW":{"delete":null}}})");
  data_.Insert("A", R"({"n":1})");
  EXPECT_TRUE(data_.deliveries().empty());
}

TEST_F(MonitorTest, ConditionChangesHonourSelect) {
  RowRef row = data_.Insert("A", R"({"n":1})");
  auto no_insert =
      data_.Add(kV2, R"({"A":{"columns":["n"],"select":{"insert":false},"where":[false]}})");
  auto no_delete =
      data_.Add(kV2, R"({"A":{"columns":["n"],"select":{"delete":false},"where":[false]}})");
  EXPECT_EQ(data_.ChangeWhere(no_insert.get(), "[true]"), "");
  EXPECT_NE(data_.ChangeWhere(no_delete.get(), "[true]"), "");
  EXPECT_NE(data_.ChangeWhere(no_insert.get(), "[false]"), "");
  EXPECT_EQ(data_.ChangeWhere(no_delete.get(), "[false]"), "");
}

TEST_F(MonitorTest, VersionOneIgnoresNewConditions) {
  RowRef row = data_.Insert("A", R"({"n":1})");
  auto monitor = data_.Add(kV1, R"({"A":{"columns":["n"]}})");
  EXPECT_EQ(data_.ChangeWhere(monitor.get(), R"(["not even a condition"])"), "");
  row = data_.Update("A", row, R"({"n":2})");
  EXPECT_EQ(Told(monitor, row), R"({"A":{"ROW":{"new":{"n":2},"old":{"n":1}}}})");
}

TEST_F(MonitorTest, EqualUpdatesAreOneText) {
  std::vector<std::unique_ptr<Monitor>> monitors;
  for (int i = 0; i < 3; ++i) {
    monitors.push_back(data_.Add(kV2, R"({"A":{"columns":["n","s"]},"B":{}})"));
    monitors.push_back(
        data_.Add(kV2, R"({"B":[{}],"A":{"columns":["s","n"],"where":[["n","==",1]]}})"));
    monitors.push_back(data_.Add(kV3, R"({"A":{"columns":["n"],"where":[["n","includes",1]]}})"));
  }
  EXPECT_EQ(data_.index().monitor_count(), 9u);
  EXPECT_EQ(data_.index().kind_count(), 2u);
  data_.Insert("A", R"({"n":1,"s":"x"})");
  ASSERT_EQ(data_.deliveries().size(), 9u);
  std::map<std::pair<const MonitorShape*, bool>, const std::string*> texts;
  for (const Delivery& delivery : data_.deliveries()) {
    const bool filtered = !!delivery.monitor->filters()[0];
    const auto [it, is_new] =
        texts.emplace(std::pair(delivery.monitor->shape().get(), filtered), delivery.updates.get());
    EXPECT_EQ(it->second, delivery.updates.get());
  }
  EXPECT_EQ(texts.size(), 3u);
  EXPECT_EQ(monitors[0]->shape(), monitors[1]->shape());
  EXPECT_EQ(monitors[2]->shape(), monitors[5]->shape());
  EXPECT_FALSE(monitors[0]->shape() == monitors[2]->shape());
  data_.Insert("A", R"({"n":2})");
  EXPECT_EQ(data_.deliveries().size(), 3u);
  monitors.clear();
  EXPECT_EQ(data_.index().monitor_count(), 0u);
  EXPECT_EQ(data_.index().kind_count(), 0u);
  data_.Insert("A", R"({"n":1})");
  EXPECT_TRUE(data_.deliveries().empty());
}

TEST_F(MonitorTest, APausedMonitorCatchesUpInOneUpdate) {
  RowRef row = data_.Insert("A", R"({"n":1})");
  auto monitor = data_.Add(kV2, R"({"A":{"columns":["n"]}})");
  monitor->Pause(data_.db().TakeSnapshot());
  EXPECT_TRUE(monitor->paused());
  row = data_.Update("A", row, R"({"n":2})");
  RowRef passing = data_.Insert("A", R"({"n":7})");
  row = data_.Update("A", row, R"({"n":3})");
  data_.Delete("A", passing);
  EXPECT_TRUE(data_.deliveries().empty());
  auto update = monitor->Resume(data_.db().TakeSnapshot(), {"<", ">", false});
  EXPECT_EQ(Drain(update.get()),
            absl::StrCat("<{\"A\":{\"", row->uuid().ToString(), "\":{\"modify\":{\"n\":3}}}}>"));
  EXPECT_FALSE(monitor->paused());

  monitor->Pause(data_.db().TakeSnapshot());
  row = data_.Update("A", row, R"({"s":"unseen"})");
  update = monitor->Resume(data_.db().TakeSnapshot(), {"<", ">", false});
  EXPECT_EQ(Drain(update.get()), "");
  row = data_.Update("A", row, R"({"n":4})");
  EXPECT_EQ(Told(monitor, row), R"({"A":{"ROW":{"modify":{"n":4}}}})");
}

// A client's copy of what it monitors: per table, per row, columns as JSON text.
class Client {
 public:
  using Row = std::map<std::string, std::string>;
  using Contents = std::map<std::string, std::map<std::string, Row>>;

  explicit Client(const Monitor& monitor) : monitor_(monitor) {}

  // Applies a table updates object; none if it is empty.
  void Apply(absl::string_view updates, bool initial) {
    if (updates.empty()) return;
    absl::StatusOr<JsonDocument> document = ParseJson(updates);
    ASSERT_TRUE(document.ok()) << document.status() << ": " << updates;
    for (const auto& table : document->GetObject()) {
      EXPECT_GT(table.value.MemberCount(), 0u);
      for (const auto& row : table.value.GetObject()) {
        ApplyRow(std::string(StringView(table.name)), std::string(StringView(row.name)), row.value,
                 initial);
      }
    }
  }

  const Contents& contents() const { return contents_; }

 private:
  const ColumnSchema& Column(const std::string& table, const Json& name) const {
    return *monitor_.shape()->schema().FindTable(table)->FindColumn(StringView(name));
  }

  void ApplyRow(const std::string& table, const std::string& uuid, const Json& update,
                bool initial) {
    std::map<std::string, Row>& rows = contents_[table];
    if (monitor_.version() == MonitorVersion::kV1) {
      const Json* before = FindMember(update, "old");
      const Json* after = FindMember(update, "new");
      EXPECT_EQ(rows.contains(uuid), before != nullptr) << uuid;
      rows.erase(uuid);
      if (after != nullptr) rows[uuid] = AllColumns(table, *after);
      return;
    }
    ASSERT_EQ(update.MemberCount(), 1u);
    const std::string event(StringView(update.MemberBegin()->name));
    const Json& columns = update.MemberBegin()->value;
    EXPECT_EQ(initial, event == "initial");
    EXPECT_EQ(rows.contains(uuid), event == "modify" || event == "delete") << event << " " << uuid;
    if (event == "delete") {
      rows.erase(uuid);
    } else if (event == "modify") {
      Modify(table, columns, &rows[uuid]);
    } else {
      rows[uuid] = AllColumns(table, columns);
    }
  }

  // The columns of the update, and of those that the client monitors and are left out the defaults.
  Row AllColumns(const std::string& table, const Json& columns) const {
    Row row;
    for (const TableShapeRef& shape : monitor_.shape()->tables()) {
      if (shape->schema().name != table) continue;
      for (const TableShape::Column& column : shape->columns()) {
        const ColumnSchema& schema = shape->schema().columns[column.column];
        std::string text;
        schema.type.Default().AppendJson(schema.type.is_map(), &text);
        row[schema.name] = text;
      }
    }
    for (const auto& column : columns.GetObject()) {
      row[std::string(StringView(column.name))] = JsonText(column.value);
    }
    return row;
  }

  void Modify(const std::string& table, const Json& columns, Row* row) const {
    EXPECT_GT(columns.MemberCount(), 0u);
    for (const auto& column : columns.GetObject()) {
      const ColumnSchema& schema = Column(table, column.name);
      std::string& text = (*row)[schema.name];
      const std::string before = text;
      if (schema.type.n_max == 1) {
        text = JsonText(column.value);
      } else {
        Datum value = *schema.type.ParseDatum(*ParseJson(text), nullptr);
        Datum difference = *schema.type.ParseDatum(column.value, nullptr);
        text.clear();
        ApplyDifference(value, difference).AppendJson(schema.type.is_map(), &text);
      }
      EXPECT_NE(before, text) << "an update of what did not change";
    }
  }

  const Monitor& monitor_;
  Contents contents_;
};

// What a client is to see, by asking each clause about each row.
Client::Contents Expected(const Monitored& data, const Monitor& monitor,
                          const std::map<std::string, std::string>& wheres) {
  Client::Contents contents;
  for (const TableShapeRef& shape : monitor.shape()->tables()) {
    const TableSchema& schema = shape->schema();
    JsonDocument where = *ParseJson(wheres.at(schema.name));
    data.db().table(schema.index).ForEach([&](const Row& row) {
      bool wanted = where.Empty();
      for (const Json& clause : where.GetArray()) {
        wanted |= Clause::Parse(schema, clause, nullptr)->Matches(row);
      }
      if (!wanted) return;
      Client::Row& columns = contents[schema.name][row.uuid().ToString()];
      for (const TableShape::Column& column : shape->columns()) {
        const ColumnSchema& c = schema.columns[column.column];
        row.Get(c.index).AppendJson(c.type.is_map(), &columns[c.name]);
      }
    });
  }
  return contents;
}

Client::Contents WithoutEmptyTables(Client::Contents contents) {
  std::erase_if(contents, [](const auto& table) { return table.second.empty(); });
  return contents;
}

class RandomRun {
 public:
  explicit RandomRun(uint32_t seed) : random_(seed) {}

  void Step() {
    switch (Below(12)) {
      case 0:
        if (sessions_.size() < 12) AddSession();
        break;
      case 1:
        if (!sessions_.empty()) sessions_.erase(sessions_.begin() + Below(sessions_.size()));
        break;
      case 2:
      case 3:
        if (!sessions_.empty()) ChangeConditions(sessions_[Below(sessions_.size())].get());
        break;
      case 4:
        if (!sessions_.empty()) PauseOrResume(sessions_[Below(sessions_.size())].get());
        break;
      default:
        Commit();
    }
  }

  void Check() {
    for (const auto& session : sessions_) {
      if (session->monitor->paused()) continue;
      ASSERT_EQ(WithoutEmptyTables(session->client->contents()),
                Expected(data_, *session->monitor, session->wheres));
    }
  }

 private:
  struct Session {
    std::unique_ptr<Monitor> monitor;
    std::unique_ptr<Client> client;
    std::map<std::string, std::string> wheres;  // By table.
  };

  size_t Below(size_t n) { return random_() % n; }
  template <typename T>
  const T& Any(const std::vector<T>& choices) {
    return choices[Below(choices.size())];
  }

  std::string Set() {
    std::vector<std::string> elements;
    for (const char* e : {"a", "b", "c"}) {
      if (Below(2) == 0) elements.push_back(absl::StrCat("\"", e, "\""));
    }
    return absl::StrCat("[\"set\",[", absl::StrJoin(elements, ","), "]]");
  }
  std::string Map(size_t max) {
    std::vector<std::string> pairs;
    for (const char* key : {"k", "l", "m"}) {
      if (Below(2) == 0 && pairs.size() < max) {
        pairs.push_back(absl::StrCat("[\"", key, "\",\"", Below(2), "\"]"));
      }
    }
    return absl::StrCat("[\"map\",[", absl::StrJoin(pairs, ","), "]]");
  }
  std::string Number() { return absl::StrCat(Below(4)); }
  std::string OptionalNumber() { return Below(3) == 0 ? "[\"set\",[]]" : Number(); }
  std::string OptionalUuid() {
    return Below(3) == 0 ? "[\"set\",[]]"
                         : absl::StrCat("[\"uuid\",\"", Uuid{0, Below(3)}.ToString(), "\"]");
  }

  std::string Columns(const std::string& table) {
    std::vector<std::string> columns;
    auto add = [&](absl::string_view name, const std::string& value) {
      if (Below(3) == 0) columns.push_back(absl::StrCat("\"", name, "\":", value));
    };
    if (table == "B") {
      add("x", Number());
      add("y", Number());
    } else {
      add("b", Below(2) == 0 ? "true" : "false");
      add("m", Map(3));
      add("n", Number());
      add("o", OptionalNumber());
      add("om",
          Below(2) == 0 ? "[\"map\",[]]" : absl::StrCat("[\"map\",[[\"k\",", Below(3), "]]]"));
      add("r", absl::StrCat(Below(3), ".5"));
      add("s", Any<std::string>({"\"\"", "\"x\"", "\"yes\""}));
      add("set", Set());
      add("u", OptionalUuid());
    }
    return absl::StrCat("{", absl::StrJoin(columns, ","), "}");
  }

  std::string Clause(const std::string& table, size_t kind) {
    auto clause = [](absl::string_view column, absl::string_view function, std::string value) {
      return absl::StrCat("[\"", column, "\",\"", function, "\",", value, "]");
    };
    const std::string equality = Any<std::string>({"==", "==", "==", "!=", "includes", "excludes"});
    const std::string order = Any<std::string>({"<", "<=", ">", ">="});
    if (Below(25) == 0) return Any<std::string>({"true", "false", "false"});
    if (Below(8) == 0) return clause("_uuid", Any<std::string>({"==", "includes"}), AnyUuid());
    if (table == "B") return clause(Any<std::string>({"x", "y"}), equality, Number());
    switch (kind % 9) {
      case 0:
        return clause("b", equality, "true");
      case 1:
        return clause("m", equality, Map(2));
      case 2:
        return clause("n", Below(3) == 0 ? order : equality, Number());
      case 3:
        return Below(3) == 0 ? clause("o", order, Number())
                             : clause("o", equality, OptionalNumber());
      case 4:
        return clause("om", equality, "[\"map\",[[\"k\",1]]]");
      case 5:
        return clause("r", order, "1.5");
      case 6:
        return clause("s", equality, "\"x\"");
      case 7:
        return clause("set", equality, Set());
      default:
        return clause("u", equality, OptionalUuid());
    }
  }
  std::string AnyUuid() {
    Uuid uuid;
    std::vector<Uuid> all;
    data_.db().table(0).ForEach([&](const Row& row) { all.push_back(row.uuid()); });
    if (!all.empty()) uuid = Any(all);
    return absl::StrCat("[\"uuid\",\"", uuid.ToString(), "\"]");
  }
  std::string Where(const std::string& table) {
    std::vector<std::string> clauses;
    const bool all_alike = Below(3) == 0;  // As clients have them: many on a column.
    const size_t kind = random_();
    for (size_t n = Below(all_alike ? 20 : 5); n > 0; --n) {
      clauses.push_back(Clause(table, all_alike ? kind : random_()));
    }
    return absl::StrCat("[", absl::StrJoin(clauses, ","), "]");
  }

  void AddSession() {
    const MonitorVersion version = Any<MonitorVersion>({kV1, kV2, kV3});
    auto session = std::make_unique<Session>();
    std::vector<std::string> tables;
    const std::string a = Any<std::string>(
        {"\"columns\":[\"n\",\"set\"]", "\"columns\":[\"m\",\"om\",\"s\",\"u\",\"o\"]",
         "\"columns\":[\"_uuid\",\"_version\",\"b\",\"r\",\"m\",\"set\"]", "\"select\":{}"});
    for (const auto& [table, request] :
         std::map<std::string, std::string>{{"A", a}, {"B", "\"select\":{}"}}) {
      if (table == "B" && Below(2) == 0) continue;
      session->wheres[table] = version == kV1 || Below(4) == 0 ? "[]" : Where(table);
      tables.push_back(absl::StrCat("\"", table, "\":{", request,
                                    version == kV1 ? "" : ",\"where\":" + session->wheres[table],
                                    "}"));
    }
    session->monitor = data_.Add(version, absl::StrCat("{", absl::StrJoin(tables, ","), "}"));
    session->client = std::make_unique<Client>(*session->monitor);
    session->client->Apply(data_.Initial(*session->monitor), /*initial=*/true);
    sessions_.push_back(std::move(session));
  }

  void ChangeConditions(Session* session) {
    if (session->monitor->version() == kV1) return;
    std::vector<std::string> tables;
    for (auto& [table, where] : session->wheres) {
      if (Below(2) == 0) continue;
      if (Below(2) == 0 || where == "[]") {
        where = Where(table);
      } else {  // As clients do: one clause more.
        where.back() = ',';
        where += Clause(table, random_()) + "]";
      }
      tables.push_back(absl::StrCat("\"", table, "\":[{\"where\":", where, "}]"));
    }
    JsonDocument params =
        *ParseJson(absl::StrCat("[\"id\",\"id\",{", absl::StrJoin(tables, ","), "}]"));
    Monitor* monitor = session->monitor.get();
    auto request = FilterRequest::Parse(*monitor->shape(), monitor->filters(), params, Never);
    ASSERT_TRUE(request.ok()) << request.status();
    session->client->Apply(
        Drain(monitor->ChangeFilters(*std::move(request), data_.db(), {"", "", false}).get()),
        /*initial=*/false);
  }

  void PauseOrResume(Session* session) {
    if (!session->monitor->paused()) {
      session->monitor->Pause(data_.db().TakeSnapshot());
      return;
    }
    session->client->Apply(
        Drain(session->monitor->Resume(data_.db().TakeSnapshot(), {"", "", false}).get()),
        /*initial=*/false);
  }

  void Commit() {
    Change change;
    for (const std::string table : {"A", "B"}) {
      TableChange changes{data_.table(table).index, {}};
      std::vector<RowRef> rows;
      data_.db().TakeSnapshot().tables[changes.table].ForEach(
          [&](const RowRef& row) { rows.push_back(row); });
      std::shuffle(rows.begin(), rows.end(), random_);
      rows.resize(std::min(rows.size(), Below(4)));
      for (const RowRef& row : rows) {
        if (Below(4) == 0) {
          changes.rows.push_back({row, nullptr});
        } else {
          changes.rows.push_back({row, data_.MakeRow(table, row, Columns(table))});
        }
      }
      for (size_t n = Below(3); n > 0; --n) {
        changes.rows.push_back({nullptr, data_.MakeRow(table, nullptr, Columns(table))});
      }
      if (!changes.rows.empty()) change.tables.push_back(std::move(changes));
    }
    data_.Commit(change);
    std::map<const Monitor*, int> times;
    for (const Delivery& delivery : data_.deliveries()) {
      EXPECT_EQ(++times[delivery.monitor], 1) << "told twice of a change";
      auto session = std::find_if(sessions_.begin(), sessions_.end(), [&](const auto& s) {
        return s->monitor.get() == delivery.monitor;
      });
      ASSERT_FALSE((*session)->monitor->paused());
      (*session)->client->Apply(*delivery.updates, /*initial=*/false);
    }
  }

  std::mt19937 random_;
  Monitored data_;
  std::vector<std::unique_ptr<Session>> sessions_;
};

TEST(MonitorProperty, ClientsSeeTheirPartOfTheDatabase) {
  for (uint32_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    RandomRun run(seed);
    for (int i = 0; i < 150; ++i) {
      run.Step();
      run.Check();
      if (testing::Test::HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace ovsdb
