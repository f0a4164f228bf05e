// Monitors: what a change costs by the number of clients with conditions of their own, what fan-out
// costs, what initial contents cost a byte, and what a condition change costs.
#include <benchmark/benchmark.h>

#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "ovsdb/database.h"
#include "ovsdb/dump.h"
#include "ovsdb/monitor.h"
#include "ovsdb/monitor_index.h"

namespace ovsdb {
namespace {

constexpr char kSchema[] = R"({"name":"S","tables":{"Logical_Flow":{"columns":{
    "actions":{"type":"string"},
    "controller_meter":{"type":{"key":"string","min":0,"max":1}},
    "external_ids":{"type":{"key":"string","value":"string","min":0,"max":"unlimited"}},
    "logical_datapath":{"type":{"key":"uuid","min":0,"max":1}},
    "logical_dp_group":{"type":{"key":"uuid","min":0,"max":1}},
    "match":{"type":"string"},
    "pipeline":{"type":"string"},
    "priority":{"type":"integer"},
    "table_id":{"type":"integer"},
    "tags":{"type":{"key":"string","value":"string","min":0,"max":"unlimited"}}}}}})";

// Logical flows spread over datapaths, as ovn-northd writes them.
class Flows {
 public:
  Flows() : schema_(*DatabaseSchema::ParseText(kSchema)), db_(schema_), index_(schema_) {}

  static Uuid Datapath(uint64_t n) { return Uuid{7, n}; }

  RowRef MakeFlow(uint64_t datapath, int priority) {
    MutableRow row(table(), uuids_.Next(), uuids_.Next());
    Set(&row, "logical_datapath", Datum(Atom::Of(Datapath(datapath))));
    Set(&row, "pipeline", Datum(Atom::String("ingress")));
    Set(&row, "table_id", Datum(Atom::Integer(priority % 30)));
    Set(&row, "priority", Datum(Atom::Integer(priority)));
    Set(&row, "match",
        Datum(Atom::String(absl::StrCat("inport == \"port-", priority,
                                        "\" && eth.src == 00:00:00:00:00:01 && ip4"))));
    Set(&row, "actions", Datum(Atom::String("reg0[15] = check_in_port_sec(); next;")));
    DatumBuilder ids(AtomType::kString, AtomType::kString);
    ids.Add(Atom::String("source"), Atom::String("northd.c:5819"));
    ids.Add(Atom::String("stage-name"), Atom::String("ls_in_check_port_sec"));
    Set(&row, "external_ids", ids.Build());
    return std::move(row).Finish();
  }

  void Fill(int n_flows, int n_datapaths) {
    Change change = Empty();
    for (int i = 0; i < n_flows; ++i) {
      change.tables[0].rows.push_back({nullptr, MakeFlow(i % n_datapaths, i)});
    }
    db_.Apply(change);
  }

  void Add(absl::string_view where) {
    const std::string params = absl::StrCat(R"(["S",1,{"Logical_Flow":{"where":)", where,
                                            R"(}},"00000000-0000-0000-0000-000000000000"])");
    monitors_.push_back(
        index_.Add(*MonitorRequest::Parse(MonitorVersion::kV3, schema_, *ParseJson(params),
                                          [](absl::string_view) { return false; }),
                   nullptr));
  }

  Change Empty() const { return Change{{{table().index, {}}}, ""}; }
  const TableSchema& table() const { return schema_->tables[0]; }
  Database& db() { return db_; }
  MonitorIndex& index() { return index_; }
  std::vector<std::unique_ptr<Monitor>>& monitors() { return monitors_; }

 private:
  void Set(MutableRow* row, absl::string_view column, Datum value) {
    row->Set(table().FindColumn(column)->index, std::move(value));
  }

  SchemaRef schema_;
  Database db_;
  MonitorIndex index_;
  UuidGenerator uuids_{1};
  std::vector<std::unique_ptr<Monitor>> monitors_;
};

std::string DatapathsWhere(const std::vector<uint64_t>& datapaths) {
  std::vector<std::string> clauses;
  for (uint64_t datapath : datapaths) {
    const std::string uuid = Flows::Datapath(datapath).ToString();
    for (const char* column : {"logical_datapath", "logical_dp_group"}) {
      clauses.push_back(absl::StrCat("[\"", column, "\",\"==\",[\"uuid\",\"", uuid, "\"]]"));
    }
  }
  return absl::StrCat("[", absl::StrJoin(clauses, ","), "]");
}

// A flow comes and goes. Each client wants 50 datapaths of its own, and five of them this one.
void BM_ChangeWithConditions(benchmark::State& state) {
  Flows flows;
  for (int64_t i = 0; i < state.range(0); ++i) {
    std::vector<uint64_t> datapaths(50);
    std::iota(datapaths.begin(), datapaths.end(), 100 + i * 50);
    if (i < 5) datapaths.push_back(1);
    flows.Add(DatapathsWhere(datapaths));
  }
  const RowRef row = flows.MakeFlow(1, 1);
  Change come = flows.Empty(), go = flows.Empty();
  come.tables[0].rows = {{nullptr, row}};
  go.tables[0].rows = {{row, nullptr}};
  std::vector<Delivery> deliveries;
  for (auto _ : state) {
    deliveries.clear();
    flows.index().Publish(come, &deliveries);
    flows.index().Publish(go, &deliveries);
    benchmark::DoNotOptimize(deliveries.data());
  }
  if (deliveries.size() != 10) state.SkipWithError("not told");
}
BENCHMARK(BM_ChangeWithConditions)->Arg(10)->Arg(100)->Arg(500);

