"""When the image's entry point founds a cluster, joins one, or goes on with a damaged file."""

import os
import subprocess
import time
import unittest

from harness import binaries
from harness.case import SystemTest
from harness.cluster import SCHEMA, free_port
from harness.waiting import wait_until

ENTRY = os.path.join(os.path.dirname(__file__), "../../packaging/image/ovn-central")
SCHEMA = {**SCHEMA, "name": "OVN_Northbound"}
NODES = ("10.0.0.1", "10.0.0.2", "10.0.0.3")


class FoundingTest(SystemTest):
    """A node's file is made ready; what the others answer is told."""

    def setUp(self):
        super().setUp()
        self.file = self.path("ovnnb_db.db")
        self.schema = self.write("nb.ovsschema", SCHEMA)
        os.symlink(binaries.ours("ovsdb-tool"), self.path("ovsdb-tool"))

    def tool(self, *words):
        return self.run_command(binaries.ours("ovsdb-tool"), *words, check=False)

    def entry(self, *commands, node=NODES[0], **settings):
        environment = {"PATH": self.directory + ":" + os.environ["PATH"], "OVN_DBDIR": self.directory,
                       "NODE_IPS": ",".join(NODES), "POD_IP": node, "FOUNDING_WAIT": "2", **settings}
        done = subprocess.run(["bash", "-c", "; ".join((f"source {ENTRY}", "read_settings", *commands))],
                              env=environment, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def prepare(self, *answers, node=NODES[0]):
        """What is said, and the seconds it takes. Each answer of an other node is one word, or several that it gives in turn."""
        others = [other for other in NODES if other != node]
        for other, said in zip(others, answers):
            self.write(other, "\n".join(said.split()) + "\n")
        # The last word is said again and again.
        ask = 'ask() { head -n 1 "$etc/$2"; if [ "$(wc -l <"$etc/$2")" -gt 1 ]; then sed -i 1d "$etc/$2"; fi; }'
        since = time.monotonic()
        said = self.entry(ask, "prepare_member nb", node=node)
        return said, time.monotonic() - since

    def state(self):
        """Of the file that is ready now."""
        if not os.path.exists(self.file):
            return "none"
        if self.tool("db-is-standalone", self.file).returncode == 0:
            return "standalone"
        said = self.tool("check-cluster", self.file)
        return "joins" if "has not joined" in said.stderr + said.stdout else "member" if said.returncode == 0 else said.stderr

    def kept(self):
        return [name for name in os.listdir(self.directory) if name.startswith("ovnnb_db.db.2")]

    def test_the_first_founds_where_all_say_there_is_none(self):
        said, seconds = self.prepare("none", "none")
        self.assertIn("this node founds the cluster", said)
        self.assertEqual(self.state(), "none")
        self.assertLess(seconds, 1.5)

    def test_silence_is_no_answer(self):
        said, seconds = self.prepare("none", "nothing")
        self.assertIn("this node founds the cluster", said)
        self.assertIn(f"no answer from {NODES[2]}: they are taken to have no OVN_Northbound", said)
        self.assertGreater(seconds, 1)

    def test_the_first_joins_whoever_is_back(self):
        for answers in (("nothing member", "nothing"), ("none", "nothing member"), ("member", "nothing")):
            with self.subTest(answers=answers):
                self.assertIn("joins the cluster", self.prepare(*answers)[0])
                self.assertEqual(self.state(), "joins")
                os.unlink(self.file)

    def test_others_never_found(self):
        for content in (None, "standalone", "empty"):
            with self.subTest(content=content):
                if content == "standalone":
                    self.tool("create", self.file, self.schema)
                elif content == "empty":
                    self.write("ovnnb_db.db", "")
                self.assertNotIn("founds", self.prepare("none", "none", node=NODES[1])[0])
                self.assertEqual(self.state(), "joins")
                self.assertEqual(len(self.kept()), 0 if content is None else 1)
                for name in self.kept():
                    os.unlink(self.path(name))
                os.unlink(self.file)

    def test_the_first_makes_a_cluster_of_a_standalone_database_only_if_there_is_none(self):
        self.tool("create", self.file, self.schema)
        self.prepare("none", "none")
        self.assertEqual(self.state(), "standalone")  # ovn-ctl makes a cluster of it.
        self.prepare("nothing member", "nothing")
        self.assertEqual(self.state(), "joins")
        self.assertEqual(len(self.kept()), 1)

    def damage(self, what):
        """A bit of a member's file, at `what`."""
        self.tool("create-cluster", self.file, self.schema, f"unix:{self.path('raft')}")
        server = self.server(databases=[self.file])
        with server.connect() as client:
            row = {"op": "insert", "table": "T", "row": {"text": "a row"}}
            wait_until(lambda: "uuid" in str(client.call("transact", ["OVN_Northbound", row])["result"]), "it is written to")
        server.stop()
        with open(self.file, "r+b") as file:
            content = bytearray(file.read())
            content[content.index(what)] ^= 1
            file.seek(0)
            file.write(content)

    def test_a_damaged_file_waits_for_the_others(self):
        self.damage(b"a row")
        self.assertIn("comes back from the other nodes", self.prepare("nothing member", "nothing")[0])
        os.unlink(self.file)
        self.damage(b"a row")
        said, seconds = self.prepare("nothing", "nothing")
        self.assertIn("goes on with what is good", said)
        self.assertGreater(seconds, 1)
        self.assertEqual(len(self.kept()), 2)

    def test_a_damaged_file_stays_while_others_are_waited_for(self):
        """Who is ended then, and started again, is still the member that it was."""
        self.damage(b"a row")
        with open(self.file, "rb") as file:
            before = file.read()
        self.entry("ask() { echo nothing; }", "(prepare_member nb) & sleep 1; kill -KILL $!; wait $! || true", FOUNDING_WAIT="30")
        with open(self.file, "rb") as file:
            self.assertEqual(file.read(), before)
        self.assertEqual(self.kept(), [])

    def test_a_file_without_a_head_is_a_lost_one(self):
        self.damage(b"server_id")
        self.assertIn("joins the cluster", self.prepare("member", "nothing")[0])
        self.assertEqual(self.state(), "joins")
        self.assertEqual(len(self.kept()), 1)

    @binaries.needs_reference
    def test_what_servers_say(self):
        """By ask() itself: a member, one that has not joined yet, one that has no cluster, and no server."""
        os.symlink(binaries.reference("ovsdb-client"), self.path("ovsdb-client"))
        port = free_port()

        def ask():
            return self.entry("ask nb 127.0.0.1", NB_PORT=str(port)).strip()

        self.assertEqual(ask(), "nothing")
        for name, words in (("member", ("create-cluster", self.file, self.schema, "tcp:127.0.0.1:1")),
                            ("none", ("join-cluster", self.file, "OVN_Northbound", "tcp:127.0.0.1:1", "tcp:127.0.0.1:2")),
                            ("none", ("create", self.file, self.schema))):
            with self.subTest(words[0]):
                words = [word.replace("tcp:127.0.0.1:1", f"unix:{self.path('raft')}") for word in words]
                self.tool(*words)
                server = self.server(words[0], [self.file], [f"--remote=ptcp:{port}:127.0.0.1"])
                self.assertEqual(wait_until(lambda: ask().replace("nothing", ""), "it answers"), name)
                server.stop()
                os.unlink(self.file)
        self.assertEqual(ask(), "nothing")


if __name__ == "__main__":
    unittest.main()
