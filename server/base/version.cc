#include "server/base/version.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/log.h"

namespace base {
namespace {

std::string& OwnText() {
  static std::string& text = *new std::string;
  return text;
}

}  // namespace

void SetVersionText(std::string text) { OwnText() = std::move(text); }

std::string VersionText() {
  return OwnText().empty() ? absl::StrCat(ProgramName(), " (Open vSwitch) ", kOvsVersion)
                           : OwnText();
}

std::string OwnVersion() { return BOREAS_VERSION; }

}  // namespace base
