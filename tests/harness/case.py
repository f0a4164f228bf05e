"""The base of every system test: a directory of its own, daemons that end with it."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

from harness import binaries, sanitizers
from harness.daemon import OvsdbServer, create_database


class SystemTest(unittest.TestCase):
    """Each test gets `self.directory`, removed if it passes and kept, with a word, if it fails."""

    maxDiff = None

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="boreas-")
        sanitizers.report_in(self.directory)
        # Where stock's programs put what they are not told to put elsewhere.
        self.env = {**os.environ, **{
            f"{project}_{kind}DIR": self.directory
            for project in ("OVS", "OVN")
            for kind in ("RUN", "LOG", "DB", "SYSCONF")
        }}
        self._daemons = []
        self.addCleanup(self._finish)

    def path(self, *parts):
        return os.path.join(self.directory, *parts)

    def write(self, name, content):
        path = self.path(name)
        with open(path, "w", encoding="utf-8") as out:
            out.write(content if isinstance(content, str) else json.dumps(content))
        return path

    def track(self, daemon):
        """Has the daemon ended when the test ends."""
        self._daemons.append(daemon)
        return daemon

    def database(self, name, schema, tool=None):
        """A new database file NAME.db with `schema`: a dictionary, or the path of a schema file."""
        if isinstance(schema, dict):
            schema = self.write(name + ".ovsschema", schema)
        return create_database(self.path(name + ".db"), schema, tool)

    def server(self, name="ours", databases=(), arguments=(), path=None, start=True):
        """Our ovsdb-server (or the one at `path`), started."""
        path = path or binaries.ours("ovsdb-server")
        server = OvsdbServer(path, self.directory, name, databases, arguments, self.env)
        self.track(server)
        return server.start() if start else server

    def reference_server(self, name="stock", databases=(), arguments=(), start=True):
        path = binaries.reference("ovsdb-server")
        return self.server(name, databases, arguments, path, start)

    def run_command(self, *argv, seconds=60, env=None, check=True, stdin=None):
        """Runs a program to its end; fails on a non-zero status unless check is False."""
        done = subprocess.run(
            argv,
            capture_output=True,
            text=True,
            timeout=seconds,
            env=env or self.env,
            input=stdin,
            cwd=self.directory,
        )
        if check and done.returncode:
            self.fail(f"{' '.join(argv)}: status {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def _finish(self):
        try:
            self._end_daemons()
        except Exception:
            self._keep()
            raise
        if self._failed():
            self._keep()
        else:
            shutil.rmtree(self.directory, ignore_errors=True)

    def _end_daemons(self):
        """Ours have to leave in order, when a sanitizer looks for leaks, and without a report of one."""
        status = {}
        try:
            for daemon in reversed(self._daemons):
                if daemon.path == binaries.ours("ovsdb-server") and daemon.has_answered and daemon.running():
                    status[daemon.name] = daemon.exit()
        finally:
            for daemon in reversed(self._daemons):
                daemon.kill()
            self.assertEqual(sanitizers.reports(self.directory), "")
        self.assertEqual(status, dict.fromkeys(status, 0))

    def _keep(self):
        logs = "".join(daemon.diagnostics() for daemon in self._daemons)
        sys.stderr.write(f"{self.id()}: files kept in {self.directory}{logs}\n")

    def _failed(self):
        result = self._outcome.result
        return any(test is self for test, _ in result.failures + result.errors)