// The same, and every client wants it.
void BM_ChangeThatAllWant(benchmark::State& state) {
  Flows flows;
  for (int64_t i = 0; i < state.range(0); ++i) {
    std::vector<uint64_t> datapaths = {1};
    for (int d = 0; d < 50; ++d) datapaths.push_back(100 + i * 50 + d);
    flows.Add(DatapathsWhere(datapaths));
  }
  const RowRef row = flows.MakeFlow(1, 1);
  Change come = flows.Empty();
  come.tables[0].rows = {{nullptr, row}};
  std::vector<Delivery> deliveries;
  for (auto _ : state) {
    deliveries.clear();
    flows.index().Publish(come, &deliveries);
    benchmark::DoNotOptimize(deliveries.data());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_ChangeThatAllWant)->Arg(10)->Arg(500);

void BM_FanOut(benchmark::State& state) {
  Flows flows;
  for (int64_t i = 0; i < state.range(0); ++i) flows.Add("[]");
  const RowRef row = flows.MakeFlow(1, 1);
  Change come = flows.Empty();
  come.tables[0].rows = {{nullptr, row}};
  std::vector<Delivery> deliveries;
  for (auto _ : state) {
    deliveries.clear();
    flows.index().Publish(come, &deliveries);
    benchmark::DoNotOptimize(deliveries.data());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_FanOut)->Arg(1)->Arg(100)->Arg(500);

// Initial contents of 100,000 flows, to so many clients that take turns.
void BM_Dump(benchmark::State& state) {
  Flows flows;
  flows.Fill(100000, 500);
  flows.Add("[]");
  size_t bytes = 0;
  for (auto _ : state) {
    std::vector<std::unique_ptr<TextSource>> sources;
    for (int64_t i = 0; i < state.range(0); ++i) {
      sources.push_back(flows.monitors()[0]->Initial(flows.db(), {"", "", true}));
    }
    bool more = true;
    while (more) {
      for (auto& source : sources) {
        std::vector<Text> pieces;
        more = source->Next(&pieces);
        for (const Text& piece : pieces) bytes += piece->size();
      }
    }
  }
  state.SetBytesProcessed(bytes);
}
BENCHMARK(BM_Dump)->Arg(1)->Arg(50)->Unit(benchmark::kMillisecond);

// Initial contents for clients that want 1 datapath in 500.
void BM_DumpWithCondition(benchmark::State& state) {
  Flows flows;
  flows.Fill(100000, 500);
  flows.Add(DatapathsWhere({7}));
  for (auto _ : state) {
    auto source = flows.monitors()[0]->Initial(flows.db(), {"", "", true});
    std::vector<Text> pieces;
    while (source->Next(&pieces)) {
    }
    benchmark::DoNotOptimize(pieces.data());
  }
}
BENCHMARK(BM_DumpWithCondition)->Unit(benchmark::kMicrosecond);

// A client with many datapaths wants one more, and then not, parsing included.
void BM_ConditionChange(benchmark::State& state) {
  Flows flows;
  flows.Fill(100000, 5000);
  std::vector<uint64_t> datapaths;
  for (int64_t d = 0; d < state.range(0); ++d) datapaths.push_back(d);
  flows.Add(DatapathsWhere(datapaths));
  std::vector<uint64_t> more = datapaths;
  more.push_back(state.range(0));
  const std::string wheres[] = {DatapathsWhere(more), DatapathsWhere(datapaths)};
  Monitor& monitor = *flows.monitors()[0];
  auto change = [&] {
    for (const std::string& where : wheres) {
      JsonDocument params =
          *ParseJson(absl::StrCat(R"([1,1,{"Logical_Flow":[{"where":)", where, "}]}]"));
      auto request = FilterRequest::Parse(*monitor.shape(), monitor.filters(), params,
                                          [](absl::string_view) { return false; });
      auto source = monitor.ChangeFilters(*std::move(request), flows.db(), {"", "", false});
      std::vector<Text> pieces;
      while (source->Next(&pieces)) {
      }
      benchmark::DoNotOptimize(pieces.data());
    }
  };
  for (int i = 0; i < 20; ++i) change();  // Until the columns have lookups.
  for (auto _ : state) change();
}
BENCHMARK(BM_ConditionChange)->Arg(10)->Arg(1000)->Unit(benchmark::kMicrosecond);

// A reader that was paused in a database of 100,000 rows catches up with one.
void BM_CatchUp(benchmark::State& state) {
  Flows flows;
  flows.Fill(100000, 500);
  flows.Add("[]");
  Monitor& monitor = *flows.monitors()[0];
  const RowRef row = flows.MakeFlow(1, 1);
  Change come = flows.Empty(), go = flows.Empty();
  come.tables[0].rows = {{nullptr, row}};
  go.tables[0].rows = {{row, nullptr}};
  for (auto _ : state) {
    for (const Change* change : {&come, &go}) {
      monitor.Pause(flows.db().TakeSnapshot());
      flows.db().Apply(*change);
      auto source = monitor.Resume(flows.db().TakeSnapshot(), {"", "", false});
      std::vector<Text> pieces;
      while (source->Next(&pieces)) {
      }
      benchmark::DoNotOptimize(pieces.data());
    }
  }
}
BENCHMARK(BM_CatchUp)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace ovsdb
