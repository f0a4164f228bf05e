"""ovsdb-tool on the files of clusters, beside the reference's."""

import json
import os
import re
import shutil
import unittest

from harness import binaries
from harness.case import SystemTest
from harness.daemon import OvsdbServer
from harness.log_file import records
from harness.waiting import wait_until
from system.tool_test import ToolTest, record

A = "aaaaaaaa-0000-4000-8000-000000000001"
B = "bbbbbbbb-0000-4000-8000-000000000002"
CLUSTER = "cccccccc-0000-4000-8000-0000000000cc"
EID = "eeeeeeee-0000-4000-8000-0000000000ee"
ZERO = "00000000-0000-0000-0000-000000000000"
ROW = "11111111-0000-4000-8000-00000000000%d"

SCHEMA = {
    "name": "D",
    "version": "1.0.0",
    "tables": {"T": {"columns": {"n": {"type": "integer"}, "e": {"type": "string", "ephemeral": True}}, "isRoot": True}},
}
PERSISTENT = {**SCHEMA, "tables": {"T": {"columns": {"n": {"type": "integer"}, "e": {"type": "string"}}}}}
WIDER = {**SCHEMA, "version": "2.0.0", "tables": {"T": {"columns": {"n": {"type": "integer"}, "m": {"type": "string"}}}}}

MEMBER = {
    "server_id": A,
    "local_address": "tcp:127.0.0.1:1",
    "name": "D",
    "cluster_id": CLUSTER,
    "prev_term": 1,
    "prev_index": 1,
    "prev_servers": {A: "tcp:127.0.0.1:1", B: "tcp:127.0.0.1:2"},
    "prev_data": [PERSISTENT, {}],
    "prev_eid": EID,
}
JOINING = {"server_id": A, "local_address": "tcp:127.0.0.1:1", "name": "D", "remote_addresses": ["tcp:127.0.0.1:2"]}
OTHER = {**MEMBER, "server_id": B, "local_address": "tcp:127.0.0.1:2"}


def without(header, name):
    return {key: value for key, value in header.items() if key != name}


def entry(index, term, number=None, **members):
    result = {"term": term, "index": index, **members}
    if number is not None:
        result["data"] = [None, {"T": {ROW % number: {"n": number}}, "_date": 1795370432461, "_comment": f"number {number}"}]
        result["eid"] = f"eeeeeeee-0000-4000-8000-{number:06x}{index:06x}"
    return result


def leader(term, server):
    return {"term": term, "leader": server}


def vote(term, server):
    return {"term": term, "vote": server}


def commit(index):
    return {"commit_index": index}


LIFE = [vote(2, B), leader(2, B), entry(2, 2), entry(3, 2, 1), commit(3), entry(4, 2, 2), entry(4, 3, 3), {"term": 4}]


class ClusterToolTest(ToolTest):
    def put(self, name, content):
        """As ToolTest's; a list of dictionaries makes a clustered file."""
        if isinstance(content, list):
            content = b"".join(record(one, "CLUSTER") for one in content)
        return super().put(name, content)

    def refused(self, *arguments):
        """What ours says of something that stock accepts, or dies of."""
        out, err, status = self.run_tool("ours", *arguments)
        self.assertEqual((out, status), ("", 1), err)
        return err

    def cluster_records(self, who, name):
        return records(self.path(who, name))

    def same_log(self, *arguments):
        ours, stock = (self.run_tool(who, *arguments) for who in ("ours", "stock"))
        self.assertEqual(self.sorted_output(ours), self.sorted_output(stock), " ".join(arguments))


