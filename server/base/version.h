// What we say we are.
#ifndef SERVER_BASE_VERSION_H_
#define SERVER_BASE_VERSION_H_

#include <string>

namespace base {

// The release of Open vSwitch whose behaviour this is; clients and scripts read it.
inline constexpr char kOvsVersion[] = "3.5.0";

// "PROGRAM (Open vSwitch) 3.5.0", the answer to --version and the version command.
std::string VersionText();

}  // namespace base

#endif  // SERVER_BASE_VERSION_H_
