#!/usr/bin/env python3
"""Write scikit_learn.csv: rows, their labels, and what scikit-learn's boosting,
fitted on them with the options below, says is the label's probability.

Usage: scikit_learn.py >scikit_learn.csv
"""

import sys

import numpy
import pandas
from sklearn.ensemble import HistGradientBoostingClassifier

random = numpy.random.default_rng(7)
ROWS = 1200
data = pandas.DataFrame(
    {
        "wide": random.lognormal(3, 2, ROWS).round(3),  # more than 255 values
        "few": random.integers(0, 6, ROWS).astype(float),
        "gaps": random.normal(0, 1, ROWS).round(1),
        "switch": random.integers(0, 2, ROWS).astype(float),
    }
)
data.loc[random.random(ROWS) < 0.2, "gaps"] = numpy.nan
data.loc[random.random(ROWS) < 0.05, "wide"] = numpy.nan
log_odds = numpy.log(data["wide"].fillna(400)) - 3 + data["switch"] * data["gaps"].fillna(1.5) * 2 - (data["few"] - 2) ** 2 / 4
label = random.random(ROWS) < 1 / (1 + numpy.exp(-log_odds))

model = HistGradientBoostingClassifier(
    max_iter=40, learning_rate=0.1, max_leaf_nodes=15, min_samples_leaf=20, early_stopping=False
).fit(data, label)
data["label"] = label.astype(int)
data["probability"] = model.predict_proba(data.iloc[:, :4])[:, 1]
data.to_csv(sys.stdout, index=False, lineterminator="\n")
