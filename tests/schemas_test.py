#!/usr/bin/env python3
"""The schemas we ship are the reference's: same name, version, checksum and content."""
import json
import os
import pathlib
import sys

OURS = pathlib.Path(__file__).resolve().parent.parent / "schemas"
REFERENCE = pathlib.Path(os.environ.get("BOREAS_REFERENCE", "/opt/ovn-reference")) / "share/ovn"


def main():
    if not REFERENCE.is_dir():
        print(f"skipped: no reference at {REFERENCE}")
        return 77
    for name in ("ovn-nb.ovsschema", "ovn-sb.ovsschema"):
        ours = json.loads((OURS / name).read_text())
        theirs = json.loads((REFERENCE / name).read_text())
        for member in ("name", "version", "cksum"):
            assert ours[member] == theirs[member], f"{name}: {member} {ours[member]} != {theirs[member]}"
        assert ours == theirs, f"{name}: the tables differ"
        print(f"{name}: {ours['version']} {ours['cksum']} equal")
    return 0


if __name__ == "__main__":
    sys.exit(main())
