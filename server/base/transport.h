// How bytes pass through a connected descriptor: plainly, or through TLS.
#ifndef SERVER_BASE_TRANSPORT_H_
#define SERVER_BASE_TRANSPORT_H_

#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace base {

class TlsConfig;

// Calls answer like read(2), but with the negated errno value instead of -1; -EAGAIN asks to try
// again when the descriptor is ready. A TLS transport has logged whatever errno cannot say.
class Transport {
 public:
  virtual ~Transport() = default;

  // To be called until it answers 0; only then do the others make sense.
  virtual int Handshake() { return 0; }
  // Fills as much of the buffer as there is; 0 at the end of the stream. An answer shorter than
  // `size` means that nothing more is there.
  virtual ssize_t Read(char* buffer, size_t size) = 0;
  virtual ssize_t Write(const iovec* pieces, int n) = 0;
  // FdWatch events that the newest -EAGAIN of Handshake, and of Write, waits for.
  virtual int handshake_wants() const { return 0; }
  virtual int write_wants() const = 0;
  // True if bytes were read from the descriptor that Read has not handed out.
  virtual bool has_pending() const { return false; }

  virtual std::string PeerCommonName() const { return ""; }
};

// For descriptors that the caller owns.
std::unique_ptr<Transport> MakePlainTransport(int fd);
// `host` of an active connection is sent as SNI unless it is an address.
absl::StatusOr<std::unique_ptr<Transport>> MakeTlsTransport(TlsConfig* config, int fd, bool server,
                                                            const std::string& host,
                                                            const std::string& name);

}  // namespace base

#endif  // SERVER_BASE_TRANSPORT_H_
