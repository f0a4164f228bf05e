"""TLS: who is let in, which protocols, certificates named in the database, replaced at run time."""

import os
import shutil
import socket
import ssl
import unittest
import warnings

from harness import binaries, jsonrpc
from harness.case import SystemTest
from harness.daemon import CommandFailed
from harness.pki import Authority, client_context
from harness.waiting import wait_until

SCHEMA = {
    "name": "Vault",
    "version": "1.0.0",
    "tables": {
        "SSL": {
            "columns": {
                name: {"type": "string"} for name in ("private_key", "certificate", "ca_cert")
            },
            "isRoot": True,
            "maxRows": 1,
        },
        "T": {"columns": {"x": {"type": "integer"}}, "isRoot": True},
    },
}
LISTEN = "pssl:0:127.0.0.1"


class TlsTest(SystemTest):
    def setUp(self):
        super().setUp()
        self.authority = Authority(self.directory)
        self.key, self.certificate = self.authority.issue("server")
        self.client = self.authority.issue("client")

    def start(self, *options, remote=LISTEN, **more):
        server = self.server(databases=[self.database("vault", SCHEMA)], arguments=[
            "--remote=" + remote, "--private-key=" + self.key, "--certificate=" + self.certificate,
            "--ca-cert=" + self.authority.certificate, *options], **more)
        self.address = f"ssl:127.0.0.1:{server.bound_port()}"
        return server

    def echo(self, context):
        """The version of TLS by which the server answers, or the exception that says why not."""
        try:
            with jsonrpc.Connection(self.address, context) as connection:
                connection.call("echo", ["x"])
                return connection.tls_version()
        except (ssl.SSLError, jsonrpc.Closed, ConnectionError) as error:
            return error

    def assert_refused(self, context):
        self.assertIsInstance(self.echo(context), Exception)

    def test_right_certificate(self):
        self.start()
        self.assertEqual(self.echo(client_context(self.authority, *self.client)), "TLSv1.3")
        older = client_context(self.authority, *self.client, highest=ssl.TLSVersion.TLSv1_2)
        self.assertEqual(self.echo(older), "TLSv1.2")

    def test_wrong_certificates(self):
        server = self.start()
        stranger = Authority(self.directory, "stranger").issue("client")
        expired = self.authority.issue("late", days=-1)
        self.assert_refused(client_context(self.authority))
        self.assert_refused(client_context(self.authority, *stranger))
        self.assert_refused(client_context(self.authority, *expired))
        self.assertEqual(self.echo(client_context(self.authority, *self.client)), "TLSv1.3")
        self.assertEqual(server.appctl("ovsdb-server/list-dbs").split(), ["Vault", "_Server"])

    def test_no_authority_takes_anyone(self):
        self.start("--ca-cert=none")
        self.assertEqual(self.echo(client_context(self.authority)), "TLSv1.3")

    def test_protocols(self):
        self.start("--ssl-protocols=TLSv1.2")
        context = client_context(self.authority, *self.client)
        self.assertEqual(self.echo(context), "TLSv1.2")
        self.assert_refused(client_context(self.authority, *self.client, lowest=ssl.TLSVersion.TLSv1_3))

    def test_protocols_from_a_lowest_on(self):
        self.start("--ssl-protocols=TLSv1.3+")
        self.assertEqual(self.echo(client_context(self.authority, *self.client)), "TLSv1.3")
        self.assert_refused(client_context(self.authority, *self.client, highest=ssl.TLSVersion.TLSv1_2))

    def test_old_protocols_are_off(self):
        self.start()
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                context = client_context(self.authority, *self.client, lowest=version, highest=version)
            context.set_ciphers("ALL:@SECLEVEL=0")
            self.assert_refused(context)

    def test_ciphers(self):
        self.start("--ssl-ciphers=ECDHE-RSA-AES128-GCM-SHA256", "--ssl-ciphersuites=TLS_AES_128_GCM_SHA256")
        for highest, cipher in ((ssl.TLSVersion.TLSv1_2, "ECDHE-RSA-AES128-GCM-SHA256"),
                                (ssl.TLSVersion.TLSv1_3, "TLS_AES_128_GCM_SHA256")):
            with jsonrpc.Connection(self.address, client_context(self.authority, *self.client, highest=highest)) as client:
                client.call("echo", [])
                self.assertEqual(client.tls_cipher(), cipher)
        other = client_context(self.authority, *self.client, highest=ssl.TLSVersion.TLSv1_2)
        other.set_ciphers("ECDHE-RSA-AES256-GCM-SHA384")
        self.assert_refused(other)

    def test_unknown_ciphers_are_no_reason_to_take_others(self):
        self.start("--ssl-ciphers=foo")
        self.assertEqual(self.echo(client_context(self.authority, *self.client)), "TLSv1.3")
        self.assert_refused(client_context(self.authority, *self.client, highest=ssl.TLSVersion.TLSv1_2))

    def test_files_named_in_the_database(self):
        database = self.database("vault", SCHEMA)
        server = self.server(databases=[database], arguments=[
            "--remote=" + LISTEN, "--private-key=db:Vault,SSL,private_key",
            "--certificate=db:Vault,SSL,certificate", "--ca-cert=db:Vault,SSL,ca_cert"])
        self.address = f"ssl:127.0.0.1:{server.bound_port()}"
        context = client_context(self.authority, *self.client)
        self.assert_refused(context)
        with server.connect() as client:
            client.transact("Vault", {"op": "insert", "table": "SSL", "row": {
                "private_key": self.key, "certificate": self.certificate, "ca_cert": self.authority.certificate}})
        wait_until(lambda: self.echo(context) == "TLSv1.3", "the files of the database are in use")

    def test_certificates_replaced_at_run_time(self):
        """A new key pair of a new authority in the same files is taken up without a restart."""
        self.start()
        old = client_context(self.authority, *self.client)
        self.assertEqual(self.echo(old), "TLSv1.3")
        with jsonrpc.Connection(self.address, old) as before:
            before.call("echo", [])
            successor = Authority(self.directory, "successor")
            key, certificate = successor.issue("server")
            client = successor.issue("client")
            for source, target in ((key, self.key), (certificate, self.certificate),
                                   (successor.certificate, self.authority.certificate)):
                shutil.copy(source, target + ".new")
                os.rename(target + ".new", target)
            new = client_context(successor, *client)
            wait_until(lambda: self.echo(new) == "TLSv1.3", "the new certificates are in use")
            self.assertEqual(before.call("echo", ["still here"])["result"], ["still here"])

    def test_certificates_replaced_by_command(self):
        """As Kube-OVN's images do: from then on the new ones count, however soon somebody connects."""
        server = self.start()
        old = client_context(self.authority, *self.client)
        before = jsonrpc.Connection(self.address, old)
        self.addCleanup(before.close)
        before.call("echo", [])
        for name in ("one", "two"):
            successor = Authority(self.directory, name)
            files = [*successor.issue("server"), successor.certificate]
            self.assertEqual(server.appctl("ovsdb-server/set-ssl", *files), "")
            self.assertEqual(before.call("echo", ["still here"])["result"], ["still here"])
            self.assert_refused(old)
            new = client_context(successor, *successor.issue("client"))
            self.assertEqual(self.echo(new), "TLSv1.3")
        for wrong in (("/nowhere", *files[1:]), (self.key, *files[1:]), (files[0], files[1], self.key)):
            with self.assertRaisesRegex(CommandFailed, "these files cannot be used"):
                server.appctl("ovsdb-server/set-ssl", *wrong)
            self.assertEqual(self.echo(new), "TLSv1.3")
        server.appctl("ovsdb-server/set-ssl", *files)
        server.appctl("ovsdb-server/reconnect")
        before.wait_closed()
        self.assertEqual(self.echo(new), "TLSv1.3")

    def test_large_messages(self):
        self.start()
        with jsonrpc.Connection(self.address, client_context(self.authority, *self.client)) as client:
            text = "x" * 3_000_000
            self.assertEqual(client.call("echo", [text])["result"], [text])

    def test_plain_text_on_a_tls_port(self):
        server = self.start()
        with jsonrpc.Connection("tcp" + self.address[3:]) as client:
            client.request("echo", [])
            self.assertEqual(client.wait_closed(), [])
        self.assertEqual(self.echo(client_context(self.authority, *self.client)), "TLSv1.3")
        server.check_alive()

    def test_half_open_handshakes_do_not_hold_up_others(self):
        self.start()
        host, port = self.address[4:].split(":")
        silent = [socket.create_connection((host, int(port))) for _ in range(200)]
        try:
            for number, connection in enumerate(silent):
                if number % 2:
                    connection.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
            self.assertEqual(self.echo(client_context(self.authority, *self.client)), "TLSv1.3")
        finally:
            for connection in silent:
                connection.close()

    @binaries.needs_reference
    def test_stock_client(self):
        self.start()
        options = [f"--private-key={self.client[0]}", f"--certificate={self.client[1]}",
                   f"--ca-cert={self.authority.certificate}"]
        client = binaries.reference("ovsdb-client")
        self.assertIn("Vault", self.run_command(client, *options, "list-dbs", self.address).stdout)

    @binaries.needs_reference
    def test_peers_may_bootstrap(self):
        """With --peer-ca-cert the authority is part of what a client sees, and can trust from then on."""
        self.start("--peer-ca-cert=" + self.authority.certificate)
        learned = self.path("learned.pem")
        options = [f"--private-key={self.client[0]}", f"--certificate={self.client[1]}"]
        client = binaries.reference("ovsdb-client")
        # Learning is all that the first connection is good for.
        self.run_command(client, *options, "--bootstrap-ca-cert=" + learned, "list-dbs", self.address, check=False)
        done = self.run_command(client, *options, "--ca-cert=" + learned, "list-dbs", self.address)
        self.assertIn("Vault", done.stdout)
        self.assertEqual(self.certificates_in(learned), self.certificates_in(self.authority.certificate))

    @staticmethod
    def certificates_in(path):
        with open(path, encoding="ascii") as file:
            return [ssl.PEM_cert_to_DER_cert("-----BEGIN" + text) for text in file.read().split("-----BEGIN")[1:]]

    def manager(self, chain=()):
        """The settings of a manager that shows a certificate, and these after it."""
        key, certificate = self.authority.issue("manager")
        whole = self.path("chain.pem")
        with open(whole, "wb") as out:
            for path in (certificate, *chain):
                with open(path, "rb") as part:
                    shutil.copyfileobj(part, out)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(whole, key)
        context.load_verify_locations(self.authority.certificate)
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    def serve(self, listener, context):
        """Takes connections until one asks and is asked, and returns the certificate of its peer."""
        while True:
            accepted, _ = listener.accept()
            accepted.settimeout(20)
            try:
                with context.wrap_socket(accepted, server_side=True) as session:
                    session.sendall(b'{"id":1,"method":"list_dbs","params":[]}')
                    if b"Vault" in session.recv(65536):
                        return session.getpeercert()
            except (ssl.SSLError, ConnectionError):
                pass

    def listen(self):
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(20)
        self.addCleanup(listener.close)
        return listener

    def test_active_connection(self):
        """The server connects out by TLS to a manager, and shows its certificate."""
        listener = self.listen()
        context = self.manager()
        asked = []
        context.sni_callback = lambda session, name, context: asked.append(name)
        server = self.start()
        server.appctl("ovsdb-server/add-remote", f"ssl:127.0.0.1:{listener.getsockname()[1]}")
        self.assertIn((("commonName", "server"),), self.serve(listener, context)["subject"])
        self.assertEqual(asked, [None])

    def test_server_name_indication(self):
        """A manager that is named, not numbered, hears its name."""
        listener = self.listen()
        context = self.manager()
        asked = []
        context.sni_callback = lambda session, name, context: asked.append(name)
        server = self.start()
        server.appctl("ovsdb-server/add-remote", f"ssl:localhost:{listener.getsockname()[1]}")
        self.serve(listener, context)
        self.assertEqual(asked, ["localhost"])

    def test_bootstrap(self):
        """The authority is learned from the first peer, and no other is trusted from then on."""
        listener = self.listen()
        learned = self.path("learned.pem")
        server = self.start("--bootstrap-ca-cert=" + learned)
        server.appctl("ovsdb-server/add-remote", f"ssl:127.0.0.1:{listener.getsockname()[1]}")
        self.serve(listener, self.manager([self.authority.certificate]))
        self.assertEqual(self.certificates_in(learned), self.certificates_in(self.authority.certificate))
        self.assert_refused(client_context(self.authority, *Authority(self.directory, "stranger").issue("client")))
        self.assertEqual(self.echo(client_context(self.authority, *self.client)), "TLSv1.3")

    def test_clients_do_not_choose_the_authority(self):
        learned = self.path("learned.pem")
        self.start("--bootstrap-ca-cert=" + learned)
        stranger = Authority(self.directory, "stranger")
        self.assert_refused(client_context(self.authority, *stranger.issue("client")))
        self.assert_refused(client_context(self.authority, *self.client))
        self.assertFalse(os.path.exists(learned))


if __name__ == "__main__":
    unittest.main()
