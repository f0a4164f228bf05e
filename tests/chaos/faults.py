"""What goes wrong, one class each. begin() does the damage, end() repairs it."""

import os
import signal

from chaos.load import DATABASE
from harness import jsonrpc
from harness.daemon import CommandFailed


class Fault:
    def __init__(self, cluster, member, rng):
        self.cluster = cluster
        self.member = member
        self.rng = rng

    @classmethod
    def fits(cls, member):
        """Whether the member can be expected to bear it."""
        del member
        return True

    def __str__(self):
        return f"{type(self).__name__} of {self.member.name}"


class Kill(Fault):
    """A crash of the process."""

    def begin(self):
        self.member.kill()

    def end(self):
        self.member.start()


class Freeze(Fault):
    """The process stands still, and comes back without noticing."""

    def begin(self):
        self.member.signal(signal.SIGSTOP)

    def end(self):
        self.member.signal(signal.SIGCONT)


class Restart(Fault):
    """In good order."""

    def begin(self):
        self.member.stop()

    def end(self):
        self.member.start()


class Isolate(Fault):
    """Nothing comes through to the member or from it."""

    def begin(self):
        self.cluster.network.isolate(self.member.node)

    def end(self):
        self.cluster.network.heal()


class Deafen(Fault):
    """It is heard, and hears nothing."""

    def begin(self):
        for other in self.cluster.members:
            if other is not self.member:
                self.cluster.network.drop(other.node, self.member.node)

    def end(self):
        self.cluster.network.heal()


class Mute(Fault):
    """It hears, and is not heard."""

    def begin(self):
        for other in self.cluster.members:
            if other is not self.member:
                self.cluster.network.drop(self.member.node, other.node)

    def end(self):
        self.cluster.network.heal()


class CutPair(Fault):
    """Two members cannot talk to each other, but both can to the third."""

    def begin(self):
        others = [other for other in self.cluster.members if other is not self.member]
        other = self.rng.choice(others)
        self.cluster.network.drop(self.member.node, other.node)
        self.cluster.network.drop(other.node, self.member.node)

    def end(self):
        self.cluster.network.heal()


class FullDisk(Fault):
    """There is no room for another byte."""

    @classmethod
    def fits(cls, member):
        return member.kind == "ours"

    def begin(self):
        with open(os.path.join(self.member.directory, "ballast"), "wb", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(bytes(4096))
            except OSError:
                pass

    def end(self):
        os.unlink(os.path.join(self.member.directory, "ballast"))


class ClockJump(Fault):
    """Somebody sets the wall clock, and sets it right again."""

    @classmethod
    def fits(cls, member):
        return member.wall_clock is not None

    def begin(self):
        self.member.wall_clock.set(self.rng.choice([-1, 1]) * self.rng.choice([1, 60, 86400, 10 * 365 * 86400]))

    def end(self):
        self.member.wall_clock.set(0)


class Command(Fault):
    """Not a fault by itself, but something to do in the midst of others."""

    words = ()

    def begin(self):
        try:
            self.member.appctl(*self.words, seconds=2)
        except (CommandFailed, OSError, jsonrpc.Closed, jsonrpc.Timeout):
            pass  # It does not lead, or has nothing to compact, or does not answer now.

    def end(self):
        pass


class Compact(Command):
    words = ("ovsdb-server/compact", DATABASE)


class Transfer(Command):
    words = ("cluster/failure-test", "transfer-leadership")

    def end(self):
        try:
            self.member.appctl("cluster/failure-test", "clear", seconds=2)
        except (OSError, jsonrpc.Closed, jsonrpc.Timeout):
            pass


ALL = (Kill, Freeze, Restart, Isolate, Deafen, Mute, CutPair, FullDisk, ClockJump, Compact, Transfer)
