// What transactions cost in the engine, without reading or writing bytes: the small ones of
// ovn-nbctl and other IDL clients on a northbound of 10,000 ports, and one of many rows.
#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "bench/load/network.h"
#include "benchmark/benchmark.h"
#include "ovsdb/database.h"
#include "ovsdb/json.h"
#include "ovsdb/schema.h"
#include "ovsdb/transaction.h"

namespace ovsdb {
namespace {

constexpr uint64_t kPorts = 10000;
constexpr uint64_t kSwitch = 7;

std::string ReadFile(const char* path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string Insertion(absl::string_view table, const std::string& uuid, absl::string_view row) {
  return absl::StrCat(R"({"op":"insert","table":")", table, R"(","uuid":")", uuid, R"(","row":)",
                      row, "}");
}

// A northbound with switches and their ports.
class Northbound {
 public:
  Northbound()
      : net_(kPorts * 2), db_(*DatabaseSchema::ParseText(ReadFile(NORTHBOUND_SCHEMA))), uuids_(1) {
    std::string rows;
    for (uint64_t p = 0; p < net_.ports; p++) {
      absl::StrAppend(&rows, rows.empty() ? "" : ",",
                      Insertion("Logical_Switch_Port", load::Uuid(load::Kind::kSwitchPort, p),
                                load::SwitchPortRow(p)));
    }
    for (uint64_t s = 0; s < net_.switches; s++) {
      absl::StrAppend(&rows, ",",
                      Insertion("Logical_Switch", load::Uuid(load::Kind::kSwitch, s),
                                load::SwitchRow(net_, s)));
    }
    Run(Parse(rows));
  }

  static JsonDocument Parse(absl::string_view operations) {
    return *ParseJson(absl::StrCat("[\"OVN_Northbound\",", operations, "]"));
  }

  Database& db() { return db_; }
  TransactionOutcome Execute(const Json& params) {
    TransactionContext context;
    context.uuids = &uuids_;
    TransactionOutcome outcome = ExecuteTransaction(db_, params, context);
    if (!outcome.committed) abort();
    return outcome;
  }
  void Run(const Json& params) { db_.Apply(Execute(params).change); }

 private:
  load::Northbound net_;
  Database db_;
  UuidGenerator uuids_;
};

// Made once, for all benchmarks leave it as it was.
Northbound& TheNorthbound() {
  static auto& northbound = *new Northbound;
  return northbound;
}

constexpr char kComment[] = R"(,{"op":"comment","comment":"ovn-nbctl: ovn-nbctl lsp-add a b"})";

std::string AddPort() {
  return absl::StrCat(
      R"({"op":"mutate","table":"Logical_Switch","where":[["_uuid","==",)",
      load::UuidJson(load::Kind::kSwitch, kSwitch),
      R"(]],"mutations":[["ports","insert",["set",[["named-uuid","row0"]]]]]},)",
      R"({"op":"insert","table":"Logical_Switch_Port","uuid-name":"row0","row":{"name":"new-port",)",
      R"("addresses":"0a:58:0a:00:00:01 10.0.0.1","external_ids":["map",[["pod","ns/new-port"],)",
      R"(["vendor","bench"]]]}})", kComment);
}

std::string ChangeAddress() {
  return absl::StrCat(R"({"op":"update","table":"Logical_Switch_Port","where":[["_uuid","==",)",
                      load::UuidJson(load::Kind::kSwitchPort, 4711),
                      R"(]],"row":{"addresses":"0a:58:0a:00:00:02 10.0.0.2"}})", kComment);
}

std::string DeletePort() {
  return absl::StrCat(
      R"({"op":"mutate","table":"Logical_Switch","where":[["_uuid","==",)",
      load::UuidJson(load::Kind::kSwitch, kSwitch), R"(]],"mutations":[["ports","delete",["set",[)",
      load::UuidJson(load::Kind::kSwitchPort, kSwitch * load::Northbound::kPortsPerSwitch), "]]]]}",
      kComment);
}

std::string Wait(absl::string_view table, absl::string_view where, absl::string_view name) {
  return absl::StrCat(R"({"op":"wait","table":")", table, R"(","timeout":0,"where":[)", where,
                      R"(],"columns":["name"],"until":"==","rows":[{"name":")", name, R"("}]},)");
}

void Execute(benchmark::State& state, const std::string& operations) {
  Northbound& northbound = TheNorthbound();
  const JsonDocument params = Northbound::Parse(operations);
  for (auto _ : state) benchmark::DoNotOptimize(northbound.Execute(params));
}

void BM_AddPort(benchmark::State& state) { Execute(state, AddPort()); }
BENCHMARK(BM_AddPort);

void BM_ChangeAddress(benchmark::State& state) { Execute(state, ChangeAddress()); }
BENCHMARK(BM_ChangeAddress);

void BM_DeletePort(benchmark::State& state) { Execute(state, DeletePort()); }
BENCHMARK(BM_DeletePort);

void BM_WaitByUuid(benchmark::State& state) {
  const std::string where =
      absl::StrCat(R"(["_uuid","==",)", load::UuidJson(load::Kind::kSwitch, kSwitch), "]");
  Execute(state, Wait("Logical_Switch", where, absl::StrCat("subnet-", kSwitch)) + ChangeAddress());
}
BENCHMARK(BM_WaitByUuid);

void BM_WaitByUniqueName(benchmark::State& state) {
  const std::string name = load::PortName(4711);
  Execute(state, Wait("Logical_Switch_Port", absl::StrCat(R"(["name","==",")", name, "\"]"), name) +
                     ChangeAddress());
}
BENCHMARK(BM_WaitByUniqueName);

// Logical_Switch has no index on its name.
void BM_WaitByOtherName(benchmark::State& state) {
  const std::string name = absl::StrCat("subnet-", kSwitch);
  Execute(state, Wait("Logical_Switch", absl::StrCat(R"(["name","==",")", name, "\"]"), name) +
                     ChangeAddress());
}
BENCHMARK(BM_WaitByOtherName);

// Making a change current, and taking it back.
void BM_ApplyAndRevert(benchmark::State& state) {
  Northbound& northbound = TheNorthbound();
  const Change change = northbound.Execute(Northbound::Parse(AddPort())).change;
  for (auto _ : state) {
    northbound.db().Apply(change);
    northbound.db().Revert(change);
  }
}
BENCHMARK(BM_ApplyAndRevert);

void BM_InsertManyPorts(benchmark::State& state) {
  std::string operations;
  for (int64_t i = 0; i < state.range(0); i++) {
    absl::StrAppend(&operations, i > 0 ? "," : "",
                    Insertion("Logical_Switch_Port", load::Uuid(load::Kind::kAcl, i),
                              load::SwitchPortRow(kPorts * 10 + i)),
                    R"(,{"op":"mutate","table":"Logical_Switch","where":[["_uuid","==",)",
                    load::UuidJson(load::Kind::kSwitch, i % 100),
                    R"(]],"mutations":[["ports","insert",)", load::UuidJson(load::Kind::kAcl, i),
                    "]]}");
  }
  Northbound& northbound = TheNorthbound();
  const JsonDocument params = Northbound::Parse(operations);
  for (auto _ : state) {
    const Change change = northbound.Execute(params).change;
    northbound.db().Apply(change);
    northbound.db().Revert(change);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_InsertManyPorts)->Arg(1000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace ovsdb
