#!/usr/bin/env python3
"""Check that pandas.read_csv reads an exported training set without any help.

Usage: check_pandas.py FILE.csv

Every column must get the type that docs/event.md gives it: a number is never an
object column, has_baseline is bool, the timestamp parses and is in UTC, and
oracle_algorithm is HDE or AMST. Exits with 1 and names each column that is not so.
"""

import pathlib
import re
import sys

import pandas
from pandas.api import types

REFERENCE = pathlib.Path(__file__).parent.parent / "docs" / "event.md"
ROW = re.compile(r"^\| [^|]+ \| `(\w+)` \| ([^,|]+), ")

# A double whose values are all whole is written as 3, which reads as int64; an
# int with a cell missing reads as float64.
HOLDS = {
    "double": lambda column: column.dtype in ("float64", "int64"),
    "int": lambda column: column.dtype == ("float64" if column.hasnans else "int64"),
    "bool": lambda column: types.is_bool_dtype(column),
    "string": lambda column: types.is_string_dtype(column) or column.isna().all(),
    "record timestamp": lambda column: column.str.endswith("Z").all() and pandas.to_datetime(column, utc=True).notna().all(),
}


def reference():
    """Return the type of every column of the event."""
    rows = (ROW.match(line) for line in REFERENCE.read_text(encoding="utf-8").splitlines())
    return {row[1]: row[2] for row in rows if row}


def problems(data):
    """Yield what a reader would have to clean by hand."""
    kinds = reference()
    if data.empty:
        yield "no rows"
    for name, column in data.items():
        if name not in kinds:
            yield f"{name}: not in {REFERENCE.name}"
        elif not HOLDS[kinds[name]](column):
            yield f"{name}: {kinds[name]} in {REFERENCE.name}, but pandas reads {column.dtype}"
    for name in ("timestamp", "has_baseline", "oracle_algorithm"):
        if name not in data:
            yield f"{name}: missing"
    if "oracle_algorithm" in data and not data["oracle_algorithm"].isin(["HDE", "AMST"]).all():
        yield f"oracle_algorithm: {sorted(data['oracle_algorithm'].unique().tolist(), key=str)}"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    data = pandas.read_csv(sys.argv[1])
    found = list(problems(data))
    for problem in found:
        print(f"{sys.argv[1]}: {problem}", file=sys.stderr)
    print(f"pandas {pandas.__version__}: {len(data)} rows, {len(data.columns)} columns, {len(found)} problems")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
