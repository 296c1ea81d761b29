from collections.abc import Sequence
from os import PathLike
from typing import Any, Literal, NamedTuple, Self, overload

from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

class ExpectedPerformance(NamedTuple):
    metric: Literal["log-loss", "RMSE"]
    value: float
    low: float
    high: float
    residual_std: float | None

class _Estimator(BaseEstimator):
    n_features_in_: int
    feature_names_in_: NDArray[Any]

    def __init__(
        self,
        *,
        steps: int | Literal["auto"] = "auto",
        seconds: float | None = None,
        trees: int = 100,
        views: int = 8,
        refine: bool = False,
        metamodel: str | None = None,
        text: Literal["auto"] | Sequence[str] | None = None,
        select: Literal["off", "rows", "columns", "both"] = "off",
        random_state: int | RandomState | None = None,
    ) -> None: ...
    @property
    def expected_performance_(self) -> ExpectedPerformance | None: ...
    @property
    def left_out_(self) -> dict[str, str]: ...
    @property
    def dropped_(self) -> list[int]: ...
    @property
    def weights_(self) -> dict[str, NDArray[Any]]: ...
    def save(self, path: str | PathLike[str]) -> None: ...
    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self: ...
    def to_onnx(self, path: str | PathLike[str] | None = None) -> bytes: ...

class WeightsmithClassifier(ClassifierMixin, _Estimator):
    classes_: NDArray[Any]

    def fit(self, X: Any, y: ArrayLike) -> Self: ...
    def predict_proba(self, X: Any) -> NDArray[Any]: ...
    def predict(self, X: Any) -> NDArray[Any]: ...

class WeightsmithRegressor(RegressorMixin, _Estimator):
    def fit(self, X: Any, y: ArrayLike) -> Self: ...
    @overload
    def predict(self, X: Any, return_std: Literal[False] = False, quantiles: None = None) -> NDArray[Any]: ...
    @overload
    def predict(
        self, X: Any, return_std: Literal[True], quantiles: None = None
    ) -> tuple[NDArray[Any], NDArray[Any]]: ...
    @overload
    def predict(
        self, X: Any, return_std: Literal[False] = False, *, quantiles: float | Sequence[float] | NDArray[Any]
    ) -> NDArray[Any]: ...
