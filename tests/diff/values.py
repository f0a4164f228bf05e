"""Random atoms, values and plain JSON: valid for a column's type, or not."""

import contextlib
import copy

STRINGS = [
    "", "a", "b", "c", "red", "green", "abc", "abcd", "abcdef", "\u00e9", "\u20ac\u20ac",
    "\U0001f600", 'qu"ote', "back\\slash", "line\nfeed", "tab\t", "\u0001\u001f\u007f", "</script>",
    "_x", "A b",
]
INTEGERS = [-3, -2, -1, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 100]
EXTREME_INTEGERS = [2**31, -(2**31), 2**53, 2**53 + 1, 2**63 - 1, -(2**63), 2**62]
REALS = [-1.5, -1.0, -0.5, 0.0, 0.1, 0.5, 1.0, 1.5, 2.0, 2.5, 3.25]
# Neither the largest finite one, nor any of which a calculation soon makes one without full
# precision: stock writes those to its file as numbers that it refuses to read.
EXTREME_REALS = [
    1e300, -1e300, 1e-300, 1.7e308, 1e15, 1e16, 123456789012345680.0,
    0.1 + 0.2, 1 / 3, 1e22, -0.0,
]
JUNK = [
    None, True, False, 0, -1, 1, 7, 2**63, -(2**63) - 1, 0.5, 5e-324, "", "x", "_uuid", "insert",
    "set", [], {}, [[]], [1], ["set"], ["set", []], ["set", {}], ["set", [1, "a"]], ["map", []],
    ["map", [[1]]], ["map", [["a", "b"]]], ["map", [["a", "b"], ["a", "c"]]],
    ["map", [["a", "b"], ["a", "b"]]], ["uuid", ""], ["uuid", "not-a-uuid"],
    ["uuid", "00000000-0000-0000-0000-000000000000"], ["uuid", 1],
    ["uuid", "0000000A-000B-000C-000D-00000000000E"], ["named-uuid", "unknown"],
    ["named-uuid", "1x"], ["named-uuid"], ["other", "x"], {"a": 1}, {"op": "abort"},
    ["set", [["uuid", "zz"]]], "a" * 300,
]
# kind -> [(values, how often)]
_GROUPS = {
    "integer": [(INTEGERS, 92), (EXTREME_INTEGERS, 5), ([float(i) for i in INTEGERS], 3)],
    "real": [(REALS, 77), (EXTREME_REALS, 8), (INTEGERS, 15)],
    "string": [(STRINGS, 1)],
}
_ANY = {kind: [v for values, _ in groups for v in values] for kind, groups in _GROUPS.items()}
_DEFAULTS = {"integer": 0, "real": 0.0, "string": ""}
UNLIMITED = 1 << 30
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

    @property
    def default_fits(self):
        """Whether a row may be inserted without a value for the column."""
        if self.min == 0:
            return True
        return all(_default_fits(base) for base in (self.key, self.value) if base is not None)

    def limit(self):
        return 5 if self.max == "unlimited" else self.max


def fits(value, base):
    """Whether a number or string keeps the limits of its <base-type>."""
    if isinstance(value, str):
        return base.get("minLength", 0) <= len(value) <= base.get("maxLength", UNLIMITED)
    low = base.get("minInteger", base.get("minReal"))
    high = base.get("maxInteger", base.get("maxReal"))
    return (low is None or value >= low) and (high is None or value <= high)


def _default_fits(base):
    if base["type"] not in _DEFAULTS:
        return True
    default = _DEFAULTS[base["type"]]
    return default in base["enum"][1] if "enum" in base else fits(default, base)


def _base(base):
    return {"type": base} if isinstance(base, str) else base


UUID_TYPE = Type("uuid")


class Values:
    """Makes values. `rows(table)` gives UUIDs worth referring to, of any table for None."""

    def __init__(self, rng, rows):
        self.rng = rng
        self.rows = rows
        self.named = []  # (uuid-name, table) of the transaction being made.
        self._faults_left = UNLIMITED

    @contextlib.contextmanager
    def faults_limited(self, count):
        """Within it, at most `count` things are wrong.

        For what stock visits in the order of a hash table: which of several faults it tells first
        is chance.
        """
        before, self._faults_left = self._faults_left, count
        yield
        self._faults_left = before

    def faults_left(self):
        return self._faults_left

    def fault(self, probability):
        """Whether something wrong is to be made here."""
        if self._faults_left == 0 or self.rng.random() >= probability:
            return False
        self._faults_left -= 1
        return True

    def junk(self):
        return copy.deepcopy(self.rng.choice(JUNK))

    def atom(self, base):
        rng = self.rng
        kind = base["type"]
        if kind == "uuid":
            return self.uuid(base.get("refTable"))
        if kind == "boolean":
            return rng.random() < 0.5
        if self.fault(0.03):
            return rng.choice(_ANY[kind])
        if "enum" in base:
            return rng.choice(base["enum"][1])
        values = rng.choices([group for group, _ in _GROUPS[kind]], [share for _, share in _GROUPS[kind]])[0]
        return rng.choice([v for v in values if fits(v, base)] or [v for v in _ANY[kind] if fits(v, base)])

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
        if self.fault(0.015):
            return self.junk()
        if column.is_scalar:
            return self.atom(column.key)
        size = rng.randint(column.min, max(column.min, min(column.limit(), 4)))
        if self.fault(0.02):
            size = rng.choice([0, size + 1, 5])
        return self.collection(column, size)

    def collection(self, column, size):
        """A set or map of `size` elements, distinct but for rare accidents."""
        rng = self.rng
        keys = []
        for _ in range(size * 3):
            key = self.atom(column.key)
            if len(keys) < size and (key not in keys or self.fault(0.01)):
                keys.append(key)
        if column.value is not None:
            return ["map", [[key, self.atom(column.value)] for key in keys]]
        if len(keys) == 1 and rng.random() < 0.5:
            return keys[0]
        return ["set", keys]
