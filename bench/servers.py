"""The servers of a run: one, or a cluster of three, in a directory of their own."""

import json
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time


class RunError(Exception):
    """A run that gives no figures; the message says why."""


class Server:
    """A server process. Its files are called `name` and a suffix."""

    def __init__(self, program, directory, name):
        self.program = program
        self.directory = directory
        self.name = name
        self.file = directory / f"{name}.db"
        self.socket = directory / f"{name}.sock"
        self.control = directory / f"{name}.ctl"
        self.log = directory / f"{name}.log"
        self.process = None
        self.started_nsec = None

    def start(self):
        with open(self.log, "ab") as log:
            self.started_nsec = time.monotonic_ns()
            self.process = subprocess.Popen(
                [self.program, self.file, f"--remote=punix:{self.socket}",
                 f"--unixctl={self.control}", "-vconsole:warn"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.directory)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.kill()

    def wait_until(self, condition, what, timeout):
        deadline = time.monotonic() + timeout
        while not condition():
            if self.process.poll() is not None:
                raise RunError(f"the server ended:\n{self.complaints()}")
            if time.monotonic() > deadline:
                raise RunError(f"not after {timeout} s: {what}")
            time.sleep(0.005)

    def wait_until_it_listens(self, timeout):
        self.wait_until(lambda: self.socket.exists() and self.control.exists(), "the server listens", timeout)

    def call(self, command, *arguments):
        """The answer of a control command."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(20)
            client.connect(str(self.control))
            client.sendall(json.dumps({"id": 0, "method": command, "params": arguments}).encode())
            text = b""
            while True:
                text += client.recv(1 << 16)
                try:
                    reply = json.loads(text)
                    break
                except ValueError:
                    continue
        if reply.get("error"):
            raise RunError(f"{command}: {reply['error']}")
        return reply["result"]

    def complaints(self):
        return "".join(self.log.read_text(errors="replace").splitlines(True)[-10:])


class Alone:
    """One server on a copy of a database, ended and cleaned up when the block ends."""

    def __init__(self, program, database):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="bench-boreas-"))
        self.server = Server(program, self.directory, "db")
        shutil.copyfile(database, self.server.file)
        self.servers = [self.server]
        self.entry = self.server  # Where clients go.

    def __enter__(self):
        self.server.start()
        return self

    def __exit__(self, *_):
        for server in self.servers:
            server.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def pids(self):
        return ",".join(str(server.process.pid) for server in self.servers)


class Cluster(Alone):
    """Three servers of a copy of a database, the third of them `third`, another program perhaps. Clients go to
    the leader, or with `through` "follower" to another one, with "third" to that."""

    def __init__(self, program, database, tool, through, timeout, third=None):
        super().__init__(program, database)
        self._tool = tool
        self._through = through
        self._third = third or program
        self._timeout = timeout
        self.leader = None

    def __enter__(self):
        standalone = self.server.file.rename(self.directory / "standalone.db")
        self.name = self._run_tool("db-name", standalone).strip()
        self._run_tool("create-cluster", self.server.file, standalone, self._address(self.server))
        self.server.start()
        self._await_member(self.server)
        self.add("second")
        third = self.add("third", self._third)
        self.leader = self._find_leader()
        if self._through == "third" and third is self.leader:
            raise RunError("the third server leads")
        self.entry = {"leader": self.leader, "follower": self.followers()[0], "third": third}[self._through]
        return self

    def add(self, name, program=None):
        """Starts a server that joins, and waits until it has."""
        server = Server(program or self.server.program, self.directory, name)
        self._run_tool("join-cluster", server.file, self.name, self._address(server), self._address(self.server))
        self.servers.append(server)
        server.start()
        self._await_member(server)
        return server

    def followers(self):
        return [server for server in self.servers if server is not self.leader]

    def status(self, server):
        """The lines of cluster/status by what stands before the colon."""
        try:
            return dict(re.findall(r"^(\w[\w ]*): (.*)$", server.call("cluster/status", self.name), re.M))
        except (RunError, OSError):
            return {}

    def _await_member(self, server):
        server.wait_until(lambda: self.status(server).get("Status") == "cluster member"
                          and self.status(server).get("Leader") != "unknown", f"{server.name} joins", self._timeout)

    def _find_leader(self):
        found = []

        def look():
            found[:] = [s for s in self.servers if s.process.poll() is None and self.status(s).get("Role") == "leader"]
            return found

        self.server.wait_until(look, "one leads", self._timeout)
        return found[0]

    def _address(self, server):
        return f"unix:{self.directory}/{server.name}.raft"

    def _run_tool(self, *words):
        return subprocess.run([self._tool, *words], check=True, capture_output=True, text=True).stdout
