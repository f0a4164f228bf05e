// How real numbers are written in JSON.
#ifndef OVSDB_REAL_FORM_H_
#define OVSDB_REAL_FORM_H_

#include <cstdint>

namespace ovsdb {

// Integral values come without ".0" in both.
enum class RealForm : uint8_t {
  kRounded,  // With 15 significant digits: what clients see, as of stock. May not read back equal.
  kExact,    // With 17 where 15 do not read back equal: what is kept or passed on.
};

}  // namespace ovsdb

#endif  // OVSDB_REAL_FORM_H_
