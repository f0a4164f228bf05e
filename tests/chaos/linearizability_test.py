"""The checker of histories, against one that tries all orders."""

import itertools
import math
import random
import unittest

from chaos.linearizability import INITIAL, Operation, problems


def write(value, start, end=math.inf):
    return Operation("write", value, start, end)


def read(value, start, end, stale=False):
    return Operation("read", value, start, end, stale)


def by_search(operations):
    """Whether some order of the operations, or of those that are known to have happened and some of
    the others, keeps to their times and to what a register is."""
    certain = [o for o in operations if o.end < math.inf]
    uncertain = [o for o in operations if o.end == math.inf and o.kind == "write"]
    for n in range(len(uncertain) + 1):
        for happened in itertools.combinations(uncertain, n):
            for order in itertools.permutations(certain + list(happened)):
                if keeps_times(order) and is_register(order):
                    return True
    return False


def keeps_times(order):
    return not any(after.end < before.start for i, before in enumerate(order) for after in order[i + 1 :])


def is_register(order):
    value = INITIAL
    for operation in order:
        if operation.kind == "write":
            value = operation.value
        elif operation.value != value:
            return False
    return True


class ExamplesTest(unittest.TestCase):
    def test_good(self):
        for history in (
            [],
            [read(INITIAL, 0, 1)],
            [write(1, 0, 1), read(1, 2, 3)],
            [write(1, 0, 10), read(INITIAL, 1, 2), read(1, 3, 4)],
            [write(1, 0), read(1, 50, 51)],
            [write(1, 0), read(INITIAL, 50, 51)],
            [write(1, 0, 1), write(2, 2, 3), read(1, 4, 5, stale=True), read(2, 6, 7)],
        ):
            self.assertEqual(problems(history), [])

    def test_bad(self):
        for history, word in (
            ([read(1, 0, 1)], "nobody wrote"),
            ([write(1, 0, 1), write(1, 2, 3)], "two writes of one value"),
            ([write(1, 5, 6), read(1, 0, 1)], "from the future"),
            ([write(1, 5, 6), read(1, 0, 1, stale=True)], "from the future"),
            ([write(1, 0, 1), read(INITIAL, 2, 3)], "midst"),  # Lost, or read too late.
            ([write(1, 0, 1), write(2, 2, 3), read(1, 4, 5)], "midst"),
            ([write(1, 0, 9), write(2, 0, 9), read(1, 10, 11), read(2, 12, 13), read(1, 14, 15)], "at once"),
        ):
            self.assertIn(word, " ".join(problems(history)), history)


class SearchTest(unittest.TestCase):
    def test_it_agrees_with_a_search(self):
        rng = random.Random(1)
        verdicts = {True: 0, False: 0}
        for _ in range(3000):
            history = self.history(rng)
            expected = by_search(history)
            self.assertEqual(problems(history) == [], expected, history)
            verdicts[expected] += 1
        self.assertGreater(min(verdicts.values()), 300)

    def history(self, rng):
        n_writes = rng.randint(1, 3)
        times = rng.sample(range(100), 12)  # No two at once.
        history = []
        for i in range(n_writes + rng.randint(1, 3)):
            start, end = sorted((times.pop(), times.pop()))
            if i >= n_writes:
                history.append(read(rng.choice([INITIAL, *range(n_writes)]), start, end))
            else:
                history.append(write(i, start, rng.choice([end, end, math.inf])))
        return history


if __name__ == "__main__":
    unittest.main()
