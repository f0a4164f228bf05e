// Flows that mean the same but name the elements of a set in another order: as another northd may
// have written them.
#ifndef NORTHD_OUTPUT_SPELLING_H_
#define NORTHD_OUTPUT_SPELLING_H_

#include <string>

#include "absl/strings/string_view.h"

namespace northd {

// A match or actions with the elements of each "{A, B}" in order. Blocks of actions, which have a
// ";" in them, are left as they are.
std::string WithSetsInOrder(absl::string_view text);

}  // namespace northd

#endif  // NORTHD_OUTPUT_SPELLING_H_
