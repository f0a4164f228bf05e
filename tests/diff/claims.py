"""What an error at commit claims about rows, and whether it is so.

Where several rows break a rule, chance decides which of them stock names. The state that a
transaction comes to, before the rules are applied to it, shows whether a claim holds.
"""

import copy
import re

from diff.values import Type
from diff.world import FIRST_STRANGER, is_canonical

_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_ZERO = "00000000-0000-0000-0000-000000000000"
_PAST = (
    r"was inserted by this transaction"
    r"|existed in the database before this transaction and was not modified by the transaction"
    r"|existed in the database before this transaction, which modified some of the row's columns"
    r" but not any columns in this index"
    r"|had the following index values before the transaction: .*"
)
_ROW = rf'"(?P<column>\w+)" in "(?P<table>\w+)" row (?P<row>{_UUID})'

_NONEXISTENT = (
    rf"Table (?P<table>\w+) column (?P<column>\w+) row (?P<row>{_UUID}) references nonexistent row"
    rf" (?P<target>{_UUID}) in table (?P<target_table>\w+)\."
)
_REMAINING = (
    rf"cannot delete (?P<table>\w+) row (?P<row>{_UUID}) because of (?P<count>\d+) remaining reference\(s\)"
)
_DUPLICATE = (
    r'Transaction causes multiple rows in "(?P<table>\w+)" table to have identical values \((?P<values>.*)\)'
    r' for index on columns? (?P<columns>(?:"\w+"(?:,? and |, )?)+)\.'
    rf"  First row, with UUID (?P<row>{_UUID}), (?P<past>{_PAST})\."
    rf"  Second row, with UUID (?P<other>{_UUID}), (?P<other_past>{_PAST})\."
)
_EMPTY = (
    r"Deletion of (?P<count>\d+) weak reference\(s\) to deleted \(or never-existing\) rows from column"
    rf" {_ROW} (?P<inserted>\(inserted within this transaction\) )?caused this column to become empty, but"
    r" constraints on this column disallow an empty column\."
)
_ZERO_DEFAULT = (
    rf"Weak reference column {_ROW} \(inserted within this transaction\) contained all-zeros UUID"
    r" \(probably as the default value for this column\) but deleting this value caused a constraint"
    r" volation because this column is not allowed to be empty\."
)


class State:
    """Rows: table -> UUID -> column -> value as in JSON."""

    def __init__(self, schema, rows):
        self.schema = schema
        self.rows = rows
        self.types = {
            table: {name: Type(column["type"]) for name, column in body["columns"].items()}
            for table, body in schema["tables"].items()
        }

    def pairs(self, table, row, column):
        """The elements of a value, each a list of a key and, in a map, a value."""
        value = self.rows[table][row][column]
        if isinstance(value, list) and value[0] == "map":
            return value[1]
        if isinstance(value, list) and value[0] == "set":
            return [[atom] for atom in value[1]]
        return [[value]]

    def references(self, table, column, pair, kind):
        """(target table, target) of an element, of a kind ("strong" or "weak")."""
        kinds = self.types[table][column]
        for base, atom in zip((kinds.key, kinds.value), pair):
            if "refTable" in base and base.get("refType", "strong") == kind:
                yield base["refTable"], atom[1]

    def is_dangling(self, table, column, pair):
        """Whether a weak reference in an element is to a row that is not there."""
        return any(to not in self.rows[of] for of, to in self.references(table, column, pair, "weak"))

    def has_dangling_references(self):
        return any(
            self.is_dangling(table, column, pair)
            for table, rows in self.rows.items()
            for row in rows
            for column in self.types[table]
            for pair in self.pairs(table, row, column)
        )

    def strong_references(self):
        """(target table, target) of each, but for a row's references to itself."""
        for table, rows in self.rows.items():
            for row in rows:
                for column in self.types[table]:
                    for pair in self.pairs(table, row, column):
                        for of, to in self.references(table, column, pair, "strong"):
                            if to != row:
                                yield of, to

    def settled(self):
        """A copy without rows that nobody refers to, nor weak references to rows that are gone."""
        new = State(self.schema, copy.deepcopy(self.rows))
        while new._collect() or new._weaken():
            pass
        return new

    def _collect(self):
        bodies = self.schema["tables"]
        if not any(body.get("isRoot") for body in bodies.values()):
            return False
        referred = set(self.strong_references())
        garbage = [
            (table, row)
            for table, rows in self.rows.items()
            for row in rows
            if not bodies[table].get("isRoot") and (table, row) not in referred
        ]
        for table, row in garbage:
            del self.rows[table][row]
        return bool(garbage)

    def _weaken(self):
        found = False
        for table, rows in self.rows.items():
            for row, values in rows.items():
                for column, kinds in self.types[table].items():
                    pairs = self.pairs(table, row, column)
                    kept = [pair for pair in pairs if not self.is_dangling(table, column, pair)]
                    if kept != pairs:
                        found = True
                        values[column] = _value(kept, kinds)
        return found


