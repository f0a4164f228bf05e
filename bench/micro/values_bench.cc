// What values cost: reading, writing and changing them, which is most of what a transaction is.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "ovsdb/datum.h"
#include "ovsdb/json.h"
#include "ovsdb/row.h"
#include "ovsdb/schema.h"

namespace ovsdb {
namespace {

constexpr char kFlowColumns[] =
    R"({"actions":"eth.dst = eth.src; arp.op = 2; outport = inport; flags.loopback = 1; output;",)"
    R"("external_ids":["map",[["source","northd.c:5095"],["stage-hint","ac0a670a"],)"
    R"(["stage-name","ls_in_arp_rsp"]]],"logical_datapath":["uuid","48208231-57fa-49e5-aa34-b37178e10e70"],)"
    R"("match":"arp.tpa == 10.0.12.34 && arp.op == 1","pipeline":"ingress","priority":50,"table_id":18})";

constexpr char kFlowSchema[] =
    R"({"name":"S","tables":{"F":{"columns":{"actions":{"type":"string"},"match":{"type":"string"},)"
    R"("logical_datapath":{"type":{"key":"uuid","min":0}},"priority":{"type":"integer"},)"
    R"("table_id":{"type":"integer"},"pipeline":{"type":{"key":{"type":"string",)"
    R"("enum":["set",["egress","ingress"]]}}},"external_ids":{"type":{"key":"string",)"
    R"("value":"string","min":0,"max":"unlimited"}}}}}})";

// A flow's row out of its JSON, as inserts and start-up make it.
void BM_ParseRow(benchmark::State& state) {
  const SchemaRef schema = *DatabaseSchema::ParseText(kFlowSchema);
  const TableSchema& table = schema->tables[0];
  const auto json = ParseJson(kFlowColumns);
  for (auto _ : state) {
    MutableRow row(table, Uuid{1, 2}, Uuid{3, 4});
    for (const auto& member : json->GetObject()) {
      const ColumnSchema* column = table.FindColumn(StringView(member.name));
      row.Set(column->index, *column->type.ParseDatum(member.value, nullptr));
    }
    benchmark::DoNotOptimize(std::move(row).Finish());
  }
}
BENCHMARK(BM_ParseRow);

void BM_AppendRow(benchmark::State& state) {
  const SchemaRef schema = *DatabaseSchema::ParseText(kFlowSchema);
  const auto json = ParseJson(kFlowColumns);
  std::vector<Datum> columns;
  for (const auto& member : json->GetObject()) {
    const ColumnSchema* column = schema->tables[0].FindColumn(StringView(member.name));
    columns.push_back(*column->type.ParseDatum(member.value, nullptr));
  }
  std::string out;
  for (auto _ : state) {
    out.clear();
    for (const Datum& column : columns) column.AppendJson(column.is_map(), &out);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * out.size()));
}
BENCHMARK(BM_AppendRow);

void BM_AppendJsonString(benchmark::State& state) {
  const std::string text(state.range(0), 'a');
  std::string out;
  for (auto _ : state) {
    out.clear();
    AppendJsonString(text, &out);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(BM_AppendJsonString)->Arg(8)->Arg(40)->Arg(400);

Datum UuidSet(size_t n, uint64_t step) {
  std::vector<Atom> atoms;
  for (size_t i = 0; i < n; i++) atoms.push_back(Atom::Of(Uuid{i * step, i}));
  return MakeDatum(atoms, {});
}

// One port more on a switch that has some already.
void BM_InsertIntoUuidSet(benchmark::State& state) {
  const Datum set = UuidSet(state.range(0), 2);
  const Datum port(Atom::Of(Uuid{static_cast<uint64_t>(state.range(0)) + 1, 0}));
  for (auto _ : state) benchmark::DoNotOptimize(Union(set, port));
}
BENCHMARK(BM_InsertIntoUuidSet)->Arg(10)->Arg(10000);

// One address less in an address set.
void BM_DeleteFromStringSet(benchmark::State& state) {
  std::vector<std::string> addresses;
  addresses.reserve(state.range(0));
  for (int i = 0; i < state.range(0); i++) {
    addresses.push_back(absl::StrCat("10.0.", i / 256, ".", i % 256));
  }
  std::vector<Atom> atoms;
  atoms.reserve(addresses.size());
  for (const std::string& address : addresses) atoms.push_back(Atom::String(address));
  const Datum set = MakeDatum(atoms, {});
  const Datum address(Atom::String(addresses[addresses.size() / 2]));
  for (auto _ : state) benchmark::DoNotOptimize(Subtract(set, address));
}
BENCHMARK(BM_DeleteFromStringSet)->Arg(10)->Arg(10000);

}  // namespace
}  // namespace ovsdb
