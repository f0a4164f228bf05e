"""The recipes of docs/operations.md."""

import os
import re

DOCUMENT = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "operations.md")


def commands(section):
    """The blocks of commands in a section of the document, in order."""
    with open(DOCUMENT, encoding="utf-8") as text:
        body = re.split(r"^## ", text.read(), flags=re.M)
    [found] = [part for part in body if part.startswith(section + "\n")]
    return re.findall(r"^```sh\n(.*?)^```$", found, re.M | re.S)
