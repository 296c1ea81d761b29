"""Tables of pandas, polars, Arrow and NumPy as the engine's rows; no text in between."""

import numpy as np

from ._core import Rows


def is_pandas(X):
    """Whether it is a DataFrame of pandas."""
    return hasattr(X, "iloc") and hasattr(X, "dtypes") and hasattr(X, "columns")


def is_frame(X):
    """Whether it has named columns: a DataFrame of pandas, or anything that gives Arrow streams, as polars and pyarrow do."""
    return is_pandas(X) or hasattr(X, "__arrow_c_stream__")


def column_names(X):
    """The names of a frame's columns, as text."""
    if hasattr(X, "column_names"):
        return [str(name) for name in X.column_names]
    return [str(name) for name in X.columns]


def names_of_matrix(n_columns):
    """What the columns of a matrix are called, as scikit-learn calls them."""
    return [f"x{column}" for column in range(n_columns)]


def rows_of(X, names=None, network=None):
    """The engine's rows of a frame or a matrix, whose columns are called `names` in place of their own names.

    With a network the columns that it reads, as the kinds that it reads; else all of them, to learn from.
    """
    rows = _rows_of(X, names)
    return rows.with_date_parts() if network is None else rows.conformed(network)


def _rows_of(X, names):
    if is_pandas(X):
        names = column_names(X) if names is None else names
        return Rows.from_columns(len(X), [_pandas_column(name, X.iloc[:, at]) for at, name in enumerate(names)])
    if hasattr(X, "__arrow_c_stream__"):
        return Rows.from_arrow(X, names)
    X = np.asarray(X)
    names = names_of_matrix(X.shape[1]) if names is None else names
    if X.dtype.kind in "biuf":
        return Rows.from_matrix(names, np.ascontiguousarray(X, dtype=np.float64))
    return Rows.from_columns(len(X), [_object_column(name, X[:, at]) for at, name in enumerate(names)])


def _pandas_column(name, column):
    """A column as `(name, numbers)` or `(name, codes, levels)`; -1 is the code of a missing value."""
    dtype = column.dtype
    kind = getattr(dtype, "kind", "O")
    if hasattr(dtype, "categories"):
        codes = column.cat.codes.to_numpy()
        return _levels(name, codes, column.cat.categories.tolist())
    if kind in "iuf":
        return name, np.ascontiguousarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
    if kind == "M" or str(dtype).startswith(("datetime", "timestamp", "date")):
        # Of times with a zone the clock on its wall, as texts have it.
        local = column.dt.tz_localize(None) if getattr(column.dt, "tz", None) is not None else column
        moments = local.to_numpy(dtype="datetime64[us]", na_value=np.datetime64("NaT")).astype(np.int64)
        seconds = np.where(moments == np.iinfo(np.int64).min, np.nan, moments / 1e6)
        return name, np.ascontiguousarray(seconds), "moments"
    if kind in "mc" or str(dtype).startswith(("timedelta", "duration", "period", "interval", "complex")):
        raise ValueError(f'column "{name}": a column of type {dtype} cannot be read; give numbers, names or dates')
    return _object_column(name, column.to_numpy(dtype=object, na_value=None))


def _object_column(name, values):
    """A column of Python's objects, numbers if all of them are, else names."""
    if values.dtype.kind in "biuf":
        return name, np.ascontiguousarray(values, dtype=np.float64)
    codes, levels = {}, []
    found = np.empty(len(values), dtype=np.int64)
    for row, value in enumerate(values.tolist()):
        if _is_missing(value):
            found[row] = -1
            continue
        try:
            code = codes.setdefault(value, len(levels))
        except TypeError:  # What cannot be hashed goes by its text.
            code = codes.setdefault(repr(value), len(levels))
        if code == len(levels):
            levels.append(value)
        found[row] = code
    if levels and all(isinstance(level, (int, float, np.number)) and not isinstance(level, bool) for level in levels):
        numbers = np.append(np.array(levels, dtype=np.float64), np.nan)
        return name, np.ascontiguousarray(numbers[found])
    if not levels:
        return name, np.full(len(values), np.nan)
    return _levels(name, found, levels)


def _is_missing(value):
    """Whether it is None, NaN, NaT or NA."""
    try:
        return value is None or bool(value != value)
    except (TypeError, ValueError):  # NA of pandas is neither equal nor unequal; arrays are no missing values.
        return type(value).__name__ == "NAType"


def _levels(name, codes, levels):
    """A column of names: each text once, the empty one missing, as in a CSV file."""
    texts = [name_of(level) for level in levels]
    distinct = sorted({text for text in texts if text})
    place = {text: at for at, text in enumerate(distinct)}
    as_text = np.array([place.get(text, -1) for text in texts] + [-1], dtype=np.int64)
    return name, np.ascontiguousarray(as_text[np.asarray(codes, dtype=np.int64)]), distinct


def name_of(level):
    """The name of a level: booleans as other programs write them, whole numbers without a point."""
    if isinstance(level, (bool, np.bool_)):
        return "true" if level else "false"
    if isinstance(level, float) and level.is_integer():
        return str(int(level))
    return str(level)
