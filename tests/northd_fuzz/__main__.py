"""python3 -m northd_fuzz: random sequences of edits to our control plane and the reference's."""

import argparse
import json
import random
import sys
import time

from northd_fuzz import corpus
from northd_fuzz.minimise import minimise
from northd_fuzz.network import sequence
from northd_fuzz.sequence import run


def tell(failure):
    print(f"step {failure.step}: {failure.kind}")
    print("\n".join(line[:2000] for line in failure.lines[:60]), flush=True)


def replay(path):
    """Runs a saved sequence again; true if it still fails."""
    with open(path, encoding="utf-8") as saved:
        steps = json.load(saved)
    failure = run(steps).failure
    if failure:
        tell(failure)
    return failure is not None


def main():
    parser = argparse.ArgumentParser(prog="northd_fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32), help="of the first sequence")
    parser.add_argument("--sequences", type=int, default=100)
    parser.add_argument("--steps", type=int, default=12, help="of a sequence")
    parser.add_argument("--seconds", type=float, help="begin no sequence after so long")
    parser.add_argument("--tables", help="rows of these northbound tables only, beside the network: A,B,C")
    parser.add_argument("--keep-going", action="store_true", help="on to the next sequence after a failure")
    parser.add_argument("--no-minimise", dest="minimise", action="store_false")
    parser.add_argument("--save", default="/tmp", help="folder for failing sequences")
    parser.add_argument("--replay", help="run a saved sequence instead")
    arguments = parser.parse_args()
    if not corpus.have_corpus():
        sys.exit(f"there is no corpus in {corpus.FOLDER}, whose compare.py says what is equal: see BOREAS_NORTHD_CORPUS")
    if arguments.replay:
        return replay(arguments.replay)

    print(f"seed {arguments.seed}", flush=True)
    tables = arguments.tables and arguments.tables.split(",")
    start = time.monotonic()
    done = failures = healed = given_up = 0
    while done < arguments.sequences and (not arguments.seconds or time.monotonic() - start < arguments.seconds):
        seed = arguments.seed + done
        steps = list(sequence(seed, arguments.steps, tables))
        outcome = run(steps)
        done += 1
        healed += outcome.healed
        if outcome.given_up:
            given_up += 1
            print(f"sequence of seed {seed}: {outcome.given_up}", flush=True)
        if not outcome.failure:
            continue
        failures += 1
        print(f"sequence of seed {seed}:")
        tell(outcome.failure)
        steps = steps[: outcome.failure.step + 1]
        if arguments.minimise:
            steps = minimise(steps, outcome.failure.kind)
        path = f"{arguments.save}/northd-fuzz-{seed}.json"
        with open(path, "w", encoding="utf-8") as out:
            json.dump(steps, out, indent=1)
        print(f"{sum(map(len, steps))} edits: --replay {path}", flush=True)
        if arguments.minimise and (failure := run(steps).failure):
            tell(failure)
        if not arguments.keep_going:
            break
    print(f"{done} sequences, {failures} failed, in {time.monotonic() - start:.0f} s; "
          f"in {given_up} the reference died, hung or lost rows; "
          f"{healed} steps equal only after the reference recomputed", flush=True)
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
