#include "raft/fields.h"

#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "ovsdb/error.h"

namespace raft {
namespace {

using ovsdb::Json;
using ovsdb::ObjectParser;
using ovsdb::StringView;

uint64_t NumberOf(const Json* json, absl::string_view name, ObjectParser* parser) {
  if (json == nullptr) return 0;
  const int64_t number = *ovsdb::JsonInteger(*json);
  if (number >= 0) return number;
  parser->Fail(absl::StrCat(name, " is negative"));
  return 0;
}

uint64_t TimerOf(const Json* json, absl::string_view name, ObjectParser* parser) {
  if (json == nullptr) return 0;
  const uint64_t timer = NumberOf(json, name, parser);
  if (timer >= kMinElectionTimerMs && timer <= kMaxElectionTimerMs) return timer;
  parser->Fail(
      absl::StrCat(name, " is not between ", kMinElectionTimerMs, " and ", kMaxElectionTimerMs));
  return 0;
}

ovsdb::Uuid UuidOf(const Json* json, absl::string_view name, ObjectParser* parser) {
  if (json == nullptr) return {};
  const std::optional<ovsdb::Uuid> uuid = ovsdb::Uuid::Parse(StringView(*json));
  if (uuid) return *uuid;
  parser->Fail(absl::StrCat(name, " is not a valid UUID"));
  return {};
}

std::string StringOf(const Json* json) {
  return json == nullptr ? "" : std::string(StringView(*json));
}

Payload PayloadOf(const Json* json) {
  if (json == nullptr) return nullptr;
  return std::make_shared<const std::string>(ovsdb::JsonText(*json));
}

bool IsPort(absl::string_view text) {
  uint32_t port;
  for (const char c : text) {
    if (!absl::ascii_isdigit(c)) return false;
  }
  return absl::SimpleAtoi(text, &port) && port <= 65535;
}

// HOST:PORT, where a host with colons of its own is in brackets.
bool IsHostAndPort(absl::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos || !IsPort(text.substr(colon + 1))) return false;
  const absl::string_view host = text.substr(0, colon);
  return absl::StartsWith(host, "[") ? absl::EndsWith(host, "]") : !absl::StrContains(host, ':');
}

absl::StatusOr<std::string> ParseAddress(const Json& json) {
  if (!json.IsString()) return ovsdb::SyntaxError(json, "server address is not string");
  const absl::Status status = CheckAddress(StringView(json));
  if (!status.ok()) return status;
  return std::string(StringView(json));
}

}  // namespace

void ObjectWriter::Name(absl::string_view name) {
  if (!std::exchange(first_, false)) out_->push_back(',');
  absl::StrAppend(out_, "\"", name, "\":");
}

void ObjectWriter::Number(absl::string_view name, uint64_t value) {
  Name(name);
  absl::StrAppend(out_, value);
}

void ObjectWriter::String(absl::string_view name, absl::string_view value) {
  Name(name);
  ovsdb::AppendJsonString(value, out_);
}

void ObjectWriter::Boolean(absl::string_view name, bool value) {
  Text(name, value ? "true" : "false");
}

void ObjectWriter::Uuid(absl::string_view name, const ovsdb::Uuid& value) {
  Name(name);
  out_->push_back('"');
  value.AppendTo(out_);
  out_->push_back('"');
}

void ObjectWriter::Servers(absl::string_view name, const raft::Servers& value) {
  Name(name);
  ObjectWriter servers(out_);
  for (const auto& [id, address] : value) servers.String(id.ToString(), address);
  servers.End();
}

void ObjectWriter::Addresses(absl::string_view name, const std::vector<std::string>& value) {
  Name(name);
  out_->push_back('[');
  for (const std::string& address : value) {
    if (&address != &value.front()) out_->push_back(',');
    ovsdb::AppendJsonString(address, out_);
  }
  out_->push_back(']');
}

void ObjectWriter::Text(absl::string_view name, absl::string_view json) {
  Name(name);
  out_->append(json.data(), json.size());
}

void ObjectWriter::BeginArray(absl::string_view name) {
  Name(name);
  out_->push_back('[');
}

ObjectWriter ObjectWriter::Element() {
  if (out_->back() != '[') out_->push_back(',');
  return ObjectWriter(out_);
}

bool ReadBoolean(absl::string_view name, ObjectParser* parser) {
  const Json* const json = parser->Required(name, ObjectParser::kBoolean);
  return json != nullptr && json->GetBool();
}

bool ReadOptionalBoolean(absl::string_view name, ObjectParser* parser) {
  const Json* const json = parser->Optional(name, ObjectParser::kBoolean);
  return json != nullptr && json->GetBool();
}

std::string ReadString(absl::string_view name, ObjectParser* parser) {
  return StringOf(parser->Required(name, ObjectParser::kString));
}

std::string ReadOptionalString(absl::string_view name, ObjectParser* parser) {
  return StringOf(parser->Optional(name, ObjectParser::kString));
}

