#include "server/tool/datum_text.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "ovsdb/json.h"
#include "ovsdb/uuid.h"

namespace tool {
namespace {

bool NeedsQuotes(absl::string_view text) {
  if (text.empty() || !(absl::ascii_isalpha(text[0]) || text[0] == '_')) return true;
  for (const char c : text) {
    if (!absl::ascii_isalnum(c) && c != '_' && c != '-' && c != '.') return true;
  }
  return text == "true" || text == "false" || ovsdb::Uuid::Parse(text).has_value();
}

void AppendAtomText(const ovsdb::Atom& atom, std::string* out) {
  switch (atom.type()) {
    case ovsdb::AtomType::kUuid:
      atom.uuid().AppendTo(out);
      break;
    case ovsdb::AtomType::kString:
      if (NeedsQuotes(atom.string())) {
        ovsdb::AppendJsonString(atom.string(), out);
      } else {
        absl::StrAppend(out, atom.string());
      }
      break;
    case ovsdb::AtomType::kReal:
      absl::StrAppendFormat(out, "%.15g", atom.real());
      break;
    default:
      atom.AppendJson(out);
  }
}

}  // namespace

void AppendDatumText(const ovsdb::ColumnType& type, const ovsdb::Datum& datum, std::string* out) {
  const bool bare = type.n_max == 1 && !type.is_map() && datum.size() == 1;
  if (!bare) out->push_back(type.is_map() ? '{' : '[');
  for (size_t i = 0; i < datum.size(); ++i) {
    if (i > 0) absl::StrAppend(out, ", ");
    AppendAtomText(datum.key(i), out);
    if (type.is_map()) {
      out->push_back('=');
      AppendAtomText(datum.value(i), out);
    }
  }
  if (!bare) out->push_back(type.is_map() ? '}' : ']');
}

}  // namespace tool
