"""Builds with -Db_sanitize: a report of a sanitizer, in whatever process, fails the test.

Reports go to files in the test's directory, where no daemon's redirected, closed or forgotten
standard error can lose them.
"""

import glob
import os
import re

_OPTIONS = {
    # Memory that is freed is reused soon, so that tests may look at how much there is.
    "ASAN_OPTIONS": "quarantine_size_mb=8",
    "LSAN_OPTIONS": "",
    "TSAN_OPTIONS": "second_deadlock_stack=1",
    # g++'s reports to standard error whatever one says: let it end the process, then.
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
}
_GIVEN = {name: os.environ.get(name, "") for name in _OPTIONS}


def report_in(directory):
    """Has all processes started from now on, by whatever means, report in `directory`."""
    for name, options in _OPTIONS.items():
        os.environ[name] = ":".join(filter(None, [_GIVEN[name], options, "log_path=" + _prefix(directory)]))


def let_crash(environment):
    """Has processes with this environment die of SIGSEGV as they do without sanitizers."""
    for name in ("ASAN_OPTIONS", "TSAN_OPTIONS"):
        environment[name] += ":handle_segv=0"


def reports(directory):
    """What the sanitizers had to say, if anything."""
    found = []
    for path in sorted(glob.glob(glob.escape(_prefix(directory)) + ".*")):
        with open(path, errors="replace", encoding="utf-8") as report:
            found.append(report.read())
    return "\n".join(found)


def watch(pid):
    """Whether the process runs under a sanitizer, whose shadows count as its memory."""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
        return re.search(r"/lib[a-z]+san\.so", maps.read()) is not None


def _prefix(directory):
    return os.path.join(directory, "sanitizer")
