"""Estimators with scikit-learn's interface over the engine."""

from numbers import Real
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _check_y,
    check_array,
    check_consistent_length,
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from ._core import Network
from ._tables import column_names, is_frame, name_of, names_of_matrix, rows_of

# Most seconds that can be asked for.
_MOST_SECONDS = 3600
# The engine reads no fewer rows.
_FEWEST_ROWS = 4


class ExpectedPerformance(NamedTuple):
    """How good a network will be on rows like those it was made from, estimated from these alone."""

    metric: str
    """What is measured: "log-loss" in nats, or "RMSE" in the target's unit; the lower the better."""
    value: float
    """The estimate."""
    low: float
    """The lower end of its 90 % interval."""
    high: float
    """The upper end of it."""
    residual_std: float | None
    """Of a regression, the standard deviation of its errors; otherwise none."""


class _Estimator(BaseEstimator):
    """What both estimators have in common."""

    def __init__(
        self,
        *,
        steps="auto",
        seconds=None,
        trees=100,
        views=8,
        refine=False,
        metamodel=None,
        text=None,
        select="off",
        random_state=None,
    ):
        self.steps = steps
        self.seconds = seconds
        self.trees = trees
        self.views = views
        self.refine = refine
        self.metamodel = metamodel
        self.text = text
        self.select = select
        self.random_state = random_state

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags

    def _generate(self, X, labels, classes=None):
        names = column_names(X) if is_frame(X) else names_of_matrix(X.shape[1])
        steps = None if self.steps == "auto" else _count("steps", self.steps, 0, 1000, ', or "auto"')
        self._network = Network.generate(
            rows_of(X, names),
            labels,
            classes,
            metamodel=self.metamodel,
            views=_count("views", self.views, 1, 64),
            trees=_count("trees", self.trees, 0, 1000),
            steps=steps,
            milliseconds=self._milliseconds(),
            refine=bool(self.refine),
            seed=0 if self.random_state is None else int(check_random_state(self.random_state).randint(2**31)),
            text=self._text(),
            select=str(self.select),
        )
        self._columns = names
        return self

    def _text(self):
        """The names of the columns of running text, an empty list for those that look like it, or none."""
        if self.text is None:
            return None
        if isinstance(self.text, str):
            if self.text == "auto":
                return []
            raise ValueError(f'text is {self.text!r}; give a list of names of columns, or "auto"')
        names = [str(name) for name in self.text]
        if not names:
            raise ValueError('text is empty; give a list of names of columns, or "auto"')
        return names

    def _milliseconds(self):
        """What deciding about inner steps and taking them may cost, if it is said."""
        if self.seconds is None:
            return None
        if self.steps != "auto" or self.refine:
            raise ValueError('seconds says how long to decide about steps; leave steps at "auto" and refine at False')
        if not isinstance(self.seconds, Real) or not 0 <= self.seconds <= _MOST_SECONDS:
            raise ValueError(f"seconds is {self.seconds!r}; give a number from 0 to {_MOST_SECONDS}")
        return round(1000 * self.seconds)

    def _rows(self, X):
        """Rows to predict for."""
        check_is_fitted(self)
        if self._columns is None:
            return rows_of(X, None if is_frame(X) else self._names_of_matrix(X), self._network)
        if is_frame(X):
            validate_data(self, X, reset=False, skip_check_array=True)
        else:
            X = validate_data(self, X, reset=False, dtype=None, ensure_all_finite="allow-nan")
        # scikit-learn has seen to it that the columns are those of `fit`, in the same order.
        return rows_of(X, self._columns, self._network)

    def _names_of_matrix(self, X):
        """What the columns of a matrix are called for a network from a file, which knows only the columns that it reads."""
        X = check_array(X, dtype=None, ensure_all_finite="allow-nan")
        names, n_columns = [name for name, _ in self._network.inputs], X.shape[1]
        own = names_of_matrix(n_columns)
        if set(names) <= set(own):
            return own
        if n_columns != len(names):
            raise ValueError(
                f"the network reads {len(names)} columns by name, and the matrix has {n_columns}; give a frame with their names"
            )
        return names

    @property
    def expected_performance_(self):
        """How good the network will be on other rows; an `ExpectedPerformance`, or none where it was not estimated."""
        check_is_fitted(self)
        expected = self._network.expected_performance
        return None if expected is None else ExpectedPerformance(*expected)

    @property
    def left_out_(self):
        """The columns that were left out by `select`, each with the reason; empty for a network from a file."""
        check_is_fitted(self)
        return dict(self._network.left_out)

    @property
    def dropped_(self):
        """Positions of the rows that were left out by `select`; empty for a network from a file."""
        check_is_fitted(self)
        return list(self._network.dropped)

    @property
    def weights_(self):
        """The numbers of the network, a dict of NumPy arrays in the layout of PyTorch."""
        check_is_fitted(self)
        return {
            name: np.frombuffer(values, dtype=np.float32).reshape(shape).copy()
            for name, shape, values in self._network.weights
        }

    def save(self, path):
        """Writes the network, its encoding included, as a `.safetensors` file that every weightsmith reads."""
        check_is_fitted(self)
        self._network.save(path)

    @classmethod
    def load(cls, path):
        """An estimator of the network in a file that `save` or the command `weightsmith generate` wrote.

        The file has the names of the columns that the network reads, so that frames may have others, too; classes are whole
        numbers or numbers where all their names are.
        """
        network = Network.load(path)
        estimator = cls()
        if network.task_type != cls._task:
            raise ValueError(f"{path} holds a {network.task_type}, and {cls.__name__} is for {cls._task}")
        estimator._network = network
        estimator._columns = None
        names = [name for name, _ in network.inputs]
        estimator.n_features_in_ = len(names)
        estimator.feature_names_in_ = np.array(names, dtype=object)
        if cls._task == "classification":
            estimator.classes_ = _labels_of(network.class_names)
        return estimator

    def to_onnx(self, path=None):
        """The whole way from columns to predictions as an ONNX model, in standard operators.

        Each column is an input of its name, `[rows, 1]`: numbers as float64, names as strings, the empty one missing. The
        outputs are `label` and `probabilities`, or `prediction` and `std`. Returns the bytes; with `path` writes a file.
        A network that reads `text` cannot be written: ONNX has no operators that cut text into words.
        """
        check_is_fitted(self)
        model = self._network.to_onnx()
        if path is not None:
            with open(path, "wb") as file:
                file.write(model)
        return model

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_network")


