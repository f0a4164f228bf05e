"""Backups of active servers, with ours and the reference's on either side."""

import json
import os
import signal
import unittest

from harness.mirror import (
    OTHER_SCHEMA,
    SCHEMA,
    ZERO,
    MirrorTest,
    answer,
    change,
    changed,
    crash,
    follows,
    insert,
    logged,
    numbers,
    rows,
)
from harness.waiting import wait_until

ACTIVE = "database: Repl\nstate: active\n\n"


def status(server):
    return server.appctl("ovsdb-server/sync-status")


def backup_of(source, exclude=""):
    return f"database: Repl\nstate: backup\nreplicating: {source.remote}\n{exclude}\n"


def connecting_to(remote):
    return f"database: Repl\nstate: backup\nconnecting: {remote}\n"


def becomes(server, text):
    wait_until(lambda: status(server) == text, f"{server.name} says {text!r}")


class CopyTest(MirrorTest):
    def test_copies_and_follows(self):
        def scenario(pair):
            source = pair.source()
            change(source)
            backup = pair.backup(source)
            follows(backup, source)
            change(source, [insert(7)], [{"op": "delete", "table": "A", "where": [["n", "==", 3]]}])
            follows(backup, source)
            self.assertEqual(status(backup), backup_of(source))
            self.assertEqual(answer(backup, "get-active-ovsdb-server"), source.remote)

        self.each(scenario)

    def test_a_backup_is_only_read(self):
        refusal = "{} operation not allowed when database server is in read only mode"
        writes = {
            "insert": insert(9),
            "mutate": {"op": "mutate", "table": "A", "where": [], "mutations": [["n", "+=", 1]]},
            "delete": {"op": "delete", "table": "A", "where": []},
            "commit": {"op": "commit", "durable": True},
        }

        def scenario(pair):
            source = pair.source()
            change(source, [insert(1)])
            backup = pair.backup(source)
            follows(backup, source)
            with backup.connect() as client:
                for name, operation in writes.items():
                    [refused] = client.transact("Repl", operation)
                    self.assertEqual(refused, {"error": "not allowed", "details": refusal.format(name)})
                converted = client.call("convert", ["Repl", SCHEMA])["error"]
                self.assertEqual(converted["error"], "not allowed")
                self.assertEqual(converted["details"], "conversion is not allowed for read-only database Repl")
                self.assertEqual(client.call("lock", ["l"])["result"], {"locked": True})
                select = {"op": "select", "table": "Database", "where": [["name", "==", "Repl"]],
                          "columns": ["model", "connected", "leader"]}
                self.assertEqual(client.transact("_Server", select)[0]["rows"],
                                 [{"model": "standalone", "connected": True, "leader": True}])
            self.assertEqual(numbers(backup), [1])

        self.each(scenario)

    def test_clients_of_a_backup_are_told_of_changes(self):
        def scenario(pair):
            source = pair.source()
            backup = pair.backup(source)
            becomes(backup, backup_of(source))
            changes = [insert(5), {"op": "update", "table": "A", "where": [], "row": {"n": 6}},
                       {"op": "delete", "table": "A", "where": []}]
            told = []
            with backup.connect() as client:
                client.call("monitor_cond_since", ["Repl", "m", {"A": {"columns": ["n"]}}, ZERO])
                for operation in changes:  # One by one, lest they come as one update.
                    change(source, [operation])
                    told.append(client.wait_for(lambda m: m.get("method") == "update3")[0])
            [row] = told[0]["params"][2]["A"]
            self.assertEqual([m["params"][2]["A"][row] for m in told],
                             [{"insert": {"n": 5}}, {"modify": {"n": 6}}, {"delete": None}])

        self.each(scenario)

    def test_the_active_goes_and_returns(self):
        def scenario(pair):
            source = pair.source()
            change(source)
            backup = pair.backup(source)
            follows(backup, source)
            before = rows(source)
            source.kill()
            wait_until(lambda: logged(backup, "reconnect")[-1].endswith("before reconnect"), "it tries again")
            self.assertEqual(rows(backup), before)
            self.assertEqual(status(backup), backup_of(source))
            os.unlink(source.socket)
            source.start()
            change(source, [insert(5)])
            follows(backup, source)

        self.each(scenario)

    def test_the_file_of_a_backup(self):
        """What was replicated is kept, and opens in the other server as well."""

        def scenario(pair):
            source = pair.source()
            change(source)
            backup = pair.backup(source)
            follows(backup, source)
            before = rows(source)
            source.stop()
            backup.kill()
            for role in ("follower", "source"):
                reader = pair.server(role, f"{role}-reads", backup.databases)
                self.assertEqual(rows(reader), before)
                reader.stop()

        self.each(scenario)

    def test_excluded_tables(self):
        excluded = "exclude: Repl:B,Repl:Secret\n"

        def scenario(pair):
            source = pair.source()
            change(source, [{"op": "insert", "table": "Secret", "row": {"text": "theirs"}}, insert(1)])
            backup = pair.backup(source, "--sync-exclude-tables=Repl:Secret,Repl:B", "--active")
            change(backup, [{"op": "insert", "table": "Secret", "row": {"text": "mine"}}, insert(2)])
            mine = rows(backup, "Secret")
            answer(backup, "connect-active-ovsdb-server")
            follows(backup, source, "A")
            self.assertEqual(status(backup), backup_of(source, excluded)[:-1])
            self.assertEqual(rows(backup, "Secret"), mine)
            self.assertEqual(answer(backup, "get-sync-exclude-tables"), "Repl:Secret,Repl:B")
            # A table of no database in particular is one of every database.
            alone = pair.backup(source, "--sync-exclude-tables=Secret", name="alone")
            follows(alone, source, "A")
            self.assertEqual(status(alone), backup_of(source, "exclude: Repl:Secret\n")[:-1])
            # At run time the copy is made anew.
            self.assertEqual(answer(alone, "set-sync-exclude-tables", "Other:A"), "")
            follows(alone, source)
            self.assertEqual(status(alone), backup_of(source))

        self.each(scenario)

    def test_several_databases(self):
        def scenario(pair):
            source = pair.source(databases=[pair.database("a"), pair.database("b", OTHER_SCHEMA)])
            change(source)
            change(source, [{"op": "insert", "table": "T", "row": {"x": "y"}}], database="Other")
            backup = pair.backup(source)
            follows(backup, source)
            self.assertEqual(answer(backup, "add-db", pair.database("c", OTHER_SCHEMA)), "")
            follows(backup, source, "T", database="Other")
            self.assertEqual(status(backup), backup_of(source).replace("Repl", "Other") + backup_of(source))
            self.assertEqual(answer(backup, "remove-db", "Other"), "")
            self.assertEqual(status(backup), backup_of(source))

        self.each(scenario)

    def test_a_backup_of_a_backup(self):
        def scenario(pair):
            source = pair.source()
            change(source)
            backup = pair.backup(source)
            third = pair.server("source", "third", arguments=["--sync-from=" + backup.remote])
            follows(third, source)
            change(source, [insert(8)])
            follows(third, source)

        self.each(scenario)


