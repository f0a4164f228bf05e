"""What is measured: the phases of a northd's life, and changes."""

import dataclasses
import statistics
import threading
import time

from changes import NB
from plane import cpu_nsec


@dataclasses.dataclass(frozen=True)
class Phase:
    key: str
    title: str
    unit: str
    ratio: float = None  # At most so much of stock's figure,
    limit: float = None  # and at most so much at full size.


PHASES = (
    Phase("first_cpu", "first translation: CPU", "s", ratio=1 / 3),
    Phase("first_wall", "first translation: time", "s"),
    Phase("recompute_cpu", "full recompute: CPU", "s", ratio=1 / 3),
    Phase("recompute_rows", "full recompute: rows written", "", limit=0),
    Phase("recompute_deaf", "longest wait for an answer meanwhile", "ms", limit=50),
    Phase("peak", "peak memory", "MiB", ratio=2 / 3),
    Phase("restart_cpu", "restart: CPU", "s", ratio=1 / 3),
    Phase("restart_rows", "restart: rows written", "", limit=0),
    Phase("takeover_wall", "takeover with a change pending: time", "ms", limit=100),
    Phase("takeover_cpu", "takeover with a change pending: CPU", "ms"),
    Phase("takeover_rows", "takeover with a change pending: rows written", ""),
)


def life(plane, say):
    """Starts a northd, has it recompute, restarts it, lets another one take over. That one, and the figures."""
    found = {}
    say("first translation")
    start = time.monotonic()
    plane.change([])
    northd = plane.start_northd("first")
    plane.wait_written()
    found["first_wall"] = time.monotonic() - start
    plane.wait_still(northd)
    found["first_cpu"] = cpu_nsec(northd) / 1e9
    plane.watch_southbound()

    say("recompute")
    before = cpu_nsec(northd)
    northd.appctl("inc-engine/recompute", seconds=120)
    plane.wait_still(northd)
    found["recompute_cpu"] = (cpu_nsec(northd) - before) / 1e9
    found["recompute_rows"] = plane.rows_written()
    found["recompute_deaf"] = _deaf_ms(plane, northd)
    found["peak"] = northd.peak_kb() / 1024

    say("restart")
    northd.stop()
    northd = plane.start_northd("second")
    plane.change([])
    plane.wait_written()
    plane.wait_still(northd)
    found["restart_cpu"] = cpu_nsec(northd) / 1e9
    found["restart_rows"] = plane.rows_written()

    say("takeover")
    standby = plane.start_northd("third")
    plane.wait_still(northd, standby)
    plane.rows_written()
    northd.signal(19)  # SIGSTOP: it leaves the change to the other.
    plane.change([{"op": "update", "table": "NB_Global", "where": [], "row": {"name": "pending"}}])
    before, start = cpu_nsec(standby), time.monotonic()
    northd.kill()
    plane.wait_written()
    found["takeover_wall"] = (time.monotonic() - start) * 1e3
    plane.wait_still(standby)
    found["takeover_cpu"] = (cpu_nsec(standby) - before) / 1e6
    found["takeover_rows"] = plane.rows_written()
    return standby, found


def _deaf_ms(plane, northd):
    """How long a control command waits at most during a recompute: as long as an echo would."""
    longest = 0
    done = threading.Event()

    def ask():
        nonlocal longest
        while not done.is_set():
            start = time.monotonic()
            northd.appctl("version", seconds=120)
            longest = max(longest, time.monotonic() - start)
            time.sleep(0.002)

    northd.appctl("inc-engine/recompute", seconds=120)
    thread = threading.Thread(target=ask)
    thread.start()
    plane.change([])
    plane.wait_written()
    done.set()
    thread.join()
    plane.wait_still(northd)
    return longest * 1e3


def changes(plane, northd, steps):
    """Does the steps one by one; what each costs."""
    return [_change(plane, northd, step) for step in steps]


def _change(plane, northd, step):
    operations = step.operations(plane) if callable(step.operations) else step.operations
    plane.wait_still(northd)
    plane.rows_written()
    before, start, wall = cpu_nsec(northd), time.monotonic(), None
    if step.database == NB:
        plane.change(operations)
        plane.wait_written()
        wall = (time.monotonic() - start) * 1e3
    else:
        plane.transact(step.database, operations)
    plane.wait_still(northd)
    return {"title": step.title, "limit_ms": step.limit_ms, "cpu_ms": (cpu_nsec(northd) - before) / 1e6, "wall_ms": wall,
            "rows": plane.rows_written()}


def median(runs):
    """Of the same change done several times."""
    figures = {key: statistics.median(run[key] for run in runs) for key in ("cpu_ms", "rows")}
    walls = [run["wall_ms"] for run in runs]
    return {**runs[0], **figures, "wall_ms": None if None in walls else statistics.median(walls)}
