"""How the members of a cluster reach each other: TLS, IPv6, TCP."""

import unittest

from harness import binaries
from harness.cluster import ClusterTest, all_have, free_port, insert, leader, status
from harness.pki import Authority
from harness.waiting import wait_until

MIXTURES = [("ours", "ours", "ours"), ("ours", "stock", "ours"), ("stock", "ours", "stock")]


class TransportTest(ClusterTest):
    def check(self, members):
        for i, member in enumerate(members):
            insert(member, i)
        all_have(members, [0, 1, 2])
        first = leader(members)
        first.kill()
        rest = [member for member in members if member is not first]
        leader(rest)
        insert(rest[0], 3)
        first.start()
        all_have(members, [0, 1, 2, 3])
        for member in members:
            member.kill()

    @binaries.needs_reference
    def test_tls(self):
        authority = Authority(self.directory)
        key, certificate = authority.issue("member")
        arguments = [f"--private-key={key}", f"--certificate={certificate}", f"--ca-cert={authority.certificate}"]
        for kinds in MIXTURES:
            with self.subTest(kinds=kinds):
                self.check(self.cluster(*kinds, address=lambda _: f"ssl:127.0.0.1:{free_port()}", arguments=arguments))

    def test_a_member_without_a_good_certificate_stays_outside(self):
        authority, stranger = Authority(self.directory), Authority(self.directory, "stranger")

        def options(signer):
            key, certificate = signer.issue("member")
            return [f"--private-key={key}", f"--certificate={certificate}", f"--ca-cert={signer.certificate}"]

        [first] = self.cluster("ours", address=lambda _: f"ssl:127.0.0.1:{free_port()}", arguments=options(authority))
        self.tool("join-cluster", self.path("x.db"), "Clu", f"ssl:127.0.0.1:{free_port()}", first.address)
        outsider = self.server("x", [self.path("x.db")], options(stranger))
        wait_until(lambda: "certificate verify failed" in read(outsider.log_path), "it is refused")
        self.assertEqual(status(outsider)["Status"], "joining cluster")
        insert(first, 1)

    def test_a_member_without_keys_says_so(self):
        [first] = self.cluster("ours")
        self.tool("join-cluster", self.path("x.db"), "Clu", f"ssl:127.0.0.1:{free_port()}", first.address)
        newcomer = self.server("x", [self.path("x.db")])
        wait_until(lambda: "Private key must be configured to use SSL" in read(newcomer.log_path), "it says so")

    @binaries.needs_reference
    def test_ipv6(self):
        for kinds in MIXTURES:
            with self.subTest(kinds=kinds):
                self.check(self.cluster(*kinds, address=lambda _: f"tcp:[::1]:{free_port()}"))

    def test_the_name_of_a_host(self):
        """Names are looked up without holding anybody up; members listen at what a name stands for."""
        members = self.cluster("ours", "ours", "ours", address=lambda _: f"tcp:127.0.0.1:{free_port()}")
        self.tool("join-cluster", self.path("x.db"), "Clu", f"tcp:127.0.0.1:{free_port()}",
                  members[0].address.replace("127.0.0.1", "localhost"))
        newcomer = self.server("x", [self.path("x.db")])
        wait_until(lambda: status(newcomer).get("Status") == "cluster member", "it joins")
        insert(newcomer, 1)


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


if __name__ == "__main__":
    unittest.main()
