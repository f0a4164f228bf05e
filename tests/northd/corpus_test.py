#!/usr/bin/env python3
"""Our ovn-northd against results of the reference's: pairs of a northbound and the southbound of it.

BOREAS_CORPUS        the folder of these pairs (default: shared/northd-corpus beside the source tree)
BOREAS_CORPUS_EVERY  runs every n-th case (default 10); 1 for the whole corpus, ten minutes of a core

Each case runs cold, where all of it must come out equal, and warm: started on the expected result
northd changes no more rows there than the reference does.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CORPUS = pathlib.Path(os.environ.get("BOREAS_CORPUS", ROOT.parent / "shared" / "northd-corpus"))
BUILD = pathlib.Path(os.environ.get("BOREAS_BUILD", ""))
SKIPPED = 77  # As meson understands it.

# The reference's answer is one of several that it might have given, by where its hash tables have
# ports of these names: which of several ports with the same addresses a flow is said to be for (the
# case's list of such flows is not complete), and whether an address that is to be advertised twice is.
BY_CHANCE = {
    "peer-dynroute-nat-01", "peer-dynroute-nat-02", "remote-transit-tnlkey-30", "remote-transit-tnlkey-31",
    "routetable-ecmp-remote-02", "routetable-remote-transit-04",
}


def choose(names, every):
    """Every n-th of the names, in order."""
    return sorted(set(names) - BY_CHANCE)[every // 2::every]


def run(cases, *options):
    """Whether all cases in the folder are perfect; those that are not are shown."""
    command = [sys.executable, CORPUS / "run.py", cases, "--ovsdb-server", BUILD / "server/ovsdb-server",
               "--northd", BUILD / "northd/ovn-northd", "-j", "2", "--examples", "3", *options]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    print("\n".join(line for line in result.stdout.splitlines() if not line.startswith("ok")), flush=True)
    return result.returncode == 0


def main():
    if not (CORPUS / "run.py").is_file():
        print(f"skipped: no corpus at {CORPUS}")
        return SKIPPED
    every = int(os.environ.get("BOREAS_CORPUS_EVERY", "10"))
    print("not judged: " + ", ".join(sorted(BY_CHANCE)))
    with tempfile.TemporaryDirectory(prefix="boreas-corpus-") as cases:
        for name in choose(os.listdir(CORPUS / "cases"), every):
            os.symlink(CORPUS / "cases" / name, os.path.join(cases, name))
        return 0 if all([run(cases), run(cases, "--warm")]) else 1


if __name__ == "__main__":
    sys.exit(main())