def _value(pairs, kinds):
    if kinds.value is not None:
        return ["map", pairs]
    return pairs[0][0] if len(pairs) == 1 else ["set", [pair[0] for pair in pairs]]


def equally_true(details, other_details, state):
    """Whether two `details` claim the same of different rows, and both hold in `state`, which is
    what the operations came to."""
    claims = [_parse(text) for text in (details, other_details)]
    if None in claims or not all(holds(claim, state) for claim, holds in claims):
        return False
    (one, holds), (other, other_holds) = claims
    # Stock may overlook a weak reference to a row that is deleted together with the change of its
    # own row (see Round.failure), and come to the indexes.
    overlooked = one.re.pattern == _DUPLICATE and other.re.pattern == _EMPTY and not other["inserted"]
    return overlooked or holds == other_holds and _agree(one, other)


def _parse(text):
    """(match, check) of the form that a text has, or None."""
    for form, holds in _CHECKS:
        claim = re.fullmatch(form, text, re.S)
        if claim:
            return claim, holds
    return None


def _agree(one, other):
    """Both must tell the same values of a row, and the same of its past, which `state` does not show."""
    if _DUPLICATE not in (one.re.pattern, other.re.pattern) or one["columns"] != other["columns"]:
        return True
    told = [
        {claim[row]: _words(claim["values"] + " " + claim[past]) for row, past in _PASTS}
        for claim in (one, other)
    ]
    return all(told[0][row] == told[1][row] for row in told[0].keys() & told[1].keys())


_PASTS = (("row", "past"), ("other", "other_past"))


def _words(text):
    """Without order: a set of references is in that of UUIDs that each server has chosen for itself."""
    return sorted(filter(None, re.split(r"([][{}])|[ ,=]+", text)))


def _references_nonexistent(claim, state):
    table, row, column, target = (claim[name] for name in ("table", "row", "column", "target"))
    if row not in state.rows[table] or target in state.rows[claim["target_table"]]:
        return False
    found = [
        to
        for pair in state.pairs(table, row, column)
        for of, to in state.references(table, column, pair, "strong")
        if of == claim["target_table"] and to not in state.rows[of]
    ]
    # A name that no insert bears stands for another random UUID each time.
    is_random = not is_canonical(target) or int(target[:8], 16) > FIRST_STRANGER
    return target in found or is_random and bool(found)


def _has_remaining(claim, state):
    place = (claim["table"], claim["row"])
    count = sum(reference == place for reference in state.strong_references())
    return place[1] not in state.rows[place[0]] and count == int(claim["count"])


def _is_duplicate(claim, state):
    rows = state.settled().rows[claim["table"]]
    columns = re.findall(r'"(\w+)"', claim["columns"])
    if set(columns) not in map(set, state.schema["tables"][claim["table"]]["indexes"]):
        return False
    if claim["row"] == claim["other"] or not {claim["row"], claim["other"]} <= rows.keys():
        return False
    return all(rows[claim["row"]][column] == rows[claim["other"]][column] for column in columns)


def _becomes_empty(claim, state):
    table, row, column = claim["table"], claim["row"], claim["column"]
    if row not in state.rows[table] or state.types[table][column].min == 0:
        return False
    pairs = state.pairs(table, row, column)
    settled = state.settled()
    if not pairs or not all(settled.is_dangling(table, column, pair) for pair in pairs):
        return False
    has_zero = any(["uuid", _ZERO] in pair for pair in pairs)
    if "count" not in claim.groupdict():
        return has_zero
    return len(pairs) == int(claim["count"]) and not (has_zero and claim["inserted"])


_CHECKS = [
    (_NONEXISTENT, _references_nonexistent),
    (_REMAINING, _has_remaining),
    (_DUPLICATE, _is_duplicate),
    (_EMPTY, _becomes_empty),
    (_ZERO_DEFAULT, _becomes_empty),
]
