#!/usr/bin/env python3
"""Check that scikit-learn learns from an export what `learnability` says it does.

Usage: prove_learnability.py DIR LEARNABILITY.json

DIR is an export with all columns and a split, LEARNABILITY.json what
`dwcp-telemetry learnability DIR --json` said of it. On the export's own split, for
the choices of columns below, scikit-learn's HistGradientBoostingClassifier with
its defaults must be as accurate within two points. Exits with 1 where it is not.
"""

import json
import os
import pathlib
import sys

os.environ.setdefault("OMP_NUM_THREADS", "1")  # on busy cores its threads wait for each other most of the time

import pandas
import sklearn
from sklearn.ensemble import HistGradientBoostingClassifier

POINTS = 2.0
CHOICES = ("plan", "context+priors")
LABEL = "oracle_algorithm"


def read(folder, manifest):
    """Return the rows of all parts, with the part's name beside them."""
    parts = []
    for part in manifest["parts"]:
        file = next(f for f in manifest["files"] if f.get("part") == part["name"])
        path = folder / file["name"]
        rows = pandas.read_csv(path) if file["format"] == "csv" else pandas.read_parquet(path)
        parts.append(rows.assign(part=part["name"]))
    return pandas.concat(parts, ignore_index=True)


def accuracy(rows, columns):
    # Its binning fails on a column of nothing but missing values.
    columns = [c for c in columns if rows.loc[rows["part"] == "train", c].notna().any()]
    texts = [c for c in columns if pandas.api.types.is_string_dtype(rows[c])]
    features = pandas.get_dummies(rows[columns], columns=texts, dtype=float).astype(float)
    train, test = rows["part"] == "train", rows["part"] == "test"
    model = HistGradientBoostingClassifier(early_stopping=False, random_state=0).fit(features[train], rows.loc[train, LABEL])
    return model.score(features[test], rows.loc[test, LABEL])


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    said = json.loads(pathlib.Path(sys.argv[2]).read_text(encoding="utf-8"))
    by = manifest["split"]["by"]
    split = next((s for s in said["splits"] if s["name"] == by), None)
    if split is None or not split["models"]:
        sys.exit(f"{folder}: it is split by {by}; learnability has to have learned on that: export with --split group")
    rows, far = read(folder, manifest), 0
    models = [m for m in split["models"] if m["name"] in CHOICES]
    for model in models:
        reached, claimed = accuracy(rows, model["columns"]), model["accuracy"]
        near = abs(reached - claimed) * 100 <= POINTS
        far += not near
        print(
            f"scikit-learn {sklearn.__version__}, split by {by}, {model['name']}: {100 * reached:.1f} %, "
            f"learnability says {100 * claimed:.1f} %{'' if near else f': more than {POINTS} points apart'}"
        )
    sys.exit(1 if far or len(models) < len(CHOICES) else 0)


if __name__ == "__main__":
    main()
