#include "server/client/monitor_requests.h"

#include "ovsdb/json.h"

namespace server {

std::string MonitorRequests(const ovsdb::DatabaseSchema& schema,
                            absl::FunctionRef<bool(const ovsdb::TableSchema&)> wanted) {
  std::string requests = "{";
  for (const ovsdb::TableSchema& table : schema.tables) {
    if (!wanted(table)) continue;
    if (requests.size() > 1) requests.push_back(',');
    ovsdb::AppendJsonString(table.name, &requests);
    requests.append(":[{\"columns\":[");
    for (size_t i = ovsdb::TableSchema::kFirstRealColumn; i < table.columns.size(); ++i) {
      if (i > ovsdb::TableSchema::kFirstRealColumn) requests.push_back(',');
      ovsdb::AppendJsonString(table.columns[i].name, &requests);
    }
    requests.append("]}]");
  }
  requests.push_back('}');
  return requests;
}

}  // namespace server
