"""What happens to a cluster in some scenarios. `servers` is the Cluster; load(WORDS...) runs a scenario
of boreas-load against it and returns what that reports."""

import json
import socket
import threading
import time


def _in_background(function, *arguments):
    """Starts a function; returns one that waits for its result."""
    results = []

    def run():
        try:
            results.append(function(*arguments))
        except Exception as error:  # pylint: disable=broad-except
            results.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def wait():
        thread.join()
        if isinstance(results[0], Exception):
            raise results[0]
        return results[0]

    return wait


def _term(servers):
    return int(servers.status(servers.leader)["Term"])


def compact(servers, load):
    before = _term(servers)
    result = load("compact", "--writes=true")
    time.sleep(2)
    return {**result, "elections": _term(servers) - before}


def join(servers, load):
    """A fourth server joins while clients write."""
    before = _term(servers)
    watch = _in_background(load, "watch")
    start = time.monotonic()
    servers.add("fourth")
    joined = time.monotonic() - start
    return {**watch(), "join_sec": joined, "elections": _term(servers) - before}


def beside_others(servers, load):
    """A load on one server while others write to the leader."""
    done = threading.Event()

    def write():
        client = _Client([servers.leader.socket], servers.name)
        commits = 0
        while not done.is_set():
            client.commit()
            commits += 1
        return commits

    start = time.monotonic()
    others = [_in_background(write) for _ in range(4)]
    try:
        result = load("transact")
    finally:
        done.set()
        commits = sum(wait() for wait in others)
    return {**result, "others_per_sec": commits / (time.monotonic() - start)}


def failover(servers, _):
    """The leader dies; a client that knows all members goes on with the next one that it reaches."""
    client = _Client([server.socket for server in servers.servers], servers.name)
    client.commit()
    servers.leader.kill()
    start = time.monotonic()
    client.commit()
    return {"failover_sec": time.monotonic() - start}


class _Client:
    """Commits, on whichever server answers."""

    def __init__(self, sockets, database):
        self._sockets = list(sockets)
        self._request = json.dumps({"id": 1, "method": "transact", "params": [database, {
            "op": "mutate", "table": "NB_Global", "where": [], "mutations": [["nb_cfg", "+=", 1]]}]}).encode()
        self._connection = None

    def commit(self):
        while True:
            try:
                if self._connection is None:
                    self._connect()
                self._connection.sendall(self._request)
                reply = self._connection.recv(1 << 16)
                if reply and b'"error":"' not in reply:
                    return
            except OSError:
                pass
            self._connection = None
            time.sleep(0.001)

    def _connect(self):
        path = self._sockets.pop(0)
        self._sockets.append(path)
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(path))
        self._connection = connection
