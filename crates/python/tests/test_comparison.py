"""A comparison is a table, and a page in a notebook."""

import os
import subprocess
import sys

import numpy as np
import pandas
import pytest

import weightsmith


@pytest.fixture(scope="module")
def compared():
    X, y = weightsmith.load_sample("penguins")
    heard = []
    table = weightsmith.compare(
        X, y, support=32, splits=2, methods=["generated", "linear-tuned"], progress=lambda done, all: heard.append((done, all))
    )
    return table, heard


def test_a_comparison_is_a_frame(compared):
    table, heard = compared
    assert isinstance(table, pandas.DataFrame)
    # The controls come unasked.
    assert list(table.index[:2]) == ["generated", "linear-tuned"] and "shuffled" in table.index
    assert table.loc["generated", "accuracy"] > 0.9 > table.loc["shuffled", "accuracy"]
    assert (table["log_loss_low"] <= table["log_loss"]).all() and (table["seconds"] > 0).all()
    assert heard[-1] == (2, 2)
    assert table.figures["n_support"] == 32
    # A part of it is a plain table.
    assert type(table.sort_values("log_loss")) is pandas.DataFrame


def test_it_shows_its_page(compared, tmp_path):
    table, _ = compared
    shown = table._repr_html_()
    assert shown.startswith("<iframe srcdoc=") and "&lt;svg" in shown
    table.save(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>") and "http" not in page.replace("http://www.w3.org/2000/svg", "")


def test_numbers_and_classes_are_told_apart():
    random = np.random.RandomState(0)
    X = random.normal(size=(90, 2))
    options = {"support": 40, "splits": 1, "methods": ["linear-tuned"]}
    assert "r2" in weightsmith.compare(X, X[:, 0] * 3, **options)
    assert "accuracy" in weightsmith.compare(X, (X[:, 0] > 0).astype(int), **options)
    assert "r2" in weightsmith.compare(X, (X[:, 0] > 0).astype(int), task="regression", **options)
    with pytest.raises(ValueError, match="unknown method"):
        weightsmith.compare(X, X[:, 0], methods=["nothing"])
    with pytest.raises(ValueError, match="rows"):
        weightsmith.compare(X[:5], X[:5, 0])


def test_ctrl_c_ends_a_comparison_after_its_split():
    program = """
import os, signal, threading, time
import weightsmith
X, y = weightsmith.load_sample("penguins")
threading.Timer(0.7, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
began = time.perf_counter()
try:
    weightsmith.compare(X, y, splits=1000, methods=["generated", "adam"], progress=lambda done, all: None)
except KeyboardInterrupt:
    print(time.perf_counter() - began)
for _ in range(60):
    before = time.process_time()
    time.sleep(0.5)
    if time.process_time() - before < 0.01:
        print("rests", flush=True)
        os._exit(0)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, env=os.environ)
    assert done.stderr == ""
    waited, then = done.stdout.split()
    assert float(waited) < 2.0
    # Nothing works on for nobody: a thousand splits would take many minutes.
    assert then == "rests"
