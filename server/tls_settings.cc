#include "server/tls_settings.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
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
    const absl::Status status = FindStrings(*option).status();
    if (status.ok() || absl::IsUnavailable(status)) continue;  // Or the schema is yet to come.
    log.Warn("failed to configure SSL/TLS: %s", std::string(status.message()));
    return false;
  }
  return true;
}

absl::Status TlsSettings::SetFiles(const std::string& private_key, const std::string& certificate,
                                   const std::string& ca_cert) {
  options_.private_key = private_key;
  options_.certificate = certificate;
  options_.ca_cert = ca_cert;
  Apply();
  return tls_->Reload();
}

// The column of strings that `option` names.
absl::StatusOr<ColumnPlace> TlsSettings::FindStrings(const std::string& option) const {
  absl::StatusOr<ColumnPlace> place = ColumnPlace::Parse(*databases_, option);
  if (!place.ok()) return place;
  const ovsdb::ColumnType& type = place->column->type;
  if (type.key.type == ovsdb::AtomType::kString && !type.is_map()) return place;
  return absl::InvalidArgumentError(absl::StrCat("\"", option, "\": table \"", place->table->name,
                                                 "\" column \"", place->column->name,
                                                 "\" is not string or set of strings"));
}

std::string TlsSettings::Value(const std::string& option) {
  if (!absl::StartsWith(option, "db:")) return option;
  const absl::StatusOr<ColumnPlace> place = FindStrings(option);
  if (!place.ok()) return "";
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
  Apply();
  tls_->Load();
}

void TlsSettings::Apply() {
  watched_.clear();
  tls_->SetPrivateKey(Value(options_.private_key));
  tls_->SetCertificate(Value(options_.certificate));
  tls_->SetCaCert(Value(options_.ca_cert), options_.bootstrap_ca_cert);
  if (!options_.peer_ca_cert.empty()) tls_->SetPeerCaCert(options_.peer_ca_cert);
  // Mistakes in these are logged, once, and leave what was set before, as does an empty column.
  auto apply = [this](const std::string& option, std::string* applied,
                      absl::Status (base::TlsConfig::*set)(absl::string_view)) {
    std::string value = Value(option);
    if (value.empty() || value == *applied) return;
    (tls_->*set)(value).IgnoreError();
    *applied = std::move(value);
  };
  apply(options_.protocols, &applied_.protocols, &base::TlsConfig::SetProtocols);
  apply(options_.ciphers, &applied_.ciphers, &base::TlsConfig::SetCiphers);
  apply(options_.ciphersuites, &applied_.ciphersuites, &base::TlsConfig::SetCipherSuites);
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
