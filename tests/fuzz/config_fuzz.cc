// Configuration files: whatever they say, they are read or refused with a word; what was read can
// be written and read again.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "absl/strings/string_view.h"
#include "server/config_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<server::ConfigComplaint> complaints;
  const auto config = server::ServerConfig::Parse(text, &complaints);
  if (!config.ok()) {
    if (complaints.empty()) std::abort();
    return 0;
  }
  complaints.clear();
  const auto again = server::ServerConfig::Parse(config->ToText(), &complaints);
  if (!again.ok() || !complaints.empty()) std::abort();
  if (again->remotes != config->remotes || again->databases != config->databases) std::abort();
  return 0;
}
