"""Sums up what `--example select_rows` wrote: `python3 benches/select_rows.py RESULTS.csv... ` (NumPy).

Accuracy in percent, the mean over tables of the mean over seeds; the share of the gap between all rows and the oracle that a method
closes; differences to all rows with a 95 % bootstrap over tables.
"""

import csv
import sys
from collections import defaultdict

import numpy as np

GROUPS = {
    "clean": ["clean"],
    "a": ["a-random-20", "a-random-40"],
    "b": ["b-boundary-20", "b-class-40", "b-group-30"],
    "c": ["c-copula", "c-mixed"],
    "d": ["d-mirrored-50"],
}
BASELINES = ["clean-only", "small-loss", "confident-learning", "knn-shapley", "l2rw", "meta-weight-net", "random"]
METHODS = ["all", "oracle", "selector", "bilevel", *BASELINES]


def read(paths, column="accuracy"):
    """Mean over seeds by (setting, trusted, method) and table."""
    found = defaultdict(lambda: defaultdict(list))
    for path in paths:
        with open(path, encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if row[column] not in ("", "NaN"):
                    key = row["setting"], int(row["n_trusted"]), row["method"]
                    found[key][row["table"]].append(float(row[column]))
    return {key: {table: np.mean(values) for table, values in tables.items()} for key, tables in found.items()}


def interval(differences, rng):
    differences = np.asarray(differences)
    draws = rng.choice(differences, (4000, len(differences))).mean(axis=1)
    return np.percentile(draws, [2.5, 97.5])


def main():
    rng = np.random.default_rng(0)
    accuracy, telling = read(sys.argv[1:]), read(sys.argv[1:], "impure_auc")
    for trusted in sorted({key[1] for key in accuracy}):
        everywhere = defaultdict(lambda: defaultdict(list))
        print(f"\n{trusted} rows known to be clean")
        print(f"{'setting':14} {'tables':>6} " + " ".join(f"{method[:11]:>11}" for method in METHODS) + "   gap closed")
        for group, settings in GROUPS.items():
            for setting in settings:
                of = {method: accuracy.get((setting, trusted, method), {}) for method in METHODS}
                tables = sorted(of["all"])
                if not tables:
                    continue
                means = {m: 100 * np.mean([of[m][t] for t in tables if t in of[m]]) if of[m] else np.nan for m in METHODS}
                gap = means["oracle"] - means["all"]
                closed = (means["selector"] - means["all"]) / gap if gap > 0 else np.nan
                print(f"{setting:14} {len(tables):6} " + " ".join(f"{means[m]:11.2f}" for m in METHODS) + f"   {closed:6.2f}")
                for method in METHODS:
                    for table in tables:
                        if table in of[method]:
                            everywhere[group, method][table].append(of[method][table])
        for group in GROUPS:
            base = everywhere[group, "all"]
            for method in ["selector", "oracle"]:
                ours = everywhere[group, method]
                differences = [100 * (np.mean(ours[t]) - np.mean(base[t])) for t in base if t in ours]
                if differences:
                    low, high = interval(differences, rng)
                    print(f"{group:6} {method:9} less all rows: {np.mean(differences):+.2f} [{low:+.2f}, {high:+.2f}]")
        for method in METHODS:
            sums = []
            for table in sorted(everywhere["a", "all"]):
                parts = [
                    np.mean(everywhere[g, "selector"][table]) - np.mean(everywhere[g, method][table])
                    for g in "abcd"
                    if table in everywhere[g, method] and table in everywhere[g, "selector"]
                ]
                if len(parts) == 4:
                    sums.append(100 * np.mean(parts))
            if sums:
                low, high = interval(sums, rng)
                print(f"mean of a to d: selector less {method:18} {np.mean(sums):+.2f} [{low:+.2f}, {high:+.2f}] ({len(sums)} tables)")
        print("area under the curve of telling impure rows:")
        for group, settings in GROUPS.items():
            for setting in settings:
                line = []
                for method in ["selector", "bilevel", "small-loss", "confident-learning", "knn-shapley", "l2rw", "meta-weight-net"]:
                    values = telling.get((setting, trusted, method), {}).values()
                    if values and setting != "clean":
                        line.append(f"{method} {np.mean(list(values)):.3f}")
                if line:
                    print(f"  {setting:14} " + ", ".join(line))


if __name__ == "__main__":
    main()
