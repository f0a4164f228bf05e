"""A control plane without a cluster, whose translator is the reference's."""

from harness import binaries
from harness.daemon import Daemon


def schema(database):
    return binaries.reference_file(f"share/ovn/ovn-{database}.ovsschema")


class Central:
    """A northbound, a southbound and stock's northd between them."""

    def __init__(self, test, name, server_path):
        self.test = test
        self.name = name
        databases = [(db, test.database(f"{name}-{db}", schema(db))) for db in ("nb", "sb")]
        self.nb, self.sb = [
            test.server(f"{name}-{db}", [path], path=server_path) for db, path in databases
        ]
        # Or else northd makes up addresses that differ from run to run.
        self.nbctl("init", "--", "set", "nb_global", ".", "options:mac_prefix=02:00:00",
                   "options:svc_monitor_mac=02:00:00:00:00:99")
        self.northd = test.track(Daemon(
            binaries.reference("ovn-northd"), test.directory, name + "-northd",
            ["--ovnnb-db=" + self.nb.remote, "--ovnsb-db=" + self.sb.remote], test.env))
        self.northd.start()

    def nbctl(self, *arguments):
        return self.test.run_command(
            binaries.reference("ovn-nbctl"), "--db=" + self.nb.remote, "--timeout=30", *arguments).stdout

    def sbctl(self, *arguments):
        return self.test.run_command(
            binaries.reference("ovn-sbctl"), "--db=" + self.sb.remote, "--timeout=30", *arguments).stdout
