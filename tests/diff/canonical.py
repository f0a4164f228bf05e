"""Two servers choose different UUIDs for the same rows. This gives both the same names for them."""

import itertools
import json
import re

_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_ELAPSED = re.compile(r"after \d+ ms")


# An insert that leaves the UUID to the server carries its name under this key, never sent.
NAME_KEY = "__name"


def _wire_form(node):
    if isinstance(node, dict):
        return {key: _wire_form(value) for key, value in node.items() if key != NAME_KEY}
    if isinstance(node, list):
        return [_wire_form(item) for item in node]
    return node


def chosen_by_server(message):
    """operation index -> name, for the inserts of a request that leave the UUID to the server."""
    params = message.get("params")
    if message.get("method") != "transact" or not isinstance(params, list):
        return {}
    return {
        index: operation[NAME_KEY]
        for index, operation in enumerate(params[1:])
        if isinstance(operation, dict) and NAME_KEY in operation and "uuid" not in operation
    }


class Names:
    """One server's UUIDs <-> the names that the transcript uses (world.canonical_uuid)."""

    def __init__(self):
        self._real = {}  # name -> UUID of this server
        self._name = {}  # UUID of this server -> name
        self._versions = {}  # row name -> its `_version` UUIDs in the order seen

    def to_wire(self, message):
        text = json.dumps(_wire_form(message))
        return _UUID.sub(lambda found: self._real.get(found[0], found[0]), text)

    def learn_inserts(self, names, reply):
        """`names`: operation index -> name, for inserts whose UUID this server chose."""
        results = reply.get("result")
        if not isinstance(results, list):
            return
        for index, name in names.items():
            result = results[index] if index < len(results) else None
            if isinstance(result, dict) and "uuid" in result:
                self.call(result["uuid"][1], name)

    def call(self, uuid, name):
        """Has this server's `uuid` be known as `name`."""
        self._name[uuid] = name
        self._real[name] = uuid

    def canonical(self, message):
        """`message` of this server with its UUIDs named, and what has no order sorted."""
        result = message.get("result")
        if isinstance(result, str) and _UUID.fullmatch(result):
            self._name[result] = "server id"
        return self._walk(message, None)

    def _text(self, text):
        text = _UUID.sub(lambda found: self._name.get(found[0], found[0]), text)
        return _ELAPSED.sub("after N ms", text)

    def _walk(self, node, row):
        if isinstance(node, str):
            return self._text(node) if "-" in node or "after" in node else node
        if isinstance(node, list):
            items = [self._walk(item, row) for item in node]
            if len(items) == 2 and items[0] in ("set", "map") and isinstance(items[1], list):
                if '"uuid"' in json.dumps(items[1]):
                    items[1].sort(key=json.dumps)
            return items
        if isinstance(node, dict):
            return self._walk_object(node, row)
        return node

    def _walk_object(self, node, row):
        if "_uuid" in node:
            row = json.dumps(self._walk(node["_uuid"], row))
        result = {}
        for key, value in node.items():
            name = self._text(key)
            if key == "_version":
                result[key] = self._version(row, value)
            else:
                result[name] = self._walk(value, json.dumps(["uuid", name]) if _UUID.fullmatch(key) else row)
        if "rows" in node and isinstance(node["rows"], list):
            result["rows"].sort(key=lambda r: json.dumps(r, sort_keys=True))
        return result

    def _version(self, row, value):
        """Versions are random; that they change when, and only when, the row does is compared."""
        if row is None:
            return "some version"
        seen = self._versions.setdefault(row, [])
        if value not in seen:
            seen.append(value)
        return f"version {seen.index(value)}"


def message_key(message):
    return json.dumps(message, sort_keys=True)


def is_uuid(text):
    return isinstance(text, str) and _UUID.fullmatch(text)


def is_update(message):
    return message.get("method") in ("update", "update2", "update3")


def _unordered_kind(message):
    """What must be of one kind to have no order among neighbours; None for what has an order."""
    if is_update(message):
        return "update"
    if message.get("method") == "locked" or message.get("error") == "canceled":
        return "freed"  # By the end of other sessions; by the conversion that ends them.
    return "monitor_canceled" if message.get("method") == "monitor_canceled" else None


def _subject(message):
    """What has no order among messages of one kind. What is equal in it keeps its order."""
    return json.dumps(message["params"][0], sort_keys=True) if "params" in message else ""


def ordered(messages):
    """Canonical messages of one session and step, as text. Neighbours about several monitors, or
    several locks, are sorted by these: no server promises an order."""
    result = []
    for kind, run in itertools.groupby(messages, _unordered_kind):
        if kind is not None:
            run = sorted(run, key=_subject)
        result += map(message_key, run)
    return result
