"""Files, figures, errors, and what happens to other threads and to Ctrl-C meanwhile."""

import subprocess
import sys
import threading
import time

import numpy as np
import pandas
import pytest
from sklearn.exceptions import NotFittedError

from weightsmith import ExpectedPerformance, WeightsmithClassifier, WeightsmithRegressor, load_sample


def test_files_hold_the_whole_network(classifier, regressor, penguins, tmp_path):
    _, _, other, _ = penguins
    path = tmp_path / "penguins.safetensors"
    classifier.save(path)
    again = WeightsmithClassifier.load(path)
    assert np.array_equal(again.predict_proba(other), classifier.predict_proba(other))
    assert list(again.classes_) == list(classifier.classes_)
    # Columns go by their names, and others are ignored.
    shuffled = other[other.columns[::-1]].assign(more=1)
    assert np.array_equal(again.predict(shuffled), classifier.predict(other))
    X, _ = load_sample("cars")
    regressor.save(str(tmp_path / "cars.safetensors"))
    assert np.array_equal(WeightsmithRegressor.load(tmp_path / "cars.safetensors").predict(X), regressor.predict(X))
    with pytest.raises(ValueError, match="holds a classification, and WeightsmithRegressor is for regression"):
        WeightsmithRegressor.load(path)


def test_matrices_have_files_too(tmp_path):
    random = np.random.RandomState(0)
    X = random.normal(size=(60, 4))
    X[:, 1] = 5.0  # Constant, so that the file does not know it.
    y = (X[:, 0] + X[:, 3] > 0).astype(int)
    model = WeightsmithClassifier(steps=0, trees=0).fit(X, y)
    model.save(tmp_path / "w.safetensors")
    again = WeightsmithClassifier.load(tmp_path / "w.safetensors")
    assert again.classes_.dtype.kind == "i"
    assert np.array_equal(again.predict_proba(X), model.predict_proba(X))
    with pytest.raises(ValueError, match="is missing|reads 3 columns"):
        again.predict(X[:, :2])


def test_weights_are_those_of_the_file(classifier, regressor, tmp_path):
    weights = classifier.weights_
    assert weights["hidden.weight"].shape == (len(weights["hidden.bias"]), weights["skip.weight"].shape[1])
    assert weights["output.weight"].dtype == np.float32
    weights["output.bias"][:] = 0  # A copy.
    assert classifier.weights_["output.bias"].any()


def test_errors_to_expect_are_in_the_targets_unit(regressor):
    X, y = load_sample("cars")
    expected = regressor.expected_performance_
    assert isinstance(expected, ExpectedPerformance)
    assert expected.metric == "RMSE" and expected.low < expected.value < expected.high
    values, std = regressor.predict(X, return_std=True)
    assert np.allclose(std, expected.residual_std) and 500 < std[0] < 8000
    low, middle, high = regressor.predict(X, quantiles=[0.05, 0.5, 0.95]).T
    assert np.allclose(middle, values)
    # The normal distribution's quantile of 95 %.
    assert np.allclose((high - low) / std, 2 * 1.6448536)
    assert np.mean((low < y) & (y < high)) > 0.85
    for wrong in ([0.0], [1.5], [[0.1]], [np.nan]):
        with pytest.raises(ValueError, match="quantiles are probabilities"):
            regressor.predict(X, quantiles=wrong)
    with pytest.raises(ValueError, match="not both"):
        regressor.predict(X, return_std=True, quantiles=[0.5])


def test_a_budget_of_nothing_takes_no_step_and_another_seed_grows_another_forest():
    X = np.random.default_rng(0).normal(size=(80, 3))
    y = X[:, 0] * X[:, 1]
    plain, hurried, other = (
        WeightsmithRegressor(**options).fit(X, y).predict(X)
        for options in ({"steps": 0}, {"seconds": 0}, {"steps": 0, "random_state": 7})
    )
    assert np.array_equal(plain, hurried)
    assert not np.array_equal(plain, other)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"steps": -1}, 'steps is -1; give a number from 0 to 1000, or "auto"'),
        ({"steps": "many"}, "steps is 'many'"),
        ({"views": 0}, "views is 0"),
        ({"seconds": -1}, "seconds is -1; give a number from 0 to 3600"),
        ({"seconds": 1, "steps": 3}, 'leave steps at "auto"'),
        ({"trees": 2.5}, "trees is 2.5"),
        ({"metamodel": "nothing"}, "nothing"),
    ],
)
def test_wrong_parameters_are_told_by_fit(options, sentence):
    model = WeightsmithClassifier(**options)
    with pytest.raises(ValueError, match=sentence):
        model.fit(np.arange(20.0).reshape(-1, 1), np.arange(20) % 2)


