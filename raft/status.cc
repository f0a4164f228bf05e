#include "raft/status.h"

#include "absl/strings/match.h"

namespace raft {

std::string Nickname(const std::string& address, const ServerId& id) {
  if (absl::StartsWith(address, "unix:")) {
    const size_t slash = address.rfind('/');
    const size_t name = slash == std::string::npos ? 5 : slash + 1;
    const size_t dot = address.rfind('.');
    if (dot != std::string::npos && dot > name) return address.substr(name, dot - name);
  }
  return id.Short(4);
}

}  // namespace raft
