"""Rows of a database under construction, and the operations that make and change them."""

import random
import uuid


class Row:
    """A row by its UUID, which is chosen here. In columns a Row stands for a reference to it, a list for
    a set and a dictionary for a map."""

    def __init__(self, table, row_uuid, columns):
        self.table = table
        self.uuid = row_uuid
        self.columns = columns

    def where(self):
        return [["_uuid", "==", ["uuid", self.uuid]]]


class Rows:
    """What a database shall have. The same numbers give the same rows with the same UUIDs."""

    def __init__(self, seed):
        self._random = random.Random(seed)
        self._rows = []

    def new(self, table, **columns):
        """A row that does not belong to them (yet)."""
        return Row(table, str(uuid.UUID(int=self._random.getrandbits(128), version=4)), columns)

    def add(self, table, **columns):
        row = self.new(table, **columns)
        self._rows.append(row)
        return row

    def add_to(self, owner, column, table, **columns):
        """A row in a set of references of another one."""
        row = self.add(table, **columns)
        owner.columns.setdefault(column, []).append(row)
        return row

    def operations(self):
        return [insert(row) for row in self._rows]


def encode(value):
    if isinstance(value, Row):
        return ["uuid", value.uuid]
    if isinstance(value, (list, tuple)):
        return ["set", [encode(element) for element in value]]
    if isinstance(value, dict):
        return ["map", [[encode(key), encode(element)] for key, element in value.items()]]
    return value


def _columns(columns):
    return {column: encode(value) for column, value in columns.items()}


def insert(row):
    return {"op": "insert", "table": row.table, "uuid": row.uuid, "row": _columns(row.columns)}


def update(row, **columns):
    return {"op": "update", "table": row.table, "where": row.where(), "row": _columns(columns)}


def delete(row):
    return {"op": "delete", "table": row.table, "where": row.where()}


def put(row, column, elements):
    """Adds elements to a set or pairs to a map."""
    return _mutate(row, column, "insert", elements)


def take(row, column, elements):
    """Removes elements of a set, or of a map what it has under these keys."""
    return _mutate(row, column, "delete", elements)


def _mutate(row, column, mutator, elements):
    return {"op": "mutate", "table": row.table, "where": row.where(),
            "mutations": [[column, mutator, encode(elements)]]}