class HeaderTest(ClusterToolTest):
    COMMANDS = ("db-cid", "db-sid", "db-local-address", "db-name", "db-version", "db-is-clustered", "check-cluster", "show-log")

    def check(self, header):
        self.put("x.db", [header])
        for command in self.COMMANDS:
            self.same(command, "x.db")

    def test_good(self):
        for header in (
            MEMBER,
            JOINING,
            {**JOINING, "cluster_id": CLUSTER},
            {**JOINING, "server_id": A.upper()},
            {**JOINING, "remote_addresses": ["unix:x"]},
            {**MEMBER, "prev_election_timer": 2000},
            {**MEMBER, "prev_term": 3.0, "prev_index": 1e3},
            {**MEMBER, "prev_term": 2**63 - 1, "prev_index": 2**63 - 1},
            {**MEMBER, "prev_servers": {A: "ssl:[::1]:5"}, "local_address": "", "name": "a b"},
            {**MEMBER, "prev_servers": {B: "tcp:h:5"}},
            {**MEMBER, "prev_data": [PERSISTENT, {"T": {ROW % 1: {"n": 1}}, "_date": 5, "_comment": "c"}]},
        ):
            self.check(header)

    def test_not_clustered(self):
        self.put("schema", SCHEMA)
        for who in self.tools:
            self.run_tool(who, "create", "x.db", "schema")
        for command in (*self.COMMANDS, "cluster-to-standalone"):
            arguments = ["new.db", "x.db"] if command == "cluster-to-standalone" else ["x.db"]
            self.same(command, *arguments)
            self.same(command, *(argument.replace("x.db", "absent") for argument in arguments))
        self.put("x.db", b"foreign\n")
        for command in self.COMMANDS:
            self.same(command, "x.db")

    def test_bad(self):
        for name in without(without(MEMBER, "prev_index"), "remote_addresses"):
            self.check(without(MEMBER, name))
        for name in without(JOINING, "local_address"):
            self.check(without(JOINING, name))
        for name, value in MEMBER.items():
            for bad in (None, True, "x", [], {}, 1.5, 2**63):
                good = name in ("local_address", "name") and bad == "x"
                if name != "prev_data" and not good and not (name == "prev_servers" and bad == {}):
                    self.check({**MEMBER, name: bad})
            if name.endswith("id"):
                self.check({**MEMBER, name: ["uuid", value]})
                self.check({**MEMBER, name: value + "x"})
        for name in without(without(MEMBER, "remote_addresses"), "server_id"):
            if name.startswith("prev"):
                self.check({**JOINING, name: MEMBER[name]})
        self.check({**MEMBER, "x": 1})
        self.check({**MEMBER, "comment": "x"})
        for servers in ({}, {"x": "tcp:h:1"}, {A: 5}, {A: "foo"}, {A: "ptcp:5"}):
            self.check({**MEMBER, "prev_servers": servers})
        for remotes in ([], [5], "tcp:h:1", ["foo"], ["tcp:127.0.0.1:1"], ["tcp:h:1", 5]):
            self.check({**JOINING, "remote_addresses": remotes})

    def test_stricter_than_stock(self):
        """Numbers that wrap, a timer that cannot be, ids that stand for none, no snapshot."""
        for header in (
            {**MEMBER, "prev_term": -1},
            {**MEMBER, "prev_index": -1},
            {**MEMBER, "prev_election_timer": 0},
            {**MEMBER, "prev_election_timer": 600001},
            {**MEMBER, "server_id": ZERO},
            {**MEMBER, "prev_data": None},
            {**MEMBER, "prev_data": 5},
            without(JOINING, "local_address"),
        ):
            self.put("x.db", [header])
            for command in ("db-sid", "check-cluster"):
                self.assertIn("Parsing raft header failed", self.refused(command, "x.db"))


