#include "server/base/version.h"

#include "absl/strings/str_cat.h"
#include "server/base/log.h"

namespace base {

std::string VersionText() { return absl::StrCat(ProgramName(), " (Open vSwitch) ", kOvsVersion); }

}  // namespace base
