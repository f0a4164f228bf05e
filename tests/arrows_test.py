#!/usr/bin/env python3
"""Fails on an include that points against the architecture's arrows (docs/architecture.md)."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# A folder may include its own headers, those of the folders named here, and the system's.
ALLOWED = {
    "ovsdb": set(),
    "raft": set(),
    "server/base": set(),
    "server/face": {"server/base"},
    "server": {"ovsdb", "raft", "server/base", "server/client", "server/face"},
    "northd": {"ovsdb", "server/base", "server/client", "server/face"},
}
# ovsdb/ and raft/ are pure: no sockets, files, clocks, threads or event loops.
IMPURE = re.compile(r'#include <(uv\.h|thread|mutex|condition_variable|fstream|chrono|sys/|unistd|fcntl|openssl/)')
# JSON and identifiers are no more of a database than the rest of server/base and raft are.
EXCEPTIONS = {
    ("server/base", "ovsdb/json.h"),
    ("server/base", "ovsdb/utf8.h"),
    ("server/face", "ovsdb/json.h"),
    ("raft", "ovsdb/error.h"),
    ("raft", "ovsdb/json.h"),
    ("raft", "ovsdb/object_parser.h"),
    ("raft", "ovsdb/uuid.h"),
}
INCLUDE = re.compile(r'^\s*#include "([^"]+)"', re.M)
FOLDERS = sorted(list(ALLOWED) + ["server/client", "server/tool"], key=len, reverse=True)
ALLOWED["server/client"] = {"ovsdb", "server/base"}
ALLOWED["server/tool"] = {"ovsdb", "raft", "server/base", "server"}


def folder_of(path):
    return next((f for f in FOLDERS if path.startswith(f + "/")), None)


def violations(path, text):
    """Lines that say what in the file `text` at `path` breaks the rule."""
    home = folder_of(path)
    for included in INCLUDE.findall(text):
        folder = folder_of(included)
        if folder in (None, home) or (home, included) in EXCEPTIONS:
            continue
        if folder not in ALLOWED[home]:
            yield f"{path}: includes {included}: {home} must not know {folder}"
    if home in ("ovsdb", "raft") and (match := IMPURE.search(text)):
        yield f"{path}: {match.group(0)}: {home} does no I/O and has no clock and no threads"


def main():
    # The rule itself must be able to fail.
    assert list(violations("ovsdb/a.h", '#include "server/base/loop.h"\n'))
    assert list(violations("server/base/a.h", '#include "ovsdb/row.h"\n'))
    assert list(violations("raft/a.h", "#include <thread>\n"))
    assert not list(violations("server/a.h", '#include "ovsdb/row.h"\n'))
    found = []
    for folder in ("ovsdb", "raft", "server", "northd"):
        for path in sorted((ROOT / folder).rglob("*.[hc]*")):
            if path.suffix in (".h", ".cc"):
                found += violations(str(path.relative_to(ROOT)), path.read_text())
    print("\n".join(found) or "all arrows point the right way")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
