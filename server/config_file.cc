#include "server/config_file.h"

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ovsdb/error.h"
#include "ovsdb/json.h"
#include "ovsdb/object_parser.h"

namespace server {
namespace {

using ovsdb::Json;
using ovsdb::ObjectParser;
using Model = DatabaseOptions::Model;
using Complaints = std::vector<ConfigComplaint>;

// Milliseconds that do not fit are as good as the longest that do.
int ToInt(const Json& json) {
  const int64_t value = *ovsdb::JsonInteger(json);
  if (value < std::numeric_limits<int>::min()) return std::numeric_limits<int>::min();
  if (value > std::numeric_limits<int>::max()) return std::numeric_limits<int>::max();
  return static_cast<int>(value);
}

// A database's source is a connection of ours: nobody's rights are limited by it.
enum class Use { kRemote, kSource };

absl::StatusOr<RemoteOptions> ParseConnection(absl::string_view target, const Json& json, Use use,
                                              Complaints* complaints) {
  RemoteOptions options;
  if (json.IsNull()) return options;
  if (!json.IsObject()) {
    return absl::InvalidArgumentError(
        absl::StrCat(target, ": JSON-RPC options are not a JSON object or null"));
  }
  ObjectParser parser(json);
  if (const Json* ms = parser.Optional("max-backoff", ObjectParser::kInteger)) {
    options.max_backoff_ms = ToInt(*ms);
  }
  if (const Json* ms = parser.Optional("inactivity-probe", ObjectParser::kInteger)) {
    options.inactivity_probe_ms = ToInt(*ms);
  }
  if (const Json* dscp = parser.Optional("dscp", ObjectParser::kInteger)) {
    const int value = ToInt(*dscp);
    if (value >= 0 && value <= 63) {
      options.dscp = value;
    } else {
      complaints->push_back({true, absl::StrCat(target, ": dscp ", value, " is not in 0..63")});
    }
  }
  if (use == Use::kRemote) {
    if (const Json* role = parser.Optional("role", ObjectParser::kString)) {
      options.role = std::string(ovsdb::StringView(*role));
    }
    if (const Json* read_only = parser.Optional("read-only", ObjectParser::kBoolean)) {
      options.read_only = read_only->GetBool();
    }
  }
  if (!parser.Finish()) {
    complaints->push_back({true, ovsdb::ErrorText(parser.Error("JSON-RPC options"))});
  }
  return options;
}

Model ParseModel(const Json* json, ObjectParser* parser, Complaints* complaints) {
  if (json == nullptr) return Model::kFromFile;
  const absl::string_view name = ovsdb::StringView(*json);
  if (name == "standalone") return Model::kStandalone;
  if (name == "clustered") return Model::kClustered;
  if (name == "active-backup") return Model::kActiveBackup;
  if (name == "relay") return Model::kRelay;
  complaints->push_back({false, absl::StrCat("Unrecognized database service model: '", name, "'")});
  parser->Fail(absl::StrCat("'", name, "' is not a valid service model"));
  return Model::kFromFile;
}

absl::Status ParseSource(const Json& json, DatabaseOptions* options, Complaints* complaints) {
  if (json.MemberCount() != 1) {
    return absl::InvalidArgumentError("'source' should be an object with exactly one element");
  }
  const auto& member = *json.MemberBegin();
  options->source = std::string(ovsdb::StringView(member.name));
  auto connection = ParseConnection(options->source, member.value, Use::kSource, complaints);
  if (!connection.ok()) return connection.status();
  options->source_options = *std::move(connection);
  return absl::OkStatus();
}

void ParseExcludeTables(const Json& json, DatabaseOptions* options, ObjectParser* parser) {
  for (const Json& table : json.GetArray()) {
    if (!table.IsString()) {
      parser->Fail("'exclude-tables' must contain strings");
      return;
    }
    options->exclude_tables.emplace(ovsdb::StringView(table));
  }
}

absl::StatusOr<DatabaseOptions> ParseDatabase(absl::string_view name, const Json& json,
                                              Complaints* complaints) {
  DatabaseOptions options;
  if (json.IsNull()) return options;

  ObjectParser parser(json);
  options.model =
      ParseModel(parser.Optional("service-model", ObjectParser::kString), &parser, complaints);
  const bool active_backup = options.model == Model::kActiveBackup;
  const bool has_source = active_backup || options.model == Model::kRelay;
  // First, for what is odd in the source is worth a complaint whatever else is wrong.
  absl::Status source_status;
  if (const Json* source = ovsdb::FindMember(json, "source");
      has_source && source != nullptr && source->IsObject()) {
    source_status = ParseSource(*source, &options, complaints);
  }
  if (active_backup) {
    const Json* backup = parser.Required("backup", ObjectParser::kBoolean);
    options.backup = backup != nullptr && backup->GetBool();
    if (const Json* tables = parser.Optional("exclude-tables", ObjectParser::kArray)) {
      ParseExcludeTables(*tables, &options, &parser);
    }
  }
  if (has_source) {
    if (!active_backup || options.backup) {
      parser.Required("source", ObjectParser::kObject);
    } else {
      parser.Optional("source", ObjectParser::kObject);
    }
    if (!source_status.ok()) parser.Fail(std::string(source_status.message()));
  }
  if (!parser.Finish()) return parser.Error(absl::StrCat("database ", name));
  return options;
}

// A member of the whole file: null if absent; an error if it is something else than members.
absl::StatusOr<const Json*> Section(const Json& config, absl::string_view name) {
  const Json* section = ovsdb::FindMember(config, name);
  if (section == nullptr || section->IsNull()) return nullptr;
  if (!section->IsObject()) {
    return absl::InvalidArgumentError(absl::StrCat("config: '", name, "' is not a JSON object"));
  }
  return section;
}

}  // namespace

namespace {

absl::Status ParseRemotes(const Json& config, std::map<std::string, RemoteOptions>* remotes,
                          Complaints* complaints) {
  absl::StatusOr<const Json*> section = Section(config, "remotes");
  if (!section.ok()) return section.status();
  if (*section == nullptr) return absl::OkStatus();
  for (const auto& member : (*section)->GetObject()) {
    const absl::string_view target = ovsdb::StringView(member.name);
    auto options = ParseConnection(target, member.value, Use::kRemote, complaints);
    if (!options.ok()) return options.status();
    (*remotes)[std::string(target)] = *std::move(options);
  }
  return absl::OkStatus();
}

absl::Status ParseDatabases(const Json& config, std::map<std::string, DatabaseOptions>* databases,
                            Complaints* complaints) {
  absl::StatusOr<const Json*> section = Section(config, "databases");
  if (!section.ok()) return section.status();
  if (*section == nullptr) return absl::OkStatus();
  for (const auto& member : (*section)->GetObject()) {
    const absl::string_view name = ovsdb::StringView(member.name);
    auto options = ParseDatabase(name, member.value, complaints);
    if (!options.ok()) return options.status();
    (*databases)[std::string(name)] = *std::move(options);
  }
  return absl::OkStatus();
}

// Complains of an error that spoils the whole file; in a section if that is named.
absl::Status Refuse(absl::Status error, absl::string_view section, Complaints* complaints) {
  complaints->push_back(
      {false, ovsdb::IsOvsdbError(error) ? ovsdb::ErrorText(error) : std::string(error.message())});
  if (!section.empty()) {
    complaints->push_back({false, absl::StrCat("config: failed to parse '", section, "'")});
  }
  return error;
}

// Not a member that people write: ToText() does.
constexpr char kSync[] = "boreas:sync";

void ParseSync(const ovsdb::Json& document, SyncOptions* sync) {
  const ovsdb::Json* json = ovsdb::FindMember(document, kSync);
  if (json == nullptr || !json->IsArray() || json->Size() != 3) return;
  if (!(*json)[0].IsString() || !(*json)[1].IsString()) return;
  sync->source = std::string(ovsdb::StringView((*json)[0]));
  sync->exclude_tables = std::string(ovsdb::StringView((*json)[1]));
  sync->backup = (*json)[2].IsTrue();
}

}  // namespace

absl::StatusOr<ServerConfig> ServerConfig::Parse(absl::string_view text, Complaints* complaints) {
  absl::StatusOr<ovsdb::JsonDocument> document = ovsdb::ParseJsonStructure(text);
  if (!document.ok()) {
    return Refuse(absl::InvalidArgumentError(absl::StrCat("config: reading JSON failed (",
                                                          document.status().message(), ")")),
                  "", complaints);
  }
  if (!document->IsObject()) {
    return Refuse(absl::InvalidArgumentError("configuration in a file must be a JSON object"), "",
                  complaints);
  }
  ServerConfig config;
  absl::Status status = ParseRemotes(*document, &config.remotes, complaints);
  if (!status.ok()) return Refuse(std::move(status), "remotes", complaints);
  status = ParseDatabases(*document, &config.databases, complaints);
  if (!status.ok()) return Refuse(std::move(status), "databases", complaints);
  ParseSync(*document, &config.sync);
  return config;
}

namespace {

// Appends members of a JSON object: `"name":value` with commas between.
class MemberWriter {
 public:
  explicit MemberWriter(std::string* out) : out_(out) { *out_ += '{'; }
  ~MemberWriter() { *out_ += '}'; }

