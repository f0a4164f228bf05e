"""Clients that write numbered rows northbound, and one that sees how long they take to the southbound."""

import itertools
import threading
import time

from harness import jsonrpc
from image.nodes import NUMBERS, network

_loads = itertools.count(1)  # For names that occur only once in a test.
PATIENCE = 2  # Seconds for an answer; then the next server is asked.


class Times:
    """When things were acknowledged."""

    def __init__(self):
        self._lock = threading.Lock()
        self._times = []

    def add(self):
        with self._lock:
            self._times.append(time.monotonic())

    def __len__(self):
        return len(self._times)

    def outage(self, since):
        """The longest time without any, from `since` to now."""
        with self._lock:
            marks = [since, *(at for at in self._times if at > since), time.monotonic()]
        return max(later - earlier for earlier, later in zip(marks, marks[1:]))


class Client(threading.Thread):
    """Asks a server, and the next one when that fails, until stop() is called."""

    def __init__(self, load, first, pause):
        super().__init__(daemon=True)
        self.load = load
        self.number = first
        self.pause = pause
        self._stopping = threading.Event()

    def stop(self):
        self._stopping.set()

    def run(self):
        try:
            with network(self.load.nodes.network):
                while not self._stopping.is_set():
                    self._serve_one_connection()
        except Exception as error:  # pylint: disable=broad-except
            self.load.problems.append(f"{type(self).__name__}: {error!r}")
            raise

    def _serve_one_connection(self):
        try:
            nodes = self.load.nodes
            with jsonrpc.Connection(nodes.server(self.number), nodes.tls, PATIENCE) as connection:
                while not self._stopping.wait(self.pause):
                    self.step(connection)
        except (OSError, jsonrpc.Closed, jsonrpc.Timeout):
            self.number = self.number % len(NUMBERS) + 1
            self._stopping.wait(0.02)

    def transact(self, connection, *operations):
        """The results; a connection that is of no use any more counts as closed."""
        reply = connection.call("transact", ["OVN_Northbound", *operations], PATIENCE)
        results = reply.get("result")
        errors = {result["error"] for result in results or () if result and "error" in result}
        if not results or errors - {"constraint violation"}:
            raise jsonrpc.Closed(str(reply))  # Nobody leads, say: its fate is not known.
        return results


class Writer(Client):
    """Writes rows whose names occur only once."""

    def step(self, connection):
        name = self.load.new_name()
        results = self.transact(connection, {"op": "insert", "table": "Address_Set", "row": {"name": name}})
        if not any(result and "error" in result for result in results):
            self.load.acknowledged.add(name)
            self.load.writes.add()
        elif "stock" not in self.load.nodes.kind.values():
            # Stock tries again what it does not know the fate of, and finds what it wrote itself; ours must not.
            self.load.problems.append(f"{name} was done twice, on node {self.number}: {results}")


class Syncer(Client):
    """Asks for a change to be translated, and for the next one when it was."""

    def step(self, connection):
        row = {"op": "select", "table": "NB_Global", "where": [], "columns": ["nb_cfg", "sb_cfg"]}
        one_more = {"op": "mutate", "table": "NB_Global", "where": [], "mutations": [["nb_cfg", "+=", 1]]}
        wanted = self.transact(connection, one_more, row)[1]["rows"][0]["nb_cfg"]
        deadline = time.monotonic() + PATIENCE
        while self.transact(connection, row)[0]["rows"][0]["sb_cfg"] < wanted:
            if time.monotonic() > deadline:
                raise jsonrpc.Timeout("not translated")
            time.sleep(0.02)
        self.load.syncs.add()


class Load:
    """While this runs, `writes` and `syncs` tell when anything was acknowledged."""

    def __init__(self, nodes):
        self.nodes = nodes
        self.acknowledged = set()
        self.problems = []
        self.writes = Times()
        self.syncs = Times()
        self._lock = threading.Lock()
        self._prefix = f"n{next(_loads)}_"
        self._last = 0
        self._clients = [Writer(self, first, 0.03) for first in NUMBERS] + [Syncer(self, 1, 0.05)]

    def __enter__(self):
        for client in self._clients:
            client.start()
        return self

    def __exit__(self, *unused):
        for client in self._clients:
            client.stop()
        for client in self._clients:
            client.join(30)

    def new_name(self):
        with self._lock:
            self._last += 1
            return f"{self._prefix}{self._last}"

    def verdict(self):
        """All that is wrong, once nobody writes any more and the nodes agree."""
        found = list(self.problems)
        for number in NUMBERS:
            names = [row["name"] for row in self.nodes.select(number, "nb", "Address_Set", "_uuid", "name")]
            lost = sorted(self.acknowledged - set(names))
            if lost:
                found.append(f"node {number} has lost {lost[:10]}, {len(lost)} of {len(self.acknowledged)}")
            if len(set(names)) != len(names):
                found.append(f"node {number} has names twice")
        translated = {row["name"] for row in self.nodes.select(self.nodes.leader("sb"), "sb", "Address_Set", "name")}
        if self.acknowledged - translated:
            found.append(f"the southbound lacks {sorted(self.acknowledged - translated)[:10]}")
        return found
