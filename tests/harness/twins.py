"""The same commands against our server and the reference's, with the same outcome."""

import difflib
import re

from harness import binaries
from harness.case import SystemTest

_UUID = re.compile(r"(?<![0-9a-f])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\buuid=0x[0-9a-f]{8}\b")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?Z?")
_PID = re.compile(r"\(pid \d+\)|pid=\d+")
# Chance decides in stock which of two clashing rows comes first.
_CLASH = re.compile(r"First row, with UUID .*?\.  Second row, with UUID .*?\.")


def canonical(text, server):
    """`text` without what may differ: names of sockets and files, UUIDs (by order), times, pids."""
    text = text.replace(server.directory, "DIR")
    text = re.sub(rf"/{server.name}([-.])", r"/NAME\1", text)
    text = _CLASH.sub("TWO ROWS.", _PID.sub("PID", _TIME.sub("TIME", text)))
    seen = {}
    return _UUID.sub(lambda found: seen.setdefault(found[0], f"<uuid {len(seen)}>"), text)


class TwinTest(SystemTest):
    """`self.twins` are our server and the reference's, started with equal databases by `twin()`."""

    twins = ()

    def twin(self, name=None, schema=None, arguments=(), **more):
        """Starts both servers; each has its own database file of `schema` (path or dictionary)."""
        self.twins = []
        for twin, path in self.programs():
            databases = [self.database(f"{twin}-{name}", schema)] if schema else []
            self.twins.append(self.server(twin, databases, arguments, path, **more))
        return self.twins

    @staticmethod
    def programs():
        return [
            ("ours", binaries.ours("ovsdb-server")),
            ("stock", binaries.reference("ovsdb-server")),
        ]

    def same(self, action, sort_lines=False):
        """action(server) is the same text for both servers, and is returned as ours gave it."""
        results = []
        for server in self.twins:
            text = canonical(action(server), server)
            if sort_lines:  # Lines without order number their UUIDs as they happen to come.
                text = "\n".join(sorted(re.sub(r"<uuid \d+>", "<uuid>", text).split("\n")))
            results.append(text)
        return self.assert_same(*results)

    def assert_same(self, ours, stock):
        """Fails with the lines in which two texts differ; returns the text."""
        if ours != stock:
            lines = difflib.unified_diff(stock.split("\n"), ours.split("\n"), "stock", "ours", n=1, lineterm="")
            self.fail("\n".join(list(lines)[:60]))
        return ours

    def same_command(self, program, *arguments, stdin=None, sort_lines=False, **more):
        """Runs a program of the reference on each server, with {remote} and the like replaced.

        Status, output and error output must be equal. Returns the output.
        """

        def run(server):
            filled = [argument.replace("{remote}", server.remote) for argument in arguments]
            done = self.run_command(
                binaries.reference(program), *filled, check=False, stdin=stdin, **more
            )
            return f"{done.stdout}\nstatus {done.returncode}\n{done.stderr}"

        return self.same(run, sort_lines)

    def transact_both(self, database, *operations):
        """The same transaction on both; returns their results."""
        results = []
        for server in self.twins:
            with server.connect() as client:
                results.append(client.transact(database, *operations))
        return results
