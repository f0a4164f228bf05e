#include "server/status.h"

#include <utility>

#include "schemas/builtin.h"
#include "server/storage.h"

namespace server {
namespace {

constexpr int kDatabaseTable = 0;

ovsdb::Datum Optional(absl::string_view text) {
  return text.empty() ? ovsdb::Datum() : ovsdb::Datum(ovsdb::Atom::String(text));
}

}  // namespace

ServerStatus::ServerStatus(Databases* databases) : databases_(databases) {
  ovsdb::SchemaRef schema = *ovsdb::DatabaseSchema::ParseText(schemas::kServer);
  auto server = std::make_unique<HostedDatabase>(&databases->environment(), schema->name, "",
                                                 MakeMemoryStorage("standalone"),
                                                 std::make_unique<ovsdb::Database>(schema));
  server->SetReadOnly(true);
  server_ = server.get();
  databases->Add(std::move(server)).IgnoreError();
}

void ServerStatus::Update(const HostedDatabase& database) {
  const ovsdb::Table& table = server_->state().table(kDatabaseTable);
  const ovsdb::TableSchema& schema = table.schema();
  ovsdb::UuidGenerator* uuids = databases_->environment().uuids;

  auto [entry, is_new] = rows_.try_emplace(database.name());
  if (is_new) entry->second = uuids->Next();
  const ovsdb::RowRef before = table.FindRef(entry->second);
  ovsdb::MutableRow row = before ? ovsdb::MutableRow(*before, uuids->Next())
                                 : ovsdb::MutableRow(schema, entry->second, uuids->Next());

  bool changed = !before;
  auto set = [&](absl::string_view column_name, ovsdb::Datum value) {
    const int column = schema.FindColumn(column_name)->index;
    if (row.datum(column) == value) return;
    row.Set(column, std::move(value));
    changed = true;
  };
  const Storage& storage = database.executor().storage();
  set("name", ovsdb::Datum(ovsdb::Atom::String(database.name())));
  set("model", ovsdb::Datum(ovsdb::Atom::String(storage.model())));
  set("connected", ovsdb::Datum(ovsdb::Atom::Boolean(storage.connected())));
  set("leader", ovsdb::Datum(ovsdb::Atom::Boolean(storage.leader())));
  set("schema", Optional(database.schema_text()));
  if (const std::optional<Storage::ClusterPlace> place = storage.cluster()) {
    set("cid", ovsdb::Datum(ovsdb::Atom::Of(place->cluster_id)));
    set("sid", ovsdb::Datum(ovsdb::Atom::Of(place->server_id)));
    if (place->index > 0) {
      set("index", ovsdb::Datum(ovsdb::Atom::Integer(static_cast<int64_t>(place->index))));
    }
  }
  if (!changed) return;

  ovsdb::Change change;
  change.tables.push_back({kDatabaseTable, {{before, std::move(row).Finish()}}});
  server_->executor().Propose(std::move(change), nullptr);
}

void ServerStatus::Remove(const HostedDatabase& database) {
  auto entry = rows_.find(database.name());
  if (entry == rows_.end()) return;
  ovsdb::Change change;
  change.tables.push_back(
      {kDatabaseTable, {{server_->state().table(kDatabaseTable).FindRef(entry->second), nullptr}}});
  rows_.erase(entry);
  server_->executor().Propose(std::move(change), nullptr);
}

}  // namespace server
