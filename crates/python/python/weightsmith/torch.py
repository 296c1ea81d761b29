"""A network as a module of PyTorch, to train on, to read, or to put into a larger one. Needs `torch`."""

import numpy as np

try:
    import torch
    from torch import nn
except ImportError:
    raise ImportError("weightsmith.torch needs PyTorch; pip install torch") from None

from ._core import Network as _Network
from ._tables import rows_of as _rows_of

_ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU}


class Network(nn.Module):
    """The network of a weightsmith file; its `state_dict` has the file's tensors under the file's names.

    `forward` maps encoded rows, as `encode` gives them, to logits of the classes or, for a regression, to outputs that
    count standard deviations from the mean: `values` turns them into the target's unit.
    """

    def __init__(self, network):
        super().__init__()
        self._engine = network
        self.task_type = network.task_type
        self.class_names = network.class_names
        tensors = {
            name: torch.from_numpy(np.frombuffer(values, dtype=np.float32).reshape(shape).copy())
            for name, shape, values in network.weights
        }
        hidden = [name.removesuffix(".weight") for name in tensors if name.startswith("hidden") and name.endswith(".weight")]
        hidden.sort(key=lambda name: int(name.removeprefix("hidden").removeprefix(".") or 0))
        layers = [_linear(tensors[f"{name}.weight"], tensors[f"{name}.bias"]) for name in hidden]
        self.hidden = layers[0] if hidden == ["hidden"] else nn.ModuleList(layers) if layers else None
        self.skip = _linear(tensors["skip.weight"], None) if "skip.weight" in tensors else None
        if layers:
            self.output = _linear(tensors["output.weight"], tensors["output.bias"])
        else:
            self.output = _Bias(tensors["output.bias"])
        self.activation = _ACTIVATIONS[network.activation]()
        # None where a regression's outputs are values already.
        self._unit = network.target_unit

    def encode(self, X):
        """Rows of a frame or a matrix as the network reads them: float32, `[rows, inputs]`."""
        rows = _rows_of(X, None, self._engine)
        encoded = np.frombuffer(self._engine.encode(rows), dtype=np.float32)
        return torch.from_numpy(encoded.reshape(len(rows), -1).copy())

    def forward(self, x):
        """Outputs of encoded rows, `[rows, outputs]`."""
        layers = [] if self.hidden is None else [self.hidden] if isinstance(self.hidden, nn.Linear) else self.hidden
        units = x
        for layer in layers:
            units = self.activation(layer(units))
        outputs = self.output(units)
        return outputs if self.skip is None else outputs + self.skip(x)

    def values(self, outputs):
        """Outputs of a regression in the target's unit, in 64 bits."""
        centre, scale = self._unit or (0.0, 1.0)
        return centre + scale * outputs.double().squeeze(-1)


class _Bias(nn.Module):
    """The outputs of a network without hidden units, before the direct path is added."""

    def __init__(self, bias):
        super().__init__()
        self.bias = nn.Parameter(bias)

    def forward(self, x):
        return self.bias.expand(*x.shape[:-1], -1)


def _linear(weight, bias):
    layer = nn.utils.skip_init(nn.Linear, weight.shape[1], weight.shape[0], bias=bias is not None)
    layer.weight = nn.Parameter(weight)
    if bias is not None:
        layer.bias = nn.Parameter(bias)
    return layer


def load(path):
    """The network of a `.safetensors` file as a module, ready to predict or to be trained on.

    >>> import weightsmith.torch                                          # doctest: +SKIP
    >>> module = weightsmith.torch.load("weights.safetensors")            # doctest: +SKIP
    >>> logits = module(module.encode(X))                                 # doctest: +SKIP
    """
    return Network(_Network.load(path))
