// Dropping privileges for --user.
#ifndef SERVER_BASE_USER_H_
#define SERVER_BASE_USER_H_

#include <string>

namespace base {

// Becomes USER[:GROUP] for good, keeping of root's powers only to bind low ports and to lock
// memory, as stock does; the log file goes along. Mistakes end the process; `pidfile`, if there is
// one, begins their message.
void BecomeUser(const std::string& spec, const std::string& pidfile);

}  // namespace base

#endif  // SERVER_BASE_USER_H_
