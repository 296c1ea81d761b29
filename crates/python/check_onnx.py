"""Holds ONNX Runtime to `predict` on folders of tables: check_onnx.py FOLDER... [--target COLUMN] [--rows N]

For each CSV file a network is made from `--rows` random rows (of a regression in folders called so, and elsewhere where the
target has more than ten different numbers) and exported; all rows of the table, missing values and unseen
names included, go through both. A line a table says by how much they differ at most: probabilities, or values in standard
deviations of the predictions. The exit code is 1 if any differs by more than 1e-5.
"""

import argparse
import pathlib
import sys

import numpy as np
import onnxruntime
import pandas

from weightsmith import WeightsmithClassifier, WeightsmithRegressor

TOLERANCE = 1e-5


def feed_of(model, X):
    feed = {}
    for name, kind in model._network.inputs:
        column = X[name]
        if kind == "numeric":
            feed[name] = column.to_numpy(dtype=np.float64, na_value=np.nan).reshape(-1, 1)
        else:
            texts = ["" if pandas.isna(value) else str(value) for value in column]
            feed[name] = np.array(texts, dtype=object).reshape(-1, 1)
    return feed


def differ(path, target, n_rows):
    table = pandas.read_csv(path, keep_default_na=False, na_values=[""])
    table = table[table[target].notna()]
    X, y = table.drop(columns=target), table[target]
    many_numbers = y.dtype.kind in "iuf" and y.nunique() > 10
    is_regression = "classification" not in path.parent.name and (many_numbers or "regression" in path.parent.name)
    learned = np.random.RandomState(0).permutation(len(X))[:n_rows]
    model = (WeightsmithRegressor if is_regression else WeightsmithClassifier)()
    model.fit(X.iloc[learned], y.iloc[learned])
    session = onnxruntime.InferenceSession(model.to_onnx())
    found = session.run(["prediction" if is_regression else "probabilities"], feed_of(model, X))[0]
    if is_regression:
        expected = model.predict(X)
        return np.abs(found - expected).max() / (expected.std() + 1e-300)
    return np.abs(found - model.predict_proba(X)).max()


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folders", nargs="+", type=pathlib.Path)
    arguments.add_argument("--target", default="target")
    arguments.add_argument("--rows", type=int, default=128)
    asked = arguments.parse_args()
    paths = sorted(path for folder in asked.folders for path in folder.rglob("*.csv"))
    worst, n_tables = 0.0, 0
    for path in paths:
        if asked.target not in pandas.read_csv(path, nrows=0).columns:
            continue
        difference = differ(path, asked.target, asked.rows)
        print(f"{difference:.1e}  {path.parent.name}/{path.stem}", flush=True)
        worst, n_tables = max(worst, difference), n_tables + 1
    print(f"{n_tables} tables, at most {worst:.1e}")
    return int(n_tables == 0 or not worst < TOLERANCE)


if __name__ == "__main__":
    sys.exit(main())
