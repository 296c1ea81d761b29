"""How many inner steps: four ways to decide, from the runs that `examples/how_many_steps.rs` wrote.

    python benches/how_many_steps.py WEIGHTSMITH SYNTHETIC.csv REAL.csv...

A predictor of each number of steps is a network that WEIGHTSMITH generates from the synthetic runs; nothing is learned from the real
ones. Losses are compared as logarithms of their ratio to no step. Needs NumPy and pandas.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

NUMBERS = [0, 1, 2, 3, 5, 8, 12, 20, 30]
COLUMNS = (
    ["name", "task", "n_rows", "n_columns", "n_classes"]
    + [f"loss_{k}" for k in NUMBERS]
    + [f"held_{k}" for k in NUMBERS]
    + [f"error_{k}" for k in NUMBERS]
    + ["loo_0", "loo_1", "loo_2"]
)
LEAST = 1e-4  # Of a loss, before its logarithm is taken.
# The features that need no folds, and with what the folds say.
ALONE = ["log_rows", "log_columns", "columns_a_row", "n_classes", "log_loo", "first", "second"]
FOLDS = ["held_0", "own_gain", "own_error", "best_gain"]


def read(path):
    runs = pd.read_csv(path, names=COLUMNS)
    return runs[np.isfinite(runs.drop(columns=["name", "task"])).all(axis=1)].reset_index(drop=True)


def logs(runs, kind):
    """Logarithms of losses after each number of steps, less that after none."""
    all_logs = np.log(np.maximum(runs[[f"{kind}_{k}" for k in NUMBERS]].to_numpy(), LEAST))
    return all_logs - all_logs[:, :1]


def held_errors(runs):
    """Standard errors of the logarithms that the folds say."""
    return runs[[f"error_{k}" for k in NUMBERS]].to_numpy() / np.maximum(
        runs[[f"held_{k}" for k in NUMBERS]].to_numpy(), LEAST
    )


def features(runs, at):
    loo = np.log(np.maximum(runs[["loo_0", "loo_1", "loo_2"]].to_numpy(), LEAST))
    held, error = logs(runs, "held"), held_errors(runs)
    return pd.DataFrame(
        {
            "log_rows": np.log(runs.n_rows),
            "log_columns": np.log(runs.n_columns),
            "columns_a_row": runs.n_columns / runs.n_rows,
            "n_classes": runs.n_classes,
            "log_loo": loo[:, 0],
            "first": loo[:, 1] - loo[:, 0],
            "second": loo[:, 2] - loo[:, 0],
            "held_0": runs.held_0,
            "own_gain": held[:, at].clip(-3, 3),
            "own_error": error[:, at].clip(0, 3),
            "best_gain": held.min(axis=1).clip(-3, 3),
        }
    )


class Network:
    """A regression network that weightsmith generates from a table, with its error on rows held out."""

    def __init__(self, weightsmith, folder, table, target):
        self.weightsmith, self.weights, self.rows = weightsmith, folder / "w.safetensors", folder / "rows.csv"
        table.assign(target=target).to_csv(folder / "train.csv", index=False)
        self.call("generate", "--data", folder / "train.csv", "--target", "target", "--task", "regression", "--out", self.weights)
        self.out = folder / "out.csv"
        self.error = float(np.std(target - self.of(table)))

    def call(self, *arguments):
        subprocess.run([self.weightsmith, *map(str, arguments), "--force", "--quiet"], check=True, capture_output=True)

    def of(self, table):
        table.to_csv(self.rows, index=False)
        self.call("predict", "--weights", self.weights, "--data", self.rows, "--out", self.out)
        return pd.read_csv(self.out).iloc[:, 0].to_numpy()


def predicted(weightsmith, folder, learn, judge, columns):
    """Predicted logarithms after each number of steps, and each one's error, on halves of the runs that it did not learn from."""
    gains, errors = np.zeros((len(judge), len(NUMBERS))), np.full(len(NUMBERS), 1e-9)
    wanted = logs(learn, "loss").clip(-3, 3)
    half = np.arange(len(learn)) % 2 == 0
    for at in range(1, len(NUMBERS)):
        table = features(learn, at)[columns]
        missed = np.zeros(len(learn))
        for part in (half, ~half):
            network = Network(weightsmith, folder, table[part], wanted[part, at])
            missed[~part] = wanted[~part, at] - network.of(table[~part])
        errors[at] = missed.std()
        gains[:, at] = Network(weightsmith, folder, table, wanted[:, at]).of(features(judge, at)[columns])
    return gains, errors


def summary(name, choice, losses, task):
    """Mean score after the steps that were chosen, and the regret to the best in hindsight, with its bootstrap interval."""
    rows = np.arange(len(choice))
    chosen, best = losses[rows, choice], losses.min(axis=1)
    regret = np.log(chosen) - np.log(best)
    draws = np.random.default_rng(0).integers(0, len(rows), (5000, len(rows)))
    low, high = np.quantile(regret[draws].mean(axis=1), [0.025, 0.975])
    score = np.maximum(1 - chosen, -1).mean() if task == "regression" else chosen.mean()
    print(f"  {name:34s} {score:.4f}  regret {regret.mean():.4f} ({low:.4f} to {high:.4f})  steps {np.mean(np.array(NUMBERS)[choice]):.1f}")


def main():
    weightsmith, synthetic, *real = sys.argv[1:]
    runs = read(synthetic)
    with tempfile.TemporaryDirectory() as folder:
        for path in real:
            tables = read(path)
            for task in ("regression", "classification"):
                learn, judge = runs[runs.task == task].reset_index(drop=True), tables[tables.task == task].reset_index(drop=True)
                if judge.empty:
                    continue
                losses = np.maximum(judge[[f"loss_{k}" for k in NUMBERS]].to_numpy(), LEAST)
                print(f"{Path(path).stem}, {task}: {len(judge)} runs on tables, learned from {len(learn)} synthetic runs")
                for at in (0, 3):
                    summary(f"{NUMBERS[at]} steps for all", np.full(len(judge), at), losses, task)
                held, held_error = logs(judge, "held"), held_errors(judge)
                summary("(a) folds", held.argmin(axis=1), losses, task)
                alone, alone_error = predicted(weightsmith, Path(folder), learn, judge, ALONE)
                summary("(b) predictor", alone.argmin(axis=1), losses, task)
                weights = 1 / alone_error**2, 1 / np.maximum(held_error, 1e-3) ** 2
                both = (alone * weights[0] + held * weights[1]) / (weights[0] + weights[1])
                summary("(c) both, by precision", both.argmin(axis=1), losses, task)
                joint, _ = predicted(weightsmith, Path(folder), learn, judge, ALONE + FOLDS)
                summary("(d) predictor that reads the folds", joint.argmin(axis=1), losses, task)
                summary("hindsight", losses.argmin(axis=1), losses, task)


main()
