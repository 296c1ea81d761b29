from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any, Literal

import pandas
from numpy.typing import ArrayLike

class Comparison(pandas.DataFrame):
    figures: dict[str, Any]
    page: str

    def _repr_html_(self) -> str: ...
    def save(self, path: str | PathLike[str]) -> None: ...

def compare(
    X: Any,
    y: ArrayLike,
    *,
    task: Literal["auto", "classification", "regression"] = "auto",
    support: int | None = None,
    splits: int = 5,
    methods: Sequence[str] | None = None,
    threads: int = 1,
    progress: bool | Callable[[int, int], object] | None = None,
) -> Comparison: ...
