#!/usr/bin/env python3
"""Check that the tools of its users read an export without any help.

Usage: prove_training_set.py DIR [TABLE.json]

pandas, pyarrow and DuckDB read every file of rows in the folder. Each column must
get the type that the manifest gives it, and its rows, nulls and sum must be the
same for every tool and every format, and what the manifest says; with TABLE.json,
also what PostgreSQL says of the table itself:
{"COLUMN": {"rows": N, "nulls": N, "sum": N}, ...}, over all parts.
mlcroissant must accept croissant.json and read by it what pandas reads, and
sha256sum accept every file. Exits with 1 and names each thing that is not so.

A column's sum is of its numbers, of its trues, of the characters of its texts, or
of the microseconds since 1970 of its times.
"""

import importlib.metadata
import itertools
import json
import math
import pathlib
import subprocess
import sys

import duckdb
import mlcroissant
import pandas
import pyarrow
import pyarrow.parquet
from pandas.api import types

# By the manifest's type: what pandas makes of a CSV. A double whose values are
# all whole is written as 3, which reads as int64; an int with a cell missing
# reads as float64, a bool as object; of nothing but missing cells every column
# is float64.
PANDAS = {
    "double": lambda c: c.dtype in ("float64", "int64"),
    "int": lambda c: c.dtype == ("float64" if c.hasnans else "int64"),
    "bool": lambda c: c.dropna().isin([True, False]).all() and (c.hasnans or types.is_bool_dtype(c)),
    "string": types.is_string_dtype,
    "string[]": types.is_string_dtype,
    "record timestamp": lambda c: c.str.endswith("Z").all() and pandas.to_datetime(c, utc=True).notna().all(),
}

ARROW = {
    "double": pyarrow.float64(),
    "int": pyarrow.int64(),
    "bool": pyarrow.bool_(),
    "string": pyarrow.string(),
    "string[]": pyarrow.string(),
    "record timestamp": pyarrow.timestamp("us", tz="UTC"),
}

# DuckDB guesses the types of a CSV; those of Parquet come first.
DUCKDB = {
    "double": ("DOUBLE", "BIGINT"),
    "int": ("BIGINT",),
    "bool": ("BOOLEAN",),
    "string": ("VARCHAR",),
    "string[]": ("VARCHAR",),
    "record timestamp": ("TIMESTAMP WITH TIME ZONE", "TIMESTAMP"),
}

DUCKDB_SUMS = {
    "double": "fsum({})",
    "int": "sum({})",
    "bool": "count(*) FILTER ({})",
    "string": "sum(length({}))",
    "string[]": "sum(length({}))",
    "record timestamp": "sum(epoch_us({}))",
}


ROWS_BY_CROISSANT = 50  # of each part: mlcroissant takes a millisecond a row


class Proof:
    """What was found wrong, and what the first tool said of each column."""

    def __init__(self, folder):
        self.folder = folder
        self.manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        self.types = {c["name"]: c["type"] for c in self.manifest["columns"]}
        self.problems = []
        self.facts = {}  # by part, then by column: (rows, nulls, sum)
        self.compared = 0
        self.samples = {}  # by part: some rows, as pandas reads them
        self.records = 0  # values that mlcroissant read as pandas does

    def wrong(self, where, text):
        self.problems.append(f"{where}: {text}")

    def columns(self, where, names):
        if list(names) != list(self.types):
            self.wrong(where, f"its columns are {list(names)}, the manifest says {list(self.types)}")

    def fact(self, where, part, column, rows, nulls, total):
        """Hold what a tool says of a column to what was said before."""
        total = total or 0  # of nothing but nulls
        known = self.facts.setdefault(part, {}).setdefault(column, (rows, nulls, total))
        self.compared += 1
        if (rows, nulls) != known[:2] or not same(total, known[2]):
            self.wrong(where, f"{column}: {rows} rows, {nulls} nulls, sum {total}; others say {known}")


def same(a, b):
    """Sums of doubles depend on the order in the last digits; all others are exact."""
    if isinstance(a, float) or isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)
    return a == b


def total_of(kind, values):
    """Sum up the values of a column that are not null, as Python's own."""
    if kind == "double":
        return math.fsum(values)
    if kind.startswith("string"):
        return sum(map(len, values))
    return sum(map(int, values))


def with_pandas(proof, where, part, data, check):
    proof.columns(where, data.columns)
    proof.samples.setdefault(part, data.head(ROWS_BY_CROISSANT).to_dict("records"))
    for name, column in data.items():
        kind = proof.types[name]
        if check and not column.isna().all() and not PANDAS[kind](column):
            proof.wrong(where, f"{name}: {kind} in the manifest, but pandas reads {column.dtype}")
            continue
        present = column.dropna()
        if kind == "record timestamp":
            present = pandas.to_datetime(present, utc=True).dt.as_unit("us").astype("int64")
        proof.fact(where, part, name, len(column), int(column.isna().sum()), total_of(kind, present.tolist()))


def with_arrow(proof, where, part, path):
    table = pyarrow.parquet.read_table(path)
    proof.columns(where, table.column_names)
    for name in table.column_names:
        kind, column = proof.types[name], table.column(name)
        found = column.type.value_type if pyarrow.types.is_dictionary(column.type) else column.type
        if found != ARROW[kind]:
            proof.wrong(where, f"{name}: {kind} in the manifest, but pyarrow reads {found}")
            continue
        if kind == "record timestamp":
            column = column.cast(pyarrow.int64())
        proof.fact(where, part, name, len(column), column.null_count, total_of(kind, column.drop_null().to_pylist()))


