"""What tests of several rooms share."""

import copy
from typing import Any

import pytest

_SMALLEST = {
    "version": 1,
    "name": "tiny",
    "seed": 7,
    "images": {"digits": {"kind": "digits", "test_fraction": 0.2}},
    "populations": {
        "a": {
            "images": "digits",
            "architecture": {"family": "M", "convolutions": [6, 4], "dense": [8]},
            "recipe": {"learning_rate": 0.002, "batch": 32, "iterations": 12, "precision": "float32"},
            "networks": 5,
            "shard": 2,
            "snapshots": {"iterations": [4]},
        }
    },
    "clouds": [
        {"layers": ["conv1"], "densities": [{"k": 0.2, "p": 0.6}]},
        {"layers": ["conv2"], "steps": "last", "densities": [{"k": 3, "p": 0.5}, {"k": 5, "p": 0.5}]},
    ],
    "significance": {"draws": 19, "alpha": 0.05},
    "mapper": {"resolution": 4},
    "dynamics": {"draws": 19},
    "generalization": {
        "density": {"k": 0.2, "p": 0.7},
        "grids": {"grid": {"base": "a", "vary": {"dropout": [0, 0.5]}, "networks": 2, "iterations": 6}},
        "bootstrap": 20,
        "permutations": 19,
    },
    "controls": {"points": 60},
    "jobs": {"steps": 2},
}


@pytest.fixture(scope="session")
def smallest() -> dict[str, Any]:
    """Give the config of `tiny` where one run serves several tests."""
    return copy.deepcopy(_SMALLEST)


@pytest.fixture
def tiny() -> dict[str, Any]:
    """Give a config that is whole but trains in seconds; tests may change it."""
    return copy.deepcopy(_SMALLEST)
