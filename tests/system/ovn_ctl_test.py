"""Debian's ovn-ctl, unchanged, with our ovsdb-server and ovsdb-tool in OVN_BINDIR."""

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
            for program in ("ovsdb-server", "ovsdb-tool"):
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

    def pid(self, name, database):
        with open(f"{self.folders[name]}/run/ovn{database}_db.pid", encoding="ascii") as file:
            return int(file.read())

    def end_all(self):
        for name in self.folders:
            for database in ("nb", "sb"):
                try:
                    os.kill(self.pid(name, database), signal.SIGTERM)
                except (FileNotFoundError, ProcessLookupError):
                    pass

    def nbctl(self, name, *words):
        return self.run_command(
            binaries.reference("ovn-nbctl"), f"--db=unix:{self.folders[name]}/run/ovnnb_db.sock",
            "--timeout=20", *words).stdout

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

    def test_files_it_leaves(self):
        self.both("start_nb_ovsdb")

        def names(name):
            found = []
            for folder, _, files in os.walk(self.folders[name]):
                for file in files:
                    path = os.path.join(folder, file)
                    found.append(f"{path.replace(self.folders[name], '')} {os.stat(path).st_mode:o}")
            return sorted(found)

        self.assertEqual(names("ours"), names("stock"))

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

    def test_promote_and_demote(self):
        self.both("start_nb_ovsdb")
        self.both("--db-nb-sync-from-addr=127.0.0.1", "--db-nb-sync-from-port=1", "demote_ovnnb")
        self.both("status_ovnnb")
        self.both("promote_ovnnb")
        self.both("status_ovnnb")

    def test_run_in_the_foreground(self):
        """run_nb_ovsdb, as containers use it: exec'd, without --detach."""
        with open(self.path("out"), "wb") as out:
            process = subprocess.Popen(
                [binaries.reference("ovn-ctl"), "run_nb_ovsdb"], env=self.environment("ours"), stdout=out, stderr=out)
        self.addCleanup(process.kill)
        wait_until(lambda: os.path.exists(self.folders["ours"] + "/run/ovnnb_db.ctl"), "the server runs")
        wait_until(lambda: self.pid("ours", "nb") == process.pid, "in the process of ovn-ctl itself")
        process.send_signal(signal.SIGTERM)
        process.wait(20)


if __name__ == "__main__":
    unittest.main()
