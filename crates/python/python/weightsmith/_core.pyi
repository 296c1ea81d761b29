from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any, Literal, Self

from numpy.typing import NDArray

__version__: str

Kind = Literal["numeric", "categorical"]

class Rows:
    """Rows of named columns, each of numbers or of categories."""

    @staticmethod
    def from_columns(
        n_rows: int,
        columns: Sequence[
            tuple[str, NDArray[Any]]
            | tuple[str, NDArray[Any], list[str]]
            | tuple[str, NDArray[Any], Literal["moments"]]
        ],
    ) -> Rows: ...
    @staticmethod
    def from_matrix(names: list[str], matrix: NDArray[Any]) -> Rows: ...
    @staticmethod
    def from_arrow(stream: Any, names: list[str] | None = None) -> Rows: ...
    def with_date_parts(self) -> Rows: ...
    def conformed(self, network: Network) -> Rows: ...
    def columns(self) -> list[tuple[str, Kind]]: ...
    def __len__(self) -> int: ...

class Network:
    """A network for the rows of one small table."""

    @staticmethod
    def generate(
        rows: Rows,
        labels: NDArray[Any],
        classes: list[str] | None = None,
        *,
        metamodel: str | None = None,
        views: int = 8,
        trees: int = 100,
        steps: int | None = None,
        milliseconds: int | None = None,
        refine: bool = False,
        seed: int = 0,
        text: list[str] | None = None,
    ) -> Network: ...
    @staticmethod
    def load(path: str | PathLike[str]) -> Network: ...
    @staticmethod
    def from_bytes(bytes: bytes) -> Network: ...
    def save(self, path: str | PathLike[str]) -> None: ...
    def to_bytes(self) -> bytes: ...
    def to_onnx(self) -> bytes: ...
    def predict(self, rows: Rows) -> bytes: ...
    def encode(self, rows: Rows) -> bytes: ...
    @property
    def inputs(self) -> list[tuple[str, Kind]]: ...
    @property
    def task_type(self) -> Literal["classification", "regression"]: ...
    @property
    def class_names(self) -> list[str]: ...
    @property
    def activation(self) -> Literal["relu", "tanh", "gelu"]: ...
    @property
    def target_unit(self) -> tuple[float, float] | None: ...
    @property
    def expected_performance(self) -> tuple[str, float, float, float, float | None] | None: ...
    @property
    def weights(self) -> list[tuple[str, list[int], bytes]]: ...
    def __reduce__(self) -> tuple[Callable[[bytes], Self], tuple[bytes]]: ...

def sample(name: str) -> tuple[str, str]: ...
def methods() -> list[str]: ...
def compare(
    rows: Rows,
    labels: NDArray[Any],
    classes: list[str] | None = None,
    *,
    target_name: str,
    support: int | None = None,
    splits: int = 5,
    methods: list[str] | None = None,
    threads: int = 1,
    listen: Callable[[int, int], object] | None = None,
) -> tuple[str, str]: ...
