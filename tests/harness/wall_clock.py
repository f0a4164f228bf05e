"""A wall clock of its own for a process, to be set back and forth under its feet.

Timers go by the monotonic clock, which no administrator sets and which stays as it is.
"""

import glob
import os
import sys
import unittest

_LIBRARIES = "/usr/lib/*/faketime/libfaketimeMT.so.1"


def have_wall_clock():
    return bool(glob.glob(_LIBRARIES))


def needs_wall_clock(test):
    """Class or method decorator: skipped, loudly, where libfaketime is not installed."""
    if have_wall_clock():
        return test
    sys.stderr.write(f"SKIPPED for want of libfaketime: {test.__qualname__}\n")
    return unittest.skip("libfaketime is not installed")(test)


class WallClock:
    """`path` is a file to make. `environment` is what a process needs that is to go by this clock."""

    def __init__(self, path):
        self._path = path
        self.set(0)
        self.environment = {
            "LD_PRELOAD": glob.glob(_LIBRARIES)[0],
            "FAKETIME_TIMESTAMP_FILE": path,
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0",
        }

    def set(self, seconds):
        """Ahead of what it really is; behind, if negative."""
        part = self._path + ".part"
        with open(part, "w", encoding="ascii") as out:
            out.write(f"{seconds:+d}\n")
        os.replace(part, self._path)
