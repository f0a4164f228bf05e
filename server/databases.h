// The databases of this server, by name.
#ifndef SERVER_DATABASES_H_
#define SERVER_DATABASES_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "server/hosted_database.h"

namespace server {

// Loop thread only.
class Databases {
 public:
  // What happens to the databases, for whoever depends on them. `reason` is for logs and says what
  // was done ("adding OVN_Northbound database").
  class Observer {
   public:
    virtual void OnAdded(HostedDatabase* database, absl::string_view reason) = 0;
    // Its state is about to go; nothing may refer to it afterwards. Then OnReplaced or OnRemoved.
    virtual void OnLeave(HostedDatabase* database) = 0;
    virtual void OnReplaced(HostedDatabase* database, absl::string_view reason) = 0;
    virtual void OnRemoved(HostedDatabase* database, absl::string_view reason) = 0;

   protected:
    ~Observer() = default;
  };

  // All outlive this.
  Databases(base::Loop* loop, base::Worker* worker, ovsdb::UuidGenerator* uuids,
            Observer* observer);

  const HostedDatabase::Environment& environment() const { return environment_; }
  void SetTrimMemory(bool trim) { environment_.trim_memory = trim; }
  void SetHistoryBytes(size_t bytes) { environment_.history_bytes = bytes; }  // Of new databases.

  HostedDatabase* Find(absl::string_view name) const;  // Null if there is none.
  // The one that was opened from `file`, as given.
  HostedDatabase* FindByFile(absl::string_view file) const;
  template <typename F>  // f(HostedDatabase&), by name.
  void ForEach(F&& f) const {
    for (const auto& [name, database] : by_name_) f(*database);
  }

  // Hosts a database; an error if there is one of its name.
  absl::Status Add(std::unique_ptr<HostedDatabase> database);
  void Remove(HostedDatabase* database, absl::string_view reason);

 private:
  Observer* observer_;
  HostedDatabase::Environment environment_;
  std::map<std::string, std::unique_ptr<HostedDatabase>, std::less<>> by_name_;
};

}  // namespace server

#endif  // SERVER_DATABASES_H_