class RoleTest(MirrorTest):
    def test_promoted_and_demoted(self):
        def scenario(pair):
            source = pair.source()
            change(source, [insert(1)])
            backup = pair.backup(source)
            follows(backup, source)
            with backup.connect() as client:
                self.assertEqual(answer(backup, "disconnect-active-ovsdb-server"), "")
                self.assertEqual(status(backup), ACTIVE)
                self.assertIn("uuid", client.transact("Repl", insert(77))[0])
                self.assertEqual(answer(backup, "connect-active-ovsdb-server"), "")
                follows(backup, source)
                self.assertEqual(status(backup), backup_of(source))
                self.assertEqual(client.transact("Repl", insert(78))[0]["error"], "not allowed")
            self.assertEqual(numbers(source), [1])

        self.each(scenario)

    def test_started_active(self):
        def scenario(pair):
            source = pair.source()
            change(source)
            backup = pair.backup(source, "--active")
            self.assertEqual((status(backup), rows(backup)), (ACTIVE, [[], [], []]))
            self.assertEqual(answer(backup, "get-active-ovsdb-server"), source.remote)
            answer(backup, "connect-active-ovsdb-server")
            follows(backup, source)

        self.each(scenario)

    def test_told_at_run_time(self):
        def scenario(pair):
            source, other = pair.source(), pair.source("other")
            change(source, [insert(1)])
            change(other, [insert(2)])
            server = pair.server("follower", "backup")
            self.assertEqual(answer(server, "connect-active-ovsdb-server"),
                             "Unable to connect: active server is not specified.\n")
            self.assertEqual(answer(server, "get-active-ovsdb-server"), "")
            answer(server, "set-active-ovsdb-server", source.remote)
            self.assertEqual(status(server), "state: active\n")
            answer(server, "connect-active-ovsdb-server")
            follows(server, source)
            # What is set counts from the next time that it becomes a backup.
            answer(server, "set-active-ovsdb-server", "foo:bar")
            answer(server, "connect-active-ovsdb-server")
            self.assertEqual(answer(server, "get-active-ovsdb-server"), "foo:bar")
            self.assertEqual(status(server), backup_of(source))
            answer(server, "disconnect-active-ovsdb-server")
            answer(server, "connect-active-ovsdb-server")
            self.assertEqual(status(server), connecting_to("foo:bar"))
            failed = "foo:bar: connection attempt failed (Address family not supported by protocol)"
            wait_until(lambda: failed in logged(server, "reconnect"), "the attempt fails")
            self.assertEqual(numbers(server), [1])
            answer(server, "disconnect-active-ovsdb-server")
            # There is one active server, not a list.
            both = f"{source.remote},{other.remote}"
            answer(server, "set-active-ovsdb-server", both)
            answer(server, "connect-active-ovsdb-server")
            self.assertEqual(status(server), connecting_to(both))
            answer(server, "disconnect-active-ovsdb-server")
            answer(server, "set-active-ovsdb-server", other.remote)
            answer(server, "connect-active-ovsdb-server")
            follows(server, other)

        self.each(scenario)

    def test_probe_interval(self):
        def scenario(pair):
            source = pair.source()
            backup = pair.backup(source)
            becomes(backup, backup_of(source))
            self.assertEqual(answer(backup, "set-active-ovsdb-server-probe-interval", "x"),
                             "error: Invalid probe interval, integer value expected")
            self.assertEqual(answer(backup, "set-active-ovsdb-server-probe-interval", "1000"), "")
            source.signal(signal.SIGSTOP)
            silent = f"{source.remote}: no response to inactivity probe after 1"
            wait_until(lambda: any(line.startswith(silent) for line in logged(backup, "reconnect")),
                       "the active does not answer")
            source.signal(signal.SIGCONT)
            change(source, [insert(1)])
            follows(backup, source)

        self.each(scenario)

    def test_after_a_crash(self):
        """What --monitor starts again has the role that the server had."""

        def scenario(pair):
            source = pair.source()
            change(source, [insert(1)])
            options = ["--sync-from=" + source.remote]
            backup = pair.daemon("follower", "backup", [pair.database("backup")], options)
            follows(backup, source)
            crash(backup, signal.SIGABRT)
            becomes(backup, backup_of(source))
            answer(backup, "disconnect-active-ovsdb-server")
            answer(backup, "set-sync-exclude-tables", "Repl:B")
            answer(backup, "set-active-ovsdb-server", "unix:nowhere")
            crash(backup, signal.SIGABRT)
            self.assertEqual(status(backup), ACTIVE)
            self.assertEqual(answer(backup, "get-sync-exclude-tables"), "Repl:B")
            answer(backup, "connect-active-ovsdb-server")
            self.assertEqual(status(backup), connecting_to("unix:nowhere"))

        self.each(scenario)

    def test_configuration_file(self):
        def scenario(pair):
            source, other = pair.source(), pair.source("other")
            change(source, [insert(1)])
            change(other, [insert(2)])
            backup = pair.server("follower", "backup", start=False)

            def configure(**options):
                config = {"remotes": {"punix:" + backup.socket: {}},
                          "databases": {backup.databases[0]: {"service-model": "active-backup", **options}}}
                return self.write(f"{pair.name}.json", config)

            path = configure(source={source.remote: None}, backup=True)
            backup.arguments = ["--config-file=" + path]
            backup.start()
            follows(backup, source)
            change_it = f"error: Update the {path} and use ovsdb-server/reload instead"
            self.assertEqual(answer(backup, "disconnect-active-ovsdb-server"), change_it)
            self.assertEqual(answer(backup, "get-active-ovsdb-server"), "")
            configure(source={other.remote: {"max-backoff": 2000}}, backup=True)
            self.assertEqual(answer(backup, "reload"), "")
            follows(backup, other)
            configure(source={other.remote: {}}, backup=True, **{"exclude-tables": ["Secret", "B"]})
            self.assertEqual(answer(backup, "reload"), "")
            becomes(backup, backup_of(other, "exclude: Repl:B,Repl:Secret\n")[:-1])
            configure(backup=False)
            self.assertEqual(answer(backup, "reload"), "")
            self.assertEqual(status(backup), ACTIVE)
            change(backup, [insert(3)])

        self.each(scenario)


