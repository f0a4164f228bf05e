// A small HTTP/1.1 server on the loop, for GET alone: what a daemon tells about itself.
//
// Bounded against whoever comes: so many connections at once, so many bytes of a request, so long
// without a word. Loop thread only.
#ifndef SERVER_FACE_HTTP_SERVER_H_
#define SERVER_FACE_HTTP_SERVER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/base/loop.h"

namespace face {

struct HttpAnswer {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

class HttpServer {
 public:
  // To be called once, at once or later; nothing happens if the client is gone.
  using Reply = std::function<void(HttpAnswer)>;
  // Asked for `path`, without what is behind a '?'.
  using Handler = std::function<void(absl::string_view path, Reply reply)>;

  // Listens at ADDRESS:PORT[-LAST]: an IP address, IPv6 in brackets, or nothing for all addresses;
  // the first port up to LAST that is free, where 0 lets the kernel choose. Errors say what is
  // wrong with `address`.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Listen(base::Loop* loop,
                                                            absl::string_view address,
                                                            Handler handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  uint16_t port() const;

 private:
  struct Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace face

#endif  // SERVER_FACE_HTTP_SERVER_H_
