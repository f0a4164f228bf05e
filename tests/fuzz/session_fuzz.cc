// What two clients may say to a server: monitors, conditions, locks, conversions and whatever else
// they think of. They are answered with JSON, or cut off.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "ovsdb/json.h"
#include "server/base/json_frame.h"
#include "server/base/log.h"
#include "server/db_session.h"
#include "server/hosted_database.h"
#include "server/storage.h"
#include "tests/server/fake_stream.h"

namespace {

constexpr char kSchema[] = R"({"name":"D","version":"1.0.0","tables":{
  "T":{"isRoot":true,"indexes":[["n"]],"columns":{
    "n":{"type":"integer"},
    "s":{"type":{"key":"string","min":0,"max":"unlimited"}},
    "m":{"type":{"key":"string","value":"string","min":0,"max":"unlimited"}},
    "r":{"type":{"key":{"type":"uuid","refTable":"U"},"min":0,"max":"unlimited"}}}},
  "U":{"columns":{"x":{"type":"real"}}}}})";

// Keeps nothing, and never fails.
class NoStorage final : public server::Storage {
 public:
  void SetClient(Client* client) override { client_ = client; }
  absl::string_view model() const override { return "standalone"; }
  Position Append(const ovsdb::DatabaseSchema& schema, const ovsdb::Change& change,
                  bool durable) override {
    return ++appended_;
  }
  void Flush() override {
    client_->OnCommitted(appended_);
    client_->OnDurable(appended_);
  }
  void SyncNow() override { Flush(); }
  void Compact(ovsdb::Snapshot snapshot, std::string comment, Done done) override {
    done(absl::OkStatus());
  }
  void Convert(ovsdb::Snapshot converted, Done done) override { done(absl::OkStatus()); }
  bool WantsCompaction() override { return false; }
  absl::Status status() const override { return absl::OkStatus(); }

 private:
  Client* client_ = nullptr;
  Position appended_ = 0;
};

class Server final : private server::Databases::Observer {
 public:
  explicit Server(base::Loop* loop, base::Worker* worker)
      : databases_(loop, worker, &uuids_, this), sessions(loop, &databases_, ovsdb::Uuid()) {
    static const ovsdb::SchemaRef schema = ovsdb::DatabaseSchema::ParseText(kSchema).value();
    auto database = std::make_unique<server::HostedDatabase>(
        &databases_.environment(), "D", "d.db", std::make_unique<NoStorage>(),
        std::make_unique<ovsdb::Database>(schema));
    if (!databases_.Add(std::move(database)).ok()) std::abort();
  }

 private:
  void OnAdded(server::HostedDatabase* database, absl::string_view reason) override {}
  void OnLeave(server::HostedDatabase* database) override { sessions.Leave(database); }
  void OnReplaced(server::HostedDatabase* database, absl::string_view reason) override {}
  void OnRemoved(server::HostedDatabase* database, absl::string_view reason) override {}

  ovsdb::UuidGenerator uuids_{1};
  server::Databases databases_;

 public:
  server::Sessions sessions;
};

class Peer {
 public:
  Peer(base::Loop* loop, server::Sessions* sessions) {
    auto stream = std::make_unique<base::FakeStream>(loop);
    stream_ = stream.get();
    session_.emplace(sessions, base::StreamContext{.loop = loop}, std::move(stream),
                     server::DbSession::Options{},
                     [this](server::DbSession* session) { stream_ = nullptr; });
  }

  void Say(absl::string_view data) {
    if (stream_ != nullptr) stream_->Receive(data);
    if (stream_ != nullptr) Check();
  }

 private:
  // What is sent are whole messages.
  void Check() {
    absl::string_view sent = absl::string_view(stream_->sent()).substr(checked_);
    checked_ += sent.size();
    std::string message;
    for (;;) {
      const absl::StatusOr<bool> complete = framer_.Next(&sent, &message);
      if (!complete.ok()) std::abort();
      if (!*complete) return;
      if (!ovsdb::ParseJson(message).ok()) std::abort();
    }
  }

  base::FakeStream* stream_;
  std::optional<server::DbSession> session_;
  base::JsonFramer framer_;
  size_t checked_ = 0;
};

}  // namespace

// Lines go to the clients in turn.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static base::Loop loop;
  static base::Worker worker(&loop);
  static const bool quiet = base::SetLogLevels("off").ok();
  if (!quiet) std::abort();

  Server server(&loop, &worker);
  Peer first(&loop, &server.sessions);
  Peer second(&loop, &server.sessions);
  absl::string_view rest(reinterpret_cast<const char*>(data), size);
  for (bool odd = false; !rest.empty(); odd = !odd) {
    const absl::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    (odd ? second : first).Say(line);
    while (worker.pending() > 0) loop.RunOnce(true);
    loop.RunOnce(false);
  }
  first.Say(" ");
  second.Say(" ");
  return 0;
}
