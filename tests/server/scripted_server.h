// An OVSDB server whose answers a test decides, for tests of its clients.
#ifndef TESTS_SERVER_SCRIPTED_SERVER_H_
#define TESTS_SERVER_SCRIPTED_SERVER_H_

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "ovsdb/json.h"
#include "server/base/listener.h"
#include "server/base/rpc_session.h"

namespace server {

// Listens on punix:PATH. Keeps one connection: the newest.
class ScriptedServer final : private base::RpcSession::Handler {
 public:
  ScriptedServer(base::Loop* loop, std::string path) : context_{loop, nullptr}, path_(path) {
    auto listener = base::Listener::Listen(
        context_, "punix:" + path, base::kNoDscp, [this](std::unique_ptr<base::Stream> stream) {
          base::RpcSession::Handler* const handler = this;
          session_ = std::make_unique<base::RpcSession>(context_, std::move(stream), handler);
          n_connections++;
        });
    EXPECT_TRUE(listener.ok()) << listener.status();
    if (listener.ok()) listener_ = *std::move(listener);
  }

  std::string remote() const { return "unix:" + path_; }

  // Answers requests for `method`, of which `about` is the first parameter as JSON, or which have
  // none: with a result, an error or, if that is empty, not at all. What nothing is said of is
  // an unknown method.
  void Answer(const std::string& method, const std::string& about, std::string result) {
    answers_[method + about] = {std::move(result), false};
  }
  void Refuse(const std::string& method, const std::string& about, std::string error) {
    answers_[method + about] = {std::move(error), true};
  }

  // Serves database "D": a row of `_Server` (JSON members with a comma behind each), its schema and
  // what the three forms of monitoring give (<table-updates2>).
  void Serve(const std::string& row, const std::string& schema, const std::string& updates,
             const std::string& reply_to_since) {
    Answer("get_schema", "\"_Server\"", R"({"name":"_Server","version":"1.2.0","tables":{
        "Database":{"columns":{"name":{"type":"string"},"model":{"type":"string"},
        "connected":{"type":"boolean"},"leader":{"type":"boolean"},
        "schema":{"type":{"key":"string","min":0}},
        "index":{"type":{"key":"integer","min":0}}}}}})");
    std::string quoted;
    ovsdb::AppendJsonString(schema, &quoted);
    Answer("monitor_cond", "\"_Server\"",
           absl::StrCat(R"({"Database":{"00000001-0000-0000-0000-000000000000":{"initial":{)", row,
                        R"("name":"D","schema":)", quoted, "}}}}"));
    Answer("get_schema", "\"D\"", schema);
    Answer("monitor_cond_since", "\"D\"", reply_to_since);
    Answer("monitor_cond", "\"D\"", updates);
    Answer("monitor_cancel", "[\"monid\",\"D\"]", "{}");
    Answer("monitor_cancel", "[\"monid\",\"_Server\"]", "{}");
    Answer("set_db_change_aware", "true", "{}");
  }

  void Notify(const std::string& method, const std::string& params) {
    if (connected()) session_->rpc()->Send(base::NotifyText(method, params));
  }
  // The answer to the last request that was not answered.
  void Reply(const std::string& result) {
    session_->rpc()->Send(base::ReplyText(unanswered_, result));
  }
  void Disconnect() { session_ = nullptr; }
  bool connected() const { return session_ != nullptr && session_->connected(); }

  // What came since the last call: METHOD PARAMS each.
  std::vector<std::string> TakeRequests() { return std::exchange(requests_, {}); }
  size_t Count(absl::string_view method) const {
    size_t n = 0;
    for (const std::string& request : requests_) n += absl::StartsWith(request, method) ? 1 : 0;
    return n;
  }

  int n_connections = 0;

 private:
  void OnMessage(std::unique_ptr<base::JsonRpcMessage> message) override {
    if (message->type() != base::JsonRpcMessage::kRequest) return;
    const ovsdb::Json& params = message->params();
    const std::string method(message->method());
    requests_.push_back(absl::StrCat(method, " ", ovsdb::JsonText(params)));
    const auto answer = answers_.find(method + (params.Empty() ? "" : ovsdb::JsonText(params[0])));
    if (answer == answers_.end()) {
      session_->rpc()->Send(base::ErrorReplyText(message->id(), "\"unknown method\""));
    } else if (answer->second.text.empty()) {
      unanswered_ = ovsdb::JsonText(message->id());
    } else if (answer->second.is_error) {
      session_->rpc()->Send(base::ErrorReplyText(message->id(), answer->second.text));
    } else {
      session_->rpc()->Send(base::ReplyText(message->id(), answer->second.text));
    }
  }
  void OnDisconnected(const absl::Status& reason) override { session_ = nullptr; }

  struct Canned {
    std::string text;
    bool is_error;
  };

  const base::StreamContext context_;
  const std::string path_;
  std::map<std::string, Canned> answers_;
  std::vector<std::string> requests_;
  std::string unanswered_;
  std::unique_ptr<base::Listener> listener_;
  std::unique_ptr<base::RpcSession> session_;
};

}  // namespace server

#endif  // TESTS_SERVER_SCRIPTED_SERVER_H_
