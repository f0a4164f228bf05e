"""Shortens a list of steps while the two servers still differ."""

import copy
import time

from diff.rounds import Round


def minimise(programs, schema, sessions, steps, deadly=False, seconds=90):
    """A shorter list of steps that still ends in a difference, or a death if `deadly`.

    Returns `steps` itself if it does not happen again.
    """
    deadline = time.monotonic() + seconds

    def fails(candidate):
        with Round(programs, schema, sessions) as servers:
            found = servers.run(candidate)
            return candidate[: found.step + 1] if found and bool(found.dead) == deadly else None

    best = fails(steps)
    if best is None:
        return steps
    for reductions in (_without_steps, _without_operations):
        best = _reduce(best, reductions, fails, deadline)
    return best


def _reduce(best, reductions, fails, deadline):
    """Takes any reduction that still fails, until none does or time is up."""
    progress = True
    while progress and time.monotonic() < deadline:
        progress = False
        for candidate in reductions(best):
            shorter = fails(candidate)
            if shorter is not None:
                best, progress = shorter, True
                break
            if time.monotonic() > deadline:
                break
    return best


def _without_steps(steps):
    """Without a half, a quarter, ... a single one of the steps before the last."""
    size = max(1, (len(steps) - 1) // 2)
    while True:
        for start in range(0, len(steps) - 1, size):
            yield steps[:start] + steps[min(start + size, len(steps) - 1) :]
        if size == 1:
            return
        size //= 2


def _without_operations(steps):
    """Without one operation of a transaction, then without one column of a row."""
    for number, (_, message) in enumerate(steps):
        if message.get("method") != "transact" or not isinstance(message["params"], list):
            continue
        for index in range(1, len(message["params"])):
            yield _edited(steps, number, lambda params, i=index: params.pop(i))
        for index, operation in enumerate(message["params"]):
            row = operation.get("row") if isinstance(operation, dict) else None
            for column in row if isinstance(row, dict) else ():
                yield _edited(steps, number, lambda params, i=index, c=column: params[i]["row"].pop(c))


def _edited(steps, number, edit):
    session, message = copy.deepcopy(steps[number])
    edit(message["params"])
    return [*steps[:number], (session, message), *steps[number + 1 :]]
