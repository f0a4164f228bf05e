"""Reads and makes database files (ovsdb(5)): records, and what of them must be the same as stock's."""

import hashlib
import json
import re

_HEADER = re.compile(rb"OVSDB (?:JSON|CLUSTER) (\d+) ([0-9a-f]{40})\n")
_DATE = re.compile(rb'"_date":\d+')


def record(content, magic="JSON"):
    """The bytes of one record; `content` is JSON text or a value."""
    text = content if isinstance(content, str) else json.dumps(content, separators=(",", ":"))
    data = text.encode() + b"\n"
    return b"OVSDB %s %d %s\n" % (magic.encode(), len(data), hashlib.sha1(data).hexdigest().encode()) + data


def texts(path):
    """The lines of JSON in a file; fails where the framing, a length or a hash is wrong."""
    with open(path, "rb") as file:
        content = file.read()
    found, position = [], 0
    while position < len(content):
        header = _HEADER.match(content, position)
        assert header, f"{path}: no header at {position}"
        position = header.end() + int(header[1])
        text = content[header.end() : position]
        assert text.endswith(b"\n") and hashlib.sha1(text).hexdigest() == header[2].decode(), \
            f"{path}: bad record before {position}"
        found.append(text)
    return found


def records(path):
    """The decoded records of a file."""
    return [json.loads(text) for text in texts(path)]


def undated(path):
    """The records, each with its bytes in order: equal for files that differ in dates and in the
    order of names alone. (The latter is that of a hash table in stock.)"""
    found = []
    for text in texts(path):
        text = _DATE.sub(b'"_date":0', text)
        found.append((json.loads(text), bytes(sorted(text))))
    return found
