// What a daemon shows of itself over HTTP (--metrics=ADDRESS:PORT):
//
//   /         a page for people, with the daemons of the same kind on other nodes
//   /status   what that page is made of, as JSON (docs/operators.md)
//   /metrics  figures for Prometheus
//   /healthz  200 unless the process cannot go on without help, then 503 and why
//   /readyz   200 if it does its work, else 503 and why
#ifndef SERVER_FACE_FACE_H_
#define SERVER_FACE_FACE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "rapidjson/document.h"
#include "server/base/loop.h"
#include "server/base/options.h"
#include "server/face/families.h"

namespace face {

// What a daemon tells.
class Source {
 public:
  virtual void AddMetrics(Families* families) const = 0;
  // Adds members to the object that /status answers.
  virtual void AddStatus(rapidjson::Document* status) const = 0;
  // What is wrong, in whole clauses; nothing if all is well. Who is broken is not ready, too.
  virtual std::vector<std::string> Broken() const = 0;
  virtual std::vector<std::string> NotReady() const = 0;
  // Where the same daemon of other nodes is: hosts. It is asked at the port of this one.
  virtual std::vector<std::string> PeerHosts() const { return {}; }

 protected:
  ~Source() = default;
};

struct FaceOptions {
  std::string metrics;  // --metrics: HttpServer::Listen. Empty: BOREAS_METRICS in the environment.
};

// Loop thread only.
class Face {
 public:
  // Both outlive this.
  Face(base::Loop* loop, const Source* source);
  ~Face();
  Face(const Face&) = delete;
  Face& operator=(const Face&) = delete;

  // Begins to answer as the option or the environment says, if one does. What the option asks for
  // and cannot be done ends the process; what the environment asks for is left with a warning.
  void Listen(const FaceOptions& options);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Adds --metrics to what a daemon understands.
void AddFaceOption(base::OptionParser* parser, FaceOptions* options);
// Its lines in --help.
std::string FaceHelp();

}  // namespace face

#endif  // SERVER_FACE_FACE_H_
