"""A throw-away Debian system, in which programs run apart from this machine's."""

import hashlib
import os
import signal
import stat
import subprocess

from harness.waiting import wait_until

MAKE = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", "packaging", "debian-system"))
# Mounts that nobody else sees, and a first process that buries what daemons leave behind.
START = """set -e
mount --make-rprivate /
mount --bind /dev "$0/dev"
mount -t proc proc "$0/proc"
mount -t tmpfs run "$0/run"
exec chroot "$0" bash -c 'while sleep 1; do :; done'
"""
ENVIRONMENT = {"HOME": "/root", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}


def make(release, directory, packages):
    """A system with these packages."""
    done = subprocess.run([MAKE, release, directory, *packages], capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        raise AssertionError(f"{MAKE} {release}: status {done.returncode}\n{done.stdout}{done.stderr}")


class System:
    """A copy of a system that make() made, with processes, mounts and a network of its own."""

    def __init__(self, base, directory):
        self.directory = directory
        subprocess.run(["cp", "-a", "--reflink=auto", base, directory], check=True, timeout=120)
        self._unshare = subprocess.Popen(["unshare", "--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child",
                                          "bash", "-c", START, directory])
        try:
            self._first = wait_until(self._find_first, "a first process runs in the system")
        except AssertionError:
            self.stop()
            raise

    def _find_first(self):
        """The process with the id 1, once it has the system's root."""
        with open(f"/proc/{self._unshare.pid}/task/{self._unshare.pid}/children", encoding="ascii") as children:
            pid = children.read().strip()
        return pid if pid and os.readlink(f"/proc/{pid}/root") == os.path.realpath(self.directory) else None

    def stop(self):
        """And with it all that runs there."""
        self._unshare.send_signal(signal.SIGKILL)
        self._unshare.wait(20)

    def run(self, *words, seconds=120, check=True):
        done = subprocess.run(["nsenter", "-t", self._first, "-m", "-p", "-n", "-i", "-u", "-r", "-w", *words],
                              env=ENVIRONMENT, capture_output=True, text=True, timeout=seconds, check=False)
        if check and done.returncode:
            raise AssertionError(f"{' '.join(words)}: status {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def path(self, path):
        """Where this machine has a file of the system."""
        return os.path.join(self.directory, path.lstrip("/"))

    def tree(self, without=()):
        """All that is in the file system, but for paths that begin so: path -> kind and rights, owner, group, content."""
        found = {}
        for directory, directories, files in os.walk(self.directory):
            for name in directories + files:
                path = os.path.join(directory, name)
                relative = path[len(self.directory):]
                if not relative.startswith(tuple(without)):
                    found[relative] = describe(path)
        return found


def describe(path):
    status = os.lstat(path)
    content = None
    if stat.S_ISLNK(status.st_mode):
        content = os.readlink(path)
    elif stat.S_ISREG(status.st_mode):
        content = digest(path)
    return stat.filemode(status.st_mode), status.st_uid, status.st_gid, content


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()
