"""The daemon's habits: options, pid files, detaching, the monitor, logs, signals."""

import os
import re
import signal
import subprocess
import time
import unittest

from harness import binaries, jsonrpc, sanitizers
from harness.twins import TwinTest
from harness.waiting import wait_until

SCHEMA = {
    "name": "Small",
    "version": "1.0.0",
    "tables": {"T": {"columns": {"x": {"type": "integer"}}, "isRoot": True}},
}


def alive(pid):
    """Whether any thread is, whose files, and the locks on them, the process has still."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return fields[0] != "Z" or int(fields[17]) > 1


def ends_by(pid, number):
    """Whether the signal ends the process soon."""
    if alive(pid):
        os.kill(pid, number)
    deadline = time.monotonic() + 3
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not alive(pid)


class DaemonTestBase(TwinTest):
    def setUp(self):
        super().setUp()
        self.pids = []
        self.addCleanup(self.end_all)

    def end_all(self):
        for pid in self.pids:
            if alive(pid):
                os.kill(pid, signal.SIGKILL)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def pid_in(self, name):
        pid = int(self.read(name))
        self.pids.append(pid)
        return pid

    def detached(self, program, name, *options):
        """Runs the program with --detach and the usual files called NAME.*; returns its outcome."""
        output = self.path(name + ".out")
        with open(output, "wb") as out:
            done = subprocess.run(
                [program, "--detach", "--no-chdir", f"--pidfile={name}.pid", f"--log-file={name}.log",
                 f"--unixctl={self.path(name)}.ctl", f"--remote=punix:{name}.sock", *options],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self.directory, env=self.env, timeout=60)
        return done.returncode

    def appctl(self, name, *words):
        with jsonrpc.Connection("unix:" + self.path(name + ".ctl")) as connection:
            return connection.call(words[0], list(words[1:]))


class DaemonTest(DaemonTestBase):
    """What can be seen without the reference."""

    def start(self, name="d", *options):
        database = self.database(name, SCHEMA)
        self.assertEqual(self.detached(binaries.ours("ovsdb-server"), name, *options, database), 0, self.read(name + ".out"))
        return self.pid_in(name + ".pid")

    def test_detach_is_ready_when_the_parent_ends(self):
        pid = self.start()
        with jsonrpc.Connection("unix:" + self.path("d.sock")) as client:
            self.assertEqual(client.call("list_dbs", [])["result"][0], "Small")
        self.assertEqual(os.readlink(f"/proc/{pid}/cwd"), self.directory)
        self.assertEqual(os.getsid(pid), os.getpgid(pid))
        for descriptor in ("0", "1", "2"):
            self.assertEqual(os.readlink(f"/proc/{pid}/fd/{descriptor}"), "/dev/null")
        self.appctl("d", "exit")
        wait_until(lambda: not alive(pid), "the daemon ends")
        self.assertEqual([name for name in os.listdir(self.directory) if name.endswith((".pid", ".ctl", ".sock"))], [])

    def test_detach_changes_to_the_root_directory(self):
        database = self.database("d", SCHEMA)
        subprocess.run(
            [binaries.ours("ovsdb-server"), "--detach", f"--pidfile={self.path('d.pid')}",
             f"--unixctl={self.path('d')}.ctl", f"--remote=punix:{self.path('d')}.sock", database],
            cwd=self.directory, env=self.env, timeout=60, check=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.assertEqual(os.readlink(f"/proc/{self.pid_in('d.pid')}/cwd"), "/")

    def test_second_daemon_is_refused_the_pidfile(self):
        pid = self.start()
        other = self.database("other", SCHEMA)
        program = binaries.ours("ovsdb-server")
        self.assertEqual(self.detached(program, "d", other), 1)
        self.assertIn(f"d.pid: already running as pid {pid}, aborting", self.read("d.out"))
        self.assertEqual(int(self.read("d.pid")), pid)

    def test_overwrite_pidfile(self):
        first = self.start()
        other = self.database("other", SCHEMA)
        self.assertEqual(self.detached(binaries.ours("ovsdb-server"), "d", "--overwrite-pidfile", other), 0)
        self.assertNotEqual(self.pid_in("d.pid"), first)

    def test_stale_pidfile_is_taken_over(self):
        pid = self.start()
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not alive(pid), "the daemon dies")
        self.assertEqual(self.detached(binaries.ours("ovsdb-server"), "d", self.path("d.db")), 0)
        self.assertNotEqual(self.pid_in("d.pid"), pid)

    def test_monitor_restarts_after_a_crash(self):
        pid = self.start("d", "--monitor")
        with jsonrpc.Connection("unix:" + self.path("d.sock")) as client:
            client.transact("Small", {"op": "insert", "table": "T", "row": {"x": 1}}, {"op": "commit", "durable": True})
        self.appctl("d", "ovsdb-server/add-remote", "punix:" + self.path("added.sock"))
        os.kill(pid, signal.SIGABRT)  # Which the sanitizers leave alone.
        wait_until(lambda: not alive(pid), "the daemon dies")
        wait_until(self.serving, "the monitor starts a new daemon")
        self.assertNotEqual(self.pid_in("d.pid"), pid)
        with jsonrpc.Connection("unix:" + self.path("d.sock")) as client:
            selected = client.transact("Small", {"op": "select", "table": "T", "where": [], "columns": ["x"]})
        self.assertEqual(selected, [{"rows": [{"x": 1}]}])
        # What was added at run time comes back.
        self.assertIn("added.sock", self.appctl("d", "ovsdb-server/list-remotes")["result"])

    def serving(self):
        try:
            with jsonrpc.Connection("unix:" + self.path("d.sock")) as client:
                return client.call("echo", [])
        except (OSError, jsonrpc.Closed):
            return None

    def test_monitor_leaves_alone_what_was_killed_or_ended(self):
        for number in (signal.SIGKILL, signal.SIGTERM):
            with self.subTest(signal=number):
                pid = self.start(f"m{number}", "--monitor")
                parent = self.parent_of(pid)
                self.pids.append(parent)
                os.kill(pid, number)
                wait_until(lambda p=parent: not alive(p), "the monitor ends with its daemon")
                self.assertFalse(alive(pid))

    def test_monitor_says_what_it_is(self):
        """ps and scripts tell the monitor from the daemon by its title."""
        pid = self.start("d", "--monitor")
        parent = self.parent_of(pid)
        self.pids.append(parent)
        with open(f"/proc/{parent}/cmdline", encoding="utf-8", errors="replace") as cmdline:
            self.assertIn("monitoring pid", cmdline.read())

    @staticmethod
    def parent_of(pid):
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            return int(stat.read().rsplit(")", 1)[1].split()[1])

    def test_log_format(self):
        self.start()
        pattern = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\|\d{5}\|[a-z_0-9]+(\([^)]+\))?\|[A-Z]+\|.")
        lines = self.read("d.log").split("\n")[:-1]
        self.assertTrue(lines)
        for number, line in enumerate(lines, 1):
            self.assertRegex(line, pattern)
            self.assertEqual(int(line.split("|")[1]), number)
        self.assertIn("|vlog|INFO|opened log file d.log", lines[0].replace(self.directory + "/", ""))

    def test_a_broken_pipe_is_survived(self):
        pid = self.start()
        os.kill(pid, signal.SIGPIPE)
        with jsonrpc.Connection("unix:" + self.path("d.sock")) as client:
            self.assertEqual(client.call("echo", ["on"])["result"], ["on"])

    def test_database_in_use_is_refused(self):
        self.start()
        self.assertEqual(self.detached(binaries.ours("ovsdb-server"), "e", self.path("d.db")), 1)
        self.assertIn("cannot lock", (self.read("e.out") + self.read("e.log")).lower())


@binaries.needs_reference
class StartUpTest(DaemonTestBase):
    """What either program says to the same command line, and its status."""

    def outcome(self, program, name, arguments):
        """Status, output and error output of a server that ends by itself, without what differs."""
        path = self.database(name, SCHEMA)
        filled = [argument.replace("NAME", name) for argument in arguments]
        if not any(argument.startswith("--unixctl") for argument in filled):
            filled.insert(0, f"--unixctl={self.path(name)}.ctl")
        done = subprocess.run(
            [program, *filled], capture_output=True, text=True,
            cwd=self.directory, env=self.env, timeout=60, stdin=subprocess.DEVNULL)
        os.unlink(path)
        errors = re.sub(r"(?m)^\S+Z\|\d{5}\|", "", done.stderr).replace(program, "PROGRAM")
        errors = re.sub(r"\berror:[0-9A-F]{8}:.*", "OPENSSL", errors)
        errors = re.sub(r"listening on port \d+", "listening on port N", errors)
        # How often it tries and complains is each implementation's own.
        lines = list(dict.fromkeys(errors.split("\n")))
        text = "\n".join([str(done.returncode), done.stdout, *lines])
        return re.sub(rf"\b{name}\b", "NAME", text).replace(self.directory, "DIR")

    def same_outcome(self, *arguments):
        self.assert_same(*(self.outcome(program, name, arguments) for name, program in self.programs()))

    def same_outcomes(self, command_lines):
        for arguments in command_lines:
            with self.subTest(arguments=arguments):
                self.same_outcome(*arguments)

    def test_refused_command_lines(self):
        self.write("file", "nonsense\n")
        os.mkdir(self.path("folder"))
        self.same_outcomes((
            ["nowhere.db"], ["NAME.db", "nowhere.db"], ["file"], ["folder"], ["--nonsense"], ["--rem"],
            ["--remote"], ["-x"], ["--ver=3"], ["--ssl=x"], ["--umask=022", "NAME.db"], ["--unixctl"],
            ["--unixctl=/nowhere/x", "NAME.db"], ["--unixctl=folder", "NAME.db"],
            ["--sync-from"], ["--syslog-method=nonsense", "NAME.db"], ["--run"],
            ["--log-file=/nowhere/l", "NAME.db"], ["--log-file=folder", "NAME.db"],
            ["-vfoo:bar", "NAME.db"], ["-vconsole:nolevel", "NAME.db"], ["-vPATTERN:nowhere:%m", "NAME.db"],
            ["-vFACILITY:nonsense", "NAME.db"],
            ["--config-file"], ["--config-file=nowhere"], ["--config-file=folder"], ["--config-file=file"],
            ["--config-file=x", "NAME.db"], ["--config-file=x", "--remote=punix:x"],
            ["--config-file=x", "--sync-from=unix:x"], ["--config-file=x", "--active"],
            ["--config-file=x", "--sync-exclude-tables=x"],
            ["--remote=db:a,b,c", "NAME.db"], ["--remote=db:Small,b,c", "NAME.db"],
            ["--remote=db:Small,T,y", "NAME.db"], ["--remote=db:Small", "NAME.db"], ["--remote=db:", "NAME.db"],
            ["relay:a"], ["relay:"],
            ["--pidfile=/nowhere/pid", "NAME.db"], ["--pidfile=folder", "NAME.db"],
            ["--detach", "nowhere.db"], ["--detach", "--monitor", "nowhere.db"],
            ["--detach", "--pidfile=/nowhere/pid", "NAME.db"],
            ["--user=no_such_user", "NAME.db"], ["--pidfile", "--user=no_such_user", "NAME.db"],
            ["--user=root:no_such_group", "NAME.db"], ["--user=:no_such_group", "NAME.db"],
            ["--user=nobody:daemon", "NAME.db"],
            ["--private-key=db:a,b,c", "NAME.db"], ["--ca-cert=db:x", "NAME.db"],
            ["--certificate=db:Small,T,x", "NAME.db"], ["--ssl-protocols=db:x", "NAME.db"],
            ["--ssl-server-name=x", "NAME.db"],
        ))

    def test_odd_command_lines(self):
        """What is logged of what is no reason not to start."""
        os.mkdir(self.path("folder"))
        self.same_outcomes([*line, "--run=sleep 0.1", "NAME.db"] for line in (
            [], ["NAME.db"], ["-vconsole:emer"], ["-vPATTERN:console:%c|%p|%m"], ["-vFACILITY:daemon"],
            ["--verbose=console:off"], ["--unixctl=none"], ["--no-self-confinement"], ["--no-chdir"],
            ["--overwrite-pidfile"], ["--disable-file-column-diff", "--disable-file-no-data-conversion"],
            ["--sync-from=nonsense"], ["--sync-from=unix:nowhere"], ["--sync-from=unix:nowhere", "--active"],
            ["--active"], ["--sync-exclude-tables=x"], ["--sync-exclude-tables=nonsense", "--sync-from=unix:x"],
            ["--sync-exclude-tables=Small:X,", "--sync-from=unix:x"], ["relay:a:unix:x", "relay:a:unix:y"],
            ["--syslog-method=null"], ["--syslog-method=libc"], ["--syslog-method=unix:/nowhere"],
            ["--syslog-method=udp:127.0.0.1:514"], ["--syslog-method=udp:nonsense"],
            ["--syslog-target=127.0.0.1:5140"], ["--syslog-target=nonsense"],
            ["--log-file=NAME.log"], ["--log-file"], ["--pidfile"], ["--pidfile=NAME.pid"], ["--pidfile=nonsense"],
            ["--remote=db:Small,T,x"], ["--remote=db:Small,T,x,y"], ["--remote=nonsense"], ["--remote="],
            ["--remote=punix:/nowhere/x"], ["--remote=punix:folder"], ["--remote=ptcp:99999"], ["--remote=ptcp:x"],
            ["--remote=ptcp:0:127.0.0.1"], ["--remote=ptcp:0:[::1]"],
            ["--remote=ptcp:0:[::g]"], ["--remote=pssl:0:127.0.0.1"],
            ["--remote=tcp:127.0.0.1:1"], ["--remote=tcp:127.0.0.1:x"], ["--remote=tcp:127.0.0.1:1:1"],
            ["--remote=tcp:127.0.0.1"], ["--remote=unix:nowhere"], ["--remote=ssl:127.0.0.1:1"],
            ["--private-key=nowhere"], ["--certificate=nowhere"], ["--ca-cert=nowhere"], ["--ca-cert=none"],
            ["--private-key=nowhere", "--certificate=nowhere"], ["-p", "NAME.db", "-c", "NAME.db", "-C", "NAME.db"],
            ["--bootstrap-ca-cert=nowhere"], ["--bootstrap-ca-cert=NAME.db"], ["--peer-ca-cert=nowhere"],
            ["--peer-ca-cert=NAME.db"], ["--peer-ca-cert=db:x,y,z"],
            *([f"--ssl-protocols={protocols}"] for protocols in (
                "nonsense", "TLSv1.2", "TLSv1.3+", "TLSv1.1+", "TLSv1,TLSv1.3", "TLSv1.1,TLSv1", "TLSv1.3-TLSv1.2",
                "TLSv1.2-", "-TLSv1.2", "SSLv3", "TLSv1.2+,TLSv1.3", "TLSv1.2 TLSv1.3", "tlsv1.2", "TLSv1.2,nonsense",
                "TLSv1.2-TLSv1.3,TLSv1.2")),
            ["--ssl-ciphers=nonsense"], ["--ssl-ciphers=HIGH:!aNULL"],
            ["--ssl-ciphersuites=nonsense"], ["--ssl-ciphersuites=TLS_AES_128_GCM_SHA256"], ["--ssl-ciphersuites="],
        ))

    def test_version(self):
        for option in ("--version", "-V"):
            self.same_outcome(option)

    def test_help_names_every_option_of_stock(self):
        helps = [
            subprocess.run([program, "--help"], capture_output=True, text=True, timeout=20)
            for _, program in self.programs()
        ]
        self.assertEqual([done.returncode for done in helps], [0, 0])
        ours, stock = [set(re.findall(r"--[a-z][a-z-]+", done.stdout)) for done in helps]
        # They record and replay a server's input, and are left out.
        self.assertEqual(stock - ours, {"--record", "--replay"})
        self.assertEqual(ours - stock, {"--history-bytes", "--log-format", "--metrics"})  # Ours alone: see README.

    def test_run(self):
        """--run ends the server with its command and passes on whether it failed."""
        for command in ("exit 0", "exit 3", "kill -9 $$", "test -S NAME.sock", "/nowhere/program"):
            with self.subTest(command=command):
                self.same_outcome("-vconsole:err", "--remote=punix:NAME.sock", f"--run={command}", "NAME.db")

    def test_run_can_use_the_server(self):
        client = binaries.reference("ovsdb-client")
        command = f"{client} transact unix:NAME.sock '[\"Small\",{{\"op\":\"insert\",\"table\":\"T\",\"row\":{{}}}}]'"
        for name, program in self.programs():
            text = self.outcome(program, name, ["-vconsole:err", "--remote=punix:NAME.sock", f"--run={command}", "NAME.db"])
            self.assertRegex(text, r'^0\n\[{"uuid":\["uuid","[0-9a-f-]{36}"\]}\]\n')

    def test_corrupt_databases(self):
        """The same words about a file that is none, empty, or damaged."""
        whole = self.database("whole", SCHEMA, binaries.reference("ovsdb-tool"))
        with open(whole, "rb") as file:
            content = file.read()
        for damage in (b"", b"nonsense\n", content[:20], content[:-5], content.replace(b"Small", b"Smell"),
                       content.replace(b"OVSDB", b"OVSDC"), b"\0" * 100):
            with open(self.path("damaged.db"), "wb") as file:
                file.write(damage)
            with self.subTest(damage=damage[:40], length=len(damage)):
                self.same_outcome("damaged.db")


    def start_twin(self, name, program, *options):
        """A detached server of our own or of stock; returns its pid."""
        database = self.database(name, SCHEMA)
        self.assertEqual(self.detached(program, name, *options, database), 0, self.read(name + ".out"))
        return self.pid_in(name + ".pid")

    def log_of(self, name):
        """What was logged, without times, numbers and processes."""
        text = re.sub(r"(?m)^\S+Z\|\d{5}\|", "", self.read(name + ".log"))
        return re.sub(r"\bpid \d+", "pid N", text).replace(self.directory, "DIR").replace(name, "NAME")

    def hang_up_by(self, disposition):
        """What the servers of this test inherit for SIGHUP."""
        self.addCleanup(signal.signal, signal.SIGHUP, signal.signal(signal.SIGHUP, disposition))

    def test_an_ignored_signal_stays_ignored(self):
        self.hang_up_by(signal.SIG_IGN)
        for twin, program in self.programs():
            pid = self.start_twin(twin, program)
            os.kill(pid, signal.SIGHUP)
            self.assertFalse(ends_by(pid, signal.SIGHUP), twin)
            self.assertTrue(ends_by(pid, signal.SIGTERM), twin)

    def test_signals(self):
        self.hang_up_by(signal.SIG_DFL)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM, signal.SIGUSR1):
            logs = []
            for twin, program in self.programs():
                name = f"{twin}{int(number)}"
                pid = self.start_twin(name, program)
                wait_until(lambda n=name: "Open vSwitch" in self.log_of(n), "it has come up")
                wait_until(lambda pid=pid, number=number: ends_by(pid, number), "the daemon ends")
                left = sorted(file for file in os.listdir(self.directory) if file.startswith(name + "."))
                logs.append(self.log_of(name) + " ".join(left).replace(name, "NAME"))
            with self.subTest(signal=number):
                self.assert_same(*logs)

    def test_supervision(self):
        """What --monitor logs and is called, before and after a crash."""
        sanitizers.let_crash(self.env)
        seen = []
        for name, program in self.programs():
            pid = self.start_twin(name, program, "--monitor")
            command_line = self.title(pid)
            monitor = DaemonTest.parent_of(pid)
            self.pids.append(monitor)
            # It says what it does a moment after its daemon serves.
            titles = [wait_until(lambda m=monitor: "monitoring" in self.title(m) and self.title(m),
                                 "the monitor has its title")]
            os.kill(pid, signal.SIGSEGV)
            wait_until(lambda p=pid: not alive(p), "the daemon dies")
            wait_until(lambda n=name: self.answers(n), "a new one serves")
            restarted = self.pid_in(name + ".pid")
            titles.append(wait_until(
                lambda m=monitor, t=titles[0]: self.title(m) != t and self.title(m), "the monitor tells of it"))
            self.assertEqual(self.title(restarted), command_line)
            self.appctl(name, "exit")
            wait_until(lambda m=monitor: not alive(m), "the monitor ends")
            self.assertFalse(alive(restarted))
            # A crash leaves a trace, each implementation's own.
            log = "\n".join(line for line in self.log_of(name).split("\n") if line.startswith("daemon_unix"))
            seen.append("\n".join([*titles, log.replace(", core dumped", "")]))
        self.assert_same(*seen)

    def test_supervision_without_a_log_file(self):
        """Why a daemon died, and what the next one has to say, is in a file all the same."""
        sanitizers.let_crash(self.env)
        logs = []
        for name, program in self.programs():
            os.mkdir(self.path(name))
            database = self.database(name, SCHEMA)
            done = subprocess.run(
                [program, "--detach", "--no-chdir", "--monitor", f"--pidfile={name}.pid", f"--unixctl={self.path(name)}.ctl",
                 database], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                cwd=self.directory, env={**self.env, "OVS_LOGDIR": self.path(name)}, timeout=60)
            self.assertEqual(done.returncode, 0)
            pid = self.pid_in(name + ".pid")
            monitor = DaemonTest.parent_of(pid)
            self.pids.append(monitor)
            log = self.path(name, "ovsdb-server.log")
            self.assertFalse(os.path.exists(log))
            os.kill(pid, signal.SIGSEGV)
            wait_until(lambda p=pid: not alive(p), "the daemon dies")
            wait_until(lambda n=name: self.answers(n), "a new one serves")
            self.pid_in(name + ".pid")
            self.appctl(name, "exit")
            wait_until(lambda m=monitor: not alive(m), "the monitor ends")
            with open(log, encoding="utf-8") as file:
                found = re.findall(r"(?:vlog|daemon_unix|ovsdb_server)\(.*?\)\|.*", file.read())
            logs.append("\n".join(sorted(re.sub(r"\bpid \d+", "pid N", line).replace(self.path(name), "DIR")
                                         .replace(", core dumped", "") for line in found)))
        self.assert_same(*logs)

    def answers(self, name):
        try:
            return self.appctl(name, "version")
        except (OSError, jsonrpc.Closed):
            return None

    @staticmethod
    def title(pid):
        with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as cmdline:
            return re.sub(r"\d+", "N", cmdline.read().split("\0")[0])


if __name__ == "__main__":
    unittest.main()
