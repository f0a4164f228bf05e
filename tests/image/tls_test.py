"""Certificates of three nodes replaced under load, those of the authority too, as a Secret of Kubernetes shows them."""

import hashlib
import os
import shutil
import ssl
import unittest

from harness import jsonrpc
from harness.pki import Authority, client_context
from harness.waiting import wait_until
from image.case import ImageTest, needs_image, now
from image.document import commands
from image.nodes import DATABASES, NUMBERS, network

[RELOAD] = commands("New certificates")  # Which is what Kube-OVN does on each node when it sees new files.


@needs_image
class TlsTest(ImageTest):
    def prepare(self):
        self.generation = 0
        os.makedirs(self.path("tls"))
        self.options = ("-e", "ENABLE_SSL=true", "-e", "TLS_MIN_VERSION=1.2", "-v", self.path("tls") + ":/var/run/tls:ro")
        self.old = Authority(self.directory, "old")
        self.new = Authority(self.directory, "new")
        self.show(self.old.issue("first"), self.old)
        self.nodes.tls = client_context(self.old, *self.old.issue("client"))

    def show(self, pair, *authorities):
        """Has the nodes see these files, all at once."""
        self.generation += 1
        generation = self.path("tls", f"..{self.generation}")
        os.makedirs(generation)
        for name, source in zip(("key", "cert"), pair):
            shutil.copy(source, os.path.join(generation, name))
        with open(os.path.join(generation, "cacert"), "w", encoding="ascii") as out:
            for authority in authorities:
                with open(authority.certificate, encoding="ascii") as source:
                    out.write(source.read())
        self.pair = pair
        os.symlink(f"..{self.generation}", self.path("tls", "..data.new"))
        os.rename(self.path("tls", "..data.new"), self.path("tls", "..data"))
        for name in ("key", "cert", "cacert"):
            if not os.path.lexists(self.path("tls", name)):
                os.symlink(f"..data/{name}", self.path("tls", name))

    def presented(self, number, port):
        with network(self.nodes.network), jsonrpc.open_socket(f"ssl:10.89.77.{10 + number}:{port}", self.nodes.tls) as sock:
            return hashlib.sha256(sock.getpeercert(True)).hexdigest()

    def check_presented(self):
        with open(self.pair[1], encoding="ascii") as pem:
            wanted = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem.read())).hexdigest()
        for number in NUMBERS:
            for port in (6641, 6642, 6643, 6644):
                self.assertEqual(self.presented(number, port), wanted, (number, port))

    def replace(self, pair, *authorities):
        self.show(pair, *authorities)
        for number in NUMBERS:
            done = self.nodes.exec(number, "bash", "-c", RELOAD)
            self.assertEqual(done.stdout + done.stderr, "")

    def trust(self, authority, pair, *more):
        context = client_context(authority, *pair)
        for other in more:
            context.load_verify_locations(other.certificate)
        self.nodes.tls = context

    def test_certificates_are_replaced(self):
        of_old, of_new = self.old.issue("client1"), self.new.issue("client2")
        with self.load() as load:
            self.settle(load)
            self.check_presented()
            leaders = {database: self.nodes.leader(database) for database in DATABASES}
            since = now()
            self.replace(self.old.issue("second"), self.old)
            self.outage("certificates are replaced", load, since)
            self.check_presented()

            # Another authority: first everybody trusts both, then everybody is certified by the new one.
            since = now()
            self.replace(self.pair, self.old, self.new)
            self.trust(self.old, of_old, self.new)
            self.replace(self.new.issue("third"), self.old, self.new)
            self.trust(self.old, of_new, self.new)
            self.settle(load)
            self.replace(self.pair, self.new)
            self.trust(self.new, of_new)
            self.outage("the authority is replaced", load, since)
            self.check_presented()
            self.assertEqual({database: self.nodes.leader(database) for database in DATABASES}, leaders)

            outsider = client_context(self.new, *of_old)
            with network(self.nodes.network), self.assertRaises((ssl.SSLError, jsonrpc.Closed, ConnectionError)):
                jsonrpc.Connection(self.nodes.server(1), outsider).call("echo", [])
            # Members find each other with what they have now.
            self.nodes.kill(2)
            self.nodes.start(2)
        self.nodes.wait_until_members()
        wait_until(lambda: load.verdict() == [], "nothing is lost", 30)
        for number in NUMBERS:
            self.assertEqual(self.unhealthy(number), "")

    def test_files_that_cannot_be_used_change_nothing(self):
        good = self.pair
        self.show((good[0], self.old.issue("other")[1]), self.old)
        done = self.nodes.exec(1, "bash", "-c", RELOAD, check=False)
        self.assertIn("these files cannot be used", done.stderr)
        self.pair = good
        self.check_presented()


if __name__ == "__main__":
    unittest.main()
