"""What the exemptions let pass, and what they do not. Needs no server."""

import json
import unittest

from diff.claims import State, equally_true
from diff.exemptions import excused
from diff.probes import Prober
from diff.world import canonical_uuid

SCHEMA = {
    "tables": {
        "A": {
            "isRoot": True,
            "indexes": [["n"]],
            "columns": {
                "n": {"type": "integer"},
                "strong": {"type": {"key": {"type": "uuid", "refTable": "B"}, "min": 0, "max": 1}},
                "weak": {"type": {"key": {"type": "uuid", "refTable": "B", "refType": "weak"}, "max": 2}},
            },
        },
        "B": {"columns": {"n": {"type": "integer"}}},
    }
}
A1, A2, B1, B2, GONE = map(canonical_uuid, range(1, 6))


def texts(*messages):
    return [json.dumps(message, sort_keys=True) for message in messages]


def update(rows, monitor="m"):
    return {"id": None, "method": "update2", "params": [monitor, {"T": rows}]}


def no_probe(*_):
    return None


class MessagesTest(unittest.TestCase):
    def check(self, first, second, expected, ended=False, is_ended=False, probe=no_probe, clusters=False):
        self.assertEqual(excused(texts(*first), texts(*second), ended, is_ended, probe, clusters), expected)

    def test_clusters(self):
        one, two = ({"id": i, "result": [{}], "error": None} for i in (1, 2))
        change = update({"1": {"insert": {"c": 1, "_version": "version 1"}}})
        for clusters in (True, False):
            self.check([change, one, two], [change, two, one], clusters, clusters=clusters)
            other = update({"1": {"insert": {"c": 1, "_version": "version 2"}}})
            self.check([change], [other], clusters, clusters=clusters)
        self.check([change], [update({"1": {"insert": {"c": 2, "_version": "version 1"}}})], False, clusters=True)
        alone = update({"1": {"modify": {"_version": "version 3"}}})
        for clusters in (True, False):
            self.check([alone], [], clusters, clusters=clusters)

    def test_which_ephemeral_column(self):
        one, two = ({"id": 1, "error": {"details": f"Table T column {c} is ephemeral but clustered databases do not"}}
                    for c in "ab")
        other = {"id": 1, "error": {"details": "Table T column a is odd"}}
        for clusters in (True, False):
            self.check([one], [two], clusters, clusters=clusters)
            self.check([one], [other], False, clusters=clusters)

    def test_modify_of_nothing(self):
        nothing, something = update({"1": {"modify": {}}}), update({"1": {"modify": {"c": 1}}})
        self.check([nothing], [], True)
        self.check([], [nothing], False)
        self.check([something], [], False)
        self.check([update({"1": {"modify": {}}, "2": {"delete": None}})], [update({"2": {"delete": None}})], True)
        self.check([update({"1": {"modify": {}}, "2": {"delete": None}})], [], False)

    def test_updates_in_one(self):
        one, two = {"1": {"insert": {"c": 1}}}, {"2": {"insert": {"c": 2}}}
        both = update({**one, **two})
        reply = {"id": 1, "result": [], "error": None}
        self.check([both, reply], [update(one), reply, update(two)], True)
        self.check([both, reply], [update(one), reply], False)
        self.check([both, reply], [update(one), reply, update({"2": {"insert": {"c": 3}}})], False)
        self.check([both, reply], [update(one), reply, update(two, "other")], False)
        again = {"1": {"modify": {"c": 1}}}
        self.check([update({"1": {"insert": {}}})], [update(one), update(again)], False)

    def test_lock_of_a_session_that_ends(self):
        locked = {"id": None, "method": "locked", "params": ["l"]}
        self.check([locked], [], True, ended=True, is_ended=True)
        self.check([locked], [], False)
        self.check([{**locked, "method": "stolen"}], [], False, ended=True, is_ended=True)

    def test_lock_told_again_when_sessions_end(self):
        locked = {"id": None, "method": "locked", "params": ["l"]}
        self.check([locked], [locked, locked], True, ended=True)
        self.check([locked], [], False, ended=True)
        self.check([locked], [locked, {**locked, "params": ["other"]}], False, ended=True)
        self.check([locked], [locked, locked], False)

    def test_errors_must_be_explained(self):
        def reply(*results):
            return {"id": 7, "result": list(results), "error": None}

        one, other = {"error": "a", "details": "b"}, {"error": "c", "details": "d"}
        asked = []

        def probe(*arguments):
            asked.append(arguments)
            return "which row"

        self.check([reply({}, one)], [reply({}, other)], True, probe=probe)
        self.assertEqual(asked, [(7, 1, [one, other])])
        self.check([reply({}, one)], [reply({}, other)], False)
        self.check([reply({}, one)], [reply({}, {})], False, probe=probe)
        self.check([reply({"count": 1}, one)], [reply({"count": 2}, one)], False, probe=probe)
        self.check([{"id": 7, "error": one}], [{"id": 7, "error": other}], False, probe=probe)

    def test_time_of_a_wait(self):
        def reply(error, details):
            return {"id": 7, "result": [{"error": error, "details": details}]}

        late, early = '"wait" timed out after N ms', '"where" clause test failed'
        self.check([reply("timed out", late)], [reply("timed out", early)], True)
        self.check([reply("timed out", late)], [reply("timed out", "x")], False)
        self.check([reply("timed out", late)], [reply("aborted", early)], False)


