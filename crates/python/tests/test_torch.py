"""The network as a module of PyTorch. Skipped where there is none."""

import numpy as np
import pytest

import weightsmith

torch = pytest.importorskip("torch", reason="PyTorch is not installed, so weightsmith.torch is not tested here")


def test_modules_say_what_predict_says(classifier, regressor, penguins, tmp_path):
    from weightsmith.torch import load

    _, _, other, _ = penguins
    path = tmp_path / "w.safetensors"
    classifier.save(path)
    module = load(path)
    with torch.no_grad():
        shares = torch.softmax(module(module.encode(other)), dim=1).numpy()
    assert np.abs(shares - classifier.predict_proba(other)).max() < 1e-5
    assert set(module.state_dict()) == set(classifier.weights_)
    X, _ = weightsmith.load_sample("cars")
    regressor.save(path)
    module = load(path)
    with torch.no_grad():
        values = module.values(module(module.encode(X))).numpy()
    expected = regressor.predict(X)
    assert np.abs(values - expected).max() / np.std(expected) < 1e-5


def test_modules_train_on(penguins, tmp_path):
    from weightsmith.torch import load

    X, y, *_ = penguins
    model = weightsmith.WeightsmithClassifier(steps=0, trees=0, views=1).fit(X, y)
    model.save(tmp_path / "w.safetensors")
    module = load(tmp_path / "w.safetensors")
    x, labels = module.encode(X), torch.tensor(np.searchsorted(module.class_names, y))
    loss = lambda: torch.nn.functional.cross_entropy(module(x), labels)
    before, optimiser = loss().item(), torch.optim.Adam(module.parameters(), lr=1e-3)
    for _ in range(100):
        optimiser.zero_grad()
        loss().backward()
        optimiser.step()
    assert loss().item() < 0.8 * before


def test_linear_networks_are_modules_too(tmp_path):
    from weightsmith.torch import load

    X = np.linspace(-1, 1, 60).reshape(-1, 1)
    model = weightsmith.WeightsmithRegressor(metamodel="untrained").fit(X, 2 * X[:, 0])
    model.save(tmp_path / "w.safetensors")
    module = load(tmp_path / "w.safetensors")
    values = module.values(module(module.encode(X))).detach().numpy()
    assert np.abs(values - model.predict(X)).max() < 1e-5
