"""The built-in tables."""

import io

from . import _core

try:
    import pandas
except ImportError:
    raise ImportError("load_sample() gives a DataFrame; pip install pandas") from None


def load_sample(name):
    """A built-in table as a DataFrame without its target, and the target as a Series.

    >>> from weightsmith import load_sample
    >>> X, y = load_sample("penguins")
    >>> X.shape, y.name
    ((342, 10), 'species')
    """
    text, target = _core.sample(name)
    table = pandas.read_csv(io.StringIO(text))
    return table.drop(columns=target), table[target]
