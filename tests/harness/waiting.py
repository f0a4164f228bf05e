"""Bounded polling: no test sleeps for a fixed time and hopes."""

import time

DEFAULT_SECONDS = 20


def wait_until(condition, what, seconds=DEFAULT_SECONDS):
    """Polls until condition() is truthy and returns that; fails, naming `what`, after `seconds`."""
    deadline = time.monotonic() + seconds
    pause = 0.002
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)
