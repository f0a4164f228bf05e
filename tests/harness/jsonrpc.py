"""A raw JSON-RPC client over unix, tcp or TLS, good for odd bytes.

It neither probes nor answers probes by itself: what arrives is what the caller sees.
"""

import collections
import json
import select
import socket
import ssl
import time


class Closed(Exception):
    """The peer closed or reset the connection."""


class Timeout(Exception):
    """Nothing (complete) arrived in time."""


def open_socket(remote, tls=None, seconds=10):
    """Connects to unix:PATH, tcp:HOST:PORT or ssl:HOST:PORT (the latter with an SSLContext)."""
    kind, _, address = remote.partition(":")
    if kind == "unix":
        sock = _connect_unix(address, seconds)
    else:
        host, _, port = address.rpartition(":")
        sock = socket.create_connection((host.strip("[]"), int(port)), timeout=seconds)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if kind == "ssl":
        sock = tls.wrap_socket(sock, server_hostname=host.strip("[]"))
    return sock


def _connect_unix(path, seconds):
    """Connects, waiting while the server's backlog is full (which a timeout makes an error)."""
    deadline = time.monotonic() + seconds
    while True:
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(seconds)
        try:
            sock.connect(path)
            return sock
        except OSError as error:
            sock.close()
            if not isinstance(error, BlockingIOError) or time.monotonic() > deadline:
                raise
        time.sleep(0.001)


class Connection:
    """One session. Messages come back as decoded JSON, in the order they arrived."""

    def __init__(self, remote, tls=None, seconds=10):
        self._sock = open_socket(remote, tls, seconds)
        self._sock.setblocking(False)
        self._decoder = json.JSONDecoder()
        self._buffer = ""
        self._pending_bytes = b""
        self._try_at = 0  # Do not scan a long, incomplete message again before this length.
        self._messages = collections.deque()
        self._next_id = 0
        self.closed = False

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def fileno(self):
        return self._sock.fileno()

    def tls_version(self):
        return self._sock.version()

    def tls_cipher(self):
        return self._sock.cipher()[0]

    def close(self):
        self._sock.close()
        self.closed = True

    def send_bytes(self, data, seconds=20):
        """Sends all of `data`; raises Closed if the peer went away, Timeout if it does not read."""
        deadline = time.monotonic() + seconds
        view = memoryview(data)
        while view:
            try:
                view = view[self._sock.send(view) :]
            except (BlockingIOError, ssl.SSLWantWriteError):
                if not self._wait(select.POLLOUT, deadline):
                    raise Timeout(f"{len(view)} bytes left to send") from None
            except OSError as error:
                self.closed = True
                raise Closed(str(error)) from error

    def send(self, message):
        text = message if isinstance(message, str) else json.dumps(message)
        self.send_bytes(text.encode())

    def request(self, method, params, request_id=None):
        """Sends a request and returns its id without waiting for the reply."""
        if request_id is None:
            self._next_id += 1
            request_id = self._next_id
        self.send({"id": request_id, "method": method, "params": params})
        return request_id

    def notify(self, method, params):
        self.send({"id": None, "method": method, "params": params})

    def receive(self, seconds=20):
        """The next message; raises Timeout, or Closed once everything sent before was handed out."""
        deadline = time.monotonic() + seconds
        while not self._messages:
            if self.closed:
                raise Closed("connection closed by peer")
            self._fill(deadline)
        return self._messages.popleft()

    def wait_for(self, wanted, seconds=20):
        """Returns (message, skipped): the first message for which wanted(message) holds."""
        deadline = time.monotonic() + seconds
        skipped = []
        while True:
            message = self.receive(max(0, deadline - time.monotonic()))
            if wanted(message):
                return message, skipped
            skipped.append(message)

    def call(self, method, params, seconds=20):
        """Request and reply; notifications that come first are dropped."""
        request_id = self.request(method, params)
        return self.wait_for(lambda m: m.get("id") == request_id and "method" not in m, seconds)[0]

    def transact(self, database, *operations, seconds=20):
        """The result array of a `transact` that is understood; raises RuntimeError otherwise."""
        reply = self.call("transact", [database, *operations], seconds)
        if reply.get("error") is not None:
            raise RuntimeError(f"transact: {reply['error']}")
        return reply["result"]

    def wait_closed(self, seconds=20):
        """Waits for the peer to close, and returns the messages that came first."""
        messages = []
        deadline = time.monotonic() + seconds
        while True:
            try:
                messages.append(self.receive(max(0, deadline - time.monotonic())))
            except Closed:
                return messages

    def _fill(self, deadline):
        try:
            data = self._sock.recv(1 << 20)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            if not self._wait(select.POLLIN, deadline):
                raise Timeout(f"received so far: {self._buffer[:200]!r}") from None
            return
        except OSError:
            data = b""
        if not data:
            self.closed = True
            return
        self._take(data)

    def _wait(self, events, deadline):
        """Whether one of the poll events came in time."""
        poll = select.poll()  # select() takes no descriptor above 1023.
        poll.register(self._sock, events)
        return poll.poll(max(0, deadline - time.monotonic()) * 1000)

    def _take(self, data):
        data = self._pending_bytes + data
        try:
            self._buffer += data.decode()
            self._pending_bytes = b""
        except UnicodeDecodeError as error:
            if len(data) - error.start > 3:
                raise
            self._buffer += data[: error.start].decode()
            self._pending_bytes = data[error.start :]
        if len(self._buffer) < self._try_at and not data.rstrip().endswith(b"}"):
            return
        start = 0
        while True:
            while start < len(self._buffer) and self._buffer[start].isspace():
                start += 1
            if start == len(self._buffer):
                break
            try:
                message, start = self._decoder.raw_decode(self._buffer, start)
            except json.JSONDecodeError:
                break
            self._messages.append(message)
        self._buffer = self._buffer[start:]
        self._try_at = 2 * len(self._buffer) if len(self._buffer) > 1 << 20 else 0
