// TLS options of which each may name a place in a database: db:DB,TABLE,COLUMN, where the first
// non-empty string is the value (ovsdb-server(1) "Public Key Infrastructure Options").
#ifndef SERVER_TLS_SETTINGS_H_
#define SERVER_TLS_SETTINGS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/base/loop.h"
#include "server/base/tls.h"
#include "server/databases.h"

namespace server {

struct ColumnPlace;

// As given on the command line; empty: not given.
struct TlsOptions {
  std::string private_key;
  std::string certificate;
  std::string ca_cert;
  bool bootstrap_ca_cert = false;
  std::string peer_ca_cert;
  std::string protocols;
  std::string ciphers;
  std::string ciphersuites;
};

// Loop thread only.
class TlsSettings {
 public:
  // All outlive this.
  TlsSettings(base::Loop* loop, base::TlsConfig* tls, const Databases* databases);

  // Takes options and looks their values up. False, with a warning in the log, if one names no
  // place; what comes later is followed quietly.
  bool Configure(TlsOptions options);
  // Uses other files from now on, which may be the same names with something new in them.
  absl::Status SetFiles(const std::string& private_key, const std::string& certificate,
                        const std::string& ca_cert);
  // Looks the values up again, now.
  void Reconfigure();
  // The same at the end of the turn. To be called when databases come, go or change their schema.
  void SetDirty() { reconfigure_.Arm(); }
  // `change` was committed in `database`.
  void OnChange(const HostedDatabase& database, const ovsdb::Change& change);

 private:
  struct Place {
    const HostedDatabase* database;
    int table;
  };
  absl::StatusOr<ColumnPlace> FindStrings(const std::string& option) const;
  std::string Value(const std::string& option);
  void Apply();

  base::TlsConfig* tls_;
  const Databases* databases_;
  TlsOptions options_;
  TlsOptions applied_;  // The values of protocols and ciphers that were last set.
  std::vector<Place> watched_;
  base::TurnEnd reconfigure_;
};

}  // namespace server

#endif  // SERVER_TLS_SETTINGS_H_