  std::string* Name(absl::string_view name) {
    if (!first_) *out_ += ',';
    first_ = false;
    ovsdb::AppendJsonString(name, out_);
    *out_ += ':';
    return out_;
  }
  void Integer(absl::string_view name, const std::optional<int>& value) {
    if (value) absl::StrAppend(Name(name), *value);
  }
  void String(absl::string_view name, absl::string_view value) {
    if (!value.empty()) ovsdb::AppendJsonString(value, Name(name));
  }

 private:
  std::string* out_;
  bool first_ = true;
};

void AppendRemote(const RemoteOptions& options, std::string* out) {
  MemberWriter writer(out);
  writer.Integer("max-backoff", options.max_backoff_ms);
  writer.Integer("inactivity-probe", options.inactivity_probe_ms);
  writer.Integer("dscp", options.dscp);
  if (options.read_only) *writer.Name("read-only") += "true";
  writer.String("role", options.role);
}

absl::string_view ModelName(Model model) {
  switch (model) {
    case Model::kFromFile:
      return "";
    case Model::kStandalone:
      return "standalone";
    case Model::kClustered:
      return "clustered";
    case Model::kActiveBackup:
      return "active-backup";
    case Model::kRelay:
      return "relay";
  }
  return "";
}

void AppendDatabase(const DatabaseOptions& options, std::string* out) {
  MemberWriter writer(out);
  writer.String("service-model", ModelName(options.model));
  const bool active_backup = options.model == Model::kActiveBackup;
  if (active_backup || options.model == Model::kRelay) {
    MemberWriter source(writer.Name("source"));
    AppendRemote(options.source_options, source.Name(options.source));
  }
  if (!active_backup) return;
  *writer.Name("backup") += options.backup ? "true" : "false";
  std::string* tables = writer.Name("exclude-tables");
  *tables += '[';
  for (const std::string& table : options.exclude_tables) {
    if (tables->back() != '[') *tables += ',';
    ovsdb::AppendJsonString(table, tables);
  }
  *tables += ']';
}

}  // namespace

std::string ServerConfig::ToText() const {
  std::string text;
  {
    MemberWriter writer(&text);
    {
      MemberWriter section(writer.Name("remotes"));
      for (const auto& [target, options] : remotes) AppendRemote(options, section.Name(target));
    }
    {
      MemberWriter section(writer.Name("databases"));
      for (const auto& [name, options] : databases) AppendDatabase(options, section.Name(name));
    }
    if (sync != SyncOptions()) {
      std::string* out = writer.Name(kSync);
      out->push_back('[');
      ovsdb::AppendJsonString(sync.source, out);
      out->push_back(',');
      ovsdb::AppendJsonString(sync.exclude_tables, out);
      out->append(sync.backup ? ",true]" : ",false]");
    }
  }
  return text;
}

}  // namespace server
