"""Certificates made with openssl for one test."""

import os
import ssl
import subprocess


class Authority:
    """A certificate authority in a folder of its own, and what it signs."""

    def __init__(self, directory, name="ca"):
        self.directory = os.path.join(directory, name)
        os.makedirs(self.directory)
        self.certificate = self._path("cacert.pem")
        self._key = self._path("cakey.pem")
        self._run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self._key, "-out",
                  self.certificate, "-days", "30", "-subj", f"/CN=test {name}")

    def issue(self, name, days=30):
        """Returns (key file, certificate file) for a subject called `name`; negative days: expired."""
        key, request, certificate = [self._path(f"{name}-{part}.pem") for part in ("key", "req", "cert")]
        self._run("req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", request, "-subj", f"/CN={name}")
        sign = ["x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key,
                "-CAcreateserial", "-out", certificate]
        try:
            self._run(*sign, "-days", str(days))
        except subprocess.CalledProcessError:
            # OpenSSL from 3.5 on wants dates for what is over before it begins.
            self._run(*sign, "-not_before", "20200101000000Z", "-not_after", "20200102000000Z")
        return key, certificate

    def _path(self, name):
        return os.path.join(self.directory, name)

    @staticmethod
    def _run(*words):
        subprocess.run(["openssl", *words], check=True, capture_output=True, timeout=60)


def client_context(authority, key=None, certificate=None, lowest=None, highest=None):
    """A client that trusts `authority` (None: anyone) and shows a certificate, if given."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    if authority is None:
        context.verify_mode = ssl.CERT_NONE
    else:
        context.load_verify_locations(authority.certificate)
    if certificate:
        context.load_cert_chain(certificate, key)
    if lowest:
        context.minimum_version = lowest
    if highest:
        context.maximum_version = highest
    return context
