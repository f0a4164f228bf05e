#include "server/tool/command.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "ovsdb/error.h"
#include "server/base/daemon.h"
#include "server/base/version.h"

namespace tool {
namespace {

// The same error with more in its details.
absl::Status Prefixed(absl::string_view prefix, const absl::Status& status) {
  absl::Status result(status.code(), absl::StrCat(prefix, status.message()));
  status.ForEachPayload([&result](absl::string_view name, const absl::Cord& payload) {
    result.SetPayload(name, payload);
  });
  return result;
}

}  // namespace

std::string Invocation::Database(size_t i) const {
  return i < args.size() ? args[i] : absl::StrCat(base::DbDir(), "/conf.db");
}

std::string Invocation::Schema(size_t i) const {
  return i < args.size() ? args[i] : DefaultSchema();
}

std::string DefaultSchema() {
  const char* const directory = getenv("OVS_PKGDATADIR");
  return absl::StrCat(directory != nullptr ? directory : "/usr/share/openvswitch",
                      "/vswitch.ovsschema");
}

absl::Status Failure(absl::string_view message) { return absl::UnknownError(message); }

std::string ErrorMessage(const absl::Status& status) {
  return status.code() == absl::StatusCode::kUnknown ? std::string(status.message())
                                                     : ovsdb::ErrorText(status);
}

uint64_t RandomSeed() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::string text;
  FILE* const file = fopen(path.c_str(), "r");
  if (file == nullptr) {
    return Failure(absl::StrCat("error opening \"", path, "\": ", strerror(errno)));
  }
  char buffer[16384];
  for (size_t n; (n = fread(buffer, 1, sizeof buffer, file)) > 0;) text.append(buffer, n);
  const int error = ferror(file) ? errno : 0;
  fclose(file);
  if (error != 0) {
    return Failure(absl::StrCat("error reading JSON stream: ", strerror(error)));
  }
  return text;
}

absl::StatusOr<ovsdb::SchemaRef> ReadSchemaFile(const std::string& path) {
  absl::StatusOr<std::string> text = ReadFile(path);
  absl::StatusOr<ovsdb::JsonDocument> json =
      text.ok() ? ovsdb::ParseJsonStructure(*text)
                : absl::StatusOr<ovsdb::JsonDocument>(text.status());
  if (!json.ok()) {
    return Failure(absl::StrCat("failed to read schema: \"", path, "\" could not be read as JSON (",
                                json.status().message(), ")"));
  }
  absl::StatusOr<ovsdb::SchemaRef> schema = ovsdb::DatabaseSchema::Parse(*json);
  if (!schema.ok()) {
    return Prefixed(absl::StrCat("failed to parse \"", path, "\" as ovsdb schema: "),
                    schema.status());
  }
  return schema;
}

absl::StatusOr<std::unique_ptr<server::LogFile>> OpenStandalone(const std::string& path,
                                                                server::LogFile::Mode mode) {
  absl::StatusOr<std::unique_ptr<server::LogFile>> log =
      server::LogFile::Open(path, mode, std::nullopt);
  if (log.ok() && (*log)->magic() == server::LogMagic::kClustered) {
    return ovsdb::Error(
        "ovsdb error",
        absl::StrCat(path, ": cannot apply this operation to clustered database file"));
  }
  return log;
}

absl::Status CreateFile(const std::string& path, server::LogMagic magic,
                        std::vector<std::string> records) {
  absl::StatusOr<std::unique_ptr<server::LogFile>> log =
      server::LogFile::Open(path, server::LogFile::Mode::kCreateNew, magic);
  if (!log.ok()) return log.status();
  for (std::string& record : records) {
    server::FrameLogRecord(magic, 0, &record);
    absl::Status status = (*log)->Append(record);
    if (!status.ok()) return status;
  }
  return (*log)->sync()->Run();
}

std::string Signature() { return absl::StrCat("ovsdb-tool ", base::kOvsVersion); }

void Print(absl::string_view text) { fwrite(text.data(), 1, text.size(), stdout); }

void PrintLine(absl::string_view line) { Print(absl::StrCat(line, "\n")); }

}  // namespace tool
