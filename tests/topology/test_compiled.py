"""Compiled functions: kept on disk where that can be written, announced once, and the same without."""

import importlib.util
import shutil

import pytest

import cnn_topology.compiled

CODE = """
from cnn_topology_copy import compiled

@compiled()
def doubled(x):
    return 2 * x

@compiled()
def tripled(x):
    return 3 * x
"""


def loaded(path, name):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a folder with a copy of the decorator, which has announced nothing yet, and two functions of its own."""
    shutil.copy(cnn_topology.compiled.__file__, tmp_path / "cnn_topology_copy.py")
    (tmp_path / "kernels.py").write_text(CODE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "cnn_topology_copy", raising=False)
    return tmp_path


def test_the_first_compilation_is_announced_once(folder, capsys):
    kernels = loaded(folder / "kernels.py", "kernels_announced")
    assert (kernels.doubled(2), kernels.tripled(2)) == (4, 6)
    assert capsys.readouterr().err.count("\n") == 1
    assert list(folder.glob("__pycache__/kernels.doubled*.nbc"))
    assert loaded(folder / "kernels.py", "kernels_again").doubled(2) == 4  # read from disk
    assert capsys.readouterr().err == ""


def test_without_a_folder_to_write_functions_are_compiled_and_one_warning_says_so(folder, monkeypatch, capsys):
    (folder / "__pycache__").write_text("a file where the folder would be")
    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(folder / "__pycache__"))
    with pytest.warns(UserWarning, match="NUMBA_CACHE_DIR") as warned:
        kernels = loaded(folder / "kernels.py", "kernels_read_only")
    assert len(warned) == 1
    assert kernels.doubled(2) == 4
    assert capsys.readouterr().err == ""
