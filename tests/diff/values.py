"""Random atoms, values and plain JSON: valid for a column's type, or not."""

STRINGS = [
    "", "a", "b", "c", "red", "green", "abc", "abcd", "abcdef", "\u00e9", "\u20ac\u20ac",
    "\U0001f600", 'qu"ote', "back\\slash", "line\nfeed", "tab\t", "\u0001\u001f\u007f", "</script>",
    "_x", "A b",
]
INTEGERS = [-3, -2, -1, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 100]
EXTREME_INTEGERS = [2**31, -(2**31), 2**53, 2**53 + 1, 2**63 - 1, -(2**63), 2**62]
REALS = [-1.5, -1.0, -0.5, 0.0, 0.1, 0.5, 1.0, 1.5, 2.0, 2.5, 3.25]
# Not the largest finite one: stock writes it to its file as a number that it refuses to read.
EXTREME_REALS = [
    1e300, -1e300, 1e-300, 1.7e308, 5e-324, 1e15, 1e16, 123456789012345680.0,
    0.1 + 0.2, 1 / 3, 1e22, -0.0,
]
JUNK = [
    None, True, False, 0, -1, 1, 7, 2**63, 2**64, -(2**63) - 1, 0.5, "", "x", "_uuid", "insert",
    "set", [], {}, [[]], [1], ["set"], ["set", []], ["set", {}], ["set", [1, "a"]], ["map", []],
    ["map", [[1]]], ["map", [["a", "b"]]], ["map", [["a", "b"], ["a", "c"]]],
    ["map", [["a", "b"], ["a", "b"]]], ["uuid", ""], ["uuid", "not-a-uuid"],
    ["uuid", "00000000-0000-0000-0000-000000000000"], ["uuid", 1],
    ["uuid", "0000000A-000B-000C-000D-00000000000E"], ["named-uuid", "unknown"],
    ["named-uuid", "1x"], ["named-uuid"], ["other", "x"], {"a": 1}, {"op": "abort"},
    ["set", [["uuid", "zz"]]], "a" * 300,
]
MISSING_UUID = "deadbeef-0000-4000-8000-000000000000"


class Type:
    """A column type of RFC 7047 section 3.2 with its shorthands written out."""

    def __init__(self, json_type):
        if isinstance(json_type, str) or "key" not in json_type:
            json_type = {"key": json_type}
        self.key = _base(json_type["key"])
        self.value = _base(json_type["value"]) if "value" in json_type else None
        self.min = json_type.get("min", 1)
        self.max = json_type.get("max", 1)

    @property
    def is_scalar(self):
        return self.min == 1 and self.max == 1 and self.value is None

    @property
    def is_numeric(self):
        return self.key["type"] in ("integer", "real") and self.value is None

    def limit(self):
        return 5 if self.max == "unlimited" else self.max


def _base(base):
    return {"type": base} if isinstance(base, str) else base


UUID_TYPE = Type("uuid")


class Values:
    """Makes values. `rows(table)` gives UUIDs worth referring to, of any table for None."""

    def __init__(self, rng, rows):
        self.rng = rng
        self.rows = rows
        self.named = []  # (uuid-name, table) of the transaction being made.

    def junk(self):
        return self.rng.choice(JUNK)

    def atom(self, base):
        rng = self.rng
        kind = base["type"]
        if "enum" in base and rng.random() < 0.95:
            return rng.choice(base["enum"][1])
        if kind == "integer":
            if rng.random() < 0.05:
                return rng.choice(EXTREME_INTEGERS)
            if rng.random() < 0.03:
                return float(rng.choice(INTEGERS))
            return self._in_range(INTEGERS, base.get("minInteger"), base.get("maxInteger"))
        if kind == "real":
            if rng.random() < 0.08:
                return rng.choice(EXTREME_REALS)
            if rng.random() < 0.15:
                return rng.choice(INTEGERS)
            return self._in_range(REALS, base.get("minReal"), base.get("maxReal"))
        if kind == "boolean":
            return rng.random() < 0.5
        if kind == "string":
            low, high = base.get("minLength", 0), base.get("maxLength", 1000)
            fits = [s for s in STRINGS if low <= len(s) <= high]
            return rng.choice(fits if rng.random() < 0.97 else STRINGS)
        return self.uuid(base.get("refTable"))

    def _in_range(self, values, low, high):
        if self.rng.random() < 0.04:
            return self.rng.choice(values)
        fits = [v for v in values if (low is None or v >= low) and (high is None or v <= high)]
        return self.rng.choice(fits or values)

    def uuid(self, table):
        rng = self.rng
        named = [name for name, of in self.named if table is None or of == table]
        if named and rng.random() < 0.5:
            return ["named-uuid", rng.choice(named)]
        known = self.rows(table)
        if known and rng.random() < 0.96:
            return ["uuid", rng.choice(known)]
        return ["uuid", MISSING_UUID]

    def value(self, column):
        """A value for a whole column of this Type, mostly a valid one."""
        rng = self.rng
        if rng.random() < 0.015:
            return self.junk()
        if column.is_scalar:
            return self.atom(column.key)
        size = rng.randint(column.min, max(column.min, min(column.limit(), 4)))
        if rng.random() < 0.02:
            size = rng.choice([0, size + 1, 5])
        return self.collection(column, size)

    def collection(self, column, size):
        """A set or map of `size` elements, distinct but for rare accidents."""
        rng = self.rng
        keys = []
        for _ in range(size * 3):
            key = self.atom(column.key)
            if len(keys) < size and (key not in keys or rng.random() < 0.01):
                keys.append(key)
        if column.value is not None:
            return ["map", [[key, self.atom(column.value)] for key in keys]]
        if len(keys) == 1 and rng.random() < 0.5:
            return keys[0]
        return ["set", keys]
