"""Trains LightGBM on the columns of a dataset: {"auc": …, "validationAuc": …, "columns": …} for a line of standard input.

Once on the numbers alone and once on numbers, categories and context, each stopped early on the validation period; the
better of the two on validation is what counts. The test period is scored once by that one.
"""

import json
import sys

import lightgbm
import numpy

case = json.loads(sys.argv[1])
names = case["numericNames"]
numeric = numpy.fromfile(case["numeric"], dtype="<f4").reshape(-1, len(names))
categorical = numpy.fromfile(case["categorical"], dtype="<i4").reshape(len(numeric), -1)
labels = numpy.fromfile(case["labels"], dtype="u1")
split = numpy.fromfile(case["split"], dtype="u1")
train, validation, test = (split == part for part in range(3))


def area(scores, clicked):
    """AUC by ranks, ties counted half."""
    _, inverse, counts = numpy.unique(scores, return_inverse=True, return_counts=True)
    ends = numpy.cumsum(counts)
    ranks = (ends - (counts - 1) / 2)[inverse]
    clicks = clicked.sum()
    return (ranks[clicked == 1].sum() - clicks * (clicks + 1) / 2) / (clicks * (len(clicked) - clicks))


def trained(columns, categories):
    options = {
        "objective": "binary", "metric": "auc", "learning_rate": 0.05, "num_leaves": 31, "min_data_in_leaf": 50,
        "num_threads": case["threads"], "seed": 1, "verbose": -1, "deterministic": True,
    }
    data = lightgbm.Dataset(columns[train], labels[train], categorical_feature=categories, free_raw_data=False)
    held = lightgbm.Dataset(columns[validation], labels[validation], reference=data, free_raw_data=False)
    stop = lightgbm.early_stopping(50, verbose=False)
    return lightgbm.train(options, data, num_boost_round=1000, valid_sets=[held], callbacks=[stop])


def candidates():
    yield "numbers", numeric, []
    if categorical.shape[1] > 0:
        places = list(range(len(names), len(names) + categorical.shape[1]))
        yield "numbers and categories", numpy.hstack([numeric, categorical.astype("f4")]), places


print(json.dumps({"ready": True}), flush=True)
for _ in sys.stdin:
    best = None
    for name, columns, categories in candidates():
        model = trained(columns, categories)
        reached = area(model.predict(columns[validation]), labels[validation])
        if best is None or reached > best[0]:
            best = (reached, name, area(model.predict(columns[test]), labels[test]))
    print(json.dumps({"validationAuc": best[0], "columns": best[1], "auc": best[2]}), flush=True)
