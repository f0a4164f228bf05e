"""The differences that prove nothing, each with its reason.

Stock visits the rows of a transaction in the order of a hash of their UUIDs. Where several rows
break a rule at commit, chance decides which one the error's `details` name: two runs of stock
differ. The wording is compared all the same: both texts must be of one form below.
"""

import json
import re

from diff.report import leaf_differences

_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_COLUMNS = r'(?:column "\w+"|columns (?:"\w+", )*"\w+",? and "\w+")'
_STATE = (
    r"(?:was inserted by this transaction"
    r"|existed in the database before this transaction and was not modified by the transaction"
    r"|existed in the database before this transaction, which modified some of the row's columns"
    r" but not any columns in this index"
    r"|had the following index values before the transaction: .*)"
)
_ROW = rf'in "\w+" row {_UUID}(?: \([a-z ]*\))?'

WHICH_ROW = [
    # Unique indexes: the order of the two rows, and which of several clashes is told.
    rf'Transaction causes multiple rows in "\w+" table to have identical values \(.*\) for index on'
    rf" {_COLUMNS}\.  First row, with UUID {_UUID}, {_STATE}\.  Second row, with UUID {_UUID}, {_STATE}\.",
    # Strong references: the first dangling one found.
    rf"Table \w+ column \w+ row {_UUID} references nonexistent row {_UUID} in table \w+\.",
    # Deleting rows that are still referred to.
    rf"cannot delete \w+ row {_UUID} because of \d+ remaining reference\(s\)",
    # Weak references that leave a column too empty.
    rf"(?:Deletion of \d+ weak reference\(s\) to deleted \(or never-existing\) rows from column"
    rf' "\w+" {_ROW} caused this column to become empty'
    r", but constraints on this column disallow an empty column\."
    rf'|Weak reference column "\w+" {_ROW} contained all-zeros UUID \(probably as the default value'
    r" for this column\) but deleting this value caused a constraint volation because this column is"
    r" not allowed to be empty\.)",
]

# A mutation of several rows stops at the first that it would spoil.
WHICH_MUTATED_ROW = (
    r"Attempted to store \d+ elements in .*\."
    r"|.* is not one of the allowed values .*"
    r"|.* is not in the valid range .*"
    r"|.* is (?:less than minimum|greater than maximum) allowed value .*"
    r"|Result of \".=\" operation (?:is out of range|contains duplicates)\."
    r"|Division by zero\."
)
_FORMS = [re.compile(form, re.S) for form in [*WHICH_ROW, WHICH_MUTATED_ROW]]


def excused(first, second):
    """Whether two lists of messages (as text) of one session differ only in ways listed here."""
    if len(first) != len(second):
        return False
    for one, other in zip(first, second):
        leaves = {path: (a, b) for path, a, b in leaf_differences(json.loads(one), json.loads(other))}
        for path, (a, b) in leaves.items():
            if path.endswith(".error"):
                a, b = leaves.get(path.removesuffix("error") + "details", (None, None))
            elif not path.endswith(".details"):
                return False
            if not _same_form(a, b):
                return False
    return True


def _same_form(a, b):
    return isinstance(a, str) and isinstance(b, str) and any(
        form.fullmatch(a) and form.fullmatch(b) for form in _FORMS
    )
