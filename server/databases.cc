#include "server/databases.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "ovsdb/error.h"

namespace server {

Databases::Databases(base::Loop* loop, base::Worker* worker, ovsdb::UuidGenerator* uuids,
                     Observer* observer)
    : observer_(observer) {
  environment_.loop = loop;
  environment_.worker = worker;
  environment_.uuids = uuids;
  environment_.leave = [this](HostedDatabase* database) { observer_->OnLeave(database); };
  environment_.replaced = [this](HostedDatabase* database, absl::string_view reason) {
    observer_->OnReplaced(database, reason);
  };
}

HostedDatabase* Databases::Find(absl::string_view name) const {
  auto it = by_name_.find(name);
  return it == by_name_.end() ? nullptr : it->second.get();
}

HostedDatabase* Databases::FindByFile(absl::string_view file) const {
  for (const auto& [name, database] : by_name_) {
    if (!database->built_in() && database->file() == file) return database.get();
  }
  return nullptr;
}

absl::Status Databases::Add(std::unique_ptr<HostedDatabase> database) {
  HostedDatabase* added = database.get();
  // Schemas are read with this in mind, but a relay's comes later.
  if (!added->built_in() && added->name().substr(0, 1) == "_") {
    return ovsdb::Error("ovsdb error",
                        absl::StrCat(added->name(), ": names beginning with \"_\" are reserved"));
  }
  if (!by_name_.try_emplace(added->name(), std::move(database)).second) {
    return ovsdb::Error("ovsdb error", absl::StrCat(added->name(), ": duplicate database name"));
  }
  observer_->OnAdded(added, absl::StrCat("adding ", added->name(), " database"));
  return absl::OkStatus();
}

void Databases::Remove(HostedDatabase* database, absl::string_view reason) {
  database->executor().Settle();
  database->executor().storage().SyncNow();
  observer_->OnLeave(database);
  database->executor().CancelWaiting();
  auto it = by_name_.find(database->name());
  std::unique_ptr<HostedDatabase> removed = std::move(it->second);
  by_name_.erase(it);
  observer_->OnRemoved(removed.get(), reason);
  removed->ReleaseState();
}

}  // namespace server
