// UTF-8 (RFC 3629), which all strings of a database are.
#ifndef OVSDB_UTF8_H_
#define OVSDB_UTF8_H_

#include <string>

#include "absl/strings/string_view.h"

namespace ovsdb {

bool IsUtf8(absl::string_view s);

// The number of characters. Requires IsUtf8(s).
size_t Utf8Length(absl::string_view s);

// The bytes of the first sequence that is wrong, up to the one that makes it so: "0xe2 0x28". An
// end of text in a sequence shows as 0x00. Requires !IsUtf8(s).
std::string FirstBadUtf8(absl::string_view s);

}  // namespace ovsdb

#endif  // OVSDB_UTF8_H_
