"""One run: a cluster under load, one fault after the other, and whether all is well in the end."""

import random
import time

from chaos import faults
from chaos.cluster import Cluster
from chaos.load import DATABASE, N_REGISTERS, Client, History, stale_read_operations
from chaos.linearizability import Operation
from harness.waiting import wait_until

RECOVERY = 30  # Seconds in which a healed cluster must work again.


class Run:
    """`say` is called with what happens."""

    def __init__(self, kinds, seed, say, election_timer_ms=500, n_clients=6, pause=0.02):
        self._rng = random.Random(seed)
        self._say = say
        self._timer = election_timer_ms / 1000
        self.history = History()
        self.cluster = Cluster(kinds, election_timer_ms)
        self.counts = {}  # Fault -> how often.
        self._clients = [
            Client(f"client {i}", self.cluster.members, self.history, self._rng.random(), pause) for i in range(n_clients)
        ]

    def __enter__(self):
        for client in self._clients:
            client.start()
        return self

    def __exit__(self, kind, *unused):
        self._stop_clients()
        self.cluster.close()

    def _stop_clients(self):
        for client in self._clients:
            client.stop()
        for client in self._clients:
            if client.is_alive():
                client.join(60)

    def inflict(self, n):
        """So many faults, now and then two at a time."""
        done = 0
        while done < n:
            some = self._choose(min(n - done, self._rng.choice([1, 1, 1, 2])))
            for fault in some:
                self._say(f"{done + 1}/{n}: {fault}")
                fault.begin()
                done += 1
                name = type(fault).__name__
                self.counts[name] = self.counts.get(name, 0) + 1
                time.sleep(self._rng.uniform(0, self._timer))
            time.sleep(self._rng.uniform(0, 3 * self._timer))
            for fault in some:
                fault.end()
            self._await_progress()

    def _choose(self, n):
        members = self._rng.sample(self.cluster.members, len(self.cluster.members))
        leader = self.cluster.leader()
        if leader is not None and self._rng.random() < 0.5:
            members.sort(key=lambda member: member is not leader)
        return [self._rng.choice([kind for kind in faults.ALL if kind.fits(member)])(self.cluster, member, self._rng)
                for member in members[:n]]

    def _await_progress(self):
        for member in self.cluster.members:
            member.check_alive()
        before = len(self.history.acknowledged)
        wait_until(lambda: len(self.history.acknowledged) >= before + 2, "writes go on after the faults", RECOVERY)

    def verdict(self):
        """What is wrong, once the clients have stopped; empty if nothing is."""
        self._stop_clients()
        numbers = {}

        def agree():
            numbers.update({member.name: member.numbers() for member in self.cluster.members})
            return len({tuple(sorted(have)) for have in numbers.values()}) == 1

        try:
            wait_until(agree, "all members have the same", RECOVERY)
        except AssertionError:
            for member in self.cluster.members:  # The verdict says what they have.
                self._say(f"{member.name}: {member.status()}")
        self._read_all()
        return self.history.verdict(numbers)

    def _read_all(self):
        with self.cluster.members[0].connect() as client:
            for key in range(N_REGISTERS):
                start = time.monotonic()
                [found] = client.transact(DATABASE, *stale_read_operations(key))
                value = self.history.see(key, found["rows"][0])
                self.history.add(key, Operation("read", value, start, time.monotonic(), who="the last look"))
