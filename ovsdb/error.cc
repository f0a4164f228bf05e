#include "ovsdb/error.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"

namespace ovsdb {
namespace {

constexpr char kErrorPayload[] = "ovsdb/error";
constexpr char kSyntaxPayload[] = "ovsdb/syntax";
constexpr char kReasonPayload[] = "ovsdb/io-error";

absl::StatusCode CodeOf(absl::string_view error) {
  if (error == kSyntaxError) return absl::StatusCode::kInvalidArgument;
  if (error == kPermissionError || error == kNotAllowed) return absl::StatusCode::kPermissionDenied;
  if (error == kAborted || error == kTimedOut) return absl::StatusCode::kAborted;
  return absl::StatusCode::kFailedPrecondition;
}

std::string Payload(const absl::Status& status, const char* name) {
  absl::optional<absl::Cord> payload = status.GetPayload(name);
  return payload ? std::string(*payload) : std::string();
}

}  // namespace

absl::Status Error(absl::string_view error, absl::string_view details) {
  absl::Status status(CodeOf(error), details);
  status.SetPayload(kErrorPayload, absl::Cord(error));
  return status;
}

absl::Status ErrorAbout(const Json& json, absl::string_view error, absl::string_view details) {
  absl::Status status = Error(error, details);
  status.SetPayload(kSyntaxPayload, absl::Cord(JsonText(json, JsonForm::kSorted)));
  return status;
}

absl::Status SyntaxError(const Json& json, absl::string_view details) {
  return ErrorAbout(json, kSyntaxError, details);
}

absl::Status IoError(absl::string_view details, absl::string_view reason) {
  absl::Status status = Error(kIoError, details);
  status.SetPayload(kReasonPayload, absl::Cord(reason));
  return status;
}

std::string ErrorString(const absl::Status& status) {
  std::string error = Payload(status, kErrorPayload);
  return error.empty() ? "internal error" : error;
}

bool IsOvsdbError(const absl::Status& status) {
  return !Payload(status, kErrorPayload).empty();
}

std::string ErrorSyntax(const absl::Status& status) { return Payload(status, kSyntaxPayload); }

void AppendError(const absl::Status& status, std::string* out) {
  out->push_back('{');
  if (!status.message().empty()) {
    out->append("\"details\":");
    AppendJsonString(status.message(), out);
    out->push_back(',');
  }
  out->append("\"error\":");
  AppendJsonString(ErrorString(status), out);
  if (std::string reason = Payload(status, kReasonPayload); !reason.empty()) {
    out->append(",\"io-error\":");
    AppendJsonString(reason, out);
  }
  if (std::string syntax = ErrorSyntax(status); !syntax.empty()) {
    out->append(",\"syntax\":");
    AppendJsonString(syntax, out);
  }
  out->push_back('}');
}

std::string ErrorText(const absl::Status& status) {
  std::string text;
  if (std::string syntax = ErrorSyntax(status); !syntax.empty()) {
    absl::StrAppend(&text, "syntax \"", syntax, "\": ");
  }
  absl::StrAppend(&text, ErrorString(status));
  if (!status.message().empty()) absl::StrAppend(&text, ": ", status.message());
  if (std::string reason = Payload(status, kReasonPayload); !reason.empty()) {
    absl::StrAppend(&text, " (", reason, ")");
  }
  return text;
}

}  // namespace ovsdb
