"""Starts and stops daemons in the foreground, each with a log, a control socket and a pid of ours."""

import os
import re
import signal
import subprocess

from harness import binaries, jsonrpc
from harness.waiting import wait_until


class DaemonDied(AssertionError):
    pass


class CommandFailed(AssertionError):
    """An appctl command answered with an error, which is str() of this."""


class Daemon:
    """A daemon in the foreground. `path` is the program, `directory` where its files go."""

    def __init__(self, path, directory, name, arguments=(), env=None):
        self.path = path
        self.directory = directory
        self.name = name
        self.control = os.path.join(directory, name + ".ctl")
        self.log_path = os.path.join(directory, name + ".log")
        self.stderr_path = os.path.join(directory, name + ".err")
        self.arguments = list(arguments)
        self.env = env
        self.process = None
        self.has_answered = False

    def argv(self):
        return [
            self.path,
            "-vconsole:off",
            "--log-file=" + self.log_path,
            "--unixctl=" + self.control,
            *self.arguments,
        ]

    def start(self, ready=True, preexec=None):
        """Starts it and, unless ready is False, waits until it answers on its control socket."""
        self.has_answered = False
        with open(self.stderr_path, "ab") as stderr:
            self.process = subprocess.Popen(
                self.argv(),
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=stderr,
                stderr=stderr,
                env=self.env,
                preexec_fn=preexec,
            )
        if ready:
            self.wait_ready()
        return self

    def wait_ready(self):
        wait_until(self._answers, f"{self.name} answers on {self.control}")
        self.has_answered = True

    def _answers(self):
        self.check_alive()
        try:
            return self.appctl("version")
        except (OSError, jsonrpc.Closed, jsonrpc.Timeout):
            return None

    def check_alive(self):
        if self.process.poll() is not None:
            raise DaemonDied(
                f"{self.name} exited with {self.process.returncode}: {self.diagnostics()}"
            )

    def appctl(self, command, *arguments, seconds=20):
        """The answer of a control command as ovs-appctl would print it."""
        with jsonrpc.Connection("unix:" + self.control) as connection:
            reply = connection.call(command, list(arguments), seconds)
        if reply.get("error") is not None:
            raise CommandFailed(reply["error"])
        return reply["result"]

    @property
    def pid(self):
        return self.process.pid

    def resident_kb(self):
        return self._status_kb("VmRSS")

    def peak_kb(self):
        return self._status_kb("VmHWM")

    def _status_kb(self, key):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            return int(re.search(rf"^{key}:\s+(\d+)", status.read(), re.M).group(1))

    def running(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def exit(self, seconds=20):
        """Has it leave by its control command; returns its exit status."""
        self.appctl("exit", seconds=seconds)
        return self.process.wait(seconds)

    def kill(self):
        """SIGKILL, as a power cut would."""
        if self.running():
            self.process.kill()
        return self.process.wait(20) if self.process else None

    def stop(self, seconds=20):
        """Ends it with SIGTERM, by force if it does not heed; returns its exit status."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError(f"{self.name} ignored SIGTERM for {seconds} s") from None
        return self.process.returncode

    def diagnostics(self):
        text = ""
        for path in (self.stderr_path, self.log_path):
            if os.path.exists(path):
                with open(path, errors="replace", encoding="utf-8") as log:
                    text += f"\n--- {path}\n" + "".join(log.readlines()[-30:])
        return text


class OvsdbServer(Daemon):
    """ovsdb-server with its files in `directory` and a unix socket that is always there."""

    def __init__(self, path, directory, name, databases=(), arguments=(), env=None):
        self.socket = os.path.join(directory, name + ".sock")
        self.remote = "unix:" + self.socket
        self.databases = list(databases)
        if not self.databases:
            arguments = ["--no-dbs", *arguments]
        super().__init__(
            path,
            directory,
            name,
            ["--remote=punix:" + self.socket, *arguments, *self.databases],
            env,
        )

    def connect(self):
        return jsonrpc.Connection(self.remote)

    def bound_port(self, address="0:127.0.0.1"):
        """The port the kernel chose for a passive TCP or TLS remote with port 0, as the log tells."""
        pattern = re.compile(re.escape(address) + r": listening on port (\d+)")

        def find():
            with open(self.log_path, encoding="utf-8") as log:
                found = pattern.findall(log.read())
            return found and int(found[-1])

        return wait_until(find, f"{self.name} logs the port of {address}")


def create_database(path, schema_path, tool=None):
    """Makes a standalone database file with ovsdb-tool."""
    tool = tool or binaries.ours("ovsdb-tool")
    subprocess.run([tool, "create", path, schema_path], check=True, timeout=30)
    return path