class RecordTest(ClusterToolTest):
    def check(self, *content):
        self.put("x.db", [MEMBER, *content])
        self.same("check-cluster", "x.db")
        for more in ([], ["-m"], ["-mm"]):
            self.same_log(*more, "show-log", "x.db")

    def test_good(self):
        self.check(*LIFE)
        self.check({"note": "transfer leadership", "comment": "to bbbb"}, *LIFE, {"note": "left", "comment": "bye"}, {"term": 9})
        self.check({"term": 5, "comment": 'a "word"'}, {"term": 3}, entry(2, 3), {"note": "unheard of"})
        self.check(entry(2, 2, servers=MEMBER["prev_servers"], election_timer=2000, comment="all at once", number=1))
        self.check(entry(2, 2, 1), entry(3, 2, data=[WIDER, None], eid=EID), entry(4, 2, 2))
        self.check(entry(2, 2, 1), entry(3, 2, data=[WIDER, {"T": {ROW % 1: {"m": "x"}}}], eid=EID))
        self.check(entry(2, 2, data=[None, None], eid=EID))
        self.check(entry(2, 2, data=[None, {"Absent": {}}], eid=ZERO))

    def test_empty(self):
        for content in ([], [{"term": 0}], [commit(1)], [{"note": "left"}]):
            self.check(*content)

    def test_bad_form(self):
        for bad in (
            {},
            {"x": 1},
            {"term": 1, "x": 1, },
            {"comment": "x"},
            {"term": 1, "comment": 5},
            {"index": 2},
            {"term": 1, "index": 2.5},
            {"term": "1"},
            {"term": 2**63},
            {"commit_index": 1.5},
            {"commit_index": 2, "term": 1},
            {"vote": A},
            {"term": 1, "vote": "x"},
            {"term": 1, "vote": ZERO},
            {"term": 1, "vote": A, "leader": A},
            {"term": 1, "vote": A, "index": 2},
            {"term": 1, "leader": 5},
            {"note": 5},
            {"note": "left", "term": 1},
            {"term": 1, "servers": {A: "tcp:h:1"}},
            {"term": 1, "index": 2, "servers": {}},
            {"term": 1, "index": 2, "servers": {"x": "tcp:h:1"}},
            {"term": 1, "index": 2, "servers": {A: "foo"}},
            {"term": 1, "index": 2, "election_timer": 1.5},
            {"term": 1, "election_timer": 1000},
            {"term": 1, "index": 2, "data": [None, {}]},
            {"term": 1, "index": 2, "eid": EID},
            {"term": 1, "index": 2, "data": 5, "eid": EID},
            {"term": 1, "index": 2, "data": [], "eid": "x"},
            {"term": 1, "index": 2, "data": [], "eid": ["uuid", EID]},
        ):
            self.put("x.db", [MEMBER, *LIFE, bad])
            self.same("check-cluster", "x.db")
            self.same_log("show-log", "x.db")

    def test_damage(self):
        good = b"".join(record(one, "CLUSTER") for one in [MEMBER, *LIFE])
        for tail in (b"OVSDB CLUSTER 30 ", record("{", "CLUSTER"), record("[1]", "CLUSTER"), record({"term": 9}), b"\0" * 100):
            super().put("x.db", good + tail)
            self.same("check-cluster", "x.db")
            self.same_log("show-log", "x.db")
            self.same("cluster-to-standalone", "new.db", "x.db")
            for who in self.tools:
                if os.path.exists(self.path(who, "new.db")):
                    os.remove(self.path(who, "new.db"))

    def test_broken_rules(self):
        for content in (
            [entry(3, 1)],
            [entry(2, 0)],
            [entry(2, 3), entry(3, 2)],
            [entry(2, 2), entry(3, 2), commit(3), entry(2, 2)],
            [entry(2, 2), commit(3)],
            [entry(2, 2), entry(3, 2), commit(3), commit(2)],
            [{"term": 5}, vote(3, A)],
            [leader(2, A), entry(2, 2), entry(3, 2), entry(2, 2)],
        ):
            self.check(*content)
        # Stock tells the names of the two servers the wrong way round, and files for servers.
        for content in ([vote(2, A), vote(2, B)], [leader(2, A), entry(2, 2), leader(2, B)]):
            self.put("x.db", [MEMBER, *content])
            ours, stock = (self.run_tool(who, "check-cluster", "x.db") for who in ("ours", "stock"))
            words = [sorted(re.sub(r"x\.db(?!:)|aaaa", "A", outcome[1]).split()) for outcome in (ours, stock)]
            self.assertEqual(*words)
            self.assertEqual((ours[0], ours[2]), (stock[0], stock[2]))
        # Of the newest committed entry stock does not say so.
        self.put("x.db", [MEMBER, entry(2, 2), commit(2), entry(2, 2)])
        self.assertIn("but commit index is already 2", self.refused("check-cluster", "x.db"))