def test_limits_of_the_engine_are_sentences(tmp_path):
    X = np.arange(202.0).reshape(-1, 1)
    with pytest.raises(ValueError, match="100"):
        WeightsmithClassifier().fit(X, np.arange(202) // 2)
    with pytest.raises(ValueError, match="of one class"):
        WeightsmithClassifier().fit(X, np.zeros(202, int))
    with pytest.raises(ValueError, match="a minimum of 4"):
        WeightsmithRegressor().fit(X[:3], X[:3, 0])
    with pytest.raises(ValueError, match="cannot use the weights in .*: cannot read the file"):
        WeightsmithRegressor.load(tmp_path / "nothing")
    (tmp_path / "other").write_bytes(b"something else entirely")
    with pytest.raises(ValueError, match="safetensors"):
        WeightsmithRegressor.load(tmp_path / "other")
    with pytest.raises(NotFittedError):
        WeightsmithRegressor().predict(X)
    with pytest.raises(NotFittedError):
        WeightsmithRegressor().save(tmp_path / "new")


def test_other_threads_go_on(penguins):
    X, y, *_ = penguins
    counted, done = [0], threading.Event()

    def count():
        while not done.is_set():
            counted[0] += 1
            time.sleep(0.001)

    thread = threading.Thread(target=count)
    thread.start()
    began = time.perf_counter()
    WeightsmithClassifier().fit(X, y)
    seconds = time.perf_counter() - began
    done.set()
    thread.join()
    # With the lock held it would count only before and after.
    assert counted[0] > 20 * seconds


def test_ctrl_c_is_heard():
    program = """
import os, signal, threading, time
import numpy as np
from weightsmith import WeightsmithRegressor
X = np.random.RandomState(0).normal(size=(3000, 20))
model = WeightsmithRegressor(views=64, trees=1000)
threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
began = time.perf_counter()
try:
    model.fit(X, X[:, 0] * X[:, 1])
except KeyboardInterrupt:
    print(time.perf_counter() - began)
os._exit(0 if not hasattr(model, "_network") else 1)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert 0.4 < float(done.stdout) < 2.0


def test_the_import_is_quick():
    program = "import time; began = time.perf_counter(); import weightsmith; print(time.perf_counter() - began)"
    seconds = [float(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout) for _ in range(3)]
    assert min(seconds) < 0.1, seconds


def _messages():
    spam, ham = "the prize is yours, call now", "see you at home for lunch"
    texts = [f"{(spam, ham)[row % 2]}, {row} times" for row in range(40)]
    return pandas.DataFrame({"size": np.arange(40) % 7, "message": texts}), np.array(["spam", "ham"] * 20)


def test_text_is_read_by_its_words(tmp_path):
    X, y = _messages()
    blind = WeightsmithClassifier(steps=0, trees=0).fit(X, y)
    model = WeightsmithClassifier(steps=0, trees=0, text="auto").fit(X, y)
    named = WeightsmithClassifier(steps=0, trees=0, text=["message"]).fit(X, y)
    new = pandas.DataFrame({"size": [3, 3, 3], "message": ["the prize is yours", "see you at home", None]})
    assert list(model.predict(new)[:2]) == ["spam", "ham"]
    assert np.array_equal(model.predict_proba(new), named.predict_proba(new))
    assert not np.array_equal(model.predict_proba(new), blind.predict_proba(new))
    assert np.isfinite(model.predict_proba(new)).all()
    model.save(tmp_path / "w.safetensors")
    again = WeightsmithClassifier.load(tmp_path / "w.safetensors")
    assert np.array_equal(again.predict_proba(new), model.predict_proba(new))
    with pytest.raises(ValueError, match="ONNX"):
        model.to_onnx()


@pytest.mark.parametrize("text", ["message", [], ["other"], ["size"]])
def test_text_that_is_none_is_refused(text):
    X, y = _messages()
    with pytest.raises(ValueError, match="text"):
        WeightsmithClassifier(text=text).fit(X, y)


def test_columns_of_no_use_are_left_out_and_need_not_be_there(tmp_path):
    random = np.random.RandomState(3)
    X = pandas.DataFrame(random.normal(size=(160, 62)), columns=[f"noise {at}" for at in range(60)] + ["a", "b"])
    y = np.where(X["a"] + X["b"] > 0, "yes", "no")
    model = WeightsmithClassifier(steps=0, select="columns").fit(X[:128], y[:128])
    assert len(model.left_out_) > 30 and not {"a", "b"} & set(model.left_out_)
    assert all(reason for reason in model.left_out_.values())
    model.save(tmp_path / "w.safetensors")
    again = WeightsmithClassifier.load(tmp_path / "w.safetensors")
    narrow = X[128:].drop(columns=list(model.left_out_))
    assert np.array_equal(again.predict_proba(narrow), model.predict_proba(X[128:]))
    with pytest.raises(ValueError, match="\"a\" is missing"):
        again.predict(narrow.drop(columns="a"))
    everything = WeightsmithClassifier(steps=0).fit(X[:128], y[:128])
    assert everything.left_out_ == {} and everything.dropped_ == []
    with pytest.raises(ValueError, match="select is \"some\""):
        WeightsmithClassifier(select="some").fit(X[:128], y[:128])
