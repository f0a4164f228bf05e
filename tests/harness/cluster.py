"""Clusters of three servers of one database, ours and the reference's in any mixture."""

import re
import socket

from harness import binaries
from harness.case import SystemTest
from harness.daemon import CommandFailed
from harness.waiting import wait_until

DATABASE = "Clu"
SCHEMA = {
    "name": DATABASE,
    "version": "1.0.0",
    "tables": {
        "T": {
            "columns": {
                "n": {"type": "integer"},
                "text": {"type": "string"},
                "others": {"type": {"key": {"type": "uuid", "refTable": "T", "refType": "weak"}, "min": 0, "max": 9}},
            },
            "isRoot": True,
            "indexes": [["n"]],
        },
    },
}


class ClusterTest(SystemTest):
    n_members = 0  # That this test has started.

    def cluster(self, *kinds, address=None, arguments=(), election_timer_ms=None):
        """Members that have all joined, by `kinds`: "ours" or "stock". The first one founds it.

        `address(name)` is where a member listens for the others, a unix socket by default.
        """
        schema = self.write("clu.ovsschema", SCHEMA)
        members = []
        for kind in kinds:
            self.n_members += 1
            name = f"m{self.n_members}"
            file = self.path(name + ".db")
            local = address(name) if address else f"unix:{self.path(name)}.raft"
            if members:
                self.tool("join-cluster", file, DATABASE, local, members[0].address)
            else:
                timer = [f"--election-timer={election_timer_ms}"] if election_timer_ms else []
                self.tool(*timer, "create-cluster", file, schema, local)
            start = self.server if kind == "ours" else self.reference_server
            members.append(start(name, [file], arguments))
            members[-1].address = local
            members[-1].kind = kind
            wait_until(lambda: joined(members[-1]), f"{name} joins")
        return members

    def tool(self, *words, check=True):
        """Runs ovsdb-tool."""
        return self.run_command(binaries.ours("ovsdb-tool"), *words, check=check)


def free_port():
    """A TCP port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def status(member):
    """The lines of cluster/status, by what stands before the colon; {} if it does not answer."""
    try:
        text = member.appctl("cluster/status", DATABASE)
    except (CommandFailed, OSError):
        return {}
    found = dict(re.findall(r"^(\w[\w ]*): (.*)$", text, re.M))
    return {**found, "servers": re.findall(r"^    \S+ \((\w{4}) at ", text, re.M)}


def joined(member):
    return status(member).get("Status") == "cluster member"


def leader(members, seconds=20):
    """Who leads, of those that run, when all of them agree."""

    def agreed():
        found = [(member, status(member)) for member in members if member.running()]
        leaders = [member for member, of in found if of.get("Role") == "leader"]
        if len(leaders) == 1 and all(of.get("Leader") not in (None, "unknown") for _, of in found):
            return leaders[0]
        return None

    return wait_until(agreed, "one server leads", seconds)


def insert(member, *numbers):
    with member.connect() as client:
        for n in numbers:
            [done] = client.transact(DATABASE, {"op": "insert", "table": "T", "row": {"n": n}})
            assert "uuid" in done, done


def numbers_of(member):
    with member.connect() as client:
        [found] = client.transact(
            DATABASE, {"op": "select", "table": "T", "where": [], "columns": ["n"]}
        )
    return sorted(row["n"] for row in found["rows"])


def all_have(members, numbers):
    for member in members:
        wait_until(lambda: numbers_of(member) == numbers, f"{member.name} has {numbers}")