uint64_t ReadNumber(absl::string_view name, ObjectParser* parser) {
  return NumberOf(parser->Required(name, ObjectParser::kInteger), name, parser);
}

uint64_t ReadOptionalNumber(absl::string_view name, ObjectParser* parser) {
  return NumberOf(parser->Optional(name, ObjectParser::kInteger), name, parser);
}

uint64_t ReadPlace(absl::string_view name, ObjectParser* parser) {
  const Json* const json = parser->Required(name, ObjectParser::kInteger);
  return json != nullptr && *ovsdb::JsonInteger(*json) == -1 ? 0 : NumberOf(json, name, parser);
}

uint64_t ReadTimer(absl::string_view name, ObjectParser* parser) {
  return TimerOf(parser->Required(name, ObjectParser::kInteger), name, parser);
}

uint64_t ReadOptionalTimer(absl::string_view name, ObjectParser* parser) {
  return TimerOf(parser->Optional(name, ObjectParser::kInteger), name, parser);
}

ovsdb::Uuid ReadUuid(absl::string_view name, ObjectParser* parser) {
  return UuidOf(parser->Required(name, ObjectParser::kString), name, parser);
}

ovsdb::Uuid ReadOptionalUuid(absl::string_view name, ObjectParser* parser) {
  return UuidOf(parser->Optional(name, ObjectParser::kString), name, parser);
}

ServerId ReadServerId(absl::string_view name, ObjectParser* parser) {
  const ServerId id = ReadUuid(name, parser);
  if (id.is_zero()) parser->Fail(absl::StrCat(name, " is all zeros"));
  return id;
}

Payload ReadPayload(absl::string_view name, ObjectParser* parser) {
  return PayloadOf(parser->Required(name, ObjectParser::kArray | ObjectParser::kObject));
}

absl::StatusOr<ServersRef> ParseServers(const Json& object) {
  if (object.ObjectEmpty()) return ovsdb::SyntaxError(object, "must have at least one server");
  auto servers = std::make_shared<Servers>();
  for (const auto& member : object.GetObject()) {
    const absl::string_view name = StringView(member.name);
    const std::optional<ServerId> id = ServerId::Parse(name);
    if (!id) return ovsdb::SyntaxError(object, absl::StrCat(name, " is not a UUID"));
    if (id->is_zero()) return ovsdb::SyntaxError(object, absl::StrCat(name, " is all zeros"));
    absl::StatusOr<std::string> address = ParseAddress(member.value);
    if (!address.ok()) return address.status();
    if (!servers->emplace(*id, *std::move(address)).second) {
      return ovsdb::SyntaxError(object, absl::StrCat(name, " occurs twice"));
    }
  }
  return servers;
}

absl::StatusOr<std::vector<std::string>> ParseAddresses(const Json& array) {
  if (array.Empty()) return ovsdb::SyntaxError(array, "at least one remote address is required");
  std::vector<std::string> addresses;
  for (const Json& element : array.GetArray()) {
    absl::StatusOr<std::string> address = ParseAddress(element);
    if (!address.ok()) return address.status();
    addresses.push_back(*std::move(address));
  }
  return addresses;
}

void WriteEntry(const Entry& entry, ObjectWriter* writer) {
  if (entry.servers != nullptr) writer->Servers("servers", *entry.servers);
  if (entry.election_timer_ms != 0) writer->Number("election_timer", entry.election_timer_ms);
  if (entry.data != nullptr) {
    writer->Uuid("eid", entry.eid);
    writer->Text("data", *entry.data);
  }
  writer->Number("term", entry.term);
}

absl::StatusOr<Entry> ReadEntry(absl::string_view what, ObjectParser* parser) {
  Entry entry;
  entry.term = ReadNumber("term", parser);
  const Json* const servers = parser->Optional("servers", ObjectParser::kObject);
  entry.election_timer_ms = ReadOptionalTimer("election_timer", parser);
  entry.data = PayloadOf(parser->Optional("data", ObjectParser::kArray | ObjectParser::kObject));
  if (entry.data != nullptr) entry.eid = ReadUuid("eid", parser);
  if (!parser->Finish()) return parser->Error(what);
  if (servers != nullptr) {
    absl::StatusOr<ServersRef> parsed = ParseServers(*servers);
    if (!parsed.ok()) return parsed.status();
    entry.servers = *std::move(parsed);
  }
  return entry;
}

absl::Status CheckAddress(absl::string_view address) {
  absl::string_view rest = address;
  if (absl::StartsWith(address, "unix:")) return absl::OkStatus();
  if (!absl::ConsumePrefix(&rest, "tcp:") && !absl::ConsumePrefix(&rest, "ssl:")) {
    return ovsdb::Error("ovsdb error",
                        absl::StrCat(address, ": expected \"tcp\" or \"ssl\" address"));
  }
  if (IsHostAndPort(rest)) return absl::OkStatus();
  return ovsdb::Error("ovsdb error", absl::StrCat(address, ": syntax error in address"));
}

}  // namespace raft
