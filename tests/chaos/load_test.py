"""What the verdict on a chaos run finds."""

import unittest

from chaos.linearizability import Operation
from chaos.load import History


class VerdictTest(unittest.TestCase):
    def history(self):
        """Three writes to register 0, of which the last was not answered."""
        history = History()
        for number in (1, 2, 3):
            operation = Operation("write", history.new_number(), number)
            history.add(0, operation)
            if number < 3:
                operation.end = number + 0.5
                history.acknowledge(number)
                history.see(0, {"value": number, "version": number})
        return history

    def verdict(self, history, *numbers):
        return " ".join(history.verdict({f"m{i}": list(have) for i, have in enumerate(numbers)}))

    def test_good(self):
        self.assertEqual(self.verdict(self.history(), [1, 2], [2, 1]), "")
        self.assertEqual(self.verdict(self.history(), [1, 2, 3], [1, 2, 3]), "")

    def test_a_lost_write(self):
        self.assertIn("m0 has lost [2]", self.verdict(self.history(), [1], [1]))

    def test_a_lost_write_that_only_a_reader_saw(self):
        history = self.history()
        history.add(0, Operation("read", history.see(0, {"value": 3, "version": 3}), 5, 6))
        self.assertIn("has lost [3]", self.verdict(history, [1, 2]))

    def test_members_that_differ(self):
        self.assertIn("m1 has other numbers than m0", self.verdict(self.history(), [1, 2], [1, 2, 3]))

    def test_a_write_twice(self):
        self.assertIn("twice", self.verdict(self.history(), [1, 2, 2]))

    def test_two_pasts(self):
        history = self.history()
        history.see(0, {"value": 3, "version": 2})
        self.assertIn("version 2 of register 0 was 2, and now 3", self.verdict(history, [1, 2, 3]))

    def test_a_read_out_of_date(self):
        history = self.history()
        history.add(0, Operation("read", 1, 7, 8))
        self.assertIn("register 0: a value in the midst", self.verdict(history, [1, 2]))


if __name__ == "__main__":
    unittest.main()
