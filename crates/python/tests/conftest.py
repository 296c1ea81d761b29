"""Tables that several tests need."""

import os

# Without it scikit-learn skips a check; it is read when scipy is first imported.
os.environ["SCIPY_ARRAY_API"] = "1"

import numpy as np
import pytest

import weightsmith

SAMPLES = ["breast-cancer", "cars", "election", "iris", "penguin-mass", "penguins", "travel-mode", "wine"]


def estimator_of(y, **options):
    """The estimator for a target of a built-in table."""
    as_classes = y.dtype.kind not in "iuf" or y.nunique() <= 10
    kind = weightsmith.WeightsmithClassifier if as_classes else weightsmith.WeightsmithRegressor
    return kind(**options)


@pytest.fixture(scope="session")
def penguins():
    """Numbers, names and missing values: half of the rows to learn from, half to predict."""
    X, y = weightsmith.load_sample("penguins")
    order = np.random.RandomState(0).permutation(len(X))
    learned, other = order[: len(X) // 2], order[len(X) // 2 :]
    return X.iloc[learned], y.iloc[learned], X.iloc[other], y.iloc[other]


@pytest.fixture(scope="session")
def classifier(penguins):
    X, y, *_ = penguins
    return weightsmith.WeightsmithClassifier().fit(X, y)


@pytest.fixture(scope="session")
def regressor():
    X, y = weightsmith.load_sample("cars")
    return weightsmith.WeightsmithRegressor().fit(X, y)
