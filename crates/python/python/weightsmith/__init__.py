"""Small networks for small tables, with scikit-learn's interface.

weightsmith reads a table of some ten to some thousand labelled rows and *generates* the weights of a small neural network
for it: a second network, trained beforehand on synthetic tables, writes them in one forward pass.

>>> from sklearn.datasets import load_iris
>>> from weightsmith import WeightsmithClassifier
>>> X, y = load_iris(return_X_y=True, as_frame=True)
>>> model = WeightsmithClassifier().fit(X, y)
>>> float(model.score(X, y)) > 0.95
True
"""

from importlib import import_module as _import_module

from ._core import __version__

# What the names come from; modules are imported when a name is first asked for, so that `import weightsmith` is quick.
_PLACES = {
    "WeightsmithClassifier": "._estimators",
    "WeightsmithRegressor": "._estimators",
    "ExpectedPerformance": "._estimators",
    "Comparison": "._comparison",
    "compare": "._comparison",
    "load_sample": "._samples",
}

__all__ = ["__version__", *_PLACES]


def __getattr__(name):
    if name in _PLACES:
        return getattr(_import_module(_PLACES[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return __all__