def with_duckdb(proof, where, part, path, form):
    source = f"read_parquet('{path}')" if form == "parquet" else f"read_csv('{path}', sample_size = -1)"
    with duckdb.connect() as database:
        database.execute(f"CREATE TABLE read AS SELECT * FROM {source}")
        described = {row[0]: row[1] for row in database.execute("DESCRIBE read").fetchall()}
        proof.columns(where, described)
        if list(described) != list(proof.types):
            return
        counts = database.execute("SELECT count(*), " + ", ".join(f'count("{name}")' for name in described) + " FROM read").fetchall()[0]
        rows, allowed = counts[0], slice(None, 1 if form == "parquet" else None)
        for (name, found), present in zip(described.items(), counts[1:]):
            kind = proof.types[name]
            if present == 0 and form == "csv":
                proof.fact(where, part, name, rows, rows, 0)
            elif found not in DUCKDB[kind][allowed]:
                proof.wrong(where, f"{name}: {kind} in the manifest, but DuckDB reads {found}")
            else:
                total = DUCKDB_SUMS[kind].format(f'"{name}"')
                proof.fact(where, part, name, rows, rows - present, database.execute(f"SELECT {total} FROM read").fetchall()[0][0])


def alike(record, read):
    """Tell whether a record's value is what pandas reads from the file."""
    if record is None or pandas.isna(record):
        return pandas.isna(read)
    if isinstance(record, bytes):
        return record.decode() == read
    if isinstance(record, pandas.Timestamp):
        return record == pandas.Timestamp(read)
    return record == read


def with_croissant(proof):
    dataset = mlcroissant.Dataset(jsonld=proof.folder / "croissant.json")
    there = [s.id for s in dataset.metadata.record_sets]
    for part in proof.manifest["parts"]:
        if part["name"] not in there:
            proof.wrong("croissant.json", f"no record set {part['name']}, but {there}")
            continue
        read = proof.samples[part["name"]]
        records = list(itertools.islice(dataset.records(record_set=part["name"]), len(read)))
        if len(records) != len(read):
            proof.wrong("croissant.json", f"{part['name']}: {len(records)} records, but there are more rows")
        for row, record in zip(read, records):
            values = {key.removeprefix(part["name"] + "/"): value for key, value in record.items()}
            for name, value in row.items():
                proof.records += 1
                if name not in values or not alike(values[name], value):
                    proof.wrong("croissant.json", f"{part['name']}: {name} is {value} in the file, {values.get(name)} in the record")


def against_manifest(proof):
    for part in proof.manifest["parts"]:
        for column in proof.manifest["columns"]:
            rows, nulls = proof.facts[part["name"]][column["name"]][:2]
            said = (part["rows"], column.get("nulls", {}).get(part["name"], 0))
            if (rows, nulls) != said:
                proof.wrong("manifest.json", f"{part['name']}: {column['name']}: rows and nulls are {said}, read were {(rows, nulls)}")


def against_table(proof, table):
    for name, said in table.items():
        parts = [facts[name] for facts in proof.facts.values()]
        read = [sum(values) for values in zip(*parts)]
        if [said["rows"], said["nulls"]] != read[:2] or not same(said["sum"], read[2]):
            proof.wrong("the table", f"{name}: {said}, read were rows, nulls and sum {read}")
    return len(table)


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    proof = Proof(pathlib.Path(sys.argv[1]).resolve())
    files = [f for f in proof.manifest["files"] if f.get("part")]
    for file in files:
        path = proof.folder / file["name"]
        if file["format"] == "csv":
            with_pandas(proof, f"pandas, {file['name']}", file["part"], pandas.read_csv(path), True)
        else:
            with_arrow(proof, f"pyarrow, {file['name']}", file["part"], path)
            with_pandas(proof, f"pandas, {file['name']}", file["part"], pandas.read_parquet(path), False)
        with_duckdb(proof, f"DuckDB, {file['name']}", file["part"], path, file["format"])
    against_manifest(proof)
    try:
        with_croissant(proof)
    except Exception as refused:  # whatever it finds wrong, it raises
        proof.wrong("croissant.json", f"mlcroissant: {refused}")
    held = against_table(proof, json.loads(pathlib.Path(sys.argv[2]).read_text(encoding="utf-8"))) if len(sys.argv) == 3 else 0
    sums = subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=proof.folder, capture_output=True, text=True, check=False)
    if sums.returncode != 0:
        proof.wrong("SHA256SUMS", sums.stdout + sums.stderr)

    for problem in proof.problems:
        print(f"{proof.folder}: {problem}", file=sys.stderr)
    print(
        f"pandas {pandas.__version__}, pyarrow {pyarrow.__version__}, DuckDB {duckdb.__version__}, mlcroissant {importlib.metadata.version('mlcroissant')}: "
        f"{proof.manifest['rows']} rows, {len(files)} files, {proof.compared} columns compared, {held} with the table, {proof.records} values by mlcroissant, {len(proof.problems)} problems"
    )
    sys.exit(1 if proof.problems or not proof.compared or not proof.records else 0)


if __name__ == "__main__":
    main()