class WeightsmithClassifier(ClassifierMixin, _Estimator):
    """A classifier whose network is generated from the rows in one forward pass of a metamodel.

    Columns are numbers or names, both with missing values: DataFrames of pandas (categorical and nullable types) and
    polars, Arrow tables, and NumPy arrays, without encoding or scaling before. At least 4 rows, 2 to 100 classes.

    Parameters
    ----------
    steps : "auto" or int, default="auto"
        Inner steps from the generated weights: as many as pay on rows held out, or this number; 0 is the plain forward pass.
    seconds : float, optional
        What deciding about inner steps and taking them may cost, in seconds of a core, counted in multiplications so that
        every machine does the same; by default what the number of rows is worth.
    trees : int, default=100
        Trees of the forest that is distilled into the network; 0 for the metamodel alone.
    views : int, default=8
        Views of the table that are joined into one network; fewer are faster and a little worse.
    refine : bool, default=False
        Whether to take steps of Adam from the plain forward pass instead, where held-out rows say that they pay.
    metamodel : str, optional
        The name of a shipped metamodel or the path of one.
    text : "auto" or list of str, optional
        Columns of running text, which are read by their words and pieces of two to five characters: these, or those that look like it (another
        text in nearly every row, of three words or more). By default such columns are names, which say next to nothing.
    select : {"off", "rows", "columns", "both"}, default="off"
        What is left out: rows that are likely mislabelled (of classes), columns that are likely of no use where that pays on rows held out, or
        both. `left_out_` and `dropped_` tell which; a saved network does not ask for columns that were left out.
    random_state : int or RandomState, optional
        Chance in the forest and in refining; by default always the same.

    Attributes
    ----------
    classes_ : ndarray
        The classes.
    n_features_in_ : int
        Columns seen by `fit`.
    feature_names_in_ : ndarray of str
        Their names, if all of them are texts.
    expected_performance_ : ExpectedPerformance
        How good it will be on other rows, estimated from these alone.
    left_out_ : dict of str
        Columns that were left out, and why.
    dropped_ : list of int
        Positions of rows that were left out.
    weights_ : dict of ndarray
        The numbers of the network.

    Examples
    --------
    >>> import pandas
    >>> from weightsmith import WeightsmithClassifier
    >>> X = pandas.DataFrame({"size": range(40), "colour": ["red", "blue"] * 20})
    >>> y = ["small" if size < 20 else "large" for size in X["size"]]
    >>> model = WeightsmithClassifier().fit(X, y)
    >>> model.predict(X.iloc[[0, 39]]).tolist()
    ['small', 'large']
    >>> model.predict_proba(X).shape
    (40, 2)
    >>> model.expected_performance_.metric
    'log-loss'
    """

    _task = "classification"

    def fit(self, X, y):
        """Generates the network from rows and their classes."""
        if is_frame(X):
            _fit_frame(self, X)
            y = _labels(X, y)
        else:
            X, y = validate_data(
                self, X, y, dtype=None, ensure_all_finite="allow-nan", ensure_min_samples=_FEWEST_ROWS
            )
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("all rows are of one class; a classifier needs rows of at least two")
        names = [name_of(label) for label in self.classes_.tolist()]
        return self._generate(X, np.ascontiguousarray(labels, dtype=np.int64), names)

    def predict_proba(self, X):
        """The probability of each class, in the order of `classes_`: an array of rows times classes."""
        rows = self._rows(X)
        shares = np.frombuffer(self._network.predict(rows), dtype=np.float32).astype(np.float64)
        shares = shares.reshape(len(rows), len(self.classes_))
        # The engine's are 32-bit numbers, whose sum is not 1 to 64.
        return shares / shares.sum(axis=1, keepdims=True)

    def predict(self, X):
        """The most probable class of each row."""
        places = self.predict_proba(X).argmax(axis=1)
        return self.classes_[places]


