"""When two southbounds are equal: as the northd corpus' `compare` has it, which is not in this tree.

BOREAS_NORTHD_CORPUS  where it is (default: shared/northd-corpus beside the tree)
"""

import importlib
import os
import sys

_TREE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
FOLDER = os.path.abspath(
    os.environ.get("BOREAS_NORTHD_CORPUS") or os.path.join(_TREE, "..", "shared", "northd-corpus"))


def have_corpus():
    return os.access(os.path.join(FOLDER, "compare.py"), os.R_OK)


def _module(name):
    if FOLDER not in sys.path:
        sys.path.insert(0, FOLDER)
    return importlib.import_module(name)


def canon(southbound, northbound):
    return _module("canon").Canon(southbound, northbound)


def differences(expected, actual):
    """{section: its missing, extra and differing rows} of two canonical forms."""
    return {name: section for name, section in _module("compare").diff(expected, actual).items() if not section.equal}


def report(sections, labels, limit, write):
    _module("compare").report(sections, labels, limit, write)


def client(socket):
    """A connection that can dump databases in the form that canon() takes."""
    return _module("ovsdbio").Client(socket)
