"""The same table from pandas, polars, Arrow and NumPy gives the same network."""

import numpy as np
import pandas
import polars
import pyarrow
import pytest

from weightsmith import WeightsmithClassifier, WeightsmithRegressor
from weightsmith._core import Rows

QUICK = {"steps": 0, "trees": 10, "views": 2}


def bytes_of(X, y):
    return WeightsmithClassifier(**QUICK).fit(X, y)._network.to_bytes()


@pytest.fixture(scope="module")
def table():
    random = np.random.RandomState(1)
    n = 80
    X = pandas.DataFrame(
        {
            "whole": random.randint(0, 50, n),
            "real": np.where(random.rand(n) < 0.1, np.nan, random.normal(size=n)),
            "name": random.choice(["red", "green", "blue", None], n),
            "flag": random.rand(n) < 0.5,
        }
    )
    y = np.where(X["whole"] + 10 * (X["name"] == "red") > 25, "high", "low")
    return X, y


def test_every_library_gives_the_same_bytes(table):
    X, y = table
    expected = bytes_of(X, y)
    assert bytes_of(polars.from_pandas(X), y) == expected
    arrow = pyarrow.Table.from_pandas(X, preserve_index=False)
    assert bytes_of(arrow, y) == expected
    # In pieces, as tables from files come.
    pieces = pyarrow.Table.from_batches(arrow.to_batches(max_chunksize=7))
    assert bytes_of(pieces, y) == expected
    assert bytes_of(polars.from_arrow(pieces), y) == expected


def test_categorical_and_nullable_types_are_read(table):
    X, y = table
    expected = bytes_of(X, y)
    for changed in [
        X.astype({"name": "category"}),
        X.astype({"name": "string"}),
        X.astype({"name": object}),
        X.astype({"whole": "Int64", "real": "Float64", "flag": "boolean"}),
        X.astype({"whole": "int16", "flag": "category"}),
        X.convert_dtypes(),
        X.convert_dtypes(dtype_backend="pyarrow"),
        X.assign(name=X["name"].fillna("")),
    ]:
        assert bytes_of(changed, y) == expected, changed.dtypes
    dictionary = polars.from_pandas(X).with_columns(polars.col("name").cast(polars.Categorical))
    assert bytes_of(dictionary, y) == expected


def test_missing_whole_numbers_are_missing(table):
    X, y = table
    whole = X["whole"].astype("Int64").mask(X["whole"] % 7 == 0)
    nullable, floats = X.assign(whole=whole), X.assign(whole=whole.astype("float64"))
    assert bytes_of(nullable, y) == bytes_of(floats, y) != bytes_of(X, y)
    assert bytes_of(polars.from_pandas(nullable), y) == bytes_of(floats, y)


def test_matrices_of_numbers_texts_and_objects_are_read(table):
    X, y = table
    numbers = X[["whole", "real"]].to_numpy()
    expected = bytes_of(numbers, y)
    assert bytes_of(np.asfortranarray(numbers), y) == expected
    assert bytes_of(numbers[:, ::-1][:, ::-1], y) == expected
    assert bytes_of(numbers.astype(object), y) == expected
    mixed = X[["name", "whole"]].to_numpy(dtype=object)
    model = WeightsmithClassifier(**QUICK).fit(mixed, y)
    assert model._network.inputs == [("x0", "categorical"), ("x1", "numeric")]
    assert np.mean(model.predict(mixed) == y) > 0.8
    texts = X[["name"]].fillna("none").to_numpy(dtype=str)
    assert WeightsmithClassifier(**QUICK).fit(texts, y)._network.inputs == [("x0", "categorical")]


def test_columns_become_what_the_network_reads(table):
    X, y = table
    model = WeightsmithClassifier(**QUICK).fit(X, y)
    expected = model.predict_proba(X)
    assert np.array_equal(model.predict_proba(X.astype({"whole": str})), expected)
    assert np.array_equal(model.predict_proba(polars.from_pandas(X)), expected)
    missing = X.assign(name=np.nan)
    assert np.array_equal(model.predict_proba(missing), model.predict_proba(X.assign(name="")))
    with pytest.raises(ValueError, match='column "whole": text where numbers are expected'):
        model.predict(X.assign(whole="many"))


