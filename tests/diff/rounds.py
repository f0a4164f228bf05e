"""One round: a schema, two fresh servers, steps until they differ or the count is reached."""

import contextlib
import json
import os
import random
import shutil
import subprocess
import tempfile

from diff import exemptions
from diff.canonical import message_key
from diff.lockstep import Lockstep
from diff.messages import Messages
from diff.schemas import DATABASE, random_schema
from diff.world import World
from harness import jsonrpc
from harness.daemon import OvsdbServer, create_database


class Program:
    """One implementation. `server_class` lets a test put something else in OvsdbServer's place."""

    def __init__(self, server, tool, server_class=OvsdbServer):
        self.server = server
        self.tool = tool
        self.server_class = server_class


class Failure:
    """Where the two parted: the step's number, what differed, which server (if any) died."""

    def __init__(self, step, differences, dead):
        self.step = step
        self.differences = differences
        self.dead = dead


class Round:
    """Two servers of their own with empty databases of one schema.

    `programs`: the Program that knows what is right, and the one to prove.
    """

    def __init__(self, programs, schema, sessions):
        self.directory = tempfile.mkdtemp(prefix="boreas-diff-")
        schema_path = os.path.join(self.directory, "schema")
        with open(schema_path, "w", encoding="utf-8") as out:
            json.dump(schema, out)
        self.servers = []
        for name, program in zip(("first", "second"), programs):
            path = create_database(os.path.join(self.directory, name + ".db"), schema_path, program.tool)
            server = program.server_class(program.server, self.directory, name, [path])
            self.servers.append(server.start())
        self.tools = [program.tool for program in programs]
        self.lockstep = Lockstep(*self.servers, sessions)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.lockstep.close()
        for server in self.servers:
            server.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def dead(self):
        """Names of servers that died."""
        return [server.name for server in self.servers if server.process.poll() is not None]

    def file_differences(self):
        """Stops the servers and reads both files with both tools; what the readings do not share."""
        schema = self.lockstep.sides[0].connections[0].call("get_schema", [DATABASE])["result"]
        query = json.dumps([DATABASE, *select_all(schema)])
        readings = []
        for side in self.lockstep.sides:
            side.server.stop()
            for tool in self.tools:
                done = subprocess.run(
                    [tool, "query", side.server.databases[0], query],
                    capture_output=True, text=True, timeout=60,
                )
                if done.returncode and not readings:
                    return []  # Stock wrote what it cannot read, such as reals equal to 15 digits.
                if done.returncode:
                    return [(0, [], [json.dumps([tool, side.server.name, done.stderr])])]
                readings.append(message_key(side.names.canonical({"result": json.loads(done.stdout)})))
        return [(0, [readings[0]], [other]) for other in readings[1:] if other != readings[0]]

    def run(self, steps):
        """Runs (session, message) steps; returns the first Failure, or None."""
        for number, (session, message) in enumerate(steps):
            answer = self.lockstep.step(session, message)
            if self.dead() or answer.differences:
                return self.failure(number, answer.differences)
        return self.last_failure(len(steps) - 1)

    def failure(self, step, differences):
        """The Failure at a step where the servers differ; None once the first has itself broken the
        rules. Nothing is right from then on, so that the round must end.

        A weak reference whose target is deleted goes. Stock leaves it, where the referring row is
        modified by the same transaction and comes first in the order of a hash table.
        """
        if not self.dead() and self._first_is_corrupt():
            exemptions.used["dangling weak reference (ends the round)"] += 1
            return None
        return Failure(step, differences, self.dead())

    def _first_is_corrupt(self):
        try:
            return self.lockstep.prober.dangling_weak_reference()
        except (jsonrpc.Closed, OSError):
            for server in self.servers:  # One of them is dying.
                with contextlib.suppress(subprocess.TimeoutExpired):
                    server.process.wait(5)
            return False

    def last_failure(self, step):
        """The Failure after the last step, if there is something wrong with the files."""
        if self.lockstep.prober.dangling_weak_reference():
            exemptions.used["dangling weak reference (files not compared)"] += 1
            return None
        found = self.file_differences()
        return Failure(step, found, []) if found else None


def select_all(schema):
    """Operations that show every row, but for what is not kept in a file."""
    return [
        {
            "op": "select", "table": table, "where": [],
            "columns": ["_uuid"] + [n for n, c in body["columns"].items() if not c.get("ephemeral")],
        }
        for table, body in schema["tables"].items()
    ]


def operations_in(message):
    """How much a step counts: the operations of a transaction, or one."""
    params = message.get("params")
    if message.get("method") == "transact" and isinstance(params, list):
        return max(1, len(params) - 1)
    return 1


class Outcome:
    """How a random round went."""

    def __init__(self, schema, sessions):
        self.schema = schema
        self.sessions = sessions
        self.steps = []
        self.operations = 0
        self.failure = None


def random_round(programs, seed, operations):
    """Runs about `operations` random operations drawn from `seed`."""
    rng = random.Random(seed)
    schema = random_schema(rng)
    sessions = rng.randint(1, 4)
    outcome = Outcome(schema, sessions)
    world = World(rng, schema)
    messages = Messages(rng, world, sessions)
    with Round(programs, schema, sessions) as servers:
        while outcome.operations < operations:
            session, message = messages.next_step()
            outcome.steps.append((session, message))
            outcome.operations += operations_in(message)
            answer = servers.lockstep.step(session, message)
            if servers.dead() or answer.differences:
                step = len(outcome.steps) - 1
                outcome.failure = servers.failure(step, answer.differences)
                return outcome
            world.observe(session, message, answer.messages[0][session])
            for closed in answer.closed:
                world.session_closed(closed)
        outcome.failure = servers.last_failure(len(outcome.steps) - 1)
    return outcome
