"""What the image's entry point makes of its environment."""

import os
import subprocess
import unittest

from harness.case import SystemTest

ENTRY = os.path.join(os.path.dirname(__file__), "../../packaging/image/ovn-central")


class SettingsTest(SystemTest):
    def run_entry(self, **settings):
        environment = {"PATH": os.environ["PATH"], "TLS_DIR": self.directory, **settings}
        return subprocess.run(["bash", "-c", f"source {ENTRY}; read_settings; ctl_options"], env=environment,
                              capture_output=True, text=True, timeout=20, check=False)

    def tls_options(self, **settings):
        for name in ("key", "cert", "cacert"):
            self.write(name, "")
        done = self.run_entry(ENABLE_SSL="true", **settings)
        self.assertEqual((done.stderr, done.returncode), ("", 0))
        prefix = "--ovn-nb-db-ssl-"
        options = dict(line[len(prefix):].split("=", 1) for line in done.stdout.splitlines() if line.startswith(prefix))
        self.assertEqual(options.pop("key"), self.path("key"))
        return {name: value for name, value in options.items() if not name.endswith("cert")}

    def test_versions(self):
        for low, high, protocols in (
                ("1.2", "", "TLSv1.2+"), ("1.3", "", "TLSv1.3"), ("TLS13", "", "TLSv1.3"), ("TLS 1.2", "TLSv1.2", "TLSv1.2"),
                ("", "TLS12", "TLSv1.2"), ("", "1.3", "TLSv1.2+"), ("tlsv1.2", "TLS_1.3", "TLSv1.2+"), ("1.3", "1.3", "TLSv1.3")):
            with self.subTest(low=low, high=high):
                self.assertEqual(self.tls_options(TLS_MIN_VERSION=low, TLS_MAX_VERSION=high), {"protocols": protocols})
        self.assertEqual(self.tls_options(), {})

    def test_suites(self):
        self.assertEqual(
            self.tls_options(TLS_CIPHER_SUITES="TLS_AES_128_GCM_SHA256,TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
            {"ciphersuites": "TLS_AES_128_GCM_SHA256", "ciphers": "ECDHE-RSA-AES128-GCM-SHA256"})
        self.assertEqual(
            self.tls_options(TLS_MIN_VERSION="1.2", TLS_CIPHER_SUITES=", ".join((
                "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "TLS_RSA_WITH_AES_256_CBC_SHA", "ECDHE-RSA-AES256-GCM-SHA384"))),
            {"protocols": "TLSv1.2+", "ciphers": "ECDHE-ECDSA-CHACHA20-POLY1305:AES256-SHA:ECDHE-RSA-AES256-GCM-SHA384"})
        self.assertEqual(
            self.tls_options(TLS_CIPHER_SUITES="TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"),
            {"protocols": "TLSv1.3", "ciphersuites": "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"})

    def test_all_names(self):
        """Each suite for TLS 1.2 that OpenSSL has, by both of its names."""
        known = subprocess.run(["openssl", "ciphers", "-stdname", "ALL"], capture_output=True, text=True, check=True).stdout
        rows = [line.split() for line in known.splitlines()]
        pairs = [(row[0], row[2]) for row in rows if row[3] != "TLSv1.3"]
        self.assertGreater(len(pairs), 20)
        names = ":".join(name for _, name in pairs)
        for asked in (":".join(standard for standard, _ in pairs), names):
            self.assertEqual(self.tls_options(TLS_MIN_VERSION="1.2", TLS_CIPHER_SUITES=asked)["ciphers"], names)

    def test_an_unknown_suite_is_named(self):
        for good in ("", "TLS_AES_128_GCM_SHA256,", "ECDHE-RSA-AES128-GCM-SHA256:"):
            for bad in ("FOO-BAR", "HIGH", "TLS_AES_512_GCM_SHA512", "TLS_ECDHE_RSA_WITH_NONSENSE", "-AES128-SHA"):
                with self.subTest(good=good, bad=bad):
                    done = self.run_entry(TLS_CIPHER_SUITES=good + bad)
                    self.assertEqual(done.returncode, 1, done.stdout)
                    self.assertIn(f"TLS_CIPHER_SUITES has '{bad}', which is no cipher suite", done.stderr)

    def test_what_makes_no_sense_is_named(self):
        for settings in ({"TLS_MIN_VERSION": "banana"}, {"TLS_MIN_VERSION": "1.1"}, {"TLS_MAX_VERSION": "1.0"},
                         {"TLS_MIN_VERSION": "1.3", "TLS_MAX_VERSION": "1.2"}, {"TLS_CIPHER_SUITES": "TLS_NONSENSE"},
                         {"TLS_CIPHER_SUITES": "all of them!"},
                         {"TLS_CIPHER_SUITES": "TLS_AES_128_GCM_SHA256", "TLS_MIN_VERSION": "1.2"},
                         {"NB_PORT": "99999"}, {"NB_PORT": "0"}, {"SB_PORT": "08"}, {"SB_PORT": "6641"},
                         {"NB_CLUSTER_PORT": "x"}, {"PROBE_INTERVAL": "9" * 23}, {"PROBE_INTERVAL": "4000000000"},
                         {"OVN_NORTHD_PROBE_INTERVAL": "-1"}, {"ENABLE_SSL": "yes"}, {"NODE_IPS": "10.0.0.1"}):
            with self.subTest(**settings):
                done = self.run_entry(**settings)
                self.assertEqual(done.returncode, 1, done.stdout)
                self.assertRegex(done.stderr, "|".join(settings))


if __name__ == "__main__":
    unittest.main()
