"""Shortens a sequence while it still fails in the same way."""

import copy
import time

from northd_fuzz.sequence import run


def minimise(steps, kind, seconds=120):
    """A shorter list of steps that still ends in a failure of this kind; `steps` if it does not fail again."""
    deadline = time.monotonic() + seconds

    def fails(candidate):
        failure = run(candidate).failure
        return candidate[: failure.step + 1] if failure and failure.kind == kind else None

    best = fails(steps)
    if best is None:
        return steps
    progress = True
    while progress and time.monotonic() < deadline:
        progress = False
        for candidate in _smaller(best):
            shorter = fails(candidate)
            if shorter is not None:
                best, progress = shorter, True
                break
            if time.monotonic() > deadline:
                break
    return best


def _smaller(steps):
    """Without a half, a quarter, ... a single one of the edits; then without one column of a row.

    Rows keep their names: without, they would be others' by chance."""
    places = [(step, edit) for step, edits in enumerate(steps) for edit in range(len(edits))]
    size = max(1, len(places) // 2)
    while True:
        for start in range(0, len(places), size):
            gone = set(places[start : start + size])
            kept = [[edit for j, edit in enumerate(edits) if (i, j) not in gone] for i, edits in enumerate(steps)]
            kept = [edits for edits in kept if edits]
            if kept:
                yield kept
        if size == 1:
            break
        size //= 2
    for i, j in places:
        for number, operation in enumerate(steps[i][j]["ops"]):
            for column in [column for column in operation.get("row", {}) if column != "name"]:
                smaller = copy.deepcopy(steps)
                del smaller[i][j]["ops"][number]["row"][column]
                yield smaller