class FakeSide:
    """Answers with what `fault(operation)` gives for the operation before the final abort."""

    def __init__(self, fault):
        self.fault = fault

    def ask(self, request):
        if request["method"] == "get_schema":
            return {"result": SCHEMA}
        operations = request["params"][1:]
        return {"result": [{} for _ in operations[:-2]] + [self.fault(operations[-2]), None]}


class WhichColumnTest(unittest.TestCase):
    def excuse(self, errors, second_fault=None):
        def fault(operation):
            (column,) = operation["row"]
            return {"error": f"bad {column}"} if column != "n" else {"count": 1}

        update_all = {"op": "update", "table": "A", "where": [], "row": {"n": 1, "strong": 2, "weak": 3}}
        message = {"params": ["D", update_all]}
        prober = Prober([FakeSide(fault), FakeSide(second_fault or fault)])
        return prober.excuse(message, 0, errors)

    def test_an_error_of_one_column_will_do(self):
        errors = [{"error": "bad strong"}, {"error": "bad weak"}]
        self.assertEqual(self.excuse(errors), "which column")
        self.assertIsNone(self.excuse([errors[0], {"error": "bad luck"}]))
        self.assertIsNone(self.excuse([errors[0], {"error": "bad n"}]))

    def test_a_row_may_refer_to_itself_by_name(self):
        row = {"n": "bad", "weak": ["set", [["named-uuid", "me"], ["uuid", A1]]]}
        message = {"params": ["D", {"op": "insert", "table": "A", "uuid": A1, "uuid-name": "me", "row": row}]}
        errors = [{"error": json.dumps("bad")}, {"error": json.dumps(["set", [["uuid", A1], ["uuid", A1]]])}]

        def fault(operation):
            return {"error": json.dumps([*operation["rows"][0].values()][0])}

        self.assertEqual(Prober([FakeSide(fault), FakeSide(fault)]).excuse(message, 0, errors), "which column")

    def test_each_column_must_be_judged_alike(self):
        errors = [{"error": "bad strong"}, {"error": "bad weak"}]
        self.assertIsNone(self.excuse(errors, lambda operation: {"error": f"bad {[*operation['row']][0]}"}))


class ClaimsTest(unittest.TestCase):
    def setUp(self):
        self.state = State(SCHEMA, {
            "A": {
                A1: {"n": 7, "strong": ["uuid", B1], "weak": ["uuid", GONE]},
                A2: {"n": 7, "strong": ["uuid", GONE], "weak": ["set", [["uuid", B1], ["uuid", B2]]]},
            },
            "B": {B1: {"n": 1}, B2: {"n": 2}},
        })

    def check(self, one, other, expected):
        self.assertEqual(equally_true(one, other, self.state), expected)

    def test_settled_state(self):
        settled = self.state.settled()
        self.assertEqual(list(settled.rows["B"]), [B1])  # Nobody refers to B2 strongly.
        self.assertEqual(settled.rows["A"][A1]["weak"], ["set", []])
        self.assertEqual(settled.rows["A"][A2]["weak"], ["uuid", B1])

    def test_nonexistent_rows(self):
        form = "Table A column {} row {} references nonexistent row {} in table B."
        right = form.format("strong", A2, GONE)
        self.check(right, right, True)
        self.check(right, form.format("strong", A1, B1), False)
        self.check(right, form.format("strong", A1, GONE), False)
        self.check(right, form.format("weak", A1, GONE), False)

    def test_remaining_references(self):
        form = "cannot delete B row {} because of {} remaining reference(s)"
        right = form.format(GONE, 1)
        self.check(right, right, True)
        self.check(right, form.format(GONE, 2), False)
        self.check(right, form.format(B1, 1), False)

    def duplicate(self, first, second, value=7, past="was inserted by this transaction"):
        return (
            f'Transaction causes multiple rows in "A" table to have identical values ({value}) for index on'
            f' column "n".  First row, with UUID {first}, {past}.  Second row, with UUID {second}, was'
            " inserted by this transaction."
        )

    def test_duplicates(self):
        right = self.duplicate(A1, A2)
        self.check(right, self.duplicate(A2, A1), True)
        self.check(right, self.duplicate(A1, A1), False)
        self.check(right, self.duplicate(A1, GONE), False)
        self.check(right, self.duplicate(A2, A1, 8), False)
        other_past = "had the following index values before the transaction: 3"
        self.check(right, self.duplicate(A1, A2, past=other_past), False)
        self.state.rows["A"][A2]["n"] = 8
        self.check(right, right, False)

    def test_columns_that_become_empty(self):
        form = (
            'Deletion of {} weak reference(s) to deleted (or never-existing) rows from column "weak" in "A" row'
            " {} caused this column to become empty, but constraints on this column disallow an empty column."
        )
        right = form.format(1, A1)
        self.check(right, right, True)
        self.check(right, form.format(2, A1), False)
        self.check(right, form.format(2, A2), False)

    def test_different_rules(self):
        missing = f"Table A column strong row {A2} references nonexistent row {GONE} in table B."
        self.check(missing, self.duplicate(A1, A2), False)
        self.check(missing, "something else", False)


if __name__ == "__main__":
    unittest.main()