class CrossCheckTest(ClusterToolTest):
    BASE = [leader(2, A), entry(2, 2, 1), entry(3, 2, 2)]

    def check(self, *logs):
        names = []
        for i, log in enumerate(logs):
            names.append(self.put(f"{i}.db", log))
        self.same("check-cluster", *names)

    def test_good(self):
        self.check([MEMBER, *self.BASE], [OTHER, *self.BASE])
        self.check([MEMBER, *self.BASE], [OTHER], [JOINING])
        self.check([MEMBER, leader(2, A), entry(2, 2, 1)], [OTHER, leader(3, B), entry(2, 3, 5)])
        self.check([MEMBER, leader(2, A), entry(2, 2, 1), commit(2)], [OTHER, entry(2, 2, 1), leader(3, B)])
        self.check([MEMBER, *self.BASE], [{**OTHER, "prev_index": 3, "prev_term": 2}])
        servers = [("tcp:h:1", A), ("tcp:h:2", B)]
        self.check(*([header, entry(2, 2, servers={s: a for a, s in some})] for header, some in ((MEMBER, servers), (OTHER, servers[::-1]))))

    def test_identities(self):
        self.check([MEMBER, *self.BASE], [{**OTHER, "cluster_id": EID}, *self.BASE])
        self.check([MEMBER, *self.BASE], [{**OTHER, "name": "F"}, *self.BASE])
        self.check([MEMBER, *self.BASE], [MEMBER, *self.BASE, {"note": "left"}])
        self.check([MEMBER], [OTHER])
        self.check([JOINING], [JOINING])
        self.check([{**MEMBER, "prev_servers": {B: "tcp:h:1"}}, entry(2, 2)])

    def test_rules(self):
        self.check([MEMBER, leader(2, A), entry(2, 2)], [OTHER, leader(2, B), entry(2, 2)])
        self.check(
            [MEMBER, leader(2, A), entry(2, 2, 1), entry(3, 2, 2), commit(3)],
            [OTHER, leader(2, A), entry(2, 2, 1), leader(3, B)],
        )
        self.check(
            [MEMBER, entry(2, 2, servers={A: "tcp:h:1"})],
            [OTHER, entry(2, 2, servers={A: "tcp:h:3"})],
        )
        # Stock adds memory that it never wrote to the text of an entry.
        for name, header, number in (("0.db", MEMBER, 1), ("1.db", OTHER, 5)):
            self.put(name, [header, entry(2, 2, number)])
        ours, stock = (self.run_tool(who, "check-cluster", "0.db", "1.db") for who in ("ours", "stock"))
        self.assertEqual(ours, (stock[0], re.sub(r'"election_timer":-?\d+,', "", stock[1]), stock[2]))


