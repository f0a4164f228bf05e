"""Runs the tests of the image and of the Debian package, or those that are named, and says how long each failover took:
python3 -m image."""

import sys
import unittest

from image import case

NAMES = ("faults", "kube_ovn", "ovn_kubernetes", "package", "recipes", "settings", "standalone", "tls",
         "upgrade")


def main(names):
    suite = unittest.defaultTestLoader.loadTestsFromNames([f"image.{name}_test" for name in names])
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    if case.figures:
        print("\n| what happens | seconds until the next write | until the next change in the southbound |\n|---|---:|---:|")
        for what, writes, syncs in case.figures:
            print(f"| {what} | {writes:.1f} | {syncs:.1f} |")
    failed, skipped = len(result.failures) + len(result.errors), len(result.skipped)
    print(f"{result.testsRun - failed - skipped} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or NAMES))
