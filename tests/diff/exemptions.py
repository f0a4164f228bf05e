"""The differences that prove nothing, each with its reason. `used` counts them.

Stock visits hash tables, of rows and of names, in an order that is chance: two runs of stock differ.
Which of several faults it tells is looked into (diff.probes, diff.claims): what both servers say must
be so. The others are below, and in Round.failure.

What the generator does not make, with the reason where it does not:
- what kills stock (messages.py), and factors whose products it gets wrong (operations.py);
- integers from 2^64 on, which it takes for others (values.py);
- one UUID in two tables (world.py), and maps of strong and weak references (schemas.py);
- several requests with faults, or different conditions, in one monitor (messages.py);
- a `wait` that lets a transaction change rows of the one that woke it up (operations.py).
"""

import collections
import itertools
import json
import re

from diff.canonical import is_update
from diff.report import leaf_differences

used = collections.Counter()  # name -> in how many steps


def excused(first, second, ended, is_ended, probe, clusters=False):
    """Whether two lists of messages (as text) of one session differ only in ways listed here.

    ended     both servers closed some sessions afterwards
    is_ended  this one among them
    probe     (id of a reply, index of a result, both results) -> what excuses it, or None
    clusters  the servers are clusters
    """
    names = []
    for name, rewrite in _rewrites(ended, is_ended, clusters).items():
        if first == second:
            break
        rewritten = rewrite(first, second)
        if rewritten != (first, second):
            names.append(name)
            first, second = rewritten
    if len(first) != len(second):
        return False
    for one, other in zip(first, second):
        if one != other:
            one, other = json.loads(one), json.loads(other)
            found = _excuses(one, other, probe) if isinstance(one, dict) else []
            if not found:
                return False
            names += found
    used.update(set(names))
    return True


def _rewrites(ended, is_ended, clusters):
    """What makes two lists equal that may differ, by name."""
    rewrites = {}
    if clusters:
        rewrites["order of answers that one commit brings"] = _answers_sorted
        rewrites["version of a row that a cluster makes"] = _without_versions
        rewrites["which ephemeral column"] = _without_ephemeral_names
    rewrites |= {"modify of nothing": _without_empty_modify, "updates in one": _merged}
    if is_ended:
        rewrites["lock of a session that ends"] = _without_locked
    elif ended:
        rewrites["lock told again when sessions end"] = _locked_once
    return rewrites


def _answers_sorted(first, second):
    """A transaction and those that waited for it: in a cluster stock answers the latter first."""
    result = []
    for side in (first, second):
        result.append([])
        for is_answer, run in itertools.groupby(side, lambda text: "method" not in json.loads(text)):
            result[-1] += sorted(run) if is_answer else run
    return tuple(result)


def _without_versions(first, second):
    """In a cluster a row's version as a transaction is shown it may be another than it gets when
    stock comes to apply what was committed; and what changes a row's version alone is not stored."""

    def rewrite(text):
        text = re.sub(r'"modify": {"_version": "[^"]*"}', '"modify": {}', text)
        return re.sub(r'"_version": "[^"]*"', '"_version": ""', text)

    return tuple([rewrite(text) for text in side] for side in (first, second))


def _without_ephemeral_names(first, second):
    """A cluster refuses a schema with ephemeral columns, and names one of them."""
    pattern = r"Table \w+ column \w+ is ephemeral but clustered"
    return tuple([re.sub(pattern, "A column is ephemeral but clustered", text) for text in texts]
                 for texts in (first, second))


def _is_locked(text):
    return json.loads(text).get("method") == "locked"


def _without_locked(first, second):
    """Sessions that end together: whether a lock passed through one before it ended is chance."""
    return tuple([text for text in side if not _is_locked(text)] for side in (first, second))


def _locked_once(first, second):
    """Who has a lock is told so whenever a session that waits for it goes: of those that end
    together, chance decides how many go after the lock's owner."""
    return tuple(
        [text for i, text in enumerate(side) if not _is_locked(text) or text not in side[:i]]
        for side in (first, second)
    )


def _without_empty_modify(first, second):
    """Stock tells that a row changed of which nothing is to be told: a column that only the condition
    mentions, or one whose changes were not asked for."""
    told = set()
    for message in map(json.loads, second):
        told.update(_empty_modifications(message))
    return [text for text in (_silenced(json.loads(text), told) for text in first) if text], second


def _empty_modifications(message):
    """(monitor, table, row) of each."""
    if not is_update(message):
        return
    monitor = json.dumps(message["params"][0], sort_keys=True)
    for table, rows in message["params"][-1].items():
        for row, change in rows.items():
            if change == {"modify": {}}:
                yield monitor, table, row


def _silenced(message, told):
    """The message, as text, without empty modifications that are not in `told`; None for nothing."""
    places = set(_empty_modifications(message)) - told
    if places:
        tables = message["params"][-1]
        for _, table, row in places:
            del tables[table][row]
        message["params"][-1] = {table: rows for table, rows in tables.items() if rows}
        if not message["params"][-1]:
            return None
    return json.dumps(message, sort_keys=True)


def _merged(first, second):
    """Transactions that wake each other up: stock tells of all in one update, we in one each."""
    return _merged_updates(first), _merged_updates(second)


def _merged_updates(messages):
    """Behind the other messages, the updates of each monitor, in one as long as they share no row."""
    rest, monitors = [], {}
    for message in map(json.loads, messages):
        if not is_update(message):
            rest.append(json.dumps(message, sort_keys=True))
            continue
        *head, tables = message["params"]
        rows = {(table, row): change for table in tables for row, change in tables[table].items()}
        updates = monitors.setdefault(json.dumps([message["method"], *head]), [{}])
        if updates[-1].keys() & rows.keys():
            updates.append({})
        updates[-1].update(rows)
    return rest + [json.dumps([m, sorted(u.items())]) for m in sorted(monitors) for u in monitors[m]]


def _excuses(one, other, probe):
    """Names of the exemptions that two differing messages need; none if they are not enough."""
    results = set()
    for path, _, _ in leaf_differences(one, other):
        place = re.match(r"\.result\[(\d+)\]", path)
        if place is None:
            return []
        results.add(int(place[1]))
    names = [_error_excuse(one, other, index, probe) for index in results]
    return [] if None in names else names


# Stock's clock stands still while it looks at a transaction again; ours may not have ticked yet.
_TIMED_OUT = ("\"wait\" timed out after N ms", "\"where\" clause test failed")


def _error_excuse(one, other, index, probe):
    errors = [message["result"][index] for message in (one, other)]
    if not all(isinstance(error, dict) and "error" in error for error in errors):
        return None
    if all(error["error"] == "timed out" and error.get("details") in _TIMED_OUT for error in errors):
        return "a wait's time"
    return probe(one.get("id"), index, errors)