class CreateTest(ClusterToolTest):
    UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")

    def canonical_file(self, who, name):
        """The records with their ids numbered; dates and orders that chance decides are left out."""
        content = self.cluster_records(who, name)
        content[0]["remote_addresses"] = sorted(content[0].get("remote_addresses", []))
        text = json.dumps(content, sort_keys=True)
        ids = [content[0][key] for key in ("server_id", "cluster_id", "prev_eid") if key in content[0]]
        self.assertEqual(len(set(ids)), len(ids))
        for i, text_id in enumerate(ids):
            self.assertRegex(text_id, self.UUID)
            text = text.replace(text_id, f"<{i}>")
        return re.sub(r'"_date": \d+', '"_date": 0', text)

    def same_file(self, name, *arguments):
        self.same(*arguments)
        self.assertEqual(*(self.canonical_file(who, name) for who in ("ours", "stock")))
        for who in self.tools:
            self.assertEqual(os.stat(self.path(who, name)).st_mode & 0o777, 0o640)

    def test_create_cluster(self):
        self.put("schema", SCHEMA)
        self.put("bare", {"name": "Bare", "tables": {}})
        for who in self.tools:
            self.run_tool(who, "create", "s.db", "schema")
        super().put("rows.db", b"".join(map(record, [SCHEMA, {"T": {ROW % 1: {"n": 5}, ROW % 2: {}}, "_date": 5}, {"T": {ROW % 2: None}}])))
        self.same_file("1.db", "create-cluster", "1.db", "schema", "tcp:127.0.0.1:1")
        self.same_file("2.db", "create-cluster", "2.db", "bare", "ssl:[::1]:1")
        self.same_file("3.db", "create-cluster", "3.db", "s.db", "unix:x")
        self.same_file("4.db", "create-cluster", "4.db", "rows.db", "tcp:h:1")
        self.same_file("5.db", "--election-timer=2500", "create-cluster", "5.db", "bare", "tcp:h:1")
        for timer in ("100", "600000"):
            self.same_file(timer, "--election-timer=" + timer, "create-cluster", timer, "bare", "tcp:h:1")

    def test_create_cluster_refuses(self):
        self.put("bare", {"name": "Bare", "tables": {}})
        self.put("clustered", [MEMBER])
        self.put("garbage", "garbage")
        self.put("object", '{"x":1}')
        for timer in ("99", "600001", "-1", "x", ""):
            self.same("--election-timer=" + timer, "create-cluster", "x.db", "bare", "tcp:h:1")
        for contents in ("absent", "clustered", "garbage", "object"):
            self.same("create-cluster", "x.db", contents, "tcp:h:1")
        for address in ("foo", "", "udp:h:1"):
            self.same("create-cluster", "x.db", "bare", address)
        self.same("create-cluster", "clustered", "bare", "tcp:h:1")
        self.same("create-cluster", "nowhere/x.db", "bare", "tcp:h:1")
        self.same("create-cluster", "x.db", "bare")
        for who in self.tools:
            self.assertFalse(os.path.exists(self.path(who, "x.db")))

    def test_join_cluster(self):
        self.same_file("1.db", "join-cluster", "1.db", "D", "tcp:h:1", "tcp:h:2")
        self.same_file("2.db", "join-cluster", "2.db", "D", "tcp:h:1", "tcp:h:2", "ssl:[::1]:3", "tcp:h:2")
        self.same_file("3.db", f"--cid={CLUSTER}", "join-cluster", "3.db", "D", "unix:a", "unix:b")
        for address in ("tcp:1.2.3.4:5", "tcp:[fe80::1%eth0]:65535", "tcp:h:0"):
            self.same_file(address, "join-cluster", address, "D", "tcp:h:9", address)

    def test_join_cluster_refuses(self):
        self.put("old.db", [MEMBER])
        for arguments in (
            ["x.db", "D", "tcp:h:1"],
            ["x.db", "1x", "tcp:h:1", "tcp:h:2"],
            ["x.db", "", "tcp:h:1", "tcp:h:2"],
            ["x.db", "a b", "tcp:h:1", "tcp:h:2"],
            ["x.db", "D", "tcp:h:1", "tcp:h:1"],
            ["x.db", "D", "tcp:h:1", "tcp:h:2", "tcp:h:1"],
            ["x.db", "D", "foo", "tcp:h:2"],
            ["x.db", "D", "tcp:h:1", "foo"],
            ["old.db", "D", "tcp:h:1", "tcp:h:2"],
        ):
            self.same("join-cluster", *arguments)
        for cid in ("x", ZERO, "", CLUSTER[:-1]):
            self.same("--cid=" + cid, "join-cluster", "x.db", "D", "tcp:h:1", "tcp:h:2")
        for address in ("tcp:h", "tcp:h:x", "tcp:h:65536", "tcp:[::1]", "tcp:::1:5", "tcp:"):
            ours, stock = (self.run_tool(who, "join-cluster", "x.db", "D", "tcp:h:1", address) for who in ("ours", "stock"))
            self.assertEqual(ours[1:], (stock[1].splitlines(keepends=True)[-1], stock[2]))

    def test_identity_of_one_that_lost_its_file(self):
        join = ["D", "tcp:h:1", "tcp:h:2"]
        self.assertEqual(self.run_tool("ours", f"--sid={A}", f"--cid={CLUSTER}", "join-cluster", "1.db", *join), ("", "", 0))
        expected = {"server_id": A, "cluster_id": CLUSTER, "name": "D", "local_address": "tcp:h:1", "remote_addresses": ["tcp:h:2"]}
        returning = {"term": 0, "comment": "returning tcp:h:2"}
        self.assertEqual(self.cluster_records("ours", "1.db"), [expected, returning])
        self.assertIn("x: not a valid UUID", self.refused("--sid=x", "join-cluster", "2.db", *join))

        self.put("member.db", [MEMBER, *LIFE])
        out, err, status = self.run_tool("ours", "db-raft-header", "member.db")
        self.assertEqual((err, status), ("", 0))
        header = {name: MEMBER[name] for name in ("server_id", "name", "local_address", "cluster_id")}
        self.assertEqual(json.loads(out), header)

        self.put("header", json.dumps(header, indent=2))
        self.assertEqual(self.run_tool("ours", "rejoin-cluster", "3.db", "header", *join[1:]), ("", "", 0))
        self.assertEqual(self.cluster_records("ours", "3.db"), [expected, returning])
        self.put("3.db", self.cluster_records("ours", "3.db"))
        self.assertEqual(self.same("db-sid", "3.db")[0], A + "\n")

        self.put("joining.db", [JOINING])
        out = self.run_tool("ours", "db-raft-header", "joining.db")[0]
        self.assertEqual(json.loads(out), without(JOINING, "remote_addresses"))

        for content in ("", "[]", "{", json.dumps({**header, "x": 1}), json.dumps({**header, "server_id": "x"}), json.dumps({**header, "name": "1"})):
            self.put("header", content)
            self.refused("rejoin-cluster", "4.db", "header", *join[1:])
        self.refused("rejoin-cluster", "4.db", "absent", *join[1:])
        self.refused("rejoin-cluster", "member.db", "header", *join[1:])
        self.assertFalse(os.path.exists(self.path("ours", "4.db")))


