"""Is the history of one register linearizable?

Every write has a value of its own, so each read names the write that it saw, and the answer takes no
search (Gibbons and Korach, "Testing shared memories", 1997): a write and the reads of its value form a
zone of time, and a history is linearizable exactly when the zones can be put one after another.
"""

import collections
import dataclasses
import math

INITIAL = object()  # The value before any write.


@dataclasses.dataclass
class Operation:
    """What a client did, from when it asked until it was answered.

    `end` is infinite if there was no answer, or none that tells: then a write may have happened or
    not, now or later. A read that may be `stale` shows any state since its write.
    """

    kind: str  # "write" or "read".
    value: object
    start: float
    end: float = math.inf
    stale: bool = False
    who: str = ""  # For people.

    def __str__(self):
        return f"{self.who} {self.kind} {self.value} in [{self.start:.6f}, {self.end:.6f}]"


@dataclasses.dataclass
class _Zone:
    write: Operation
    reads: list

    def __post_init__(self):
        fresh = [self.write] + [read for read in self.reads if not read.stale]
        self.first_end = min([self.write.end] + [read.end for read in self.reads])
        self.last_start = max(operation.start for operation in fresh)

    @property
    def forward(self):
        """Its value stands for all of [first_end, last_start]; else at a point of the reverse."""
        return self.first_end < self.last_start

    def __str__(self):
        return "; ".join(str(operation) for operation in [self.write, *self.reads])


def problems(operations):
    """Why the operations are not linearizable, as a list of sentences; empty if they are."""
    found = []
    writes = {INITIAL: Operation("write", INITIAL, -math.inf, -math.inf)}
    reads = collections.defaultdict(list)
    for operation in operations:
        if operation.kind == "read":
            reads[operation.value].append(operation)
        elif operation.value in writes:
            found.append(f"two writes of one value: {writes[operation.value]}; {operation}")
        else:
            writes[operation.value] = operation
    for value, readers in reads.items():
        if value not in writes:
            found.append(f"nobody wrote what was read: {readers[0]}")
            continue
        for read in readers:
            if read.end < writes[value].start:
                found.append(f"a read from the future: {read}; {writes[value]}")
    # What nobody knows to have happened may as well never happen.
    zones = [_Zone(write, reads[value]) for value, write in writes.items()
             if value in reads or write.end < math.inf]
    return found + _collisions(zones)


def _collisions(zones):
    found = []
    forward = sorted((zone for zone in zones if zone.forward), key=lambda zone: zone.first_end)
    for before, after in zip(forward, forward[1:]):
        if after.first_end < before.last_start:
            found.append(f"two values at once: {before}; and {after}")
    if found:
        return found
    # Now they stand one behind the other.
    points = sorted((zone for zone in zones if not zone.forward), key=lambda zone: zone.last_start)
    i = 0
    for zone in points:
        while i < len(forward) and forward[i].last_start <= zone.last_start:
            i += 1
        if i < len(forward) and forward[i].first_end < zone.last_start and zone.first_end < forward[i].last_start:
            found.append(f"a value in the midst of another: {zone}; within {forward[i]}")
    return found
