"""Random database schemas, and changes of them for `convert`."""

import copy

ATOMIC_TYPES = ["integer", "real", "boolean", "string", "uuid"]
DATABASE = "Play"

_ENUMS = {
    "integer": [-1, 0, 1, 2, 7],
    "real": [-0.5, 0, 0.5, 1.5],
    "string": ["", "a", "b", "red", "green"],
}
_LIMITS = {
    "integer": [{"minInteger": -2}, {"maxInteger": 5}, {"minInteger": 0, "maxInteger": 3}],
    "real": [{"minReal": -1.5}, {"maxReal": 2.5}, {"minReal": 0, "maxReal": 2}],
    "string": [{"minLength": 1}, {"maxLength": 3}, {"minLength": 1, "maxLength": 5}],
}


def _base_type(rng, tables):
    kind = rng.choice(ATOMIC_TYPES)
    base = {"type": kind}
    if kind == "uuid":
        if rng.random() < 0.85:
            base["refTable"] = rng.choice(tables)
            if rng.random() < 0.8:
                base["refType"] = rng.choice(["strong", "weak"])
    elif kind in _ENUMS:
        chance = rng.random()
        if chance < 0.25:
            values = _ENUMS[kind]
            base["enum"] = ["set", rng.sample(values, rng.randint(1, len(values)))]
        elif chance < 0.6:
            base.update(rng.choice(_LIMITS[kind]))
    return kind if len(base) == 1 and rng.random() < 0.5 else base


def _ref_type(base):
    return base.get("refType", "strong") if isinstance(base, dict) and "refTable" in base else None


def column_type(rng, tables):
    shape = rng.random()
    key = _base_type(rng, tables)
    if shape < 0.35:
        return key if isinstance(key, str) else {"key": key}
    column = {"key": key}
    if shape > 0.7:
        value = _base_type(rng, tables)
        # Stock counts the strong reference of a pair that leaves a map for its weak one for ever.
        if {_ref_type(key), _ref_type(value)} != {"strong", "weak"}:
            column["value"] = value
    column["min"] = rng.choice([0, 0, 0, 1])
    column["max"] = rng.choice([1, 1, 2, 3, "unlimited", "unlimited"])
    return column


def _table(rng, tables):
    columns = {}
    for i in range(rng.randint(1, 7)):
        column = {"type": column_type(rng, tables)}
        # Stock loses what follows an ephemeral strong reference when it reads its file again.
        if rng.random() < 0.12 and "refTable" not in str(column):
            column["ephemeral"] = True
        if rng.random() < 0.12:
            column["mutable"] = False
        columns[f"c{i}"] = column
    table = {"columns": columns}
    if rng.random() < 0.2:
        table["maxRows"] = rng.choice([1, 2, 5])
    indexable = [name for name, column in columns.items() if not column.get("ephemeral")]
    if indexable and rng.random() < 0.5:
        table["indexes"] = [
            rng.sample(indexable, rng.randint(1, min(2, len(indexable))))
            for _ in range(rng.randint(1, 2))
        ]
    return table


def random_schema(rng):
    names = [f"T{i}" for i in range(rng.randint(1, 4))]
    tables = {name: _table(rng, names) for name in names}
    if rng.random() < 0.8:
        for name in names:
            if rng.random() < 0.6:
                tables[name]["isRoot"] = True
    return {"name": DATABASE, "version": "1.0.0", "tables": tables}


def altered_schema(rng, schema):
    """A schema that any content converts to: nothing is retyped, narrowed or made unique.

    A new column may be empty: stock does not look whether a default fits a constraint, and writes
    a file that it cannot read. (It dies when rows do not fit. What ours does has tests of its own.)
    """
    new = copy.deepcopy(schema)
    new["version"] = f"1.{rng.randint(0, 9)}.{rng.randint(0, 99)}"
    names = list(new["tables"])
    for _ in range(rng.randint(0, 3)):
        change = rng.random()
        table = new["tables"][rng.choice(names)]
        if change < 0.4:
            column = {"type": column_type(rng, names)}
            if _may_be_empty(column["type"]):
                table["columns"].setdefault(f"n{rng.randint(0, 5)}", column)
        elif change < 0.6 and len(table["columns"]) > 1:
            del table["columns"][rng.choice(list(table["columns"]))]
            table.pop("indexes", None)
        elif change < 0.8:
            table.pop("maxRows", None)
        else:
            table.pop("indexes", None)
    return new


def _may_be_empty(json_type):
    return isinstance(json_type, dict) and json_type.get("min") == 0
