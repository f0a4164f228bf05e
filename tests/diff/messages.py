"""Random JSON-RPC messages of a session: every method, valid and invalid."""

import copy

from diff.canonical import NAME_KEY
from diff.operations import Operations
from diff.schemas import DATABASE, altered_schema
from diff.values import JUNK

ZERO_UUID = "00000000-0000-0000-0000-000000000000"
MONITOR_IDS = ["m0", "m1", ["m", 2], {"m": 3}, 4]
LOCKS = ["lock0", "lock1", "lock2"]


class Messages:
    def __init__(self, rng, world, sessions):
        self.rng = rng
        self.world = world
        self.sessions = sessions
        # Of several monitors, one with a condition on a column that it does not monitor kills stock.
        self.single_monitor = rng.random() < 0.3
        self._next_id = 0
        self._operations_for = None
        self._operations = None

    @property
    def operations(self):
        if self._operations_for is not self.world.schema:
            self._operations_for = self.world.schema
            self._operations = Operations(self.rng, self.world.schema, self.world)
        return self._operations

    def next_step(self):
        """(session, message)."""
        rng = self.rng
        session = rng.randrange(self.sessions)
        makers = {
            self.transact: 70, self.monitor: 6, self.monitor_cond_change: 4, self.monitor_cancel: 2,
            self.lock: 5, self.pending_wait: 2, self.cancel: 1.5, self.simple: 2, self.convert: 0.15,
            self.refresh: 2,
        }
        make = rng.choices(list(makers), list(makers.values()))[0]
        if self.single_monitor and make in (self.monitor, self.monitor_cond_change):
            session = 0
        method, params = make(session)
        self._next_id += 1
        message = {"id": self._next_id, "method": method, "params": params}
        if method == "cancel" and rng.random() < 0.95:
            message["id"] = None
        if rng.random() < 0.01 and self.world.pending.get(session):
            message["id"] = self.world.pending[session][0]
        if rng.random() < 0.04:
            self._spoil(message)
        self._name_inserts(message)
        return session, message

    def _name_inserts(self, message):
        params = message.get("params")
        for operation in params if isinstance(params, list) else []:
            if isinstance(operation, dict) and operation.get("op") == "insert":
                operation[NAME_KEY] = self.world.new_name()

    def transact(self, session):
        chance = self.rng.random()
        database = DATABASE
        if chance < 0.01:
            database = self.rng.choice(["_Server", "Elsewhere", "", 3])
        return "transact", [database, *self.operations.transaction()]

    def refresh(self, session):
        """Has the world learn what rows there are, and both servers show all they have."""
        selects = [
            {"op": "select", "table": table, "where": []} for table in self.world.schema["tables"]
        ]
        return "transact", [DATABASE, *selects]

    def pending_wait(self, session):
        """A `wait` for a row that may come later, then perhaps something that depends on it."""
        operations = self.operations
        operations.values.named = []
        table = self.rng.choice(list(operations.tables))
        clause = operations.clause(*operations.column(table))
        wait = {
            "op": "wait", "table": table, "where": [clause], "columns": ["_uuid"],
            "rows": [], "until": "!=",
        }
        if self.rng.random() < 0.3:
            wait["timeout"] = 3_600_000
        return "transact", [DATABASE, wait, *operations.late_operations()]

    def cancel(self, session):
        pending = self.world.pending.get(session)
        return "cancel", [self.rng.choice(pending) if pending else self._next_id]

    def monitor(self, session):
        rng = self.rng
        method = rng.choice(["monitor", "monitor_cond", "monitor_cond", "monitor_cond_since"])
        tables = list(self.operations.tables)
        chosen = rng.sample(tables, rng.randint(1, len(tables)))
        self.operations.values.named = []
        with self.operations.values.faults_limited(1):
            if self.operations.values.fault(0.02):
                chosen.append("Nowhere")
            requests = {table: self._table_request(table, method != "monitor") for table in chosen}
        params = [DATABASE, self._monitor_id(), requests]
        if rng.random() < 0.02:
            params[0] = rng.choice(["Elsewhere", "_Server"])
            params[2] = dict([requests.popitem()])
        if method == "monitor_cond_since":
            params.append(ZERO_UUID if rng.random() < 0.7 else rng.choice(["11111111" + ZERO_UUID[8:], "x"]))
        return method, params

    def _monitor_id(self):
        return MONITOR_IDS[0] if self.single_monitor else copy.deepcopy(self.rng.choice(MONITOR_IDS))

    def _table_request(self, table, conditional):
        rng = self.rng
        columns = self._columns_of(table)
        where = self._condition(table, columns) if conditional and rng.random() < 0.7 else None
        if rng.random() < 0.8:
            request = self._request(columns, where)
            return request if rng.random() < 0.5 else [request]
        # One `where` for both: of two, a hash table of stock's chooses one.
        columns = columns or list(self.operations.types_of(table))
        half = len(columns) // 2
        parts = [columns[:half], columns[half:]]
        if columns and self.operations.values.fault(0.1):
            parts[0] = columns  # Repeats a column, which is refused.
        return [self._request(part, where) for part in parts]

    def _columns_of(self, table):
        """Some columns, or None for the default: all of them."""
        rng = self.rng
        if rng.random() < 0.3:
            return None
        names = list(self.operations.types_of(table)) + ["_uuid"] * (rng.random() < 0.2)
        names += ["_version"] * (rng.random() < 0.1)
        return rng.sample(names, rng.randint(0, len(names))) if names else []

    def _request(self, columns, where):
        rng = self.rng
        request = {}
        if columns is not None:
            request["columns"] = columns
        if rng.random() < 0.3:
            flags = ["initial", "insert", "delete", "modify"]
            request["select"] = {flag: rng.random() < 0.6 for flag in flags if rng.random() < 0.6}
        if where is not None:
            request["where"] = copy.deepcopy(where)
        return request

    def _condition(self, table, columns):
        rng = self.rng
        if rng.random() < 0.15:
            return [rng.random() < 0.5]
        types = self.operations.types_of(table)
        if not self.single_monitor or rng.random() < 0.5:
            types = {name: column for name, column in types.items() if columns is None or name in columns}
        clauses = []
        for _ in range(rng.choice([0, 1, 1, 2, 3])):
            if types:
                clauses.append(self.operations.clause(*rng.choice(list(types.items()))))
        return clauses

    def monitor_cond_change(self, session):
        rng = self.rng
        monitors = self.world.monitors.get(session, {})
        ids = [i for i in MONITOR_IDS if str(i) in monitors]
        old = copy.deepcopy(rng.choice(ids)) if ids and rng.random() < 0.95 else self._monitor_id()
        new = old if rng.random() < 0.8 else self._monitor_id()
        tables = monitors.get(str(old), {"T0": []})
        requests = {}
        self.operations.values.named = []
        for table, columns in tables.items():
            with self.operations.values.faults_limited(1):
                request = {"where": self._condition(table, columns)}
                table_requests = request if self.operations.values.fault(0.1) else [request]
                if not self.operations.values.faults_left():
                    requests = {table: table_requests}  # Of others, stock would apply some.
                    break
                if rng.random() < 0.8:
                    requests[table] = table_requests
        return "monitor_cond_change", [old, new, requests]

    def monitor_cancel(self, session):
        return "monitor_cancel", [self._monitor_id()]

    def lock(self, session):
        method = self.rng.choice(["lock", "lock", "unlock", "unlock", "steal"])
        name = self.rng.choice(LOCKS)
        if self.rng.random() < 0.03:
            name = self.rng.choice(["", "1x", "a-b", "_ok", "\u00e9", 7])
        return method, [name]

    def simple(self, session):
        return self.rng.choice([
            ("echo", []), ("echo", [1, {"a": [None]}, "\u20ac"]), ("list_dbs", []), ("get_schema", [DATABASE]),
            ("get_schema", ["_Server"]), ("get_schema", ["Elsewhere"]), ("get_server_id", []), ("frobnicate", []),
            ("set_db_change_aware", [True]), ("set_db_change_aware", [False]), ("", []),
        ])

    def convert(self, session):
        schema = altered_schema(self.rng, self.world.schema)
        if self.rng.random() < 0.5:
            spoiled = copy.deepcopy(schema)
            _replace_node(self.rng, spoiled)
            schema = spoiled if spoiled.get("tables") else schema
        return "convert", [DATABASE, schema]

    def _spoil(self, message):
        """Replaces, drops or repeats one piece of the message."""
        if message["method"].startswith("monitor") and len(message["params"]) > 2:
            # Stock dies of requests of the wrong shape: only what is inside one may change. And of
            # several requests with a fault, stock tells the first in the order of a hash table.
            requests = message["params"][2]
            if requests:
                table, request = requests.popitem()
                inner = request[0] if isinstance(request, list) else request
                # A change of conditions without any kills stock, too.
                _replace_node(self.rng, inner["where"] if message["method"] == "monitor_cond_change" else inner)
                message["params"][2] = {table: request}
            return
        if message["method"] != "convert":
            whole = {"params": message["params"]}
            _replace_node(self.rng, whole if self.rng.random() < 0.05 else message["params"])
            message["params"] = whole.get("params", message["params"])
            _decide_at_once(message["params"])


def _decide_at_once(params):
    """A `wait` that has lost its timeout must not hold back what comes after it."""
    for operation in params if isinstance(params, list) else []:
        if isinstance(operation, dict) and operation.get("op") == "wait":
            if "timeout" not in operation or isinstance(operation["timeout"], (int, float)):
                operation["timeout"] = 0


def _replace_node(rng, root):
    """Changes one random node below `root`, a list or dictionary, in place."""
    node = root
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            return
        key = rng.choice(keys)
        child = node[key]
        if isinstance(child, (list, dict)) and child and rng.random() < 0.75:
            node = child
            continue
        break
    chance = rng.random()
    if chance < 0.5:
        node[key] = copy.deepcopy(rng.choice(JUNK))
    elif chance < 0.75:
        del node[key]
    elif isinstance(node, list):
        node.append(copy.deepcopy(child))
    else:
        node["extra"] = copy.deepcopy(child)
