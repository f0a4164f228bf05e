#include "ovsdb/type.h"

#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "ovsdb/error.h"
#include "ovsdb/object_parser.h"
#include "ovsdb/utf8.h"

namespace ovsdb {
namespace {

constexpr char kWhat[] = "ovsdb type";

absl::StatusOr<AtomType> ParseAtomType(const Json& json) {
  for (AtomType type : {AtomType::kInteger, AtomType::kReal, AtomType::kBoolean, AtomType::kString,
                        AtomType::kUuid}) {
    if (AtomTypeName(type) == StringView(json)) return type;
  }
  return SyntaxError(json, absl::StrCat("\"", StringView(json), "\" is not an atomic-type"));
}

Atom DefaultAtom(AtomType type) {
  switch (type) {
    case AtomType::kVoid:
      break;
    case AtomType::kInteger:
      return Atom::Integer(0);
    case AtomType::kReal:
      return Atom::Real(0);
    case AtomType::kBoolean:
      return Atom::Boolean(false);
    case AtomType::kString:
      return Atom::String("");
    case AtomType::kUuid:
      return Atom::Of(Uuid());
  }
  return Atom();
}

std::string ValueText(int64_t i) { return absl::StrCat(i); }
std::string ValueText(double d) {
  std::string text;
  AppendReal(d, RealForm::kRounded, &text);
  return text;
}

template <typename T>
absl::Status CheckRange(T value, T min, T max) {
  if (value >= min && value <= max) return absl::OkStatus();
  using Limits = std::numeric_limits<T>;
  std::string details = ValueText(value);
  if (min == Limits::lowest()) {
    absl::StrAppend(&details, " is greater than maximum allowed value ", ValueText(max));
  } else if (max == Limits::max()) {
    absl::StrAppend(&details, " is less than minimum allowed value ", ValueText(min));
  } else {
    absl::StrAppend(&details, " is not in the valid range ", ValueText(min), " to ", ValueText(max),
                    " (inclusive)");
  }
  return Error(kConstraintViolation, details);
}

absl::Status CheckString(absl::string_view s, uint32_t min_length, uint32_t max_length) {
  if (!IsUtf8(s)) {
    return Error(kConstraintViolation, absl::StrCat("not a valid UTF-8 string: invalid UTF-8 ",
                                                    "sequence ", FirstBadUtf8(s)));
  }
  if (min_length == 0 && s.size() <= max_length) return absl::OkStatus();
  const size_t length = Utf8Length(s);
  if (length < min_length) {
    return Error(kConstraintViolation,
                 absl::StrFormat("\"%s\" length %u is less than minimum allowed length %u", s,
                                 length, min_length));
  }
  if (length > max_length) {
    return Error(kConstraintViolation,
                 absl::StrFormat("\"%s\" length %u is greater than maximum allowed length %u", s,
                                 length, max_length));
  }
  return absl::OkStatus();
}

// A length constraint: 0 to 4294967295.
absl::Status ParseLength(const Json* json, absl::string_view name, uint32_t* length) {
  if (json == nullptr) return absl::OkStatus();
  const int64_t value = *JsonInteger(*json);
  if (value < 0 || value > std::numeric_limits<uint32_t>::max()) {
    return SyntaxError(*json, absl::StrCat(name, " out of valid range 0 to 4294967295"));
  }
  *length = value;
  return absl::OkStatus();
}

// A "min" or "max" of a column type.
absl::Status ParseCount(const Json* json, uint32_t* count) {
  if (json == nullptr) return absl::OkStatus();
  const std::optional<int64_t> value = JsonInteger(*json);
  if (value && *value >= 0 && *value < ColumnType::kUnlimited) {
    *count = *value;
  } else if (json->IsString() && StringView(*json) == "unlimited") {
    *count = ColumnType::kUnlimited;
  } else {
    return SyntaxError(*json, "bad min or max value");
  }
  return absl::OkStatus();
}

// The elements of [`tag`, [elements]]; null if `json` does not begin with the tag.
absl::StatusOr<const Json*> Untag(const Json& json, absl::string_view tag, bool required) {
  const bool tagged =
      json.IsArray() && !json.Empty() && json[0].IsString() && StringView(json[0]) == tag;
  if (tagged && json.Size() == 2 && json[1].IsArray()) return &json[1];
  if (!tagged && !required) return nullptr;
  return SyntaxError(json, absl::StrCat("expected [\"", tag, "\", <array>]"));
}

}  // namespace

SymbolTable::Symbol& SymbolTable::Get(absl::string_view name) {
  auto [it, is_new] = symbols_.try_emplace(std::string(name));
  if (is_new) it->second.uuid = uuids_->Next();
  return it->second;
}

absl::Status BaseType::ParseRange(const Json& json, ObjectParser* parser) {
  auto exceeds = [&](absl::string_view unit) {
    return SyntaxError(json, absl::StrCat("min", unit, " exceeds max", unit));
  };
  switch (type) {
    case AtomType::kInteger: {
      const Json* min = parser->Optional("minInteger", ObjectParser::kInteger);
      const Json* max = parser->Optional("maxInteger", ObjectParser::kInteger);
      if (min != nullptr) min_integer = *JsonInteger(*min);
      if (max != nullptr) max_integer = *JsonInteger(*max);
      if (min_integer > max_integer) return exceeds("Integer");
      break;
    }
    case AtomType::kReal: {
      const Json* min = parser->Optional("minReal", ObjectParser::kNumber);
      const Json* max = parser->Optional("maxReal", ObjectParser::kNumber);
      if (min != nullptr) min_real = min->GetDouble();
      if (max != nullptr) max_real = max->GetDouble();
      if (min_real > max_real) return exceeds("Real");
      break;
    }
    case AtomType::kString: {
      const Json* min = parser->Optional("minLength", ObjectParser::kInteger);
      if (auto status = ParseLength(min, "minLength", &min_length); !status.ok()) return status;
      const Json* max = parser->Optional("maxLength", ObjectParser::kInteger);
      if (auto status = ParseLength(max, "maxLength", &max_length); !status.ok()) return status;
      if (min_length > max_length) return exceeds("Length");
      break;
    }
    case AtomType::kUuid: {
      const Json* table = parser->Optional("refTable", ObjectParser::kId);
      if (table == nullptr) break;
      ref_table = std::string(StringView(*table));
      const Json* strength = parser->Optional("refType", ObjectParser::kString);
      if (strength == nullptr || StringView(*strength) == "strong") break;
      if (StringView(*strength) != "weak") {
        return SyntaxError(json, absl::StrCat("refType must be \"strong\" or \"weak\" (not \"",
                                              StringView(*strength), "\")"));
      }
      ref_type = RefType::kWeak;
      break;
    }
    default:
      break;
  }
  return absl::OkStatus();
}

absl::StatusOr<BaseType> BaseType::Parse(const Json& json) {
  BaseType base;
  if (json.IsString()) {
    auto type = ParseAtomType(json);
    if (!type.ok()) return type.status();
    base.type = *type;
    return base;
  }
  ObjectParser parser(json);
  const Json* type_json = parser.Required("type", ObjectParser::kString);
  if (type_json == nullptr) return parser.Error(kWhat);
  auto type = ParseAtomType(*type_json);
  if (!type.ok()) return type.status();
  base.type = *type;
  if (const Json* enumeration = parser.Optional("enum", ObjectParser::kAny)) {
    ColumnType set;
    set.key.type = base.type;
    set.n_max = ColumnType::kUnlimited;
    auto values = set.ParseDatum(*enumeration, nullptr);
    if (!values.ok()) return values.status();
    base.enumeration = *std::move(values);
  } else if (auto status = base.ParseRange(json, &parser); !status.ok()) {
    return status;
  }
  if (!parser.Finish()) return parser.Error(kWhat);
  return base;
}

void BaseType::AppendJson(std::string* out) const {
  const size_t begin = out->size();
  absl::StrAppend(out, "{\"type\":\"", AtomTypeName(type), "\"");
  const size_t plain_size = out->size();
  auto append_name = [out](absl::string_view name) { absl::StrAppend(out, ",\"", name, "\":"); };
  auto append_integer = [&](absl::string_view name, int64_t value, int64_t absent) {
    if (value == absent) return;
    append_name(name);
    AppendInteger(value, out);
  };
  auto append_real = [&](absl::string_view name, double value, double absent) {
    if (value == absent) return;
    append_name(name);
    AppendReal(value, RealForm::kExact, out);
  };
  if (!enumeration.empty()) {
    append_name("enum");
    enumeration.AppendJson(/*is_map=*/false, out, RealForm::kExact);
  }
  const BaseType unconstrained;
  append_integer("minInteger", min_integer, unconstrained.min_integer);
  append_integer("maxInteger", max_integer, unconstrained.max_integer);
  append_real("minReal", min_real, unconstrained.min_real);
  append_real("maxReal", max_real, unconstrained.max_real);
  append_integer("minLength", min_length, unconstrained.min_length);
  append_integer("maxLength", max_length, unconstrained.max_length);
  if (!ref_table.empty()) {
    append_name("refTable");
    AppendJsonString(ref_table, out);
    if (ref_type == RefType::kWeak) out->append(",\"refType\":\"weak\"");
  }
  if (out->size() != plain_size) {
    out->push_back('}');
    return;
  }
  out->resize(begin);
  absl::StrAppend(out, "\"", AtomTypeName(type), "\"");
}

bool BaseType::operator==(const BaseType& o) const {
  return type == o.type && enumeration == o.enumeration && min_integer == o.min_integer &&
         max_integer == o.max_integer && min_real == o.min_real && max_real == o.max_real &&
         min_length == o.min_length && max_length == o.max_length && ref_table == o.ref_table &&
         ref_type == o.ref_type;
}

absl::Status BaseType::Check(const Atom& atom) const {
  if (!enumeration.empty()) {
    if (enumeration.Contains(atom)) return absl::OkStatus();
    std::string details;
    atom.AppendText(&details);
    details += " is not one of the allowed values ([";
    for (size_t i = 0; i < enumeration.size(); i++) {
      if (i > 0) details += ", ";
      enumeration.key(i).AppendText(&details);
    }
    details += "])";
    return Error(kConstraintViolation, details);
  }
  switch (type) {
    case AtomType::kInteger:
      return CheckRange(atom.integer(), min_integer, max_integer);
    case AtomType::kReal:
      return CheckRange(atom.real(), min_real, max_real);
    case AtomType::kString:
      return CheckString(atom.string(), min_length, max_length);
    default:
      return absl::OkStatus();
  }
}

absl::StatusOr<Atom> BaseType::ParseUuid(const Json& json, SymbolTable* symbols) const {
  if (json.IsArray() && json.Size() == 2 && json[0].IsString() && json[1].IsString()) {
    const absl::string_view tag = StringView(json[0]), text = StringView(json[1]);
    if (tag == "uuid") {
      if (auto uuid = Uuid::Parse(text)) return Atom::Of(*uuid);
      return SyntaxError(json, absl::StrCat("\"", text, "\" is not a valid UUID"));
    }
    if (tag == "named-uuid" && symbols != nullptr) {
      if (!IsValidIdentifier(text)) {
        return SyntaxError(json, "named-uuid string is not a valid <id>");
      }
      SymbolTable::Symbol& symbol = symbols->Get(text);
      symbol.strong_ref |= is_strong_ref();
      symbol.weak_ref |= is_weak_ref();
      return Atom::Of(symbol.uuid);
    }
  }
  return SyntaxError(json, "expected [\"uuid\", <string>]");
}

absl::StatusOr<Atom> BaseType::ParseAtom(const Json& json, SymbolTable* symbols) const {
  Atom atom;
  switch (type) {
    case AtomType::kVoid:
      break;
    case AtomType::kInteger:
      if (auto integer = JsonInteger(json)) atom = Atom::Integer(*integer);
      break;
    case AtomType::kReal:
      if (json.IsNumber()) atom = Atom::Real(json.GetDouble());
      break;
    case AtomType::kBoolean:
      if (json.IsBool()) atom = Atom::Boolean(json.GetBool());
      break;
    case AtomType::kString:
      if (json.IsString()) atom = Atom::String(StringView(json));
      break;
    case AtomType::kUuid: {
      auto uuid = ParseUuid(json, symbols);
      if (!uuid.ok()) return uuid.status();
      atom = *uuid;
    }
  }
  if (atom.type() == AtomType::kVoid) {
    return SyntaxError(json, absl::StrCat("expected ", AtomTypeName(type)));
  }
  if (auto status = Check(atom); !status.ok()) return status;
  return atom;
}

absl::StatusOr<ColumnType> ColumnType::Parse(const Json& json) {
  ColumnType type;
  if (json.IsString()) {
    auto key = BaseType::Parse(json);
    if (!key.ok()) return key.status();
    type.key = *std::move(key);
    return type;
  }
  ObjectParser parser(json);
  const Json* key_json = parser.Required("key", ObjectParser::kString | ObjectParser::kObject);
  const Json* value_json = parser.Optional("value", ObjectParser::kString | ObjectParser::kObject);
  const Json* min = parser.Optional("min", ObjectParser::kInteger);
  const Json* max = parser.Optional("max", ObjectParser::kInteger | ObjectParser::kString);
  if (!parser.Finish()) return parser.Error(kWhat);
  auto key = BaseType::Parse(*key_json);
  if (!key.ok()) return key.status();
  type.key = *std::move(key);
  if (value_json != nullptr) {
    auto value = BaseType::Parse(*value_json);
    if (!value.ok()) return value.status();
    type.value = *std::move(value);
  }
  if (auto status = ParseCount(min, &type.n_min); !status.ok()) return status;
  if (auto status = ParseCount(max, &type.n_max); !status.ok()) return status;
  if (type.n_min > 1 || type.n_max < 1) {
    return SyntaxError(json, "ovsdb type fails constraint checks");
  }
  return type;
}

void ColumnType::AppendJson(std::string* out) const {
  std::string key_json;
  key.AppendJson(&key_json);
  if (is_scalar() && key_json[0] == '"') {
    out->append(key_json);
    return;
  }
  absl::StrAppend(out, "{\"key\":", key_json);
  if (is_map()) {
    out->append(",\"value\":");
    value.AppendJson(out);
  }
  if (n_min != 1) absl::StrAppend(out, ",\"min\":", n_min);
  if (n_max == kUnlimited) {
    out->append(",\"max\":\"unlimited\"");
  } else if (n_max != 1) {
    absl::StrAppend(out, ",\"max\":", n_max);
  }
  out->push_back('}');
}

void ColumnType::AppendText(const Datum& datum, std::string* out) const {
  const bool bare = n_max == 1 && datum.size() == 1;
  if (!bare) out->push_back(is_map() ? '{' : '[');
  for (size_t i = 0; i < datum.size(); i++) {
    if (i > 0) out->append(", ");
    datum.key(i).AppendText(out);
    if (!is_map()) continue;
    out->push_back('=');
    datum.value(i).AppendText(out);
  }
  if (!bare) out->push_back(is_map() ? '}' : ']');
}

Datum ColumnType::Default() const {
  if (n_min == 0) return Datum();
  if (!is_map()) return Datum(DefaultAtom(key.type));
  return MakeDatum({DefaultAtom(key.type)}, {DefaultAtom(value.type)});
}

bool ColumnType::IsDefault(const Datum& datum) const {
  if (n_min == 0) return datum.empty();
  return datum.size() == 1 && datum.key(0).is_default() &&
         (!is_map() || datum.value(0).is_default());
}

std::string ColumnType::ToText() const {
  if (is_scalar()) return std::string(AtomTypeName(key.type));
  std::string text = is_map() ? "map of " : "set of ";
  if (n_max != kUnlimited) {
    absl::StrAppend(&text, n_min == 0 ? "up to " : absl::StrCat(n_min, " to "), n_max, " ");
  } else if (n_min != 0) {
    absl::StrAppend(&text, n_min, " or more ");
  }
  if (is_map()) {
    absl::StrAppend(&text, "(", AtomTypeName(key.type), ", ", AtomTypeName(value.type), ") pairs");
  } else {
    absl::StrAppend(&text, AtomTypeName(key.type), "s");
  }
  return text;
}

absl::StatusOr<Datum> ColumnType::ParseDatum(const Json& json, SymbolTable* symbols) const {
  return ParseDatum(json, symbols, n_min, n_max);
}

absl::StatusOr<Datum> ColumnType::ParseDatum(const Json& json, SymbolTable* symbols, uint32_t min,
                                             uint32_t max, Duplicates duplicates) const {
  auto elements = Untag(json, is_map() ? "map" : "set", /*required=*/is_map());
  if (!elements.ok()) return elements.status();
  if (*elements == nullptr) {
    auto atom = key.ParseAtom(json, symbols);
    if (!atom.ok()) return atom.status();
    return Datum(*atom);
  }
  const auto array = (*elements)->GetArray();
  const auto check_size = [&](size_t n) {
    if (n >= min && n <= max) return absl::OkStatus();
    const std::string allowed =
        min == max ? "exactly one member" : absl::StrCat(min, " to ", max, " members");
    return SyntaxError(json, absl::StrCat(is_map() ? "map" : "set", " must have ", allowed, " but ",
                                          n, " are present"));
  };
  if (duplicates == Duplicates::kRefuse) {
    if (auto status = check_size(array.Size()); !status.ok()) return status;
  }
  absl::InlinedVector<Atom, 16> keys, values;
  keys.reserve(array.Size());
  if (is_map()) values.reserve(array.Size());
  for (const Json& element : array) {
    const bool is_pair = element.IsArray() && element.Size() == 2;
    if (is_map() && !is_pair) return SyntaxError(element, "expected 2-element array");
    auto key_atom = key.ParseAtom(is_map() ? element[0] : element, symbols);
    if (!key_atom.ok()) return key_atom.status();
    keys.push_back(*key_atom);
    if (!is_map()) continue;
    auto value_atom = value.ParseAtom(element[1], symbols);
    if (!value_atom.ok()) return value_atom.status();
    values.push_back(*value_atom);
  }
  bool had_duplicates = false;
  Datum datum = MakeDatum(keys, values, &had_duplicates);
  if (duplicates == Duplicates::kDrop) {
    if (auto status = check_size(datum.size()); !status.ok()) return status;
  } else if (had_duplicates) {
    return Error("ovsdb error", is_map() ? "map contains duplicate key" : "set contains duplicate");
  }
  return datum;
}

absl::Status ColumnType::Check(const Datum& datum) const {
  for (size_t i = 0; i < datum.size(); i++) {
    if (auto status = key.Check(datum.key(i)); !status.ok()) return status;
    if (!is_map()) continue;
    if (auto status = value.Check(datum.value(i)); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status ColumnType::CheckSize(const Datum& datum) const {
  if (datum.size() >= n_min && datum.size() <= n_max) return absl::OkStatus();
  return Error(kConstraintViolation,
               absl::StrCat("Attempted to store ", datum.size(), " elements in ", ToText(), "."));
}

}  // namespace ovsdb
