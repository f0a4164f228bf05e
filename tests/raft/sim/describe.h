// Messages and records as a person reads them in a trace.
#ifndef TESTS_RAFT_SIM_DESCRIBE_H_
#define TESTS_RAFT_SIM_DESCRIBE_H_

#include <string>

#include "raft/message.h"
#include "raft/record.h"

namespace raft::sim {

std::string Describe(const Message& message);
std::string Describe(const Record& record);
std::string Describe(const Entry& entry);
std::string Describe(const Servers& servers);

}  // namespace raft::sim

#endif  // TESTS_RAFT_SIM_DESCRIBE_H_
