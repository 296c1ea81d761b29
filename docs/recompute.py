"""Check a comparison with NumPy alone: recompute.py FOLDER, where `weightsmith compare --export FOLDER` wrote.

Predicts the long rows of every split from the exported weights (docs/predict.py), or takes the exported predictions of
a method that is no network, scores them, and compares means over splits with comparison.json. Ends with code 1 if a
figure is off by more than 1e-4 (of itself, where it is above 1)."""
import csv, json, os, subprocess, sys, tempfile
import numpy as np

PREDICT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "predict.py")


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def predictions(folder, method):
    """The exported predictions of a method, or those of its weights if it has any."""
    weights = os.path.join(folder, method + ".safetensors")
    if not os.path.exists(weights):
        return read(os.path.join(folder, method + ".csv"))
    with tempfile.TemporaryDirectory() as scratch:
        out = os.path.join(scratch, "out.csv")
        subprocess.run([sys.executable, PREDICT, weights, os.path.join(folder, "query.csv"), out], check=True)
        return read(out)


def single(text):
    """A number as 32 bits hold it and the shortest text gives it back."""
    return float(str(np.float32(text)))


def auc_of(score, positive):
    """From mid-ranks."""
    values, place = np.unique(score, return_inverse=True)
    counts = np.bincount(place)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    a, b = positive.sum(), (~positive).sum()
    return (ranks[positive].sum() - a * (a + 1) / 2) / (a * b) if a and b else np.nan


def auc(p, y):
    k = p.shape[1]
    if k == 2:
        return auc_of(p[:, 1], y == 1)
    pairs = []
    for i in range(k):
        for j in range(i + 1, k):
            if (y == i).any() and (y == j).any():
                among = (y == i) | (y == j)
                pairs.append((auc_of(p[among, i], y[among] == i) + auc_of(p[among, j], y[among] == j)) / 2)
    return np.mean(pairs) if pairs else np.nan


def score_classes(rows, labels, names):
    p = np.array([[single(row.get("probability_" + name, 0)) for name in names] for row in rows])
    p = np.clip(p, 1e-6, 1)
    p /= p.sum(axis=1, keepdims=True)
    y = np.array([names.index(label) for label in labels])
    n, best = np.arange(len(y)), p.argmax(axis=1)
    bins = np.minimum((p[n, best] * 10).astype(int), 9)
    gaps = [abs((p[n, best] - (best == y))[bins == b].sum()) for b in range(10)]
    return {"accuracy": (best == y).mean(), "auc": auc(p, y), "log_loss": -np.log(p[n, y]).mean(),
            "brier": ((p - np.eye(len(names))[y]) ** 2).sum(axis=1).mean(), "calibration_error": sum(gaps) / len(y)}


def score_values(rows, labels):
    p, y = np.array([single(row["prediction"]) for row in rows]), np.array(labels, dtype=float)
    r2 = 1 - ((y - p) ** 2).sum() / ((y - y.mean()) ** 2).sum()
    scores = {"r2": r2, "r2_clipped": max(r2, -1), "rmse": np.sqrt(((y - p) ** 2).mean())}
    if rows[0]["std"] not in ("", "None"):
        scores["coverage_95"] = (abs(y - p) <= 1.959963984540054 * float(rows[0]["std"])).mean()
    return scores


root = sys.argv[1]
figures = json.load(open(os.path.join(root, "comparison.json"), encoding="utf-8"))
worst, n_figures = (0.0, "none"), 0
for method in figures["methods"]:
    if method["errors"]:
        continue
    found = []
    for split in figures["splits"]:
        folder = os.path.join(root, f"split-{split}")
        labels = [row[figures["target"]] for row in read(os.path.join(folder, "query.csv"))]
        rows, names = predictions(folder, method["method"]), figures["class_names"]
        found.append(score_classes(rows, labels, names) if names else score_values(rows, labels))
    for metric in method["metrics"]:
        values = [scores[metric["metric"]] for scores in found]
        own = np.mean([value for value in values if not np.isnan(value)])
        reported = metric["estimate"]["mean"]
        off = abs(own - reported) / max(1, abs(reported))
        n_figures += 1
        worst = max(worst, (off, f"{method['method']} {metric['metric']}: {reported} reported, {own} recomputed"))
print(f"{n_figures} figures of {len(figures['splits'])} splits; the largest difference is {worst[0]:.1e} ({worst[1]})")
sys.exit(1 if worst[0] > 1e-4 else 0)
