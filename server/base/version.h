// What we say we are.
#ifndef SERVER_BASE_VERSION_H_
#define SERVER_BASE_VERSION_H_

#include <string>

namespace base {

// The release of Open vSwitch whose behaviour this is; clients and scripts read it.
inline constexpr char kOvsVersion[] = "3.5.0";

// What --version and the version command answer: "PROGRAM (Open vSwitch) 3.5.0", or what a program of
// OVN has set, once and early.
std::string VersionText();
void SetVersionText(std::string text);

// Of Boreas itself. Nothing that scripts read as stock's shows it.
std::string OwnVersion();

}  // namespace base

#endif  // SERVER_BASE_VERSION_H_
