// What a replica asks to be told of.
#ifndef SERVER_CLIENT_MONITOR_REQUESTS_H_
#define SERVER_CLIENT_MONITOR_REQUESTS_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "ovsdb/schema.h"

namespace server {

// <monitor-requests> (RFC 7047 section 4.1.5), JSON text: all columns of the tables that are
// `wanted`, but for those that every row has.
std::string MonitorRequests(const ovsdb::DatabaseSchema& schema,
                            absl::FunctionRef<bool(const ovsdb::TableSchema&)> wanted);

}  // namespace server

#endif  // SERVER_CLIENT_MONITOR_REQUESTS_H_
