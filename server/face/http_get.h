// Asks another daemon's HttpServer for a page.
#ifndef SERVER_FACE_HTTP_GET_H_
#define SERVER_FACE_HTTP_GET_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/base/loop.h"
#include "server/base/stream.h"

namespace face {

// One question, on its way from the constructor on. Loop thread only.
class HttpGet final : private base::Stream::Handler {
 public:
  using Done = std::function<void(absl::StatusOr<std::string> body)>;

  // `host` is a name or an address without brackets. `done` is called once, in a later turn and
  // within `timeout_ms`, unless this is destroyed before; it may destroy this. Errors say why there
  // is no answer, or none with status 200.
  HttpGet(base::Loop* loop, const std::string& host, uint16_t port, absl::string_view path,
          int64_t timeout_ms, Done done);
  ~HttpGet() override;
  HttpGet(const HttpGet&) = delete;
  HttpGet& operator=(const HttpGet&) = delete;

 private:
  void OnData(absl::string_view data) override;
  void OnClosed(const absl::Status& reason) override;
  absl::StatusOr<std::string> Body() const;
  void Finish(absl::StatusOr<std::string> body);

  Done done_;
  std::string text_;
  absl::Status failure_;
  base::Timer timeout_;
  std::unique_ptr<base::Stream> stream_;
};

}  // namespace face

#endif  // SERVER_FACE_HTTP_GET_H_
