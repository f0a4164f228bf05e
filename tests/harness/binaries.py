"""Finds the programs under test and the reference's.

BOREAS_BUILD      meson's build directory (set by `meson test`)
BOREAS_REFERENCE  where the reference is installed (default /opt/ovn-reference)
BOREAS_SUBJECT    `reference` puts the reference in our place, to prove the harness itself
"""

import os
import sys
import unittest

REFERENCE = os.environ.get("BOREAS_REFERENCE", "/opt/ovn-reference")
BUILD = os.path.abspath(os.environ.get("BOREAS_BUILD", ""))

_IN_BUILD = {
    "ovsdb-server": "server/ovsdb-server",
    "ovsdb-tool": "server/tool/ovsdb-tool",
    "ovn-northd": "northd/ovn-northd",
}


def have_reference():
    return os.access(os.path.join(REFERENCE, "bin", "ovsdb-server"), os.X_OK)


def reference(name):
    """Path of a program of the reference; skips the test that asks when it is not installed."""
    path = os.path.join(REFERENCE, "bin", name)
    if not os.access(path, os.X_OK):
        raise unittest.SkipTest(f"the reference has no {name} (BOREAS_REFERENCE={REFERENCE})")
    return path


def reference_file(relative):
    """Path of a data file of the reference, such as share/ovn/ovn-nb.ovsschema."""
    path = os.path.join(REFERENCE, relative)
    if not os.path.exists(path):
        raise unittest.SkipTest(f"the reference has no {relative} (BOREAS_REFERENCE={REFERENCE})")
    return path


def subject_is_reference():
    return os.environ.get("BOREAS_SUBJECT") == "reference"


def ours(name):
    """Path of the program under test."""
    if subject_is_reference():
        return reference(name)
    path = os.path.join(BUILD, _IN_BUILD[name])
    if not os.access(path, os.X_OK):
        raise FileNotFoundError(f"{path}: build first, and say where with BOREAS_BUILD")
    return path


def needs_reference(test):
    """Class or method decorator: skipped, loudly, where the reference is not installed."""
    if have_reference():
        return test
    sys.stderr.write(f"SKIPPED for want of the reference in {REFERENCE}: {test.__qualname__}\n")
    return unittest.skip(f"no reference in {REFERENCE}")(test)
