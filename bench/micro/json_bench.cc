// What the text of a request costs before anything is done with it.
#include <string>

#include "benchmark/benchmark.h"
#include "ovsdb/json.h"

namespace ovsdb {
namespace {

constexpr char kTransaction[] =
    R"({"id":17,"method":"transact","params":["OVN_Northbound",{"mutations":[["ports","insert",)"
    R"(["set",[["named-uuid","row0"]]]]],"op":"mutate","table":"Logical_Switch","where":[["_uuid",)"
    R"("==",["uuid","0c0c2c4c-d7d0-4b8e-add2-6432407cbc75"]]]},{"op":"insert","row":{"name":"p1"},)"
    R"("table":"Logical_Switch_Port","uuid-name":"row0"},{"comment":"ovn-nbctl lsp-add sw0 p1",)"
    R"("op":"comment"}]})";

void BM_ParseJson(benchmark::State& state) {
  const std::string text = kTransaction;
  for (auto _ : state) benchmark::DoNotOptimize(ParseJson(text));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * text.size()));
}
BENCHMARK(BM_ParseJson);

void BM_ParseJsonInSitu(benchmark::State& state) {
  const std::string text = kTransaction;
  for (auto _ : state) {
    std::string copy = text;
    benchmark::DoNotOptimize(ParseJsonInSitu(&copy));
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * text.size()));
}
BENCHMARK(BM_ParseJsonInSitu);

void BM_AppendJson(benchmark::State& state) {
  const auto document = ParseJson(kTransaction);
  std::string out;
  for (auto _ : state) {
    out.clear();
    AppendJson(*document, &out);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * out.size()));
}
BENCHMARK(BM_AppendJson);

}  // namespace
}  // namespace ovsdb
