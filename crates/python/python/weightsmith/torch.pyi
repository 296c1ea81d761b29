from os import PathLike
from typing import Any

from torch import Tensor, nn

class Network(nn.Module):
    task_type: str
    class_names: list[str]

    def encode(self, X: Any) -> Tensor: ...
    def forward(self, x: Tensor) -> Tensor: ...
    def values(self, outputs: Tensor) -> Tensor: ...

def load(path: str | PathLike[str]) -> Network: ...
