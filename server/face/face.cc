#include "server/face/face.h"

#include <cstdlib>
#include <list>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "ovsdb/json.h"
#include "server/base/log.h"
#include "server/base/log_format.h"
#include "server/base/slow.h"
#include "server/base/version.h"
#include "server/face/http_get.h"
#include "server/face/http_server.h"
#include "server/face/json_maker.h"
#include "server/face/page.h"

namespace face {
namespace {

base::LogModule log("http");

constexpr char kVariable[] = "BOREAS_METRICS";
constexpr int64_t kPeerTimeoutMs = 1000;
constexpr char kHtml[] = "text/html; charset=utf-8";
constexpr char kJson[] = "application/json";
constexpr char kPrometheus[] = "text/plain; version=0.0.4; charset=utf-8";

std::string TimeText(int64_t wall_ms) {
  std::string text;
  base::AppendTime("%Y-%m-%dT%H:%M:%S.###Z", wall_ms, /*utc=*/true, &text);
  return text;
}

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

HttpAnswer Verdict(const std::vector<std::string>& troubles) {
  if (troubles.empty()) return {.body = "ok\n"};
  return {.status = 503, .body = absl::StrCat(absl::StrJoin(troubles, "\n"), "\n")};
}

}  // namespace

struct Face::Impl {
  // A page that waits for what other nodes say.
  struct Viewing {
    HttpServer::Reply reply;
    std::map<std::string, absl::StatusOr<std::string>> said;  // By host.
    std::list<HttpGet> questions;
    size_t n_open = 0;
  };

  Impl(base::Loop* loop, const Source* source)
      : loop(loop),
        source(source),
        started_wall_ms(base::WallMs()),
        started_ms(base::MonotonicMs()) {}

  std::vector<std::string> NotReady() const {
    std::vector<std::string> troubles = source->Broken();
    for (std::string& trouble : source->NotReady()) troubles.push_back(std::move(trouble));
    return troubles;
  }

  void Answer(absl::string_view path, HttpServer::Reply reply) {
    if (path == "/metrics") {
      reply({.content_type = kPrometheus, .body = Metrics()});
    } else if (path == "/healthz") {
      reply(Verdict(source->Broken()));
    } else if (path == "/readyz") {
      reply(Verdict(NotReady()));
    } else if (path == "/status") {
      reply({.content_type = kJson, .body = Status() + "\n"});
    } else if (path == "/") {
      View(std::move(reply));
    } else {
      reply({.status = 404, .body = "There are /, /status, /metrics, /healthz and /readyz.\n"});
    }
  }

  std::string Metrics() const {
    Families families;
    AddProcessMetrics(&families);
    families.Gauge("process_start_time_seconds", "When the process began, since the epoch.", {},
                   static_cast<double>(started_wall_ms) / 1000);
    families.Gauge("boreas_ready", "1 if /readyz says so.", {}, NotReady().empty() ? 1 : 0);
    families.Histogram("boreas_loop_turn_seconds",
                       "How long the loop was busy between two looks at its connections.", {},
                       loop->turns());
    source->AddMetrics(&families);
    return families.Text();
  }

  std::string Status() const {
    rapidjson::Document status(rapidjson::kObjectType);
    JsonMaker maker(&status);
    maker.AddText(&status, "program", base::ProgramName());
    maker.AddText(&status, "version", FirstLine(base::VersionText()));
    maker.AddText(&status, "boreas", base::OwnVersion());
    maker.AddText(&status, "host", base::HostName());
    maker.AddText(&status, "time", TimeText(base::WallMs()));
    maker.Add(&status, "uptime_s", (base::MonotonicMs() - started_ms) / 1000);
    maker.Add(&status, "longest_turn_ms", loop->longest_turn_ms());
    rapidjson::Value troubles(rapidjson::kArrayType);
    for (const std::string& trouble : NotReady()) maker.Push(&troubles, maker.Text(trouble));
    maker.Add(&status, "troubles", std::move(troubles));
    rapidjson::Value slow(rapidjson::kArrayType);
    for (const base::SlowThing& thing : base::SlowThings()) {
      rapidjson::Value one(rapidjson::kObjectType);
      maker.AddText(&one, "kind", base::SlowKindName(thing.kind));
      maker.AddText(&one, "time", TimeText(thing.wall_ms));
      maker.AddText(&one, "text", thing.text);
      maker.Push(&slow, std::move(one));
    }
    maker.Add(&status, "slow", std::move(slow));
    source->AddStatus(&status);
    return ovsdb::JsonText(status);
  }

  void View(HttpServer::Reply reply) {
    const std::vector<std::string> hosts = source->PeerHosts();
    viewings.emplace_back();
    const auto viewing = std::prev(viewings.end());
    viewing->reply = std::move(reply);
    viewing->n_open = hosts.size();
    for (const std::string& host : hosts) {
      viewing->questions.emplace_back(loop, host, server->port(), "/status", kPeerTimeoutMs,
                                      [this, viewing, host](absl::StatusOr<std::string> body) {
                                        viewing->said.insert_or_assign(host, std::move(body));
                                        if (--viewing->n_open == 0) Show(viewing);
                                      });
    }
    if (hosts.empty()) Show(viewing);
  }

  void Show(std::list<Viewing>::iterator viewing) {
    const HttpServer::Reply reply = std::move(viewing->reply);
    HttpAnswer answer = {.content_type = kHtml, .body = PageText(Status(), viewing->said)};
    // Not at once: one of its questions calls this.
    loop->Post([this, alive = std::weak_ptr<bool>(alive), viewing] {
      if (alive.lock()) viewings.erase(viewing);
    });
    reply(std::move(answer));
  }

  base::Loop* const loop;
  const Source* const source;
  const int64_t started_wall_ms;
  const int64_t started_ms;
  std::list<Viewing> viewings;
  std::unique_ptr<HttpServer> server;
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);
};

Face::Face(base::Loop* loop, const Source* source) : impl_(std::make_unique<Impl>(loop, source)) {}
Face::~Face() = default;

void Face::Listen(const FaceOptions& options) {
  const char* const variable = getenv(kVariable);
  const bool by_option = !options.metrics.empty();
  const std::string address = by_option ? options.metrics : variable != nullptr ? variable : "";
  if (address.empty()) return;
  absl::StatusOr<std::unique_ptr<HttpServer>> server = HttpServer::Listen(
      impl_->loop, address, [impl = impl_.get()](absl::string_view path, HttpServer::Reply reply) {
        impl->Answer(path, std::move(reply));
      });
  if (server.ok()) {
    impl_->server = *std::move(server);
    log.Info("%s: metrics and status on port %d", address, impl_->server->port());
  } else if (by_option) {
    base::Fatal(absl::StrCat("--metrics=", address, ": ", server.status().message()));
  } else {
    log.Warn("%s=%s: %s", kVariable, address, std::string(server.status().message()));
  }
}

void AddFaceOption(base::OptionParser* parser, FaceOptions* options) {
  parser->Add("metrics", 0, base::OptionParser::kRequired,
              [options](const char* argument) { options->metrics = argument; });
}

std::string FaceHelp() {
  return "  --metrics=ADDRESS:PORT  answer HTTP there: a status page at /, figures for\n"
         "                          Prometheus at /metrics, /healthz and /readyz\n";
}

}  // namespace face