class CannotTest(MirrorTest):
    """What cannot be a backup is active, and says why in the log."""

    def attempt(self, pair, source, name, *arguments, **more):
        """Starts a backup of `source`; returns what its log says of replication."""
        backup = pair.backup(source, *arguments, name=name, **more)
        wait_until(lambda: "connecting" not in status(backup), f"{name} has tried")
        return backup, logged(backup, "replication", "ovsdb_error")

    def test_other_schemas(self):
        mismatch = "Repl: Schema version mismatch, checking if Repl can still be replicated or not."
        fewer = json.loads(json.dumps(SCHEMA))
        del fewer["tables"]["Secret"]
        cases = {
            "table": (changed(SCHEMA, More={"x": {"type": "string"}}),
                      "Table More not present in the local db schema"),
            "column": (changed(SCHEMA, A={"x": {"type": "string"}}),
                       "Column x not present in the local db schema table A."),
            "type": (changed(SCHEMA, A={"n": {"type": "string"}}),
                     "Column n mismatch in local db schema table A."),
            "mutable": (changed(SCHEMA, A={"n": {"type": "integer", "mutable": False}}),
                        "Column n mismatch in local db schema table A."),
            "fewer": (fewer, None),
            "version": ({**SCHEMA, "version": "2.0.0"}, None),
        }

        def scenario(pair):
            for name, (schema, reason) in cases.items():
                source = pair.source("source-" + name, schema=schema)
                backup, log = self.attempt(pair, source, "backup-" + name)
                if reason:
                    self.assertEqual(log, [mismatch, reason, "Repl cannot be replicated."])
                    self.assertEqual(status(backup), ACTIVE)
                    change(backup, [insert(1)])
                else:
                    self.assertEqual(log[:2], [mismatch, "Repl can be replicated."])
                    self.assertEqual(status(backup), backup_of(source))
                backup.kill()
                source.kill()

        self.each(scenario)

    def test_itself(self):
        def scenario(pair):
            itself = pair.server("follower", "itself", arguments=["--sync-from=unix:" + pair.path("itself.sock")])
            becomes(itself, ACTIVE)
            self.assertEqual(
                logged(itself, "ovsdb_error"),
                ["unexpected ovsdb error: Server ID check failed: Repl: Self replicating is not allowed"])
            change(itself, [insert(1)])

        self.each(scenario, [("ours", "ours"), ("stock", "stock")])

    def test_no_such_database(self):
        def scenario(pair):
            source = pair.source(databases=[pair.database("other", OTHER_SCHEMA)])
            databases = [pair.database("b1"), pair.database("b2", OTHER_SCHEMA)]
            backup, _ = self.attempt(pair, source, "backup", databases=databases)
            # All databases have the same role.
            becomes(backup, ACTIVE.replace("Repl", "Other") + ACTIVE)
            self.assertEqual(
                logged(backup, "ovsdb_error"),
                ["unexpected ovsdb error: list_dbs failed: Repl: database name is not in the list"])
            self.assertEqual(answer(source, "add-db", pair.database("late")), "")
            change(source, [insert(1)])
            self.assertEqual(answer(backup, "connect-active-ovsdb-server"), "")
            follows(backup, source)

        self.each(scenario)

    def test_rows_that_do_not_fit(self):
        """Rows refer to others of a table that is excluded."""

        def scenario(pair):
            source = pair.source()
            change(source)
            change(source, [{"op": "insert", "table": "B", "uuid-name": "b", "row": {"text": "two"}},
                            {"op": "insert", "table": "A", "row": {"b": ["named-uuid", "b"]}}])
            backup, log = self.attempt(pair, source, "backup", "--sync-exclude-tables=Repl:B")
            self.assertEqual(status(backup), ACTIVE)
            self.assertRegex(log[-1], "^unexpected ovsdb error: referential integrity violation: Table A column "
                                      "b row [0-9a-f-]* references nonexistent row [0-9a-f-]* in table B.$")
            self.assertEqual(rows(backup), [[], [], []])

        self.each(scenario)

    def test_conversion_of_the_active(self):
        wider = changed(SCHEMA, A={"new": {"type": "string"}})

        def convert(server):
            with server.connect() as client:
                self.assertIsNone(client.call("convert", ["Repl", wider])["error"])

        def scenario(pair):
            source = pair.source()
            change(source)
            backup = pair.backup(source)
            follows(backup, source)
            convert(source)
            becomes(backup, ACTIVE)
            self.assertIn("Column new not present in the local db schema table A.", logged(backup, "replication"))
            convert(backup)
            self.assertEqual(answer(backup, "connect-active-ovsdb-server"), "")
            follows(backup, source)

        self.each(scenario)


if __name__ == "__main__":
    unittest.main()