class StandaloneTest(ClusterToolTest):
    def convert(self, *content):
        self.put("x.db", [MEMBER, *content])
        for who in self.tools:
            if os.path.exists(self.path(who, "new.db")):
                os.remove(self.path(who, "new.db"))
        self.assertEqual(self.same("cluster-to-standalone", "new.db", "x.db")[2], 0)

    def test_history(self):
        for content in (
            [],
            [entry(2, 2, 1), entry(3, 2), entry(4, 2, 2)],
            [entry(2, 2, 1), {"note": "left"}],
            [entry(2, 2, 1), entry(3, 2, data=[WIDER, None], eid=EID), entry(4, 2, 2)],
            [entry(2, 2, 1), entry(3, 2, data=[WIDER, {"T": {ROW % 1: {"m": "x"}}}], eid=EID)],
            [entry(2, 2, data=[None, None], eid=EID)],
        ):
            self.convert(*content)
            self.assert_same_content("new.db")

    def test_what_was_truncated_is_gone(self):
        """Unlike with stock, for whom it is content."""
        self.convert(entry(2, 2, 1), entry(3, 2, 2), entry(3, 3, 3))
        self.assertEqual([one.get("_comment") for one in records(self.path("ours", "new.db"))[2:]], ["number 1", "number 3"])

    def test_refuses(self):
        self.put("x.db", [MEMBER, entry(2, 2, 1)])
        self.put("old", "")
        self.same("cluster-to-standalone", "old", "x.db")
        self.same("cluster-to-standalone", "new.db")
        self.put("x.db", [MEMBER, entry(2, 2, 1), {"x": 1}])
        self.same("cluster-to-standalone", "new.db", "x.db")
        # From here on stock makes a file that is of no use, or dies.
        for content in ([JOINING], [MEMBER, entry(3, 2, 1)], [MEMBER, entry(2, 2, data={}, eid=EID)], [MEMBER, entry(2, 2, data=[1, 2], eid=EID)]):
            self.put("x.db", content)
            self.refused("cluster-to-standalone", "other.db", "x.db")
            self.assertFalse(os.path.exists(self.path("ours", "other.db")))
        self.put("x.db", [MEMBER, entry(2, 2, data=[None, {"Absent": {}}], eid=EID)])
        self.assertIn("No table named Absent", self.refused("cluster-to-standalone", "other.db", "x.db"))


