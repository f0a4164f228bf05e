#!/usr/bin/env python3
"""Writes the C++ view of a schema's rows: a class per table with a reader for each column.

    generate_rows.py SCHEMA NAMESPACE nb|sb > rows.h

Tables and columns are numbered as ovsdb::DatabaseSchema numbers them: by name.
"""

import json
import sys

READERS = {"string": ("absl::string_view", "string"), "integer": ("int64_t", "integer"),
           "boolean": ("bool", "boolean"), "real": ("double", "real"),
           "uuid": ("ovsdb::Uuid", "uuid")}
SETS = {"string": "Strings", "integer": "Integers", "uuid": "absl::Span<const ovsdb::Uuid>"}
MAPS = {("string", "string"): "StringMap", ("string", "integer"): "IntegerMap",
        ("string", "uuid"): "UuidMap"}
FIRST_COLUMN = 2  # Behind _uuid and _version.
KEYWORDS = {"switch", "register", "union", "protected"}
TABLE_COLUMNS = {"table"}  # Whose constants would have the names of what a class has anyway.


def camel(name):
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def atom(base):
    return base if isinstance(base, str) else base["type"]


def reader(name, column, index):
    """The member function that reads one column."""
    kind = column["type"]
    if isinstance(kind, str):
        kind = {"key": kind}
    low, high = kind.get("min", 1), kind.get("max", 1)
    key = atom(kind["key"])
    function = name + "_" if name in KEYWORDS else name
    datum = f"Read({index})"
    if "value" in kind:
        view = MAPS[key, atom(kind["value"])]
        return f"  {view} {function}() const {{ return {view}({datum}); }}"
    if high == 1:
        result, get = READERS[key]
        if low == 1:
            return f"  {result} {function}() const {{ return {datum}.key(0).{get}(); }}"
        return (f"  std::optional<{result}> {function}() const {{\n"
                f"    const ovsdb::Datum& datum = {datum};\n"
                f"    if (datum.empty()) return std::nullopt;\n"
                f"    return datum.key(0).{get}();\n  }}")
    if key == "uuid":
        return f"  {SETS[key]} {function}() const {{ return {datum}.uuids(); }}"
    return f"  {SETS[key]} {function}() const {{ return {SETS[key]}({datum}); }}"


def main():
    path, namespace, replica = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        tables = json.load(file)["tables"]
    guard = f"NORTHD_ROWS_{namespace.upper()}_ROWS_H_"
    print(f"// Made by northd/rows/generate_rows.py.\n#ifndef {guard}\n#define {guard}\n")
    print('#include <cstdint>\n#include <optional>\n\n#include "northd/rows/row_view.h"\n')
    print(f"namespace northd::{namespace} {{\n")
    for number, (table, definition) in enumerate(sorted(tables.items())):
        print(f"class {camel(table.replace('-', '_'))} : public RowView {{\n public:")
        print("  using RowView::RowView;")
        print(f"  static constexpr ReplicaId kReplica = ReplicaId::k{replica.capitalize()};")
        print(f"  static constexpr int kTable = {number};")
        print(f'  static constexpr const char* kTableName = "{table}";\n')
        columns = sorted(definition["columns"].items())
        for index, (name, _) in enumerate(columns, FIRST_COLUMN):
            suffix = "Column" if name in TABLE_COLUMNS else ""
            print(f"  static constexpr int k{camel(name)}{suffix} = {index};")
        print()
        for index, (name, column) in enumerate(columns, FIRST_COLUMN):
            print(reader(name, column, index))
        print("};\n")
    print(f"}}  // namespace northd::{namespace}\n\n#endif  // {guard}")


if __name__ == "__main__":
    main()
