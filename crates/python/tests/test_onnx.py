"""ONNX Runtime says what `predict` says, on every built-in table, with columns that are missing, unseen and out of range."""

import numpy as np
import onnx
import onnxruntime
import pandas
import pytest

import weightsmith
from conftest import SAMPLES, estimator_of
from weightsmith import WeightsmithClassifier, WeightsmithRegressor

# What two ways of adding the same 64-bit numbers may differ by, and 32-bit probabilities with them.
TOLERANCE = 1e-5


def feed_of(model, X):
    """A frame as an ONNX model's inputs."""
    feed = {}
    for name, kind in model._network.inputs:
        if kind == "numeric":
            column = X[name].to_numpy(dtype=np.float64, na_value=np.nan)
        else:
            column = np.array(["" if pandas.isna(value) else str(value) for value in X[name]], dtype=object)
        feed[name] = column.reshape(-1, 1)
    return feed


def outputs_of(model, X):
    session = onnxruntime.InferenceSession(model.to_onnx())
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, feed_of(model, X))))


def hold_to_predict(model, X):
    outputs = outputs_of(model, X)
    if hasattr(model, "classes_"):
        expected = model.predict_proba(X)
        assert np.abs(outputs["probabilities"] - expected).max() < TOLERANCE
        clear = np.sort(expected, axis=1)[:, -1] - np.sort(expected, axis=1)[:, -2] > 2 * TOLERANCE
        assert np.array_equal(outputs["label"][clear], model.predict(X).astype(str)[clear])
    else:
        expected, std = model.predict(X, return_std=True)
        scale = np.std(expected) + 1e-12
        assert np.abs(outputs["prediction"] - expected).max() / scale < TOLERANCE
        assert np.allclose(outputs["std"], std)


def hard(X):
    """The rows again, with what new rows may hold: missing values, far ones, and names that were not seen."""
    X, odd = X.reset_index(drop=True), X.head(20).reset_index(drop=True)
    for at, name in enumerate(odd):
        if odd[name].dtype.kind in "iuf":
            odd[name] = odd[name].astype(float)
            odd.loc[at % 20, name] = np.nan
            odd.loc[(at + 1) % 20, name] = 1e12
            odd.loc[(at + 2) % 20, name] = -1e300
        else:
            odd[name] = odd[name].astype(object)
            odd.loc[at % 20, name] = None
            odd.loc[(at + 1) % 20, name] = "never seen"
    return pandas.concat([X, odd], ignore_index=True)


@pytest.mark.parametrize("name", SAMPLES)
def test_built_in_tables_come_out_the_same(name):
    X, y = weightsmith.load_sample(name)
    order = np.random.RandomState(0).permutation(len(X))[:128]
    model = estimator_of(y).fit(X.iloc[order], y.iloc[order])
    onnx.checker.check_model(onnx.load_from_string(model.to_onnx()), full_check=True)
    hold_to_predict(model, hard(X))


def test_names_and_missing_values_are_encoded_inside():
    random = np.random.RandomState(0)
    n = 150
    X = pandas.DataFrame(
        {
            # More levels than columns, so that some are "other".
            "many": random.choice([f"level {level}" for level in range(40)] + [None], n),
            "few": random.choice(["a", "b", None], n),
            "gaps": np.where(random.rand(n) < 0.3, np.nan, random.normal(size=n)),
            # The names of outputs.
            "label": random.normal(size=n),
            "prediction": random.choice(["x", "y"], n),
        }
    )
    y = 1e9 + 100 * X["gaps"].fillna(3) + 50 * (X["few"] == "a") + 10 * X["label"]
    model = WeightsmithRegressor().fit(X, y)
    session = onnxruntime.InferenceSession(model.to_onnx())
    assert [output.name for output in session.get_outputs()] == ["prediction_", "std"]
    found = session.run(["prediction_"], feed_of(model, hard(X)))[0]
    expected = model.predict(hard(X))
    assert np.abs(found - expected).max() < TOLERANCE * np.std(expected)
    classes = WeightsmithClassifier().fit(X, np.where(y > np.median(y), "high", "low"))
    session = onnxruntime.InferenceSession(classes.to_onnx())
    assert [output.name for output in session.get_outputs()] == ["label_", "probabilities"]


def test_a_linear_model_and_a_written_file(tmp_path):
    X = np.linspace(-1, 1, 60).reshape(-1, 1)
    model = WeightsmithRegressor(metamodel="untrained").fit(X, 2 * X[:, 0])
    assert "hidden.weight" not in model.weights_
    path = tmp_path / "model.onnx"
    written = model.to_onnx(path)
    assert path.read_bytes() == written
    found = onnxruntime.InferenceSession(str(path)).run(["prediction"], {"x0": X})[0]
    assert np.abs(found - model.predict(X)).max() < TOLERANCE
    metadata = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    assert metadata["weightsmith.task_type"] == "regression"
