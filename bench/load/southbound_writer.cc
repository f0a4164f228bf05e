#include "bench/load/southbound_writer.h"

#include "absl/strings/str_cat.h"

namespace load {
namespace {

// New flows have UUIDs that the client chooses, so that it can delete them without reading replies.
constexpr uint64_t kFirstNewFlow = uint64_t{1} << 40;

}  // namespace

SouthboundWriter::SouthboundWriter(const Options& options, size_t lanes, uint64_t datapaths)
    : net_(options.rows, options.datapaths),
      datapaths_(datapaths != 0 ? datapaths : net_.datapaths),
      steps_(lanes),
      items_(lanes) {}

Request SouthboundWriter::Next(size_t lane) {
  const uint64_t step = steps_[lane]++ % 3;
  if (step == 0) items_[lane] = count_++;
  const uint64_t item = items_[lane];
  const uint64_t datapath = item % datapaths_;
  const std::string flow = UuidJson(Kind::kFlow, kFirstNewFlow + item);
  std::string operation;
  if (step == 0) {
    operation = absl::StrCat(
        "{\"op\":\"insert\",\"table\":\"Logical_Flow\",\"uuid\":\"",
        Uuid(Kind::kFlow, kFirstNewFlow + item),
        "\",\"row\":{\"logical_datapath\":", UuidJson(Kind::kDatapath, datapath),
        ",\"pipeline\":\"ingress\",\"table_id\":30,\"priority\":50,\"match\":\"eth.dst == ",
        Mac(item), "\",\"actions\":\"outport = \\\"", PortName(item),
        "\\\"; output;\",\"external_ids\":[\"map\",",
        "[[\"source\",\"northd.c:9755\"],[\"stage-name\",\"ls_in_l2_lkup\"]]]}}");
  } else if (step == 1) {
    const uint64_t round = item / datapaths_;
    // Ports of this datapath in turn: the row changes in any case.
    const uint64_t per_datapath = net_.ports / net_.datapaths;
    const uint64_t port = datapath + round % per_datapath * net_.datapaths;
    operation = absl::StrCat("{\"op\":\"update\",\"table\":\"Port_Binding\",\"where\":[[\"_uuid\",",
                             "\"==\",", UuidJson(Kind::kPortBinding, port),
                             "]],\"row\":{\"mac\":\"", Mac(kFirstNewFlow + item), " ",
                             Ipv4(item + 1), "\",\"nat_addresses\":\"", Mac(item), "\"}}");
  } else {
    operation = absl::StrCat("{\"op\":\"delete\",\"table\":\"Logical_Flow\",\"where\":[[\"_uuid\",",
                             "\"==\",", flow, "]]}");
  }
  return {"transact", absl::StrCat("[\"OVN_Southbound\",", operation,
                                   ",{\"op\":\"comment\",\"comment\":\"ovn-northd\"}]")};
}

std::string SouthboundWriter::MarkRequest(absl::string_view mark) const {
  return absl::StrCat(
      "{\"id\":3,\"method\":\"transact\",\"params\":[\"OVN_Southbound\",{\"op\":",
      "\"update\",\"table\":\"SB_Global\",\"where\":[],\"row\":{\"options\":[\"map\",[[",
      "\"mark\",\"", mark, "\"]]]}}]}");
}

}  // namespace load
