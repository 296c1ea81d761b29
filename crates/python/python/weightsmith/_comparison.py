"""Generated weights beside trained ones on the rows of one table."""

import html
import json
import sys

import numpy as np

from . import _core
from ._tables import name_of, rows_of

try:
    import pandas
except ImportError:
    raise ImportError("compare() gives a DataFrame; pip install pandas") from None


class Comparison(pandas.DataFrame):
    """What each method scores: a DataFrame, a row a method, that shows a page with pictures in a notebook.

    Of each metric there is the mean over splits, under the metric's name, with the ends of its 95 % interval in
    `<metric>_low` and `<metric>_high`; `seconds` is the median time of one core from the support rows to the weights.
    `figures` has all of them, as the command's `--json` does, and `page` is the page's text.
    """

    _metadata = ["figures", "page"]

    @property
    def _constructor(self):
        # A part of it is a table like any other.
        return pandas.DataFrame

    def _repr_html_(self):
        # A frame of its own, so that the page's style does not reach the notebook's.
        return f'<iframe srcdoc="{html.escape(self.page)}" style="width: 100%; height: 40rem; border: 0"></iframe>'

    def save(self, path):
        """Writes the page, an HTML file that needs nothing but itself."""
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.page)


def compare(X, y, *, task="auto", support=None, splits=5, methods=None, threads=1, progress=None):
    """Compares generated weights with trained ones on splits of one table.

    The table is split `splits` times into a few support rows, which every method learns from, and the rest, on which all
    are scored.

    Parameters
    ----------
    X, y : a frame or a matrix, and its labels
    task : "auto", "classification" or "regression"
        What is predicted; by default classes where labels are no numbers, or scikit-learn's `type_of_target` has them as
        classes.
    support : int, default=128
        Support rows, at most 70 % of the table.
    splits : int, default=5
        Splits, each with other support rows.
    methods : list of str, optional
        What is compared, by name; by default everything, which takes about a minute for small tables.
    threads : int, default=1
        Splits to work on at once.
    progress : bool or callable, optional
        Whether to show progress, by default in notebooks and terminals that have tqdm; or what to call with how many splits
        of how many are done.

    Returns
    -------
    Comparison

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from weightsmith import compare
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> table = compare(X, y, support=40, splits=2, methods=["generated", "linear-tuned"])
    >>> bool(table.loc["generated", "accuracy"] > 0.8)
    True
    """
    labels, classes = _target(y, task)
    listen, close = _listener(progress)
    try:
        figures, page = _core.compare(
            rows_of(X),
            labels,
            classes,
            target_name=str(getattr(y, "name", None) or "target"),
            support=support,
            splits=splits,
            methods=None if methods is None else list(methods),
            threads=threads,
            listen=listen,
        )
    finally:
        close()
    figures = json.loads(figures)
    table = Comparison([_row(method) for method in figures["methods"]]).set_index("method")
    # The index is another object, without what is beside the cells.
    table = Comparison(table)
    table.figures, table.page = figures, page
    return table


def _row(method):
    row = {"method": method["method"]}
    for report in method["metrics"]:
        estimate = report["estimate"]
        row[report["metric"]] = estimate["mean"]
        row[f"{report['metric']}_low"] = estimate["low"]
        row[f"{report['metric']}_high"] = estimate["high"]
    row["seconds"] = method["cpu_s"]["median"] if method["cpu_s"] else None
    return row


def _target(y, task):
    from sklearn.utils.multiclass import type_of_target
    from sklearn.utils.validation import column_or_1d

    y = column_or_1d(y)
    if task not in ("auto", "classification", "regression"):
        raise ValueError(f'task is {task!r}; give "auto", "classification" or "regression"')
    as_classes = task == "classification" or task == "auto" and type_of_target(y) in ("binary", "multiclass")
    if task == "auto" and np.asarray(y).dtype.kind in "iuf":
        # Many whole numbers are no classes.
        as_classes = as_classes and len(np.unique(y)) <= 10
    if not as_classes:
        return np.ascontiguousarray(y, dtype=np.float64), None
    classes, labels = np.unique(y, return_inverse=True)
    return np.ascontiguousarray(labels, dtype=np.int64), [name_of(label) for label in classes.tolist()]


def _listener(progress):
    """What is told of progress, and what to do in the end."""
    if callable(progress):
        return progress, lambda: None
    if progress is None:
        progress = "ipykernel" in sys.modules or sys.stderr.isatty()
    if not progress:
        return None, lambda: None
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return None, lambda: None
    bar = tqdm(desc="splits")

    def listen(n_done, n_all):
        bar.total = n_all
        bar.update(n_done - bar.n)

    return listen, bar.close
