#include "server/tls_settings.h"

#include <utility>

#include "absl/strings/match.h"
#include "server/base/log.h"
#include "server/remotes.h"

namespace server {
namespace {

base::LogModule log("ovsdb_server");

}  // namespace

TlsSettings::TlsSettings(base::Loop* loop, base::TlsConfig* tls, const Databases* databases)
    : tls_(tls),
      databases_(databases),
      reconfigure_(loop, base::TurnEnd::kWork, [this] { Reconfigure(); }) {}

bool TlsSettings::Configure(TlsOptions options) {
  options_ = std::move(options);
  Reconfigure();
  for (const std::string* option :
       {&options_.private_key, &options_.certificate, &options_.ca_cert, &options_.protocols,
        &options_.ciphers, &options_.ciphersuites}) {
    if (!absl::StartsWith(*option, "db:")) continue;
    const absl::Status status = ColumnPlace::Check(*databases_, *option);
    if (status.ok()) continue;
    log.Warn("failed to configure SSL/TLS: %s", std::string(status.message()));
    return false;
  }
  return true;
}

std::string TlsSettings::Value(const std::string& option) {
  if (!absl::StartsWith(option, "db:")) return option;
  absl::StatusOr<ColumnPlace> place = ColumnPlace::Parse(*databases_, option);
  if (!place.ok() || place->column->type.key.type != ovsdb::AtomType::kString ||
      place->column->type.is_map()) {
    return "";
  }
  watched_.push_back({place->database, place->table->index});
  std::string value;
  place->database->state().table(place->table->index).ForEach([&](const ovsdb::Row& row) {
    const ovsdb::Datum& strings = row.datum(place->column->index);
    for (size_t i = 0; i < strings.size() && value.empty(); i++) {
      value = std::string(strings.key(i).string());
    }
  });
  return value;
}

void TlsSettings::Reconfigure() {
  watched_.clear();
  tls_->SetPrivateKey(Value(options_.private_key));
  tls_->SetCertificate(Value(options_.certificate));
  tls_->SetCaCert(Value(options_.ca_cert), options_.bootstrap_ca_cert);
  if (!options_.peer_ca_cert.empty()) tls_->SetPeerCaCert(options_.peer_ca_cert);
  // Mistakes in these are logged and leave what was set before, as does an empty column.
  const std::string protocols = Value(options_.protocols);
  if (!protocols.empty()) tls_->SetProtocols(protocols).IgnoreError();
  const std::string ciphers = Value(options_.ciphers);
  if (!ciphers.empty()) tls_->SetCiphers(ciphers).IgnoreError();
  const std::string ciphersuites = Value(options_.ciphersuites);
  if (!ciphersuites.empty()) tls_->SetCipherSuites(ciphersuites).IgnoreError();
}

void TlsSettings::OnChange(const HostedDatabase& database, const ovsdb::Change& change) {
  for (const ovsdb::TableChange& table : change.tables) {
    for (const Place& place : watched_) {
      if (place.database == &database && place.table == table.table) {
        SetDirty();
        return;
      }
    }
  }
}

}  // namespace server
