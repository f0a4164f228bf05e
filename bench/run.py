#!/usr/bin/env python3
"""Boreas beside stock: the same work for both servers, in turns, and what it costs each.

Every run starts a server on a fresh copy of a generated database in a directory of its own, lets
boreas-load do one scenario, and ends the server. The servers take turns (A B A B ...), so that a
busy machine slows both. Of each figure the median over the runs counts. README.md has the details.
"""

import argparse
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile

import scenarios
from servers import Alone, Cluster, RunError

ROOT = pathlib.Path(__file__).resolve().parent.parent
SERVERS = ("ours", "reference")


def program(path):
    """An argument that names a program: servers run in other directories than this one's."""
    return pathlib.Path(path).resolve()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ours", default=ROOT / "build/server/ovsdb-server", type=program)
    parser.add_argument("--load", default=ROOT / "build/bench/boreas-load", type=program)
    reference = os.environ.get("BOREAS_REFERENCE", "/opt/ovn-reference")
    parser.add_argument("--reference", type=program,
                        default=pathlib.Path(reference) / "bin/ovsdb-server",
                        help="stock's ovsdb-server")
    parser.add_argument("--tool", default=ROOT / "build/server/tool/ovsdb-tool", type=program,
                        help="ovsdb-tool, which makes the files of clusters")
    parser.add_argument("--scenario", action="append", metavar="NAME",
                        help="only these, or those that begin so (may be repeated)")
    parser.add_argument("--scale", choices=("small", "full"), default="small",
                        help="small: minutes; full: the figures that the targets speak of")
    parser.add_argument("--runs", type=int, default=3, help="of each server and scenario")
    parser.add_argument("--only", choices=SERVERS, help="one of the servers alone")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write all runs there")
    parser.add_argument("--timeout", type=int, default=300, help="seconds for one run")
    parser.add_argument("--list", action="store_true", help="name the scenarios and end")
    return parser.parse_args()


def chosen(options):
    every = scenarios.all_scenarios(options.scale)
    if not options.scenario:
        return every
    some = [s for s in every if any(s.name.startswith(name) for name in options.scenario)]
    if not some:
        sys.exit(f"run.py: no scenario {' or '.join(options.scenario)}; --list names them")
    return some


class Databases:
    """Generated files, each made once."""

    def __init__(self, load, directory):
        self.load = load
        self.directory = directory

    def file(self, database):
        path = self.directory / f"{database.kind}-{database.rows}-{database.datapaths}.db"
        if not path.exists():
            schema = ROOT / f"schemas/ovn-{database.kind}.ovsschema"
            subprocess.run([self.load, "generate", f"--schema={schema}", f"--out={path}",
                            *database.flags()], check=True)
        return path


def servers_for(options, program, scenario, database):
    if scenario.through is None:
        return Alone(program, database)
    third = options.reference if scenario.through == "third" else program
    return Cluster(program, database, options.tool, scenario.through, options.timeout, third)


def run_once(options, program, scenario, database):
    with servers_for(options, program, scenario, database) as servers:
        if scenario.command != "ready":
            servers.entry.wait_until_it_listens(options.timeout)
            # What the server does right after it has started is not the scenario's.
            run_load(options, servers, "ready", f"--database={scenario.database.name()}")
        if scenario.drive is not None:
            return scenario.drive(servers, lambda *words: run_load(options, servers, *words, *scenario.flags()))
        return run_load(options, servers, scenario.command, *scenario.flags(),
                        f"--started_nsec={servers.entry.started_nsec}")


def run_load(options, servers, *words):
    """What boreas-load reports of one of its scenarios."""
    load = subprocess.run(
        [options.load, *words, f"--socket={servers.entry.socket}", f"--control={servers.entry.control}",
         f"--pid={servers.pids()}", f"--timeout={options.timeout}"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=options.timeout + 10,
        check=False)
    if load.returncode == -signal.SIGALRM:
        raise RunError(f"not done after {options.timeout} s")
    if load.returncode != 0:
        raise RunError(f"{load.stderr.strip()[:500]}\n{servers.entry.complaints()}")
    return json.loads(load.stdout)


def run_scenario(options, servers, scenario, databases):
    """All runs of a scenario: server -> list of results, or a message in place of them."""
    database = databases.file(scenario.database)
    results = {name: [] for name in servers}
    for turn in range(options.runs):
        for name, program in servers.items():
            if isinstance(results[name], str):
                continue
            print(f"{scenario.name}: {name} {turn + 1}/{options.runs}", end="    \r",
                  file=sys.stderr, flush=True)
            try:
                results[name].append(run_once(options, program, scenario, database))
            except (RunError, subprocess.SubprocessError) as error:
                print(f"{scenario.name}: {name}: {error}", file=sys.stderr)
                results[name] = str(error).splitlines()[0]
    return results


def median(runs, metric):
    if not runs or isinstance(runs, str):
        return None
    return statistics.median(run[metric] for run in runs)


def figure(value, metric):
    if value is None:
        return "-"
    value *= metric.factor
    return f"{value:.0f} {metric.unit}" if value >= 100 else f"{value:.3g} {metric.unit}"


def table_row(scenario, metric, results):
    values = {name: median(results.get(name), metric.key) for name in SERVERS}
    ratio = values["ours"] / values["reference"] if all(values.values()) else None
    met = ""
    if metric.limit is not None and values["ours"] is not None:
        met = "yes" if values["ours"] * metric.factor <= metric.limit else "NO"
        target = f"{metric.limit:g} {metric.unit}"
    elif metric.ratio is not None:
        met = "" if ratio is None else "yes" if ratio <= metric.ratio else "NO"
        target = f"{metric.ratio:.2g}"
    else:
        target = ""
    return [f"{scenario.title}: {metric.title}", figure(values["ours"], metric),
            figure(values["reference"], metric), "-" if ratio is None else f"{ratio:.3f}", target,
            met]


def print_table(rows):
    print("| | Boreas | stock | ratio | target | met |")
    print("|---|---:|---:|---:|---:|---|")
    for row in rows:
        print("| " + " | ".join(row) + " |", flush=True)


def main():
    options = arguments()
    if options.list:
        for scenario in scenarios.all_scenarios(options.scale):
            print(f"{scenario.name:20} {scenario.title}")
        return
    servers = {"ours": options.ours, "reference": options.reference}
    if options.only:
        servers = {options.only: servers[options.only]}
    for name, program in list(servers.items()):
        if not os.access(program, os.X_OK):
            print(f"run.py: no {name} server at {program}: left out", file=sys.stderr)
            del servers[name]
    if not servers:
        sys.exit("run.py: nothing to run")
    if not os.access(options.load, os.X_OK):
        sys.exit(f"run.py: no load generator at {options.load}: build it, or name it with --load")
    everything = {}
    rows = []
    with tempfile.TemporaryDirectory(prefix="bench-boreas-files-") as directory:
        databases = Databases(options.load, pathlib.Path(directory))
        for scenario in chosen(options):
            results = run_scenario(options, servers, scenario, databases)
            everything[scenario.name] = results
            rows += [table_row(scenario, metric, results) for metric in scenario.metrics]
            if options.json:
                options.json.write_text(json.dumps(everything, indent=1))
    print(f"scale {options.scale}, medians of {options.runs} runs; CPU is the server's, user and "
          "system\n")
    print_table(rows)


if __name__ == "__main__":
    main()
