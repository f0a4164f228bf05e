"""python3 -m diff: random input to our ovsdb-server and the reference's, answers compared."""

import argparse
import json
import random
import sys
import time

from diff import exemptions
from diff.clusters import cluster_of
from diff.minimise import minimise
from diff.report import describe
from diff.rounds import Program, Round, random_round
from harness import binaries
from harness.daemon import OvsdbServer

ROUND_OPERATIONS = 1000
SHOWN_STEPS = 12


def programs(clusters=False):
    """The reference and ours, each as one server or as a cluster of three."""
    return tuple(
        Program(find("ovsdb-server"), find("ovsdb-tool"), cluster_of(find("ovsdb-tool")) if clusters else OvsdbServer)
        for find in (binaries.reference, binaries.ours)
    )


def tell(seed, outcome, arguments):
    """Prints a failure, shortened, and leaves what `--replay` needs."""
    failure = outcome.failure
    print(f"round seed {seed}, step {failure.step}, died: {failure.dead or 'none'}")
    print("\n".join(describe(outcome.steps[-1], failure.differences)))
    if arguments.minimise:
        steps = minimise(programs(arguments.clusters), outcome.schema, outcome.sessions, outcome.steps, bool(failure.dead))
        transcript = {"schema": outcome.schema, "sessions": outcome.sessions, "steps": steps}
        path = f"{arguments.save}/diff-{seed}.json"
        with open(path, "w", encoding="utf-8") as out:
            json.dump(transcript, out, indent=1)
        print(f"{len(steps)} steps remain: --replay {path}")
        replay(transcript, arguments.clusters)


def replay(transcript, clusters):
    """Runs a transcript again and shows its steps; true if the servers still differ."""
    schema, sessions, steps = (transcript[key] for key in ("schema", "sessions", "steps"))
    with Round(programs(clusters), schema, sessions) as servers:
        failure = servers.run(steps)
    if len(steps) <= SHOWN_STEPS:
        print(f"schema: {json.dumps(schema['tables'])}")
        for session, message in steps:
            print(f"session {session}: {json.dumps(message)}")
    if failure:
        print(f"died: {failure.dead or 'none'}")
        print("\n".join(describe(steps[failure.step], failure.differences)))
    return failure is not None


def _died_of_itself(failure):
    """Whether the reference died and ours did not."""
    return "first" in failure.dead and ("second" not in failure.dead or binaries.subject_is_reference())


def main():
    parser = argparse.ArgumentParser(prog="diff", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--operations", type=int, default=20000)
    parser.add_argument("--clusters", action="store_true", help="clusters of three instead of single servers")
    parser.add_argument("--keep-going", action="store_true", help="on to the next round after a failure")
    parser.add_argument("--no-minimise", dest="minimise", action="store_false")
    parser.add_argument("--deaths", action="store_true", help="also look into the reference's deaths")
    parser.add_argument("--save", default="/tmp", help="folder for transcripts of failures")
    parser.add_argument("--replay", help="run a saved transcript instead")
    arguments = parser.parse_args()
    if arguments.replay:
        with open(arguments.replay, encoding="utf-8") as saved:
            return replay(json.load(saved), arguments.clusters)

    print(f"seed {arguments.seed}", flush=True)
    start = time.monotonic()
    done = rounds = failures = dropped = 0
    while done < arguments.operations:
        seed = arguments.seed + rounds
        outcome = random_round(programs(arguments.clusters), seed, ROUND_OPERATIONS)
        done += outcome.operations
        rounds += 1
        if outcome.failure and _died_of_itself(outcome.failure):
            dropped += 1
            print(f"round seed {seed}: the reference died of {json.dumps(outcome.steps[-1])[:300]}")
            if arguments.deaths:
                tell(seed, outcome, arguments)
        elif outcome.failure:
            failures += 1
            tell(seed, outcome, arguments)
            if not arguments.keep_going:
                break
    seconds = time.monotonic() - start
    print(
        f"{done} operations, {rounds} rounds ({dropped} ended by the reference's death),"
        f" {failures} with differences, {seconds:.0f} s"
    )
    for name, count in exemptions.used.most_common():
        print(f"  excused {count} times: {name}")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
