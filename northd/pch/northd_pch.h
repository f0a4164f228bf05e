// What every file of this folder includes anyway, compiled once.
#ifndef NORTHD_PCH_NORTHD_PCH_H_
#define NORTHD_PCH_NORTHD_PCH_H_

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "northd/rows/row_view.h"
#include "northd/world.h"
#include "server/base/log.h"

#endif  // NORTHD_PCH_NORTHD_PCH_H_
