#include "bench/load/generate.h"

#include <openssl/sha.h>

#include <cstdio>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "bench/load/network.h"

namespace load {
namespace {

// A database file being written: a schema record, then transaction records of whole tables or of
// `record_rows` rows each.
class DatabaseWriter {
 public:
  DatabaseWriter(std::FILE* file, uint64_t record_rows) : file_(file), record_rows_(record_rows) {}

  void Schema(std::string schema) {
    for (char& c : schema) {
      if (c == '\n' || c == '\t') c = ' ';
    }
    Record(schema);
  }

  void Table(absl::string_view name, Kind kind, uint64_t count,
             const std::function<std::string(uint64_t)>& row) {
    for (uint64_t i = 0; i < count; ++i) {
      absl::StrAppend(&record_, rows_ == 0 ? "{" : "", i == 0 || rows_ == 0 ? Open(name) : ",",
                      "\"", Uuid(kind, i), "\":", row(i));
      if (++rows_ == record_rows_) Flush();
    }
  }

  // Ends the last record. False if anything could not be written.
  bool Finish() {
    if (rows_ > 0) Flush();
    return std::fflush(file_) == 0 && std::ferror(file_) == 0;
  }

 private:
  std::string Open(absl::string_view table) const {
    return absl::StrCat(rows_ == 0 ? "" : "},", "\"", table, "\":{");
  }

  void Flush() {
    absl::StrAppend(&record_, "},\"_date\":", 1700000000000 + records_, ",\"_is_diff\":true}");
    Record(record_);
    record_.clear();
    rows_ = 0;
  }

  void Record(std::string text) {
    text += '\n';
    unsigned char hash[SHA_DIGEST_LENGTH];
    SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash);
    std::string hex;
    for (unsigned char c : hash) absl::StrAppendFormat(&hex, "%02x", c);
    const std::string header = absl::StrCat("OVSDB JSON ", text.size(), " ", hex, "\n");
    std::fwrite(header.data(), 1, header.size(), file_);
    std::fwrite(text.data(), 1, text.size(), file_);
    ++records_;
  }

  std::FILE* file_;
  const uint64_t record_rows_;
  std::string record_;
  uint64_t rows_ = 0;
  uint64_t records_ = 0;
};

std::string EmptyRow(uint64_t) { return "{}"; }

void WriteNorthbound(const Northbound& net, DatabaseWriter* out) {
  // Rows that refer to others come after them, so that no record has a dangling reference; ports
  // are kept alive by their switch only, so a switch is in one record with its ports.
  out->Table("NB_Global", Kind::kGlobal, 1, EmptyRow);
  out->Table("Address_Set", Kind::kAddressSet, net.address_sets, AddressSetRow);
  out->Table("ACL", Kind::kAcl, net.acls, AclRow);
  out->Table("Port_Group", Kind::kPortGroup, 1, [&](uint64_t) { return PortGroupRow(net); });
  out->Table("Logical_Switch_Port", Kind::kSwitchPort, net.ports, SwitchPortRow);
  out->Table("Logical_Switch", Kind::kSwitch, net.switches,
             [&](uint64_t i) { return SwitchRow(net, i); });
}

void WriteSouthbound(const Southbound& net, DatabaseWriter* out) {
  out->Table("SB_Global", Kind::kGlobal, 1, EmptyRow);
  out->Table("Encap", Kind::kEncap, net.chassis, EncapRow);
  out->Table("Chassis", Kind::kChassis, net.chassis, ChassisRow);
  out->Table("Chassis_Private", Kind::kChassisPrivate, net.chassis, ChassisPrivateRow);
  out->Table("Datapath_Binding", Kind::kDatapath, net.datapaths, DatapathRow);
  out->Table("Logical_DP_Group", Kind::kDatapathGroup, net.groups,
             [&](uint64_t i) { return DatapathGroupRow(net, i); });
  out->Table("Address_Set", Kind::kAddressSet, net.address_sets, AddressSetRow);
  out->Table("Port_Binding", Kind::kPortBinding, net.ports,
             [&](uint64_t i) { return PortBindingRow(net, i); });
  out->Table("Multicast_Group", Kind::kMulticastGroup, net.datapaths * 2,
             [&](uint64_t i) { return MulticastGroupRow(net, i); });
  out->Table("MAC_Binding", Kind::kMacBinding, net.mac_bindings,
             [&](uint64_t i) { return MacBindingRow(net, i); });
  out->Table("Logical_Flow", Kind::kFlow, net.flows, [&](uint64_t i) { return FlowRow(net, i); });
}

}  // namespace

absl::Status Generate(const GenerateOptions& options) {
  std::ifstream schema(options.schema);
  if (!schema) return absl::NotFoundError(absl::StrCat(options.schema, ": cannot open"));
  std::FILE* file = std::fopen(options.out.c_str(), "w");
  if (file == nullptr) return absl::NotFoundError(absl::StrCat(options.out, ": cannot create"));
  DatabaseWriter writer(file, options.record_rows);
  writer.Schema(std::string(std::istreambuf_iterator<char>(schema), {}));
  if (options.northbound) {
    WriteNorthbound(Northbound(options.rows), &writer);
  } else {
    WriteSouthbound(Southbound(options.rows, options.datapaths), &writer);
  }
  const bool written = writer.Finish();
  if (std::fclose(file) != 0 || !written) {
    return absl::DataLossError(absl::StrCat(options.out, ": write failed"));
  }
  return absl::OkStatus();
}

}  // namespace load
