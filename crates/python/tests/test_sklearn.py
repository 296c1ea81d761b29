"""scikit-learn's own checks of an estimator, all of them; and what people do with one."""

import pickle
import unittest

import cloudpickle
import numpy as np
import pandas
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import StackingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from weightsmith import WeightsmithClassifier, WeightsmithRegressor


@parametrize_with_checks(
    [WeightsmithClassifier(), WeightsmithRegressor(), WeightsmithClassifier(steps=0, trees=0, views=1)]
)
def test_scikit_learn_checks(estimator, check):
    try:
        check(estimator)
    except unittest.SkipTest as reason:
        pytest.fail(f"a check was skipped: {reason}")


def test_a_grid_search_and_a_pipeline_end_in_the_same_estimator(penguins):
    X, y, other, labels = penguins
    numeric = [name for name in X if X[name].dtype.kind == "f"]
    encode = make_column_transformer((StandardScaler(), numeric), remainder="passthrough", verbose_feature_names_out=False)
    encode.set_output(transform="pandas")
    pipeline = make_pipeline(encode, WeightsmithClassifier(steps=0))
    search = GridSearchCV(pipeline, {"weightsmithclassifier__trees": [0, 20]}, cv=2).fit(X, y)
    assert search.best_params_["weightsmithclassifier__trees"] in (0, 20)
    assert search.score(other, labels) > 0.95


def test_processes_share_the_work(penguins):
    X, y, *_ = penguins
    scores = cross_val_score(WeightsmithClassifier(steps=0, trees=0), X, y, cv=3, n_jobs=2)
    assert scores.min() > 0.9
    # Folds are folds, whoever does them.
    assert np.array_equal(scores, cross_val_score(WeightsmithClassifier(steps=0, trees=0), X, y, cv=3))


def test_it_stacks(penguins):
    X, y, other, labels = penguins
    stack = StackingClassifier([("net", WeightsmithClassifier(steps=0, trees=0))], LogisticRegression(), cv=2)
    assert stack.fit(X, y).score(other, labels) > 0.9


@pytest.mark.parametrize("pickler", [pickle, cloudpickle])
def test_pickles_predict_the_same(classifier, penguins, pickler):
    _, _, other, _ = penguins
    again = pickle.loads(pickler.dumps(classifier))
    assert np.array_equal(again.predict_proba(other), classifier.predict_proba(other))
    assert list(again.feature_names_in_) == list(other.columns)
    assert not hasattr(clone(again), "classes_")


def test_labels_keep_their_type():
    X = np.random.RandomState(0).normal(size=(60, 3))
    for labels in [np.array([3, 7]), np.array([False, True]), np.array(["b", "a"]), np.array([1.0, 2.0])]:
        y = labels[(X[:, 0] > 0).astype(int)]
        model = WeightsmithClassifier(steps=0, trees=0).fit(X, y)
        assert model.classes_.dtype == np.unique(y).dtype
        assert np.mean(model.predict(X) == y) > 0.9
    y = pandas.Series(np.where(X[:, 0] > 0, "yes", "no"), dtype="category")
    assert set(WeightsmithClassifier(steps=0, trees=0).fit(X, y).predict(X)) == {"yes", "no"}
