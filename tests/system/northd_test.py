"""Our ovn-northd as a process: numbers to wait for, the lock, restarts, commands."""

import os
import signal
import time

from harness import binaries
from harness.case import SystemTest
from harness.daemon import CommandFailed, Daemon
from harness.waiting import wait_until

SCHEMAS = os.path.join(os.path.dirname(__file__), "..", "..", "schemas")

NETWORK = [
    ["ls-add", "sw0"],
    ["lsp-add", "sw0", "p1", "--", "lsp-set-addresses", "p1", "00:00:00:00:00:01 10.0.0.1"],
    ["lr-add", "r0"],
    ["lrp-add", "r0", "r0-sw0", "00:00:00:00:01:00", "10.0.0.254/24"],
    ["lsp-add", "sw0", "sw0-r0", "--", "lsp-set-type", "sw0-r0", "router", "--",
     "lsp-set-addresses", "sw0-r0", "router", "--", "lsp-set-options", "sw0-r0", "router-port=r0-sw0"],
]


class NorthdTest(SystemTest):
    def setUp(self):
        super().setUp()
        self.servers = {
            name: self.server(name, [self.database(name, os.path.join(SCHEMAS, f"ovn-{name}.ovsschema"))])
            for name in ("nb", "sb")}

    def northd(self, name="northd", arguments=()):
        daemon = Daemon(binaries.ours("ovn-northd"), self.directory, name,
                        ["--ovnnb-db=" + self.servers["nb"].remote,
                         "--ovnsb-db=" + self.servers["sb"].remote, *arguments], self.env)
        return self.track(daemon).start()

    def nbctl(self, *arguments):
        self.run_command("ovn-nbctl", "--timeout=20", "--db=" + self.servers["nb"].remote, *arguments)

    def rows(self, server, table, *columns):
        database = {"nb": "OVN_Northbound", "sb": "OVN_Southbound"}[server]
        with self.servers[server].connect() as connection:
            reply = connection.call("transact", [database, {
                "op": "select", "table": table, "where": [], "columns": ["_uuid", *columns]}])
        return reply["result"][0]["rows"]

    def written(self, northd):
        """How many rows it has written since it started."""
        return int(northd.appctl("inc-engine/units").split("rows-written:")[1].split()[0])

    def wait_status(self, northd, status):
        wait_until(lambda: northd.appctl("status") == f"Status: {status}\n", f"{northd.name} is {status}")

    def test_numbers_move_with_what_they_stand_for(self):
        self.northd()
        for command in NETWORK:
            self.nbctl("--wait=sb", *command)
        (nb,) = self.rows("nb", "NB_Global", "nb_cfg", "sb_cfg", "hv_cfg", "nb_cfg_timestamp", "sb_cfg_timestamp")
        (sb,) = self.rows("sb", "SB_Global", "nb_cfg")
        self.assertEqual((nb["nb_cfg"], nb["sb_cfg"], sb["nb_cfg"]), (len(NETWORK),) * 3)
        self.assertGreater(nb["nb_cfg_timestamp"], 0)
        self.assertGreaterEqual(nb["sb_cfg_timestamp"], nb["nb_cfg_timestamp"])
        self.nbctl("--wait=hv", "sync")  # There is no hypervisor to wait for.
        self.assertEqual(len(self.rows("sb", "Datapath_Binding")), 2)

    def test_a_restart_writes_nothing(self):
        first = self.northd()
        for command in NETWORK:
            self.nbctl("--wait=sb", *command)
        before = self.rows("sb", "Logical_Flow", "_version"), self.rows("sb", "Port_Binding", "_version")
        first.stop()
        second = self.northd("second")
        self.wait_status(second, "active")
        second.appctl("inc-engine/recompute")
        self.nbctl("--wait=sb", "sync")
        after = self.rows("sb", "Logical_Flow", "_version"), self.rows("sb", "Port_Binding", "_version")
        def versions(tables):
            return sorted(str(row) for table in tables for row in table)
        self.assertEqual(versions(after), versions(before))

    def test_follows_changes_as_from_scratch(self):
        northd = self.northd()
        for command in [*NETWORK, ["lsp-del", "p1"], ["lrp-del", "r0-sw0"], ["ls-add", "sw1"],
                        ["lsp-add", "sw1", "p1"], ["ls-del", "sw0"]]:
            self.nbctl("--wait=sb", *command)
            wait_until(lambda: self.compare(northd), "a comparison between passes")

    def compare(self, northd):
        try:
            return northd.appctl("inc-engine/compare") == "as from scratch\n"
        except CommandFailed as error:
            if "try again" in str(error):
                return False
            raise

    def test_a_record_of_dns_concerns_no_switch(self):
        northd = self.northd()
        self.nbctl("--id=@dns", "create", "DNS", "records=a.example.org=10.0.0.1", "--",
                   "ls-add", "sw0", "--", "set", "Logical_Switch", "sw0", "dns_records=@dns")
        self.nbctl("--wait=sb", "sync")
        (dns,) = self.rows("nb", "DNS")
        northd.appctl("inc-engine/clear-stats")
        self.nbctl("--wait=sb", "set", "DNS", dns["_uuid"][1], "records:b.example.org=10.0.0.2")
        ran = [line.split()[0] for line in northd.appctl("inc-engine/units").splitlines()[1:]]
        self.assertIn("sync_dns", ran)
        self.assertNotIn("switch_traits", ran)
        self.nbctl("--wait=sb", "clear", "DNS", dns["_uuid"][1], "records")
        ran = [line.split()[0] for line in northd.appctl("inc-engine/units").splitlines()[1:]]
        self.assertIn("switch_traits", ran)

    def test_what_others_change_is_put_right(self):
        self.northd()
        for command in NETWORK:
            self.nbctl("--wait=sb", *command)
        with self.servers["sb"].connect() as connection:
            connection.call("transact", ["OVN_Southbound", {"op": "delete", "table": "Logical_Flow", "where": []},
                                         {"op": "update", "table": "Port_Binding", "where": [],
                                          "row": {"type": "wrong"}}])
        flows = wait_until(lambda: self.rows("sb", "Logical_Flow"), "the flows are there again")
        self.assertTrue(flows)
        wait_until(lambda: all(row["type"] != "wrong" for row in self.rows("sb", "Port_Binding", "type")),
                   "the ports have their types")

    def nat_addresses(self):
        rows = self.rows("sb", "Port_Binding", "logical_port", "nat_addresses")
        return next(row["nat_addresses"] for row in rows if row["logical_port"] == "sw0-r0")

    def test_addresses_stay_in_the_order_of_another_northd(self):
        for words in (*NETWORK, ["set", "Logical_Router", "r0", "options:chassis=hv1"],
                      ["lsp-set-options", "sw0-r0", "router-port=r0-sw0", "nat-addresses=router"],
                      *(["lb-add", f"lb{n}", f"172.16.0.{n}:80", "10.0.0.1:80", "--", "lr-lb-add", "r0", f"lb{n}"]
                        for n in (1, 2, 3))):
            self.nbctl(*words)
        northd = self.northd()
        self.nbctl("--wait=sb", "sync")
        self.assertEqual(self.nat_addresses(), "00:00:00:00:01:00 172.16.0.1 172.16.0.2 172.16.0.3")
        northd.stop()
        other = "00:00:00:00:01:00 172.16.0.2 172.16.0.3 172.16.0.1"
        with self.servers["sb"].connect() as client:
            client.transact("OVN_Southbound", {"op": "update", "table": "Port_Binding", "where": [["logical_port", "==", "sw0-r0"]],
                                               "row": {"nat_addresses": other}})
        self.northd("next")
        self.nbctl("--wait=sb", "ls-add", "sw1")
        self.assertEqual(self.nat_addresses(), other)

    def lb_groups(self):
        return {row["name"]: row["ls_datapath_group"] for row in self.rows("sb", "Load_Balancer", "name", "ls_datapath_group")}

    def test_options_that_others_set_meanwhile_stay(self):
        self.northd()
        encap = {"op": "insert", "table": "Encap", "uuid-name": "encap",
                 "row": {"type": "vxlan", "ip": "192.168.0.1", "chassis_name": "hv"}}
        chassis = {"op": "insert", "table": "Chassis", "row": {"name": "hv", "encaps": ["named-uuid", "encap"]}}
        with self.servers["sb"].connect() as sb, self.servers["nb"].connect() as nb:
            for i in range(40):
                sb.call("transact", ["OVN_Southbound", encap, chassis])
                self.nbctl("--wait=sb", "sync")
                # Without it northd writes another option: max_tunid.
                sb.call("transact", ["OVN_Southbound", {"op": "delete", "table": "Chassis", "where": []}])
                nb.call("transact", ["OVN_Northbound", {"op": "mutate", "table": "NB_Global", "where": [], "mutations": [
                    ["options", "delete", ["set", ["mine"]]], ["options", "insert", ["map", [["mine", str(i)]]]]]}])
                self.nbctl("--wait=sb", "sync")
                (row,) = self.rows("nb", "NB_Global", "options")
                self.assertEqual(dict(row["options"][1]).get("mine"), str(i))

    def test_load_balancers_of_the_same_switches_share_a_group(self):
        """However they come there, as the reference has it: so nothing is written over its southbound."""
        self.northd()
        for command in [["ls-add", "sw0"], ["ls-add", "sw1"], ["lb-add", "direct", "10.0.0.1:80", "10.0.0.2:80"],
                        ["lb-add", "grouped", "10.0.0.3:80", "10.0.0.4:80"], ["ls-lb-add", "sw0", "direct"],
                        ["create", "Load_Balancer_Group", "name=group"]]:
            self.nbctl(*command)
        (group,) = [row["_uuid"][1] for row in self.rows("nb", "Load_Balancer_Group")]
        (grouped,) = [row["_uuid"][1] for row in self.rows("nb", "Load_Balancer", "name") if row["name"] == "grouped"]
        self.nbctl("add", "Load_Balancer_Group", group, "load_balancer", grouped)
        self.nbctl("--wait=sb", "add", "Logical_Switch", "sw0", "load_balancer_group", group)
        groups = self.lb_groups()
        self.assertEqual(groups["direct"], groups["grouped"])
        self.nbctl("--wait=sb", "add", "Logical_Switch", "sw1", "load_balancer_group", group)
        groups = self.lb_groups()
        self.assertNotEqual(groups["direct"], groups["grouped"])
        self.nbctl("--wait=sb", "ls-lb-add", "sw1", "direct")
        groups = self.lb_groups()
        self.assertEqual(groups["direct"], groups["grouped"])

    def learn(self, table, **columns):
        """A row as a controller writes it; `age` is how old it is, in seconds."""
        age = columns.pop("age")
        row = {"timestamp": int((time.time() - age) * 1000), **columns}
        with self.servers["sb"].connect() as connection:
            reply = connection.call("transact", ["OVN_Southbound", {"op": "insert", "table": table, "row": row}])
        self.assertNotIn("error", reply["result"][0])

    def learn_mac(self, ip, age):
        (datapath,) = [row["_uuid"] for row in self.rows("sb", "Datapath_Binding", "external_ids")
                       if ["name", "r0"] in row["external_ids"][1]]
        self.learn("MAC_Binding", logical_port="r0-sw0", ip=ip, mac="00:00:00:00:00:09", datapath=datapath, age=age)

    def wait_learned(self, table, column, *values):
        wait_until(lambda: sorted(row[column] for row in self.rows("sb", table, column)) == sorted(values),
                   f"{table} has {values}")

    def test_what_was_learned_goes_when_it_has_aged(self):
        self.northd()
        for command in NETWORK:
            self.nbctl("--wait=sb", *command)
        for ip in ("10.0.0.1", "10.0.0.2", "192.168.0.1"):
            self.learn_mac(ip, 100)
        self.learn_mac("10.0.0.3", -1000)
        self.learn_mac("10.0.0.4", 0)
        self.nbctl("--wait=sb", "set", "Logical_Router", "r0",
                   'options:mac_binding_age_threshold="192.168.0.0/16:0;50"')
        self.wait_learned("MAC_Binding", "ip", "10.0.0.3", "10.0.0.4", "192.168.0.1")
        self.learn_mac("10.0.0.5", 49)
        self.learn_mac("10.0.0.6", 51)
        self.wait_learned("MAC_Binding", "ip", "10.0.0.3", "10.0.0.4", "192.168.0.1")
        self.nbctl("--wait=sb", "set", "Logical_Router", "r0", "options:mac_binding_age_threshold=50")
        self.wait_learned("MAC_Binding", "ip", "10.0.0.3", "10.0.0.4")

    def test_not_more_ages_at_once_than_is_allowed(self):
        self.northd()
        for command in NETWORK:
            self.nbctl("--wait=sb", *command)
        (key,) = [row["tunnel_key"] for row in self.rows("sb", "Datapath_Binding", "external_ids", "tunnel_key")
                  if ["name", "sw0"] in row["external_ids"][1]]
        (port,) = [row["tunnel_key"] for row in self.rows("sb", "Port_Binding", "logical_port", "tunnel_key")
                   if row["logical_port"] == "p1"]
        for i in range(3):
            self.learn("FDB", mac=f"00:00:00:00:00:0{i}", dp_key=key, port_key=port, age=100)
        self.nbctl("--wait=sb", "set", "NB_Global", ".", "options:fdb_removal_limit=2")
        self.nbctl("--wait=sb", "set", "Logical_Switch", "sw0", "other_config:fdb_age_threshold=5")
        self.assertEqual(len(self.rows("sb", "FDB")), 1)
        wait_until(lambda: not self.rows("sb", "FDB"), "the rest has aged")

    def test_one_works_and_the_next_takes_over(self):
        first = self.northd()
        self.wait_status(first, "active")
        second = self.northd("second")
        self.wait_status(second, "standby")
        self.nbctl("--wait=sb", "ls-add", "sw0")
        first.kill()
        self.wait_status(second, "active")
        self.nbctl("--wait=sb", "ls-add", "sw1")
        self.assertEqual(len(self.rows("sb", "Datapath_Binding")), 2)

    def test_a_standby_is_warm(self):
        """What the active one has made meanwhile it takes as it is, without translating everything again."""
        first = self.northd()
        self.wait_status(first, "active")
        second = self.northd("second")
        self.wait_status(second, "standby")
        for command in NETWORK:
            self.nbctl("--wait=sb", *command)
        flows = self.rows("sb", "Logical_Flow", "_version")
        before = second.appctl("inc-engine/show-stats", "lflow", "recompute")
        first.signal(signal.SIGSTOP)
        self.nbctl("lsp-add", "sw0", "p2", "--", "lsp-set-addresses", "p2", "00:00:00:00:00:02 10.0.0.2")
        first.kill()
        self.wait_status(second, "active")
        self.nbctl("--wait=sb", "sync")
        self.assertEqual(second.appctl("inc-engine/show-stats", "lflow", "recompute"), before)
        kept = [row for row in self.rows("sb", "Logical_Flow", "_version") if row in flows]
        self.assertEqual(len(kept), len(flows))
        self.assertIn("p2", [row["logical_port"] for row in self.rows("sb", "Port_Binding", "logical_port")])
        wait_until(lambda: self.compare(second), "a comparison between passes")

    def test_pausing_gives_the_lock_away(self):
        first = self.northd()
        second = self.northd("second")
        self.wait_status(first, "active")
        first.appctl("pause")
        self.assertEqual(first.appctl("is-paused"), "true")
        self.wait_status(first, "paused")
        self.wait_status(second, "active")
        second.appctl("pause")
        first.appctl("resume")
        self.wait_status(first, "active")
        self.nbctl("--wait=sb", "ls-add", "sw0")

    def test_a_dry_run_writes_nothing(self):
        northd = self.northd(arguments=["--dry-run"])
        self.assertEqual(northd.appctl("status"), "Status: paused\n")
        self.nbctl("ls-add", "sw0")
        self.assertEqual(self.rows("sb", "Datapath_Binding"), [])
        northd.appctl("resume")
        self.nbctl("--wait=sb", "sync")
        self.assertEqual(len(self.rows("sb", "Datapath_Binding")), 1)

    @binaries.needs_reference
    def test_levels_of_all_of_stocks_log_modules(self):
        def levels(daemon):
            return {line.split()[0]: line.split()[1:] for line in daemon.appctl("vlog/list").splitlines()[2:]}

        remotes = [f"--ovn{name}-db={server.remote}" for name, server in self.servers.items()]
        stock = self.track(Daemon(binaries.reference("ovn-northd"), self.directory, "stock", remotes, self.env)).start()
        modules = sorted(levels(stock))
        stock.stop()
        ours = levels(self.northd(arguments=[f"-v{module}:syslog:dbg" for module in modules]))
        self.assertEqual([module for module in modules if ours.get(module, [None] * 3)[1] != "DBG"], [])

    def test_commands_answer_as_stocks(self):
        northd = self.northd(arguments=["--n-threads=4"])
        self.nbctl("--wait=sb", "sync")
        for command, answer in [
                (["version"], "ovn-northd 25.03.0\nOpen vSwitch Library 3.5.0"),
                (["nb-connection-status"], "connected"),
                (["sb-connection-status"], "connected"),
                (["parallel-build/get-n-threads"], "4\n"),
                (["parallel-build/set-n-threads", "2"], ""),
                (["inc-engine/show-stats", "nothing"], ""),
                (["inc-engine/compute-log-timeout", "100"], ""),
                (["debug/chassis-features-list"], "mac_binding_timestamp: true\n"),
                (["stopwatch/reset"], ""),
                (["stopwatch/reset", "nothing"], ""),
                (["inc-engine/show-stats", "lflow", "recompute"], "1"),
                (["inc-engine/show-stats", "lflow", "nonsense"], "Invalid stat type : nonsense"),
                (["sb-cluster-state-reset"], ""),
        ]:
            with self.subTest(command=command):
                self.assertEqual(northd.appctl(*command), answer)
        for command, error in [
                (["parallel-build/set-n-threads", "300"], "invalid n_threads: 300\n"),
                (["parallel-build/set-n-threads", "x"], "invalid n_threads: 0"),
                (["inc-engine/compute-log-timeout", "x"], "unsigned integer required"),
                (["stopwatch/show", "nothing"], "No such stopwatch"),
        ]:
            with self.subTest(command=command):
                with self.assertRaisesRegex(CommandFailed, error):
                    northd.appctl(*command)
        self.assertEqual(northd.appctl("stopwatch/show").count("Total samples"), 23)
        self.assertIn("Node: lflow\n- recompute:            1\n", northd.appctl("inc-engine/show-stats"))
