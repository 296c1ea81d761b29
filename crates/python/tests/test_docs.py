"""What the documentation says is so: examples run, stubs name what there is, the tutorial goes through."""

import ast
import doctest
import importlib
import inspect
import pathlib
import runpy

import pytest

import weightsmith
from weightsmith import _core

HERE = pathlib.Path(__file__).parent


@pytest.mark.parametrize("name", ["weightsmith", "weightsmith._estimators", "weightsmith._comparison", "weightsmith._samples"])
def test_examples_run(name):
    tried = doctest.testmod(importlib.import_module(name))
    assert tried.attempted > 0 and tried.failed == 0


def test_the_tutorial_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(HERE.parent / "tutorial.py"), run_name="__main__")
    assert (tmp_path / "penguins.onnx").exists()


def test_stubs_name_what_there_is():
    folder = pathlib.Path(weightsmith.__file__).parent
    tree = ast.parse((folder / "_core.pyi").read_text())
    declared = {node.name: node for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
    assert set(declared) == {name for name in dir(_core) if not name.startswith("_")}
    for name in ["Rows", "Network"]:
        methods = {node.name for node in declared[name].body if isinstance(node, ast.FunctionDef)}
        found = {key for key in vars(getattr(_core, name)) if not key.startswith("__")}
        assert {method for method in methods if not method.startswith("__")} == found
    parameters = {argument.arg for argument in declared["compare"].args.args + declared["compare"].args.kwonlyargs}
    assert parameters == set(inspect.signature(_core.compare).parameters)
    names = ast.parse((folder / "__init__.pyi").read_text())
    imported = {alias.asname for node in names.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert imported | {"__version__"} == set(weightsmith.__all__)
    assert (folder / "py.typed").exists()


@pytest.mark.parametrize("module", ["_estimators", "_comparison", "_samples"])
def test_stubs_have_the_parameters_of_what_they_declare(module):
    folder = pathlib.Path(weightsmith.__file__).parent
    found = importlib.import_module(f"weightsmith.{module}")
    n_compared = 0

    def names(arguments):
        return {argument.arg for argument in arguments.posonlyargs + arguments.args + arguments.kwonlyargs}

    def compare(node, value):
        nonlocal n_compared
        if isinstance(node, ast.FunctionDef):
            value = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
            declared, real = names(node.args), set(inspect.signature(value).parameters)
            # Of overloads each has all parameters.
            assert declared == real, f"{node.name}: {declared} and {real}"
            n_compared += 1
        elif isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef):
                    compare(inner, inspect.getattr_static(value, inner.name))

    for node in ast.parse((folder / f"{module}.pyi").read_text()).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            compare(node, getattr(found, node.name))
    assert n_compared > 0
