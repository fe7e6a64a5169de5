"""What tests of several packages share."""

import copy
import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from browser import Browser
from hypothesis import settings

# A test asserts no time: the first example may compile, and the machine is shared.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

_SMALLEST = {
    "version": 2,
    "name": "tiny",
    "seed": 7,
    "images": {"digits": {"kind": "digits", "test_fraction": 0.2}},
    "populations": {
        "a": {
            "images": "digits",
            "architecture": {"family": "M", "convolutions": [6, 4], "dense": [8]},
            "recipe": {"learning_rate": 0.002, "batch_size": 32, "iterations": 12, "precision": "float32"},
            "networks": 5,
            "networks_per_job": 2,
            "snapshots": {"iterations": [4]},
        }
    },
    "clouds": [
        {"layers": ["conv1"], "densities": [{"k": 0.2, "p": 0.6}]},
        {"layers": ["conv2"], "steps": "last", "densities": [{"k": 3, "p": 0.5}, {"k": 5, "p": 0.5}]},
    ],
    "significance": {"draws": 19, "alpha": 0.05},
    "mapper": {"resolution": 4},
    "dynamics": {"bootstrap_draws": 19},
    "generalization": {
        "density": {"k": 0.2, "p": 0.7},
        "grids": {"grid": {"base": "a", "vary": {"dropout": [0, 0.5]}, "networks": 2, "iterations": 6}},
        "bootstrap_draws": 20,
        "permutations": 19,
    },
    "controls": {"points": 60},
    "jobs": {"steps_per_job": 2},
}


def pytest_collection_modifyitems(items):
    """Put the files that make whole runs first, so that no process is left with one when the others have ended."""
    long = ("cluster", "workflow", "faults", "looks", "figures")
    items.sort(key=lambda item: long.index(item.path.parent.name) if item.path.parent.name in long else len(long))


@pytest.fixture(scope="session")
def smallest() -> dict[str, Any]:
    """Return the config of `tiny` where one run serves several tests."""
    return copy.deepcopy(_SMALLEST)


@pytest.fixture
def tiny() -> dict[str, Any]:
    """Return a config that is whole but trains in seconds; tests may change it."""
    return copy.deepcopy(_SMALLEST)


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], None]], Path]:
    """Return ``made_once(name, make)``: a copy of what `make` writes in an empty folder.

    It is made once in all processes of a parallel pytest, and each module that asks has a copy of its own.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if base.name.startswith("popen-") else base

    def copied(name: str, make: Callable[[Path], None]) -> Path:
        original, copy = shared / "made-once" / name, tmp_path_factory.mktemp(name) / "copy"
        original.parent.mkdir(exist_ok=True)
        with original.with_suffix(".turn").open("w") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            if not original.is_dir():
                making = original.with_suffix(".making")
                shutil.rmtree(making, ignore_errors=True)
                making.mkdir()
                make(making)
                making.rename(original)
        return Path(shutil.copytree(original, copy, symlinks=True))

    return copied


class _Handler(SimpleHTTPRequestHandler):
    """Serves a folder; of the file called `broken` only the first half arrives."""

    def __init__(self, *arguments: Any, broken: str, **named: Any) -> None:
        self.broken = broken
        super().__init__(*arguments, **named)

    def log_message(self, *_: object) -> None: ...

    def copyfile(self, source: Any, outputfile: Any) -> None:
        content = source.read()
        outputfile.write(content[: len(content) // 2] if self.path == f"/{self.broken}" else content)


@contextmanager
def _serving(folder: Path, broken: str = "") -> Iterator[str]:
    handler = partial(_Handler, directory=folder, broken=broken)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def serving() -> Any:
    """Return a context manager that serves a folder on this machine: ``with serving(folder) as address``."""
    return _serving


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Open a browser for the tests of a module."""
    browser = Browser(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()
