#!/usr/bin/env python3
"""Closes a test run with one line: N passed, N failed, N skipped.

Reads the log that `meson test` leaves (one JSON object a line). A GoogleTest program counts each of
its tests; any other test counts once. Exits with 1 if nothing ran.
"""
import json
import re
import sys

PASS, SKIP = {"OK", "EXPECTEDFAIL"}, {"SKIP"}


def gtest_counts(stdout):
    """(passed, failed, skipped) of a GoogleTest run's report, or None if it has none."""
    ran = re.search(r"^\[==========\] (\d+) tests? from .* ran", stdout, re.M)
    if not ran:
        return None

    def figure(label):
        found = re.search(rf"^\[  {label}  \] (\d+) tests?", stdout, re.M)
        return int(found.group(1)) if found else 0

    return figure("PASSED"), figure("FAILED"), figure("SKIPPED")


def main(path):
    passed = failed = skipped = 0
    with open(path, encoding="utf-8", errors="replace") as log:
        for line in log:
            test = json.loads(line)
            result = test["result"]
            counts = gtest_counts(test.get("stdout") or "")
            if counts and (counts[1] or result in PASS):
                passed, failed, skipped = (a + b for a, b in zip((passed, failed, skipped), counts))
            elif result in PASS:
                passed += 1
            elif result in SKIP:
                skipped += 1
            else:
                failed += 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 0 if passed + failed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
