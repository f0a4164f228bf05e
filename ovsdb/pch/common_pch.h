// What nearly every file of ovsdb/, raft/ and server/ includes anyway, compiled once for each library.
#ifndef OVSDB_PCH_COMMON_PCH_H_
#define OVSDB_PCH_COMMON_PCH_H_

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "ovsdb/json.h"

#endif  // OVSDB_PCH_COMMON_PCH_H_
