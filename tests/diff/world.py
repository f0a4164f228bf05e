"""What the generator believes about the servers: rows, monitors, pending requests.

Beliefs only steer the choice of what to ask next; none of them decides what is right.
"""


FIRST_STRANGER = 0xF0000000  # Numbers from here on: rows that no step named.


def canonical_uuid(number):
    """The name by which the tester knows the number-th row, and its UUID when the client chooses."""
    return f"{number:08x}-0000-4000-8000-00000000cafe"


def is_canonical(uuid):
    return uuid.endswith("-0000-4000-8000-00000000cafe")


class World:
    def __init__(self, rng, schema):
        self.rng = rng
        self.schema = schema
        self.last_uuid = 0
        self.monitors = {}  # session -> {id: {table: [column] or None for all}}
        self.pending = {}  # session -> [request id]
        self._rows = {}  # table -> [uuid], newest last

    def new_name(self):
        self.last_uuid += 1
        return canonical_uuid(self.last_uuid)

    def new_uuid(self, table):
        """A UUID for a client to choose, now and then one that a row of the table has or had.

        Not of another table: stock takes a strong reference to a row of the same UUID for one to
        itself, and does not look whether there is such a row.
        """
        known = self.rows(table)
        if known and self.rng.random() < 0.02:
            return self.rng.choice(known)
        return self.new_name()

    def rows(self, table):
        """UUIDs of rows that a table (None: any) has or had."""
        if table is None:
            return [uuid for rows in self._rows.values() for uuid in rows]
        return self._rows.get(table, []) if isinstance(table, str) else []

    def inserted(self, table, uuid):
        rows = self._rows.setdefault(table, [])
        rows.append(uuid)
        if len(rows) > 20:
            del rows[self.rng.randrange(len(rows))]

    def selected_all(self, table, uuids):
        """`uuids` are all rows of `table`: forget most of the others."""
        gone = [uuid for uuid in self._rows.get(table, []) if uuid not in uuids]
        self._rows[table] = gone[-2:] + uuids[:18]

    def session_closed(self, session):
        self.monitors.pop(session, None)
        self.pending.pop(session, None)

    def observe(self, session, request, replies):
        """Learns from what the first server answered to `request` (both in canonical form)."""
        request_id = request.get("id")
        reply = next((r for r in replies if r.get("id") == request_id and "method" not in r), None)
        self._forget_answered(session, replies)
        method, params = request.get("method"), request.get("params")
        if method == "cancel":
            self._canceled(session, params)
        if request_id is None:
            return
        if reply is None:
            if method == "transact":
                self.pending.setdefault(session, []).append(request_id)
            return
        if reply.get("error") is not None:
            return
        if method == "transact":
            self._observe_transaction(params[1:], reply["result"])
        elif method in ("monitor", "monitor_cond", "monitor_cond_since"):
            monitors = self.monitors.setdefault(session, {})
            monitors[str(params[1])] = _monitored(params[2])
        elif method == "monitor_cond_change":
            monitors = self.monitors.get(session, {})
            if str(params[0]) in monitors:
                monitors[str(params[1])] = monitors.pop(str(params[0]))
        elif method == "monitor_cancel":
            self.monitors.get(session, {}).pop(str(params[0]), None)
        elif method == "convert":
            self.schema = params[1]

    def _canceled(self, session, params):
        """Whether a reply comes depends on the session."""
        waiting = self.pending.get(session, [])
        self.pending[session] = [i for i in waiting if [i] != params]

    def _forget_answered(self, session, replies):
        answered = [r.get("id") for r in replies if "method" not in r]
        waiting = self.pending.get(session, [])
        self.pending[session] = [i for i in waiting if i not in answered]

    def _observe_transaction(self, operations, results):
        if any(isinstance(result, dict) and "error" in result for result in results):
            return
        for operation, result in zip(operations, results):
            if "uuid" in (result or {}):
                self.inserted(operation["table"], result["uuid"][1])
            elif operation.get("op") == "select" and operation.get("where") == []:
                rows = result["rows"]
                if rows and all("_uuid" in row for row in rows):
                    self.selected_all(operation["table"], [row["_uuid"][1] for row in rows])


def _monitored(requests):
    tables = {}
    for table, request in requests.items():
        parts = request if isinstance(request, list) else [request]
        everything = any("columns" not in part for part in parts)
        tables[table] = None if everything else [c for part in parts for c in part["columns"]]
    return tables
