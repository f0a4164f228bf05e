// Why a text is not JSON, in stock's words, which people and scripts know from its logs and tools.
#ifndef OVSDB_JSON_ERROR_H_
#define OVSDB_JSON_ERROR_H_

#include <string>

#include "absl/strings/string_view.h"

namespace ovsdb {

// "line 0, column 4, byte 4: syntax error expecting value". Empty if there is nothing wrong. Takes
// time linear in the text, so it is for texts that ParseJson refused.
std::string ExplainJsonError(absl::string_view text);

}  // namespace ovsdb

#endif  // OVSDB_JSON_ERROR_H_
