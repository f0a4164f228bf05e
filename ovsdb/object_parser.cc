#include "ovsdb/object_parser.h"

#include <algorithm>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "ovsdb/error.h"

namespace ovsdb {
namespace {

unsigned TypesOf(const Json& json) {
  switch (json.GetType()) {
    case rapidjson::kNullType:
      return ObjectParser::kNull;
    case rapidjson::kFalseType:
    case rapidjson::kTrueType:
      return ObjectParser::kBoolean;
    case rapidjson::kNumberType:
      return ObjectParser::kNumber | (JsonInteger(json) ? ObjectParser::kInteger : 0u);
    case rapidjson::kStringType:
      return ObjectParser::kString | (IsValidIdentifier(StringView(json)) ? ObjectParser::kId : 0u);
    case rapidjson::kArrayType:
      return ObjectParser::kArray;
    case rapidjson::kObjectType:
      return ObjectParser::kObject;
  }
  return 0;
}

}  // namespace

bool IsValidIdentifier(absl::string_view name) {
  if (name.empty() || absl::ascii_isdigit(name[0])) return false;
  return absl::c_all_of(name, [](char c) { return absl::ascii_isalnum(c) || c == '_'; });
}

ObjectParser::ObjectParser(const Json& json) : json_(json) {
  if (!json.IsObject()) problem_ = "Object expected.";
}

const Json* ObjectParser::Take(absl::string_view name, unsigned types, bool required) {
  if (!json_.IsObject()) return nullptr;
  const Json* member = FindMember(json_, name);
  if (member == nullptr) {
    if (required) Fail(absl::StrCat("Required '", name, "' member is missing."));
    return nullptr;
  }
  taken_.push_back(member);
  if ((TypesOf(*member) & types) == 0) {
    Fail(absl::StrCat("Type mismatch for member '", name, "'."));
  }
  return ok() ? member : nullptr;
}

const Json* ObjectParser::Required(absl::string_view name, unsigned types) {
  return Take(name, types, true);
}

const Json* ObjectParser::Optional(absl::string_view name, unsigned types) {
  return Take(name, types, false);
}

void ObjectParser::Fail(std::string problem) {
  if (ok()) problem_ = std::move(problem);
}

bool ObjectParser::Finish() {
  if (!ok()) return false;
  const size_t extra = json_.MemberCount() - taken_.size();
  if (extra == 0) return true;
  absl::string_view first;
  for (const auto& member : json_.GetObject()) {
    const absl::string_view name = StringView(member.name);
    const bool was_taken = std::find(taken_.begin(), taken_.end(), &member.value) != taken_.end();
    if (!was_taken && (first.data() == nullptr || name < first)) first = name;
  }
  if (extra == 1) {
    Fail(absl::StrCat("Member '", first, "' is present but not allowed here."));
  } else {
    Fail(absl::StrCat("Member '", first, "' and ", extra - 1, " other member", extra > 2 ? "s" : "",
                      " are present but not allowed here."));
  }
  return false;
}

absl::Status ObjectParser::Error(absl::string_view what) const {
  const std::string details = absl::StrCat("Parsing ", what, " failed: ", problem_);
  // Of what is no object stock does not show the text.
  if (!json_.IsObject()) return ovsdb::Error(kSyntaxError, details);
  return SyntaxError(json_, details);
}

}  // namespace ovsdb
