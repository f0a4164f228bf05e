#!/usr/bin/env python3
"""Boreas's ovn-northd beside stock's: the same northbound on the same kind of server, in turns.

README.md, one folder up, has the details.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

# pylint: disable=wrong-import-position
import measure
from changes import KINDS
from networks import NETWORKS
from plane import NB, SB, NotDone, Plane
from table import print_changes, print_phases

NORTHDS = ("ours", "reference")
SIZES = ("tenth", "full")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    reference = pathlib.Path(os.environ.get("BOREAS_REFERENCE", "/opt/ovn-reference"))
    parser.add_argument("--ours", default=ROOT / "build/northd/ovn-northd", type=pathlib.Path)
    parser.add_argument("--reference", default=reference / "bin/ovn-northd", type=pathlib.Path, help="stock's ovn-northd")
    parser.add_argument("--server", default=ROOT / "build/server/ovsdb-server", type=pathlib.Path, help="of both databases")
    parser.add_argument("--tool", default=ROOT / "build/server/tool/ovsdb-tool", type=pathlib.Path)
    parser.add_argument("--network", action="append", choices=list(NETWORKS), help="only these (may be repeated)")
    parser.add_argument("--size", action="append", choices=SIZES, help="only these (may be repeated)")
    parser.add_argument("--change", action="append", metavar="KIND", help="only these kinds (may be repeated); 'none' for none")
    parser.add_argument("--runs", type=int, default=3, help="of each kind of change, of which the median counts")
    parser.add_argument("--only", choices=NORTHDS, help="one of the two alone")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write all figures there")
    parser.add_argument("--timeout", type=int, default=120, help="seconds for one step")
    parser.add_argument("--list", action="store_true", help="name the networks and kinds of change, and end")
    options = parser.parse_args()
    options.change = {"none": []}.get((options.change or [None])[0], options.change or list(KINDS))
    for kind in options.change:
        if kind not in KINDS:
            parser.error(f"no kind of change '{kind}'; --list names them")
    return options


def make_files(options, network, directory):
    """The two databases to begin with."""
    files = []
    for name in ("nb", "sb"):
        files.append(directory / f"{name}.db")
        subprocess.run([options.tool, "create", files[-1], ROOT / f"schemas/ovn-{name}.ovsschema"], check=True)
    with Plane(options.server, None, files, options.timeout) as plane:
        plane.transact(NB, network.nb.operations())
        plane.transact(SB, network.southbound_operations())
        for file in files:
            shutil.copyfile(plane.directory / file.name, file)
    return files


def run(options, network_name, size, name, program):
    """The figures of one northd on one network: of the phases of its life, and of changes by kind and title."""
    network = NETWORKS[network_name](tenth=size == "tenth")
    with tempfile.TemporaryDirectory(prefix="bench-boreas-files-") as directory:
        files = make_files(options, network, pathlib.Path(directory))
        with Plane(options.server, program, files, options.timeout) as plane:
            def say(what):
                print(f"{network_name}, {size}: {name}: {what:20}", end="\r", file=sys.stderr, flush=True)

            northd, phases = measure.life(plane, say)
            changes = {}
            for kind in options.change:
                say(kind)
                runs = [measure.changes(plane, northd, KINDS[kind](network)) for _ in range(options.runs)]
                changes[kind] = [measure.median(same) for same in zip(*runs)]
            return {"phases": phases, "changes": changes}


def main():
    options = arguments()
    if options.list:
        print("networks: " + ", ".join(NETWORKS) + "\nkinds of change: " + ", ".join(KINDS))
        return
    programs = {"ours": options.ours.resolve(), "reference": options.reference.resolve()}
    options.server = options.server.resolve()
    if options.only:
        programs = {options.only: programs[options.only]}
    for name, program in list(programs.items()):
        if not os.access(program, os.X_OK):
            print(f"run.py: no {name} ovn-northd at {program}: left out", file=sys.stderr)
            del programs[name]
    figures = {}
    for network in options.network or NETWORKS:
        figures[network] = {}
        for size in options.size or SIZES:
            figures[network][size] = {}
            for name, program in programs.items():
                try:
                    figures[network][size][name] = run(options, network, size, name, program)
                except NotDone as error:
                    print(f"{network}, {size}: {name}: {error}", file=sys.stderr)
                if options.json:
                    options.json.write_text(json.dumps(figures, indent=1))
        print(f"\n{network}: {NETWORKS[network].__doc__}\n")
        print_phases(figures[network])
        print_changes(figures[network])


if __name__ == "__main__":
    main()