class WeightsmithRegressor(RegressorMixin, _Estimator):
    """A regressor whose network is generated from the rows in one forward pass of a metamodel.

    Columns, parameters and attributes are those of `WeightsmithClassifier`, but for `classes_`.

    Examples
    --------
    >>> import numpy as np
    >>> from weightsmith import WeightsmithRegressor
    >>> X = np.linspace(0, 10, 60).reshape(-1, 1)
    >>> y = 3 * X[:, 0] + 5
    >>> model = WeightsmithRegressor().fit(X, y)
    >>> bool(abs(model.predict([[4.0]])[0] - 17) < 1)
    True
    >>> value, std = model.predict([[4.0]], return_std=True)
    >>> low_and_high = model.predict([[4.0]], quantiles=[0.05, 0.95])
    >>> low_and_high.shape
    (1, 2)
    """

    _task = "regression"

    def fit(self, X, y):
        """Generates the network from rows and their values."""
        if is_frame(X):
            _fit_frame(self, X)
            y = _labels(X, y, numeric=True)
        else:
            X, y = validate_data(
                self,
                X,
                y,
                dtype=None,
                ensure_all_finite="allow-nan",
                ensure_min_samples=_FEWEST_ROWS,
                y_numeric=True,
            )
        return self._generate(X, np.ascontiguousarray(y, dtype=np.float64))

    def predict(self, X, return_std=False, quantiles=None):
        """The value of each row.

        With `return_std` a pair: values, and the standard deviation of the errors to expect, the same for every row. With
        `quantiles`, probabilities between 0 and 1, an array of rows times quantiles, for normal errors of that deviation.
        """
        if return_std and quantiles is not None:
            raise ValueError("give return_std or quantiles, not both")
        rows = self._rows(X)
        values = np.frombuffer(self._network.predict(rows), dtype=np.float64).copy()
        if not return_std and quantiles is None:
            return values
        expected = self.expected_performance_
        if expected is None or expected.residual_std is None:
            raise ValueError("the network does not know how large its errors will be; fit it on rows, or leave this out")
        std = expected.residual_std
        if return_std:
            return values, np.full(len(values), std)
        quantiles = np.atleast_1d(np.asarray(quantiles, dtype=np.float64))
        if quantiles.ndim != 1 or not np.all((quantiles > 0) & (quantiles < 1)):
            raise ValueError("quantiles are probabilities above 0 and below 1")
        return values[:, None] + std * np.array([NormalDist().inv_cdf(quantile) for quantile in quantiles])


def _fit_frame(estimator, X):
    """scikit-learn's checks of a frame that is learned from: its names and how many there are."""
    validate_data(estimator, X, reset=True, skip_check_array=True)
    if len(X) < _FEWEST_ROWS:
        raise ValueError(f"{len(X)} rows (n_samples={len(X)}) are too few; at least {_FEWEST_ROWS} are needed")


def _labels(X, y, numeric=False):
    if y is None:
        raise ValueError("requires y to be passed, but the target y is None")
    y = _check_y(y, y_numeric=True) if numeric else column_or_1d(y, warn=True)
    check_consistent_length(X, y)
    return y


def _labels_of(names):
    """Classes from their names: whole numbers, numbers, or texts."""
    for kind in (int, float):
        try:
            labels = np.array([kind(name) for name in names])
        except (ValueError, OverflowError):
            continue
        if [name_of(label) for label in labels.tolist()] == list(names):
            return labels
    return np.array(names)


def _count(name, value, low, high, more=""):
    is_count = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not is_count or not low <= value <= high:
        raise ValueError(f"{name} is {value!r}; give a number from {low} to {high}{more}")
    return int(value)
