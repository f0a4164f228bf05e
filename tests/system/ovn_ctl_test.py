"""Debian's ovn-ctl, unchanged, with our programs in OVN_BINDIR."""

import os
import re
import signal
import subprocess
import unittest

from harness import binaries
from harness.case import SystemTest
from harness.waiting import wait_until


@binaries.needs_reference
class OvnCtlTest(SystemTest):
    def setUp(self):
        super().setUp()
        self.folders = {}
        for name, find in (("ours", binaries.ours), ("stock", binaries.reference)):
            folder = self.path(name)
            for part in ("bin", "run", "log", "db", "etc"):
                os.makedirs(os.path.join(folder, part))
            for program in ("ovsdb-server", "ovsdb-tool", "ovn-northd"):
                os.symlink(find(program), os.path.join(folder, "bin", program))
            self.folders[name] = folder
        self.addCleanup(self.end_all)

    def environment(self, name):
        folder = self.folders[name]
        env = {**os.environ, "OVN_BINDIR": folder + "/bin", "OVN_SBINDIR": folder + "/bin"}
        for project in ("OVS", "OVN"):
            for kind, part in (("RUN", "run"), ("LOG", "log"), ("DB", "db"), ("SYSCONF", "etc")):
                env[f"{project}_{kind}DIR"] = f"{folder}/{part}"
        env["PATH"] = os.path.join(binaries.REFERENCE, "bin") + ":" + env["PATH"]
        return env

    def ctl(self, name, *words):
        done = self.run_command(
            binaries.reference("ovn-ctl"), *words, env=self.environment(name), check=False)
        text = f"{words} -> {done.returncode}\n{done.stdout}{done.stderr}".replace(self.folders[name], "DIR")
        return re.sub(r"\b\d{4}-\d\d-\d\dT[0-9:.]+Z\|\d+\|", "", re.sub(r"(?<=pid )\d+|\(\d+\)", "PID", text))

    def both(self, *words):
        self.maxDiff = None
        self.assertEqual(self.ctl("ours", *words), self.ctl("stock", *words))

    def pid(self, name, daemon):
        """Of a database's server (`daemon` is nb, sb or sb_relay) or of "northd"."""
        file_name = "ovn-northd.pid" if daemon == "northd" else f"ovn{daemon}_db.pid"
        with open(f"{self.folders[name]}/run/{file_name}", encoding="ascii") as file:
            return int(file.read())

    def end_all(self):
        for name in self.folders:
            for daemon in ("northd", "nb", "sb", "sb_relay"):
                try:
                    os.kill(self.pid(name, daemon), signal.SIGTERM)
                except (FileNotFoundError, ProcessLookupError):
                    pass

    def nbctl(self, name, *words, **more):
        return self.run_command(
            binaries.reference("ovn-nbctl"), f"--db=unix:{self.folders[name]}/run/ovnnb_db.sock",
            "--timeout=20", *words, **more).stdout

    def same_words(self, daemon):
        """ovn-ctl starts both with the same options: it asks their --help for some."""

        def command_line(name):
            with open(f"/proc/{self.pid(name, daemon)}/cmdline", encoding="utf-8") as file:
                return file.read().replace(self.folders[name], "DIR").split("\0")

        self.assertEqual(command_line("ours"), command_line("stock"))

    def active(self):
        """A server with a northbound to be the backup of, and the options that say so."""
        schema = binaries.reference_file("share/ovn/ovn-nb.ovsschema")
        server = self.reference_server("active", [self.database("active", schema)], ["--remote=ptcp:0:127.0.0.1"])
        self.run_command(binaries.reference("ovn-nbctl"), "--db=" + server.remote, "init", "--", "ls-add", "original")
        return ["--db-nb-sync-from-addr=127.0.0.1", f"--db-nb-sync-from-port={server.bound_port()}"]

    def test_life_of_the_databases(self):
        for database in ("nb", "sb"):
            with self.subTest(database=database):
                self.both("status_ovsdb")
                self.both(f"start_{database}_ovsdb")
                self.both("status_ovsdb")
                self.both(f"start_{database}_ovsdb")
                self.both(f"status_ovn{database}")
        for name in self.folders:
            self.nbctl(name, "ls-add", "sw0")
        before = self.pid("ours", "nb")
        self.both("restart_nb_ovsdb")
        self.assertNotEqual(self.pid("ours", "nb"), before)
        for name in self.folders:
            self.assertIn("sw0", self.nbctl(name, "show"))
        for database in ("nb", "sb"):
            self.both(f"stop_{database}_ovsdb")
            self.both(f"stop_{database}_ovsdb")
        self.both("status_ovsdb")
        self.both("status_ovnnb")

    def test_both_databases_at_once(self):
        self.both("start_ovsdb")
        self.same_words("nb")
        self.same_words("sb")
        self.both("status_ovsdb")
        before = {name: [self.pid(name, database) for database in ("nb", "sb")] for name in self.folders}
        self.both("restart_sb_ovsdb")
        self.both("restart_ovsdb")
        for name, pids in before.items():
            self.assertFalse({self.pid(name, "nb"), self.pid(name, "sb")} & set(pids))
        self.both("status_ovnnb")
        self.both("status_ovnsb")
        self.both("stop_ovsdb")
        self.both("status_ovsdb")

    def test_options(self):
        for options in (["--db-nb-create-insecure-remote=yes", "--db-nb-addr=127.0.0.1", "--db-nb-port=0"],
                        ["--ovsdb-disable-file-column-diff=yes"],
                        ["--db-nb-use-remote-in-db=no", "--ovn-nb-log=-vconsole:off -vfile:dbg"],
                        ["--ovn-nb-db-ssl-protocols=TLSv1.2", "--ovn-nb-db-ssl-ciphers=HIGH",
                         "--ovn-nb-db-ssl-ciphersuites=TLS_AES_128_GCM_SHA256"],
                        ["--ovsdb-nb-wrapper=glibc"]):
            with self.subTest(options=options):
                self.both(*options, "start_nb_ovsdb")
                self.same_words("nb")
                self.both("status_ovnnb")
                self.both("stop_nb_ovsdb")
        self.both("start_nb_ovsdb", "--", "--no-such-option")
        self.both("status_ovnnb")

    def test_configuration_file(self):
        for name, folder in self.folders.items():
            self.write(f"{name}/config.json", {
                "remotes": {f"punix:{folder}/run/ovnnb_db.sock": {}, "db:OVN_Northbound,NB_Global,connections": {}},
                "databases": {f"{folder}/db/ovnnb_db.db": {"service-model": "standalone"}}})
        for name in self.folders:
            self.assertIn("-> 0\n", self.ctl(
                name, f"--db-nb-config-file={self.folders[name]}/config.json", "start_nb_ovsdb"))
            self.nbctl(name, "ls-add", "sw0")
        self.same_words("nb")
        self.both("status_ovnnb")
        self.both("stop_nb_ovsdb")

    def same_files(self):
        def names(name):
            found = []
            for folder, _, files in os.walk(self.folders[name]):
                for file in files:
                    path = os.path.join(folder, file)
                    with_pid = re.sub(r"\.\d+\.ctl", ".PID.ctl", path.replace(self.folders[name], ""))
                    mode = os.stat(path).st_mode
                    # Ours is no business of others.
                    if name == "stock" and path.endswith(".pid"):
                        mode &= ~0o137
                    found.append(f"{with_pid} {mode:o}")
            return sorted(found)

        self.assertEqual(names("ours"), names("stock"))

    def translates(self):
        for name in self.folders:
            self.nbctl(name, "--wait=sb", "sync")

    def test_northd_with_its_databases(self):
        self.both("status_northd")
        self.both("start_northd")
        for daemon in ("nb", "sb", "northd"):
            self.same_words(daemon)
        self.both("status_northd")
        self.both("start_northd")
        self.translates()
        self.same_files()
        before = {name: self.pid(name, "northd") for name in self.folders}
        self.both("restart_northd")
        for name, pid in before.items():
            self.assertNotEqual(self.pid(name, "northd"), pid)
        self.translates()
        self.both("stop_northd")
        self.both("status_northd")
        self.both("status_ovsdb")
        self.both("stop_northd")
        self.same_files()

    def test_northd_alone(self):
        alone = ["--ovn-manage-ovsdb=no"]
        self.both("start_ovsdb")
        for options in ([], ["--ovn-northd-n-threads=4"], ["--ovn-northd-log=-vconsole:off -vfile:dbg"],
                        ["--ovn-northd-wrapper=glibc"], ["--ovn-northd-priority=-5"]):
            with self.subTest(options=options):
                self.both(*alone, *options, "start_northd")
                self.same_words("northd")
                self.both("status_northd")
                self.translates()
                self.both(*alone, "stop_northd")
                self.both("status_northd")
                self.both("status_ovsdb")
        self.both(*alone, "start_northd", "--", "--no-such-option")
        self.both("status_northd")

    def test_northd_that_is_told_its_databases_in_a_file(self):
        self.both("start_ovsdb")
        for name, folder in self.folders.items():
            self.write(f"{name}/etc/ovn-northd-db-params.conf",
                       f"--ovnnb-db=unix:{folder}/run/ovnnb_db.sock --ovnsb-db=unix:{folder}/run/ovnsb_db.sock\n")
        self.both("start_northd")
        self.same_words("northd")
        self.translates()
        self.both("stop_northd")
        self.both("status_ovsdb")

    def test_northd_that_was_killed_is_no_obstacle(self):
        self.both("start_northd")
        for name in self.folders:
            parent, child = self.supervisor(name, "northd"), self.pid(name, "northd")
            os.kill(parent, signal.SIGKILL)
            os.kill(child, signal.SIGKILL)
            wait_until(lambda pid=child: not os.path.exists(f"/proc/{pid}"), "northd is gone")
        self.both("status_northd")
        self.both("start_northd")
        self.translates()
        self.both("stop_northd")

    def test_damaged_database(self):
        """ovsdb-tool is asked first, and its words are shown."""
        for content in ("no database\n", "OVSDB JSON 5 " + 40 * "0" + "\n{}\n\n\n", ""):
            with self.subTest(content=content):
                for name in self.folders:
                    self.write(f"{name}/db/ovnnb_db.db", content)
                self.both("start_nb_ovsdb")
                self.both("status_ovnnb")
                self.both("stop_nb_ovsdb")

    def test_killed_servers_leave_no_obstacle(self):
        self.both("start_nb_ovsdb")
        for name in self.folders:
            parent, child = self.supervisor(name, "nb"), self.pid(name, "nb")
            os.kill(parent, signal.SIGKILL)
            os.kill(child, signal.SIGKILL)
            wait_until(lambda pid=child: not os.path.exists(f"/proc/{pid}"), "the server is gone")
        self.both("status_ovnnb")
        self.both("stop_nb_ovsdb")
        self.both("start_nb_ovsdb")
        self.both("status_ovnnb")

    def supervisor(self, name, daemon):
        with open(f"/proc/{self.pid(name, daemon)}/stat", encoding="ascii") as file:
            return int(file.read().rpartition(")")[2].split()[1])

    def test_files_it_leaves(self):
        self.both("start_nb_ovsdb")
        self.same_files()

    def test_schema_is_upgraded_at_start(self):
        """ovn-ctl asks ovsdb-tool whether the file needs conversion, backs it up and converts it."""
        schema = binaries.reference_file("share/ovn/ovn-nb.ovsschema")
        with open(schema, encoding="utf-8") as file:
            old = self.write("old.ovsschema", file.read().replace('"version": "7.', '"version": "6.'))
        for name in self.folders:
            tool = os.path.join(self.folders[name], "bin", "ovsdb-tool")
            self.run_command(tool, "create", self.folders[name] + "/db/ovnnb_db.db", old)
        self.both("start_nb_ovsdb")
        for name in self.folders:
            self.nbctl(name, "ls-add", "sw0")
            backups = [file for file in os.listdir(self.folders[name] + "/db") if "backup" in file]
            self.assertEqual(len(backups), 1, name)

    def test_demote_and_promote(self):
        self.both("start_nb_ovsdb")
        self.both("demote_ovnnb")  # Of whom, it must be told.
        for name in self.folders:
            self.nbctl(name, "ls-add", "mine")
        active = self.active()
        self.both(*active, "demote_ovnnb")
        self.both("status_ovnnb")
        self.await_original()
        for name in self.folders:
            self.assertNotIn("mine", self.nbctl(name, "ls-list"))
        self.both("demote_ovnnb")  # What it was told is kept in a file.
        self.both("status_ovnnb")
        self.both("promote_ovnnb")
        self.both("status_ovnnb")
        for name in self.folders:
            self.nbctl(name, "ls-add", "mine")

    def start_backup(self, *words):
        """Ours and stock's. (ovn-ctl then has ovn-nbctl make a row, which a backup refuses unless
        it has already got that row from the active server.)"""
        refused = re.compile("ovn-nbctl: transaction error: .* in read only mode.*\n")
        ours, stock = (refused.sub("", self.ctl(name, *words)) for name in ("ours", "stock"))
        self.assertEqual(ours, stock)

    def test_start_as_backup(self):
        active = self.active()
        self.start_backup(*active, "start_nb_ovsdb")
        self.same_words("nb")
        self.both("status_ovnnb")
        self.await_original()
        self.start_backup(*active, "restart_nb_ovsdb")
        self.both("status_ovnnb")
        self.both("promote_ovnnb")
        self.both("status_ovnnb")
        for name in self.folders:
            self.assertIn("original", self.nbctl(name, "ls-list"))
            self.nbctl(name, "ls-add", "mine")
        self.both("stop_nb_ovsdb")

    def test_backup_of_nobody(self):
        nobody = ["--db-sb-sync-from-addr=127.0.0.1", "--db-sb-sync-from-port=1"]
        self.both("start_sb_ovsdb")
        self.both(*nobody, "demote_ovnsb")
        self.both("status_ovnsb")
        self.both("promote_ovnsb")
        self.both("status_ovnsb")

    def await_original(self):
        for name in self.folders:
            wait_until(lambda n=name: "original" in self.nbctl(n, "ls-list"), "the active server's content arrives")

    def test_relay(self):
        self.both("start_sb_ovsdb")
        for number, step in enumerate(("start_sb_relay_ovsdb", "restart_sb_relay_ovsdb")):
            texts = [self.ctl(name, f"--db-sb-relay-remote=unix:{folder}/run/ovnsb_db.sock", step)
                     for name, folder in self.folders.items()]
            self.assertEqual(*texts)
            self.same_words("sb_relay")
            for folder in self.folders.values():
                remote = f"unix:{folder}/run/ovnsb_relay_db.sock"
                # A client that is there when the schema arrives is disconnected.
                self.run_command(binaries.reference("ovsdb-client"), "--timeout=20", "wait", remote,
                                 "OVN_Southbound", "connected")
                relay = [binaries.reference("ovn-sbctl"), "--db=" + remote, "--no-leader-only", "--timeout=20"]
                self.run_command(*relay, "chassis-add", step, "geneve", f"127.0.0.{number}")
                self.assertIn(step, self.run_command(*relay, "show").stdout)
                # Where to listen is read from the database once the relay has got it.
                self.run_command(*relay, "set-connection", "ptcp:0:127.0.0.1")
                log = folder + "/log/ovsdb-server-sb-relay.log"
                wait_until(lambda: read(log).count("0:127.0.0.1: listening on port") > number, "the relay listens")
        self.both("stop_sb_relay_ovsdb")

    def test_run_in_the_foreground(self):
        """run_*_ovsdb, as containers use it: exec'd, without --detach."""
        for database in ("nb", "sb"):
            statuses = []
            for name, folder in self.folders.items():
                with open(self.path("out"), "wb") as out:
                    process = subprocess.Popen(
                        [binaries.reference("ovn-ctl"), f"run_{database}_ovsdb"], env=self.environment(name),
                        stdout=out, stderr=out)
                self.addCleanup(process.wait)
                self.addCleanup(process.kill)
                wait_until(lambda: os.path.exists(f"{folder}/run/ovn{database}_db.ctl"), "the server runs")
                wait_until(lambda: self.pid(name, database) == process.pid, "in the process of ovn-ctl itself")
                wait_until(lambda: self.ctl(name, f"status_ovn{database}").split()[-1] == "running/active", "active")
                process.send_signal(signal.SIGTERM)
                statuses.append(process.wait(20))
            self.assertEqual(*statuses)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


if __name__ == "__main__":
    unittest.main()
