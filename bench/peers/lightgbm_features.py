"""Trains LightGBM on a file of `courier features`, without and with its columns of embeddings, and writes what both predict.

Answers a line of standard input with {"columns": […]}: those of embeddings. Rows of the training period from `from` on are
learned from, for an encoder has seen the clicks before; each model is stopped early on the validation period.
"""

import json
import sys

import lightgbm
import pyarrow
import pyarrow.parquet

case = json.loads(sys.argv[1])
table = pyarrow.parquet.read_table(case["features"]).to_pandas()
described = json.load(open(case["description"]))
keys = [name for name in ("log", "log_row", "user", "item", "time") if name in table]
known = {*keys, "page_view", "split", "clicked"}
visual = [column["name"] for column in described["columns"] if column["name"].startswith(("sim_", "vector_", "cluster_"))]
base = [name for name in table if name not in known and name not in visual]
for name in base:
    if table[name].dtype == object or str(table[name].dtype) in ("str", "string"):
        table[name] = table[name].astype("category")
train = (table["split"] == 0) & (table["time"] >= case["from"])
validation, test = table["split"] == 1, table["split"] == 2


def predictions(columns):
    options = {
        "objective": "binary", "metric": "auc", "learning_rate": 0.05, "num_leaves": 31, "min_data_in_leaf": 50,
        "num_threads": case["threads"], "seed": 1, "verbose": -1, "deterministic": True,
    }
    data = lightgbm.Dataset(table.loc[train, columns], table.loc[train, "clicked"])
    held = lightgbm.Dataset(table.loc[validation, columns], table.loc[validation, "clicked"], reference=data)
    stop = lightgbm.early_stopping(50, verbose=False)
    model = lightgbm.train(options, data, num_boost_round=1000, valid_sets=[held], callbacks=[stop])
    return model.predict(table.loc[test, columns])


print(json.dumps({"ready": True}), flush=True)
for _ in sys.stdin:
    for name, columns in (("without", base), ("with", base + visual)):
        found = table.loc[test, keys].assign(score=predictions(columns))
        pyarrow.parquet.write_table(pyarrow.Table.from_pandas(found, preserve_index=False), case[name])
    print(json.dumps({"columns": visual}), flush=True)
