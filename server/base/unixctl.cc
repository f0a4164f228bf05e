#include "server/base/unixctl.h"

#include <getopt.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "server/base/daemon.h"
#include "server/base/io_error.h"
#include "server/base/jsonrpc.h"
#include "server/base/log.h"
#include "server/base/version.h"

namespace base {
namespace {

LogModule log("unixctl");

// No command of ours takes long arguments.
constexpr size_t kMaxRequest = 1 << 20;

// The value of --format among `args`, which may be abbreviated or written --format=VALUE.
absl::StatusOr<std::string> FormatOption(UnixctlArgs args) {
  std::string format = "text";
  for (size_t i = 0; i < args.size() && args[i] != "--"; i++) {
    absl::string_view arg = args[i];
    if (arg.size() < 2 || arg.front() != '-') continue;
    const size_t equals = std::min(arg.find('='), arg.size());
    const absl::string_view name = arg.substr(0, equals);
    if (name.size() < 3 || !absl::StartsWith("--format", name)) {
      // As getopt(3) has it, which takes words with one dash for letters in a row.
      const bool is_word = absl::StartsWith(arg, "--");
      return absl::InvalidArgumentError(
          absl::StrCat("unrecognized option '", is_word ? arg : arg.substr(1, 1), "'"));
    }
    if (equals < arg.size()) {
      format = std::string(arg.substr(equals + 1));
    } else if (++i < args.size()) {
      format = args[i];
    } else {
      return absl::InvalidArgumentError("option '--format' requires an argument");
    }
    if (format != "text" && format != "json") {
      return absl::InvalidArgumentError(absl::StrCat("option format has invalid value ", format));
    }
  }
  return format;
}

}  // namespace

// A client. It may have one command under way; more wait in the socket.
class UnixctlConnection : public JsonRpc::Handler,
                          public std::enable_shared_from_this<UnixctlConnection> {
 public:
  UnixctlConnection(Unixctl* owner, std::unique_ptr<Stream> stream)
      : owner_(owner), rpc_(owner->context_.loop, std::move(stream), this, kMaxRequest) {}

  void OnMessage(std::unique_ptr<JsonRpcMessage> message) override {
    if (message->type() != JsonRpcMessage::Type::kRequest) {
      static RateLimit limit(5, 5);
      const std::string text = message->Describe();
      log.WarnLimited(limit, "%s: received unexpected %s message", rpc_.name(),
                      text.substr(0, text.find(',')));
      return rpc_.Close(IoError(EPROTO));
    }
    log.Debug("received request %s%s, id=%s", std::string(message->method()),
              ValueText(message->params()), ValueText(message->id()));
    std::vector<std::string> args;
    bool strings = true;
    for (const rapidjson::Value& param : message->params().GetArray()) {
      strings &= param.IsString();
      args.push_back(param.IsString() ? std::string(param.GetString(), param.GetStringLength())
                                      : std::string());
    }
    rpc_.SetReading(false);
    UnixctlReply reply(weak_from_this(), ValueText(message->id()), json_);
    owner_->Run(message->method(), args, strings, std::move(reply));
  }
  void OnClosed(const absl::Status&) override {
    // The last reference, unless a caller up the stack has one.
    std::erase_if(owner_->connections_, [this](const auto& c) { return c.get() == this; });
  }

  void Answer(const std::string& id, bool success, absl::string_view json_text) {
    log.Debug("replying with %s, id=%s: \"%s\"", success ? "success" : "error", id,
              std::string(json_text));
    rpc_.Send(success ? ReplyText(id, json_text) : ErrorReplyText(id, json_text));
    rpc_.SetReading(true);
  }

  void SetJson(bool json) { json_ = json; }

 private:
  Unixctl* owner_;
  JsonRpc rpc_;
  bool json_ = false;
};

UnixctlReply::UnixctlReply(std::weak_ptr<UnixctlConnection> connection, std::string id, bool json)
    : connection_(std::move(connection)), id_(std::move(id)), json_(json) {}

UnixctlReply::UnixctlReply(UnixctlReply&& other) noexcept
    : connection_(std::move(other.connection_)),
      id_(std::move(other.id_)),
      json_(other.json_),
      answered_(std::exchange(other.answered_, true)) {}

UnixctlReply::~UnixctlReply() {
  if (!answered_) Error("the command was dropped without an answer");
}

bool UnixctlReply::wants_json() const { return json_; }

void UnixctlReply::Answer(bool success, absl::string_view json_text) {
  if (std::exchange(answered_, true)) return;
  if (auto connection = connection_.lock()) connection->Answer(id_, success, json_text);
}

void UnixctlReply::Text(absl::string_view text) {
  const std::string string = StringText(text);
  Answer(true,
         json_ ? absl::StrCat("{\"reply-format\":\"plain\",\"reply\":", string, "}") : string);
}

void UnixctlReply::Json(absl::string_view json_text) { Answer(true, json_text); }
void UnixctlReply::Error(absl::string_view text) { Answer(false, StringText(text)); }

Unixctl::Unixctl(const StreamContext& context) : context_(context) {
  Register("list-commands", "", 0, 0,
           [this](UnixctlArgs, UnixctlReply reply) { ListCommands(std::move(reply)); });
  Register("version", "", 0, 0, [](UnixctlArgs, UnixctlReply reply) { reply.Text(VersionText()); });
  Register("set-options", "[--format text|json]", 1, 2, [](UnixctlArgs args, UnixctlReply reply) {
    const absl::StatusOr<std::string> format = FormatOption(args);
    if (!format.ok()) return reply.Error(format.status().message());
    reply.SetFormat(*format == "json");
    reply.Text("");
  });
}

Unixctl::~Unixctl() = default;

void UnixctlReply::SetFormat(bool json) {
  json_ = json;
  if (auto connection = connection_.lock()) connection->SetJson(json);
}

absl::Status Unixctl::Listen(absl::string_view path) {
  if (path == "none") return absl::OkStatus();
  const std::string full = path.empty()
                               ? absl::StrCat(RunDir(), "/", ProgramName(), ".", getpid(), ".ctl")
                               : AbsoluteName(RunDir(), path);
  auto listener =
      Listener::Listen(context_, absl::StrCat("punix:", full), kNoDscp,
                       [this](std::unique_ptr<Stream> stream) { Accept(std::move(stream)); });
  if (!listener.ok()) {
    return IoError(ErrorNumber(listener.status()),
                   absl::StrCat(full, ": could not initialize control socket (",
                                listener.status().message(), ")"));
  }
  listener_ = *std::move(listener);
  return absl::OkStatus();
}

void Unixctl::Accept(std::unique_ptr<Stream> stream) {
  connections_.push_back(std::make_shared<UnixctlConnection>(this, std::move(stream)));
}

void Unixctl::Register(const std::string& name, const char* usage, int min_args, int max_args,
                       Command command) {
  commands_[name] = {usage, min_args, max_args, std::move(command)};
}

void Unixctl::Run(absl::string_view method, UnixctlArgs args, bool strings, UnixctlReply reply) {
  const auto found = commands_.find(std::string(method));
  if (found == commands_.end()) {
    return reply.Error(absl::StrCat("\"", method,
                                    "\" is not a valid command (use \"list-commands\" to see a "
                                    "list of valid commands)"));
  }
  const Entry& entry = found->second;
  const auto n = static_cast<int>(args.size());
  if (n < entry.min_args) {
    return reply.Error(
        absl::StrCat("\"", method, "\" command requires at least ", entry.min_args, " arguments"));
  }
  if (entry.max_args != kAnyNumber && n > entry.max_args) {
    return reply.Error(
        absl::StrCat("\"", method, "\" command takes at most ", entry.max_args, " arguments"));
  }
  if (!strings) {
    return reply.Error(absl::StrCat("\"", method, "\" command has non-string argument"));
  }
  const Command command = entry.command;  // May register others.
  command(args, std::move(reply));
}

void Unixctl::ListCommands(UnixctlReply reply) const {
  std::string text = reply.wants_json() ? "{" : "The available commands are:\n";
  for (const auto& [name, entry] : commands_) {
    if (entry.usage == nullptr) continue;
    if (reply.wants_json()) {
      absl::StrAppend(&text, text.size() > 1 ? "," : "", StringText(name), ":",
                      StringText(entry.usage));
    } else {
      absl::StrAppendFormat(&text, "  %-23s %s\n", name, entry.usage);
    }
  }
  if (reply.wants_json()) {
    reply.Json(text + "}");
  } else {
    reply.Text(text);
  }
}

}  // namespace base