class FixTest(ClusterToolTest):
    def fix(self, *logs, status=0):
        names = [self.put(f"{i}.db", log) for i, log in enumerate(logs)]
        out, err, code = self.run_tool("ours", "fix-cluster", *names)
        self.assertEqual(code, status, out + err)
        return out

    def contents(self, name="0.db"):
        return self.cluster_records("ours", name)

    def test_cuts_at_the_first_bad_record(self):
        good = [MEMBER, *LIFE]
        self.assertNotIn("cutting", self.fix(good))
        self.assertEqual(self.contents(), good)
        for bad in ({"x": 1}, commit(1), entry(9, 5), vote(2, A)):
            self.assertIn("cutting the log at offset", self.fix(good + [bad, {"term": 9}]))
            self.assertEqual(self.contents(), good)
            self.put("0.db", self.contents())
            self.assertEqual(self.same("check-cluster", "0.db")[2], 0)

    def test_cuts_damage(self):
        good = b"".join(record(one, "CLUSTER") for one in [MEMBER, *LIFE])
        for tail in (b"OVSDB CLUSTER 30 ", b"\0" * 100, record("{", "CLUSTER") + record({"term": 9}, "CLUSTER")):
            self.fix(good + tail)
            self.assertEqual(self.contents(), [MEMBER, *LIFE])

    def test_several(self):
        base = [leader(2, A), entry(2, 2, 1)]
        self.fix([MEMBER, *base, {"x": 1}], [OTHER, *base])
        self.assertEqual(self.contents(), [MEMBER, *base])
        # What only the two together show is not for it to decide.
        self.fix([MEMBER, leader(2, A)], [OTHER, leader(2, B)], status=1)

    def test_nothing_to_save(self):
        self.fix([MEMBER], status=1)
        self.fix([without(MEMBER, "name"), *LIFE], status=1)
        self.fix([MEMBER, {"x": 1}], status=1)


