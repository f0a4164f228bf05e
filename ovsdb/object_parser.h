// Takes the members of a JSON object that is input: each by name and type, none left over.
//
//   ObjectParser parser(json);
//   const Json* name = parser.Required("name", ObjectParser::kId);
//   const Json* max = parser.Optional("maxRows", ObjectParser::kInteger);
//   if (!parser.Finish()) return parser.Error("table schema");
//   ... *name and, if not null, *max have the types asked for.
#ifndef OVSDB_OBJECT_PARSER_H_
#define OVSDB_OBJECT_PARSER_H_

#include <string>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "ovsdb/json.h"

namespace ovsdb {

bool IsValidIdentifier(absl::string_view name);  // RFC 7047 <id>.

// Borrows the JSON. The first problem is the one that is reported; members asked for after it are
// null like absent ones.
class ObjectParser {
 public:
  // Types of members, to be combined by `|`.
  enum : unsigned {
    kNull = 1,
    kBoolean = 2,
    kInteger = 4,
    kNumber = 8,  // Any number, integers too.
    kString = 16,
    kId = 32,  // A string that is an RFC 7047 <id>.
    kArray = 64,
    kObject = 128,
    kAny = 255,
  };

  explicit ObjectParser(const Json& json);

  const Json* Required(absl::string_view name, unsigned types);
  const Json* Optional(absl::string_view name, unsigned types);

  // Reports a problem that the caller found.
  void Fail(std::string problem);
  bool ok() const { return problem_.empty(); }

  // Members that nobody asked for are a problem. False if there was any; then Error() has it.
  bool Finish();
  // A syntax error "Parsing WHAT failed: PROBLEM". Requires !ok().
  absl::Status Error(absl::string_view what) const;

 private:
  const Json* Take(absl::string_view name, unsigned types, bool required);

  const Json& json_;
  absl::InlinedVector<const Json*, 8> taken_;
  std::string problem_;
};

}  // namespace ovsdb

#endif  // OVSDB_OBJECT_PARSER_H_
