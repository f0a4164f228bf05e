// What start-up and compaction are made of: a southbound's record read row by row, applied to an
// empty database, and written again.
#include <string>

#include "absl/strings/str_cat.h"
#include "bench/load/network.h"
#include "benchmark/benchmark.h"
#include "ovsdb/database.h"
#include "ovsdb/log_json.h"
#include "ovsdb/schema.h"
#include "ovsdb/uuid.h"

namespace ovsdb {
namespace {

constexpr uint64_t kFlows = 20000;

// The columns of Logical_Flow that the rows have.
constexpr char kSchema[] = R"({"name":"S","version":"1.0.0","tables":{"Logical_Flow":{"isRoot":true,
  "columns":{
    "logical_datapath":{"type":{"key":"uuid","min":0}},
    "logical_dp_group":{"type":{"key":"uuid","min":0}},
    "pipeline":{"type":{"key":{"type":"string","enum":["set",["ingress","egress"]]}}},
    "table_id":{"type":{"key":{"type":"integer","minInteger":0,"maxInteger":32}}},
    "priority":{"type":{"key":{"type":"integer","minInteger":0,"maxInteger":65535}}},
    "match":{"type":"string"},
    "actions":{"type":"string"},
    "tags":{"type":{"key":"string","value":"string","min":0,"max":"unlimited"}},
    "controller_meter":{"type":{"key":"string","min":0}},
    "external_ids":{"type":{"key":"string","value":"string","min":0,"max":"unlimited"}},
    "flow_desc":{"type":{"key":"string","min":0}}}}}})";

std::string FlowsRecord() {
  const load::Southbound net(kFlows);
  std::string text = "{\"_date\":1700000000000,\"Logical_Flow\":{";
  for (uint64_t i = 0; i < kFlows; ++i) {
    absl::StrAppend(&text, i == 0 ? "\"" : ",\"", load::Uuid(load::Kind::kFlow, i),
                    "\":", load::FlowRow(net, i));
  }
  return text + "}}\n";
}

void BM_ReadRecord(benchmark::State& state) {
  const std::string text = FlowsRecord();
  const SchemaRef schema = DatabaseSchema::ParseText(kSchema).value();
  UuidGenerator uuids(1);
  for (auto _ : state) {
    std::string copy = text + '\0';
    const Database db(schema);
    auto record = ReadRecord(db, copy.data(), text.size(), &uuids);
    if (!record.ok()) state.SkipWithError("the record cannot be read");
    benchmark::DoNotOptimize(record);
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kFlows));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * text.size()));
}
BENCHMARK(BM_ReadRecord)->Unit(benchmark::kMillisecond);

void BM_Apply(benchmark::State& state) {
  std::string text = FlowsRecord();
  const size_t size = text.size();
  text += '\0';
  const SchemaRef schema = DatabaseSchema::ParseText(kSchema).value();
  UuidGenerator uuids(1);
  const auto record = ReadRecord(Database(schema), text.data(), size, &uuids);
  for (auto _ : state) {
    Database db(schema);
    db.Apply(record->change);
    benchmark::DoNotOptimize(db.row_count());
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kFlows));
}
BENCHMARK(BM_Apply)->Unit(benchmark::kMillisecond);

void BM_WriteSnapshotRecord(benchmark::State& state) {
  std::string text = FlowsRecord();
  const size_t size = text.size();
  text += '\0';
  Database db(DatabaseSchema::ParseText(kSchema).value());
  UuidGenerator uuids(1);
  db.Apply(ReadRecord(db, text.data(), size, &uuids)->change);
  const Snapshot snapshot = db.TakeSnapshot();
  size_t written = 0;
  for (auto _ : state) {
    const absl::Status status = WriteSnapshotRecord(
        snapshot, 1700000000000, "", RecordForm::kDifferences, [&](absl::string_view piece) {
          written += piece.size();
          return absl::OkStatus();
        });
    if (!status.ok()) state.SkipWithError("the snapshot cannot be written");
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kFlows));
  state.SetBytesProcessed(static_cast<int64_t>(written));
}
BENCHMARK(BM_WriteSnapshotRecord)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace ovsdb