@binaries.needs_reference
class LivingClusterTest(SystemTest):
    """A cluster of stock servers on files that both tools made, and what both say of them later."""

    def setUp(self):
        super().setUp()
        self.tools = [binaries.ours("ovsdb-tool"), binaries.reference("ovsdb-tool")]
        self.servers = []

    def tool(self, which, *arguments, check=True):
        done = self.run_command(self.tools[which], *arguments, check=check)
        return done.stdout, done.returncode

    def address(self, name):
        return f"unix:{self.path(name)}.raft"

    def start(self, name):
        server = OvsdbServer(binaries.reference("ovsdb-server"), self.directory, name, [self.path(name + ".db")], env=self.env)
        self.servers.append(self.track(server).start())
        wait_until(lambda: self.is_member(server), f"{name} is a member with a leader")
        return server

    def status(self, server):
        done = self.run_command(binaries.reference("ovs-appctl"), "-t", server.control, "cluster/status", "D", check=False)
        return dict(re.findall(r"^([A-Z][\w ]*): (.*)$", done.stdout, re.M))

    def is_member(self, server):
        status = self.status(server)
        return status.get("Status") == "cluster member" and status["Leader"] != "unknown"

    def appctl(self, server, *arguments):
        return self.run_command(binaries.reference("ovs-appctl"), "-t", server.control, *arguments).stdout

    def insert(self, server, *numbers):
        with server.connect() as client:
            for n in numbers:
                client.transact("D", {"op": "insert", "table": "T", "row": {"n": n}}, {"op": "comment", "comment": f"number {n}"})

    def numbers(self, path):
        """What a standalone file holds, according to stock."""
        select = '["D",{"op":"select","table":"T","where":[],"columns":["n"]}]'
        out, _ = self.tool(1, "query", path, select)
        return sorted(row["n"] for row in json.loads(out)[0]["rows"])

    def test_life(self):
        schema = self.write("schema", PERSISTENT)
        self.tool(0, "--election-timer=1500", "create-cluster", self.path("a.db"), schema, self.address("a"))
        self.tool(0, "join-cluster", self.path("b.db"), "D", self.address("b"), self.address("a"))
        self.tool(1, "join-cluster", self.path("c.db"), "D", self.address("c"), self.address("b"), self.address("a"))
        a, b, c = (self.start(name) for name in "abc")
        self.insert(a, 1, 2)
        self.insert(c, 3)
        self.appctl(a, "cluster/failure-test", "transfer-leadership")
        wait_until(lambda: self.status(a).get("Role") == "follower" and self.status(a)["Leader"] != "unknown", "another leads")
        self.insert(b, 4)
        self.appctl(a, "ovsdb-server/compact", "D")
        self.insert(a, 5)
        self.appctl(c, "cluster/leave", "D")
        wait_until(lambda: not self.status(c), "c has left")
        self.insert(a, 6)
        for server in self.servers:
            server.stop()
        self.check_files()

    def check_files(self):
        paths = [self.path(name + ".db") for name in "abc"]
        for arguments in (["check-cluster", *paths], *(["check-cluster", path] for path in paths), *(["db-sid", path] for path in paths), *(["db-cid", path] for path in paths)):
            ours, stock = (self.tool(which, *arguments) for which in (0, 1))
            self.assertEqual(ours, stock)
        self.assertIn("record", self.tool(0, "check-cluster", paths[2])[0])
        for path in paths:
            for more in ([], ["-mm"]):
                ours, stock = (ToolTest.sorted_output((*self.tool(which, *more, "show-log", path), ""))[0] for which in (0, 1))
                self.assertEqual(ours, stock)
        for name in "ab":
            for which in (0, 1):
                self.tool(which, "cluster-to-standalone", self.path(f"{name}{which}"), self.path(name + ".db"))
                self.assertEqual(self.numbers(self.path(f"{name}{which}")), [1, 2, 3, 4, 5, 6])

    def test_stock_takes_back_a_file_that_was_fixed(self):
        schema = self.write("schema", PERSISTENT)
        self.tool(0, "create-cluster", self.path("a.db"), schema, self.address("a"))
        server = self.start("a")
        self.insert(server, 1, 2)
        server.stop()
        shutil.copy(self.path("a.db"), self.path("whole.db"))
        with open(self.path("a.db"), "ab") as file:
            file.write(record({"term": 1, "index": 77}, "CLUSTER"))
        self.assertEqual(self.tool(1, "check-cluster", self.path("a.db"), check=False)[1], 1)
        self.tool(0, "fix-cluster", self.path("a.db"))
        with open(self.path("a.db"), "rb") as fixed, open(self.path("whole.db"), "rb") as whole:
            self.assertEqual(fixed.read(), whole.read())
        self.insert(self.start("a"), 3)


if __name__ == "__main__":
    unittest.main()
