"""A long run: cd tests && BOREAS_BUILD=../build python3 -m chaos --faults 200"""

import argparse
import sys
import time

from chaos.run import Run


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--seed", type=int, default=None, help="of the faults (timing is chance all the same)")
    parser.add_argument("--kinds", default="ours,ours,ours", help="the members: ours or stock, by commas")
    parser.add_argument("--election-timer", type=int, default=500, metavar="MS")
    parser.add_argument("--clients", type=int, default=6)
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else time.time_ns() % 1_000_000
    print(f"seed {seed}", flush=True)
    with Run(options.kinds.split(","), seed, lambda text: print(text, flush=True), options.election_timer, options.clients) as run:
        run.inflict(options.faults)
        problems = run.verdict()
        history = run.history
        print(f"{sum(run.counts.values())} faults ({run.counts}), {len(history.acknowledged)} writes acknowledged, "
              f"{history.n_reads} rows read, {history.n_repeated_by_stock} repeated by stock, {len(problems)} problems")
    for problem in problems[:20]:
        print("PROBLEM:", problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
