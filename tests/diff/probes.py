"""Looks closer where two servers name different faults of one transaction.

Of several faults, stock tells the one that comes first in the order of a hash table. The same
transaction, sent again with less in it and without effect, shows whether what either server said is
one of them.
"""

import copy

from diff.canonical import NAME_KEY
from diff.claims import State, equally_true
from diff.schemas import DATABASE
from diff.values import Type

_DEFAULTS = {
    "integer": 0, "real": 0.0, "boolean": False, "string": "",
    "uuid": ["uuid", "00000000-0000-0000-0000-000000000000"],
}


class Prober:
    """`sides`: the two servers (lockstep.Side)."""

    def __init__(self, sides):
        self._sides = sides

    def excuse(self, message, index, errors):
        """The name of what excuses two errors at `index` of the results of `message`, or None."""
        operations = message["params"][1:]
        if index == len(operations):
            return "which row" if self._are_true(operations, errors) else None
        if index > len(operations):
            return None
        operation = operations[index]
        if operation.get("op") == "mutate":
            variants = self._single_rows(operations[:index], operation)
            return "which row of a mutation" if self._are_faults(operations[:index], variants, errors) else None
        variants = _single_columns(operation, self._schema())
        return "which column" if self._are_faults(operations[:index], variants, errors) else None

    def dangling_weak_reference(self):
        """Whether the first server, and not the second, has a weak reference to a row that is gone."""
        first, second = (state.has_dangling_references() for state in self._states([]))
        return first and not second

    def _schema(self):
        request = {"id": "probe", "method": "get_schema", "params": [DATABASE]}
        return self._sides[0].ask(request)["result"]

    def _results(self, operations):
        """Either server's results. Nothing is changed."""
        operations = [*map(_harmless, operations), {"op": "abort"}]
        request = {"id": "probe", "method": "transact", "params": [DATABASE, *operations]}
        return [side.ask(request)["result"] for side in self._sides]

    def _are_faults(self, before, variants, errors):
        """Whether either error is what one variant gives, and the servers agree on every variant."""
        told = [False, False]
        for variant in variants:
            first, second = (results[len(before)] for results in self._results([*before, variant]))
            if first != second:
                return False
            told = [old or _same_fault(error, first) for old, error in zip(told, errors)]
        return all(told)

    def _single_rows(self, before, mutation):
        """The mutation on each of its rows alone."""
        look = {"op": "select", "table": mutation["table"], "where": mutation["where"], "columns": ["_uuid"]}
        for row in self._results([*before, look])[0][len(before)]["rows"]:
            yield {**mutation, "where": [["_uuid", "==", row["_uuid"]]]}

    def _are_true(self, operations, errors):
        states = self._states(operations)
        details = [error.get("details", "") for error in errors]
        return all(equally_true(*details, state) for state in states)

    def _states(self, operations):
        """What the operations come to on either server, before it is looked at as a whole."""
        schema = self._schema()
        looks = [
            {"op": "select", "table": table, "where": [], "columns": ["_uuid", *body["columns"]]}
            for table, body in schema["tables"].items()
        ]
        for results in self._results([*operations, *looks]):
            shown = results[len(operations) : len(operations) + len(looks)]
            rows = {
                table: {row["_uuid"][1]: row for row in result["rows"]}
                for table, result in zip(schema["tables"], shown)
            }
            yield State(schema, rows)


def _harmless(operation):
    """The same without what depends on the session (a lock), takes time or is chosen anew."""
    operation = copy.deepcopy(operation)
    if not isinstance(operation, dict):
        return operation
    if operation.get("op") == "assert":
        return {"op": "comment", "comment": "a lock was asserted"}
    if operation.get("op") == "wait":
        operation["timeout"] = 0
    if operation.get("op") == "insert" and NAME_KEY in operation:
        operation.setdefault("uuid", operation[NAME_KEY])
    return operation


def _single_columns(operation, schema):
    """What reads each column of an operation's rows alone."""
    kind, table = operation.get("op"), operation.get("table")
    if kind == "wait":
        for number, row in enumerate(operation["rows"]):
            for column, value in row.items():
                yield {**operation, "rows": [*operation["rows"][:number], {column: value}]}
    elif kind == "update":
        for column, value in operation["row"].items():
            yield {**operation, "row": {column: value}}
    elif kind == "insert":
        columns = schema["tables"][table]["columns"]
        for column, value in {**_defaults(columns), **operation["row"]}.items():
            yield _look(table, column, _resolved(value, operation), column in columns)


def _resolved(value, insert):
    """`value` with the row's own name, which nothing but its insert bears, replaced by its UUID."""
    if value == ["named-uuid", insert.get("uuid-name")]:
        return ["uuid", insert.get("uuid", insert.get(NAME_KEY))]
    return [_resolved(item, insert) for item in value] if isinstance(value, list) else value


def _look(table, column, value, known):
    """An operation that does no more than read `value`."""
    if not known:
        return {"op": "update", "table": table, "where": [False], "row": {column: value}}
    return {
        "op": "wait", "table": table, "where": [], "columns": [column], "rows": [{column: value}],
        "until": "!=", "timeout": 0,
    }


def _defaults(columns):
    """What an insert gives the columns that it does not mention."""
    types = {name: Type(column["type"]) for name, column in columns.items()}
    return {name: _default(column) for name, column in types.items() if column.min == 1}


def _default(column):
    key = _DEFAULTS[column.key["type"]]
    return key if column.value is None else ["map", [[key, _DEFAULTS[column.value["type"]]]]]


def _same_fault(error, variant):
    """Whether an error is that of a variant. Some show the whole row or operation as `syntax`."""
    if error.get("details", "").startswith(("No column", "Cannot update immutable column")):
        error, variant = ({k: v for k, v in e.items() if k != "syntax"} for e in (error, variant))
    return error == variant
