#include "bench/load/connection.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace load {

void Die(absl::string_view message) {
  std::fprintf(stderr, "boreas-load: %.*s\n", static_cast<int>(message.size()), message.data());
  std::exit(1);
}

int TryConnectUnix(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) Die(absl::StrCat(path, ": path too long"));
  std::memcpy(address.sun_path, path.data(), path.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) Die(absl::StrCat("socket: ", std::strerror(errno)));
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return fd;
  const int error = errno;
  close(fd);
  errno = error;
  return -1;
}

int ConnectUnix(const std::string& path) {
  const int fd = TryConnectUnix(path);
  if (fd < 0) Die(absl::StrCat(path, ": ", std::strerror(errno)));
  return fd;
}

std::string EchoReply(absl::string_view id_json) {
  return absl::StrCat("{\"id\":", id_json, ",\"result\":[],\"error\":null}");
}

Connection::~Connection() { close(fd_); }

void Connection::Send(absl::string_view text) {
  absl::StrAppend(&output_, text);
  if (!queued_ && !blocked_) {
    queued_ = true;
    queue_->push_back(this);
  }
}

bool Connection::Write() {
  while (written_ < output_.size()) {
    const ssize_t n = send(fd_, output_.data() + written_, output_.size() - written_,
                           MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0) {
      if (errno == EAGAIN) return false;
      Die(absl::StrCat("send: ", std::strerror(errno)));
    }
    written_ += n;
  }
  output_.clear();
  written_ = 0;
  return true;
}

void Connection::Read(std::vector<char>* buffer) {
  const ssize_t n = recv(fd_, buffer->data(), buffer->size(), MSG_DONTWAIT);
  if (n > 0) {
    Take(absl::string_view(buffer->data(), n));
  } else if (n == 0) {
    Die("the server closed a connection");
  } else if (errno != EAGAIN) {
    Die(absl::StrCat("recv: ", std::strerror(errno)));
  }
}

void Connection::Take(absl::string_view text) {
  while (!text.empty()) {
    const absl::string_view part = text.substr(0, scanner_.Feed(text));
    text.remove_prefix(part.size());
    const bool whole = scanner_.done() && size_ == 0;
    size_ += part.size();
    if (!whole) absl::StrAppend(&kept_, part.substr(0, kKeptSize - kept_.size()));
    if (!scanner_.done()) return;
    if (scanner_.is_echo()) {
      Send(EchoReply(scanner_.id_json()));
    } else if (handler_ != nullptr) {
      handler_(Message{scanner_, whole ? part : absl::string_view(kept_), size_});
    }
    kept_.clear();
    size_ = 0;
    scanner_.Reset();
  }
}

Loop::Loop() : epoll_fd_(epoll_create1(EPOLL_CLOEXEC)), buffer_(1 << 18) {}

Loop::~Loop() { close(epoll_fd_); }

void Loop::Watch(Connection* connection, int operation) {
  epoll_event event = {};
  event.events = EPOLLIN | (connection->blocked_ ? EPOLLOUT : EPOLLIN);
  event.data.ptr = connection;
  if (epoll_ctl(epoll_fd_, operation, connection->fd_, &event) != 0) {
    Die(absl::StrCat("epoll_ctl: ", std::strerror(errno)));
  }
}

std::vector<Connection*> Loop::Connect(const std::string& socket_path, size_t count) {
  std::vector<Connection*> added(count);
  for (Connection*& connection : added) {
    connections_.push_back(std::make_unique<Connection>(ConnectUnix(socket_path), &queue_));
    connection = connections_.back().get();
    Watch(connection, EPOLL_CTL_ADD);
  }
  return added;
}

void Loop::WriteQueued() {
  for (Connection* connection : queue_) {
    connection->queued_ = false;
    if (!connection->Write()) {
      connection->blocked_ = true;
      Watch(connection, EPOLL_CTL_MOD);
    }
  }
  queue_.clear();
}

void Loop::RunUntil(const std::function<bool()>& done, int idle_msec) {
  std::array<epoll_event, 256> events;
  WriteQueued();
  while (!done()) {
    const int n = epoll_wait(epoll_fd_, events.data(), events.size(), idle_msec);
    for (int i = 0; i < n; ++i) {
      auto* const connection = static_cast<Connection*>(events[i].data.ptr);
      if ((events[i].events & EPOLLOUT) != 0 && connection->Write()) {
        connection->blocked_ = false;
        Watch(connection, EPOLL_CTL_MOD);
      }
      if ((events[i].events & (EPOLLIN | EPOLLHUP)) != 0) connection->Read(&buffer_);
    }
    WriteQueued();
  }
}

void CallAll(Loop* loop, const std::vector<Connection*>& connections,
             const std::function<std::string(size_t)>& request) {
  size_t replies = 0;
  for (size_t i = 0; i < connections.size(); ++i) {
    connections[i]->OnMessage([&replies](const Message& message) {
      if (!message.scan.is_reply()) return;
      if (message.scan.is_error()) Die(absl::StrCat("a request failed: ", message.text));
      ++replies;
    });
    connections[i]->Send(request(i));
  }
  loop->RunUntil([&] { return replies == connections.size(); });
  for (Connection* connection : connections) connection->OnMessage(nullptr);
}

}  // namespace load
