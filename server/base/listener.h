// Passive sockets: ptcp:[PORT][:HOST], pssl:[PORT][:HOST], punix:FILE.
//
// PORT 0 lets the kernel choose; no HOST listens on all IPv4 addresses, [::] on both families. Of
// the addresses of a name the first IPv4 one counts, or the first if there is none. A unix socket
// replaces a stale one, may have a path of any length, gets mode 0770 less umask, and is removed by
// the destructor and at exit. Loop thread only.
#ifndef SERVER_BASE_LISTENER_H_
#define SERVER_BASE_LISTENER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/base/stream.h"

namespace base {

class Listener {
 public:
  // A connected stream whose handler is not set yet: the callback must set it before it returns, or
  // drop the stream.
  using AcceptCallback = std::function<void(std::unique_ptr<Stream>)>;

  // Errors: EAFNOSUPPORT for an unknown kind, those of bind(2) and listen(2); all are logged. Where
  // HOST is a name there is no error but a malformed target: the name is looked up, and the socket
  // bound, in the background, again and again until it works. With pssl: the handshake is done by
  // the time a stream is accepted; failed ones are logged only.
  static absl::StatusOr<std::unique_ptr<Listener>> Listen(const StreamContext& context,
                                                          absl::string_view target, int dscp,
                                                          AcceptCallback accept);
  virtual ~Listener() = default;

  virtual const std::string& name() const = 0;  // The target.
  virtual uint16_t bound_port() const = 0;      // 0 for unix sockets, and until it is bound.
  virtual void SetDscp(int dscp) = 0;           // Of connections that have yet to come.
};

}  // namespace base

#endif  // SERVER_BASE_LISTENER_H_