def test_frames_and_matrices_may_take_turns(table):
    X, y = table
    numbers = X[["whole", "real"]]
    by_name = WeightsmithClassifier(**QUICK).fit(numbers, y)
    with pytest.warns(UserWarning, match="valid feature names"):
        assert np.array_equal(by_name.predict_proba(numbers.to_numpy()), by_name.predict_proba(numbers))
    by_place = WeightsmithClassifier(**QUICK).fit(numbers.to_numpy(), y)
    with pytest.warns(UserWarning, match="feature names"):
        assert np.array_equal(by_place.predict_proba(numbers), by_place.predict_proba(numbers.to_numpy()))
    unnamed = pandas.DataFrame(numbers.to_numpy())
    model = WeightsmithClassifier(**QUICK).fit(unnamed, y)
    assert not hasattr(model, "feature_names_in_")
    assert np.array_equal(model.predict_proba(unnamed), by_place.predict_proba(numbers.to_numpy()))


@pytest.mark.parametrize(
    ("X", "sentence"),
    [
        (pandas.DataFrame({"a": [1.0, 2.0, np.inf, 4.0]}), 'column "a", row 3: an infinite value'),
        (pandas.DataFrame([[1, 2]] * 4, columns=["a", "a"]), "unique column names"),
        (pandas.DataFrame({"a": pandas.to_timedelta(range(4), unit="h")}), 'column "a": a column of type timedelta'),
        (pandas.DataFrame({"a": [1.0]}), "too few"),
        (polars.DataFrame({"a": [[1], [2], [3], [4]]}), 'column "a"'),
        (pandas.DataFrame(index=range(4)), "at least one column|0 feature"),
    ],
)
def test_what_cannot_be_read_is_a_sentence(X, sentence):
    with pytest.raises(ValueError, match=sentence):
        WeightsmithRegressor().fit(X, np.arange(len(X), dtype=float))


def test_rows_check_what_they_are_given():
    with pytest.raises(ValueError, match="no rows of 2 columns"):
        Rows.from_matrix(["a", "b"], np.zeros(3))
    with pytest.raises(ValueError, match="level 5 of 1"):
        Rows.from_columns(1, [("a", np.array([5]), ["x"])])
    rows = Rows.from_columns(2, [("a", np.array([0, -1]), ["x"]), ("b", np.zeros(2))])
    assert (len(rows), rows.columns()) == (2, [("a", "categorical"), ("b", "numeric")])
    assert len(Rows.from_arrow(pyarrow.table({"a": pyarrow.array([], pyarrow.float64())}))) == 0


def test_dates_become_their_parts():
    days = pandas.date_range("2023-01-01", periods=200, freq="1D")
    # The weekday explains the target, and nothing else does.
    y = np.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0])[days.day_of_week]
    noise = np.random.RandomState(0).normal(size=200)
    learned = np.random.RandomState(1).permutation(200)[:128]
    other = np.setdiff1d(np.arange(200), learned)
    networks, scores = [], []
    for when in [days, days.strftime("%Y-%m-%d"), days.strftime("%d.%m.%Y")]:
        X = pandas.DataFrame({"when": when, "noise": noise})
        for frame in [X, polars.from_pandas(X)]:
            model = WeightsmithRegressor().fit(frame[learned] if frame is not X else X.iloc[learned], y[learned])
            rest = frame[other] if frame is not X else X.iloc[other]
            scores.append(model.score(rest, y[other]))
            networks.append([name for name, _ in model._network.inputs])
            # A row alone is read as those learned from were.
            assert np.allclose(model.predict(rest[:1]), model.predict(rest)[:1])
    assert min(scores) > 0.9, scores
    assert networks[0] == networks[1] == networks[2] and "when (weekday)" in networks[0]
    assert "when (weekday, day first)" in networks[-1]
