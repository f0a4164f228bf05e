// What an ovsdb-server shows of itself over HTTP (server/face/face.h).
#ifndef SERVER_SERVER_FACE_H_
#define SERVER_SERVER_FACE_H_

#include <string>
#include <vector>

#include "server/face/face.h"
#include "server/server.h"

namespace server {

// Loop thread only.
class ServerFace final : public face::Source {
 public:
  explicit ServerFace(Server* server) : server_(server) {}  // Outlives this.

  void AddMetrics(face::Families* families) const override;
  void AddStatus(rapidjson::Document* status) const override;
  std::vector<std::string> Broken() const override;
  std::vector<std::string> NotReady() const override;
  std::vector<std::string> PeerHosts() const override;

 private:
  Server* server_;
};

}  // namespace server

#endif  // SERVER_SERVER_FACE_H_
