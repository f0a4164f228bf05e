"""Random `transact` operations (RFC 7047 section 5.2 and stock's extensions)."""

from diff.values import EXTREME_INTEGERS, INTEGERS, UUID_TYPE, Type, Values

FUNCTIONS = ["==", "!=", "includes", "excludes", "<", "<=", ">", ">="]
SET_FUNCTIONS = FUNCTIONS[:4]
MUTATORS = ["+=", "-=", "*=", "/=", "%=", "insert", "delete"]
FACTORS = {
    # Stock dies of a negative integer times zero; times one or less, it finds some overflows where
    # there are none, and others not.
    ("integer", "*="): [2, 3, 7, 100, 2**31],
    ("integer", "/="): [*INTEGERS, *EXTREME_INTEGERS],
    # None that makes a -0: stock's hash tables take it for another value than 0.
    ("real", "*="): [0.1, 0.5, 1, 1.5, 3.25, 1e300],
    ("real", "/="): [0.1, 0.5, 0, 1.5, 3],
}


class Operations:
    """Makes operations against `schema`. `world` knows row UUIDs and hands out new ones."""

    def __init__(self, rng, schema, world):
        self.rng = rng
        self.world = world
        self.values = Values(rng, world.rows)
        self.tables = schema["tables"]
        self.types = {
            table: {name: Type(column["type"]) for name, column in body["columns"].items()}
            for table, body in self.tables.items()
        }
        self.immutable = {
            (table, name)
            for table, body in self.tables.items()
            for name, column in body["columns"].items()
            if column.get("mutable") is False
        }

    def transaction(self):
        """The operations of one `transact` request."""
        self.values.named = []
        makers = {
            self.insert: 34, self.update: 16, self.mutate: 16, self.delete: 8, self.select: 14,
            self.wait: 5, self.comment: 1, self.commit: 1, self.assert_lock: 1.2, self.abort: 0.5,
            self.unknown: 0.4,
        }
        count = self.rng.choice([0, 1, 1, 1, 2, 2, 3, 4, 6, 9])
        chosen = self.rng.choices(list(makers), list(makers.values()), k=count)
        return [make() for make in chosen]

    def late_operations(self):
        """What may follow a `wait` that does not hold yet. It touches no row of other transactions,
        because stock tells of its change and theirs in one."""
        makers = [self.insert, self.insert, self.select, self.comment]
        return [self.rng.choice(makers)() for _ in range(self.rng.randint(0, 2))]

    def table(self):
        if self.rng.random() < 0.008:
            return self.rng.choice(["Nowhere", "", "_x", 7, None])
        return self.rng.choice(list(self.tables))

    def types_of(self, table):
        return self.types.get(table, {}) if isinstance(table, str) else {}

    def column(self, table, pseudo=0.1):
        """(name, Type) of a column; now and then a pseudo-column or one that is not there."""
        rng = self.rng
        columns = self.types_of(table)
        if columns and rng.random() >= pseudo:
            return rng.choice(list(columns.items()))
        if rng.random() < 0.85:
            return rng.choice(["_uuid", "_uuid", "_uuid", "_version"]), UUID_TYPE
        return rng.choice(["nothing", "", "_nothing"]), UUID_TYPE

    def row(self, table, wants):
        """A <row> with the columns for which wants(name, Type), and now and then a wrong one."""
        row = {}
        with self.values.faults_limited(1 if self.rng.random() < 0.95 else 3):
            for name, column in self.types_of(table).items():
                if wants(name, column):
                    row[name] = self.values.value(column)
            if self.values.fault(0.008):
                name, column = self.column(table, pseudo=1)
                row[name] = self.values.value(column)
        return row

    def inserted_row(self, table):
        def wants(_, column):
            if column.default_fits:
                return self.rng.random() < 0.75
            return not self.values.fault(0.05)

        return self.row(table, wants)

    def updated_row(self, table):
        def wants(name, _):
            chosen = self.rng.random() < 0.35
            return chosen and ((table, name) not in self.immutable or self.values.fault(0.1))

        return self.row(table, wants)

    def insert(self):
        rng = self.rng
        table = self.table()
        operation = {"op": "insert", "table": table}
        if rng.random() < 0.5:
            operation["uuid"] = self.world.new_uuid(table)
        if rng.random() < 0.35:
            name = f"row{len(self.values.named)}"
            if rng.random() < 0.03:
                name = rng.choice(["row0", "0", "", "_"])
            operation["uuid-name"] = name
            self.values.named.append((name, table))
        operation["row"] = self.inserted_row(table)
        return operation

    def where(self, table):
        rng = self.rng
        chance = rng.random()
        known = self.world.rows(table)
        if known and chance < 0.5:
            return [["_uuid", "==", ["uuid", rng.choice(known)]]]
        if chance < 0.65:
            return []
        return [self.clause(*self.column(table)) for _ in range(rng.choice([1, 1, 1, 2, 3]))]

    def clause(self, name, column):
        """A condition on a column, mostly one that its Type allows."""
        rng = self.rng
        if rng.random() < 0.03:
            return rng.random() < 0.5
        if self.values.fault(0.006):
            return self.values.junk()
        ordered = column.is_numeric and column.max == 1
        function = rng.choice(FUNCTIONS if ordered or self.values.fault(0.05) else SET_FUNCTIONS)
        if self.values.fault(0.006):
            function = rng.choice(["=", "", "like", 3])
        if function in FUNCTIONS[4:] and not self.values.fault(0.1):
            return [name, function, self.values.atom(column.key)]
        if function in ("includes", "excludes") and not column.is_scalar:
            most = 2 if self.values.fault(0.1) else min(2, column.limit())
            return [name, function, self.values.collection(column, rng.randint(0, most))]
        return [name, function, self.values.value(column)]

    def columns(self, table):
        rng = self.rng
        chosen = [self.column(table, 0.15)[0] for _ in range(rng.randint(0, 4))]
        return chosen if rng.random() < 0.05 else list(dict.fromkeys(chosen))

    def select(self):
        table = self.table()
        operation = {"op": "select", "table": table, "where": self.where(table)}
        if self.rng.random() < 0.6:
            operation["columns"] = self.columns(table)
        return operation

    def update(self):
        table = self.table()
        where = self.where(table)
        return {"op": "update", "table": table, "where": where, "row": self.updated_row(table)}

    def mutate(self):
        table = self.table()
        mutations = [self.mutation(table) for _ in range(self.rng.choice([1, 1, 2, 3]))]
        return {
            "op": "mutate", "table": table, "where": self.where(table), "mutations": mutations,
        }

    def mutation(self, table):
        rng = self.rng
        name, column = self.column(table, 0.02)
        if rng.random() < 0.006:
            return self.values.junk()
        if rng.random() < 0.05:
            mutator = rng.choice([*MUTATORS, "=", ""])
        elif column.is_numeric and (column.max == 1 or rng.random() < 0.4):
            mutator = rng.choice(MUTATORS[:5])
        else:
            mutator = rng.choice(MUTATORS[5:])
        if mutator not in ("insert", "delete") or column.is_scalar:
            if mutator in ("*=", "/=") and column.is_numeric:
                return [name, mutator, rng.choice(FACTORS[column.key["type"], mutator])]
            return [name, mutator, self.values.atom(column.key)]
        argument = column
        if mutator == "delete" and column.value is not None and rng.random() < 0.6:
            argument = Type({"key": column.key, "min": 0, "max": "unlimited"})
        return [name, mutator, self.values.collection(argument, rng.choice([0, 1, 1, 2, 3]))]

    def delete(self):
        table = self.table()
        return {"op": "delete", "table": table, "where": self.where(table)}

    def wait(self):
        """Mostly one that is decided at once."""
        rng = self.rng
        table = self.table()
        names = self.columns(table)
        rows = [
            self.row(table, lambda name, _: name in names and rng.random() < 0.95)
            for _ in range(rng.randint(0, 2))
        ]
        operation = {
            "op": "wait", "table": table, "where": self.where(table), "columns": names,
            "rows": rows, "until": "!=" if rng.random() < 0.85 else "==", "timeout": 0,
        }
        if rng.random() < 0.03:
            operation[rng.choice(["until", "columns", "rows"])] = self.values.junk()
        return operation

    def comment(self):
        said = "said" if self.rng.random() < 0.9 else self.values.junk()
        return {"op": "comment", "comment": said}

    def commit(self):
        return {"op": "commit", "durable": self.rng.random() < 0.5}

    def assert_lock(self):
        return {"op": "assert", "lock": self.rng.choice(["lock0", "lock1", "lock2"])}

    def abort(self):
        return {"op": "abort"}

    def unknown(self):
        odd = [{"op": "frobnicate"}, {"op": 1}, {}, 3, [], {"op": "insert"}, {"op": None}]
        return self.rng.choice(odd)
