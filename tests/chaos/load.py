"""Clients that write numbers that occur only once, and read, and remember everything."""

import random
import threading
import time

from chaos.linearizability import INITIAL, Operation, problems
from harness import jsonrpc

DATABASE = "Chaos"
SCHEMA = {
    "name": DATABASE,
    "version": "1.0.0",
    "tables": {
        # Registers: what was written last, and how often anything was.
        "Register": {
            "columns": {"key": {"type": "integer"}, "value": {"type": "integer"}, "version": {"type": "integer"}},
            "isRoot": True,
            "indexes": [["key"]],
        },
        # Everything that was ever written.
        "Number": {"columns": {"n": {"type": "integer"}}, "isRoot": True, "indexes": [["n"]]},
        # What reads change, so that they go through the log.
        "Read": {"columns": {"n": {"type": "integer"}}, "isRoot": True, "maxRows": 1},
    },
}
N_REGISTERS = 5
PATIENCE = 3  # Seconds for an answer.


def initial_operations():
    return [{"op": "insert", "table": "Register", "row": {"key": key}} for key in range(N_REGISTERS)] + [
        {"op": "insert", "table": "Read", "row": {}}
    ]


def write_operations(key, number):
    where = [["key", "==", key]]
    return [
        {"op": "update", "table": "Register", "where": where, "row": {"value": number}},
        {"op": "mutate", "table": "Register", "where": where, "mutations": [["version", "+=", 1]]},
        {"op": "insert", "table": "Number", "row": {"n": number}},
        {"op": "select", "table": "Register", "where": where, "columns": ["value", "version"]},
    ]


def read_operations(key):
    """A read that sees what was committed before it was asked for, whoever answers it."""
    return [*stale_read_operations(key), {"op": "mutate", "table": "Read", "where": [], "mutations": [["n", "+=", 1]]}]


def stale_read_operations(key):
    return [{"op": "select", "table": "Register", "where": [["key", "==", key]], "columns": ["value", "version"]}]


class History:
    """What all clients did; they share it."""

    def __init__(self):
        self._lock = threading.Lock()
        self._last_number = 0
        self.registers = {key: [] for key in range(N_REGISTERS)}
        self.versions = {key: {} for key in range(N_REGISTERS)}  # Register -> version -> value.
        self.problems = []
        self.acknowledged = set()  # Numbers.
        self.seen = set()  # By any read, or acknowledged.
        self.n_reads = 0
        self.n_repeated_by_stock = 0

    def new_number(self):
        with self._lock:
            self._last_number += 1
            return self._last_number

    def add(self, key, operation):
        """The operation is about to be asked for."""
        with self._lock:
            self.registers[key].append(operation)

    def remove(self, key, operation):
        """It saw nothing."""
        with self._lock:
            self.registers[key].remove(operation)

    def acknowledge(self, number):
        with self._lock:
            self.acknowledged.add(number)

    def see(self, key, row):
        """A register's contents that somebody was shown; returns its value as operations have it."""
        value, version = row["value"], row["version"]
        with self._lock:
            self.n_reads += 1
            first = self.versions[key].setdefault(version, value)
            if first != value:
                self.problems.append(f"version {version} of register {key} was {first}, and now {value}")
            if version > 0:
                self.seen.add(value)
        return value if version > 0 else INITIAL

    def note_repetition_by_stock(self):
        with self._lock:
            self.n_repeated_by_stock += 1

    def complain(self, text):
        with self._lock:
            self.problems.append(text)

    def verdict(self, numbers):
        """All that is wrong, `numbers` being what each member has in the end."""
        found = list(self.problems)
        for name, have in numbers.items():
            lost = sorted((self.acknowledged | self.seen) - set(have))
            if lost:
                found.append(f"{name} has lost {lost[:10]}, {len(lost)} in all")
            if sorted(set(have)) != sorted(have):
                found.append(f"{name} has numbers twice")
            if sorted(have) != sorted(next(iter(numbers.values()))):
                found.append(f"{name} has other numbers than {next(iter(numbers))}")
        for key, operations in self.registers.items():
            found += [f"register {key}: {problem}" for problem in problems(operations)]
        return found


class Client(threading.Thread):
    """Asks one member after the other, until stop() is called."""

    def __init__(self, name, members, history, seed, pause):
        super().__init__(name=name, daemon=True)
        self._members = members
        self._history = history
        self._rng = random.Random(seed)
        self._pause = pause
        self._stopping = threading.Event()
        self._connection = None
        self._member = None  # That it is connected to.
        self._versions = {}  # Register -> the newest version that this session was shown.

    def stop(self):
        self._stopping.set()

    def run(self):
        try:
            while not self._stopping.wait(self._rng.uniform(0, 2 * self._pause)):
                self._step()
        except Exception as error:  # pylint: disable=broad-except
            self._history.complain(f"{self.name}: {error!r}")
            raise
        finally:
            self._disconnect()

    def _step(self):
        try:
            if self._connection is None or self._rng.random() < 0.01:
                self._connect()
            self._ask()
        except (OSError, jsonrpc.Closed, jsonrpc.Timeout):
            self._disconnect()

    def _connect(self):
        self._disconnect()
        self._versions = {}
        self._member = self._rng.choice(self._members)
        self._connection = jsonrpc.Connection(self._member.remote)

    def _disconnect(self):
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _ask(self):
        key = self._rng.randrange(N_REGISTERS)
        kind = self._rng.choices(["write", "read", "stale read"], [6, 3, 2])[0]
        if kind == "write":
            self._write(key)
        else:
            self._read(key, stale=kind == "stale read")

    def _write(self, key):
        number = self._history.new_number()
        operation = Operation("write", number, time.monotonic(), who=self.name)
        self._history.add(key, operation)
        results = self._transact(write_operations(key, number))
        if results is None:
            return
        operation.end = time.monotonic()
        self._history.acknowledge(number)
        if self._see(key, results[3]["rows"][0]) != number:
            self._history.complain(f"{self.name} wrote {number} and read {results[3]}")

    def _read(self, key, stale):
        start = time.monotonic()
        results = self._transact(stale_read_operations(key) if stale else read_operations(key))
        if results is None:
            return
        value = self._see(key, results[0]["rows"][0])
        self._history.add(key, Operation("read", value, start, time.monotonic(), stale, self.name))

    def _see(self, key, row):
        """Whatever the member, a session is never taken back in time."""
        if row["version"] < self._versions.get(key, 0):
            self._history.complain(f"{self.name} saw version {self._versions[key]} of register {key} and then {row}")
        self._versions[key] = row["version"]
        return self._history.see(key, row)

    def _transact(self, operations):
        """The results, or None if it failed, or may have."""
        reply = self._connection.call("transact", [DATABASE, *operations], PATIENCE)
        results = reply.get("result")
        if not results:
            raise jsonrpc.Closed(str(reply))
        errors = [result for result in results if result and "error" in result]
        if any(error["error"] == "constraint violation" for error in errors):
            self._note_repetition(operations, results)
        return None if errors else results

    def _note_repetition(self, operations, results):
        """Stock tries a transaction again whose fate it does not know; ours must not."""
        if self._member.kind == "stock":
            self._history.note_repetition_by_stock()
        else:
            self._history.complain(f"{self.name} on {self._member.name}: done twice: {operations} -> {results}")
