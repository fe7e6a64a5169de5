"""Files of activation clouds: what is written is read, and what does not fit is refused."""

import numpy as np
import pytest
from job_runs import origin_of, write_cloud

from cnn_topology.activations.cloud_file import ActivationCloud, read_cloud
from cnn_topology.errors import InputError
from cnn_topology.storage.tensors import read_metadata, write_tensors

ORIGIN = origin_of(
    "block_seq.0.0.conv1", 2, (4, 5, 2), {"sigma": 0.25}, population="ph", network=3, seed=17, cloud="top",
    tensor="conv", classes=("cat", "dog"), images=3, weights="ab",
)  # fmt: skip


def cloud(**changed):
    arrays = {
        "points": np.arange(6, dtype=np.float32).reshape(3, 2),
        "ids": np.array([4, 7, 9]),
        "positions": np.array([0, 19, 6]),
        "labels": np.array([0, 1, 1]),
    }
    return ActivationCloud(**{**arrays, "origin": ORIGIN, **changed})


def test_a_cloud_comes_back_as_it_was_written(tmp_path):
    path = tmp_path / "top.safetensors"
    write_cloud(path, cloud(), {"config": "c", "data": "d", "seed": "2018"})
    back = read_cloud(path)
    assert back.origin == ORIGIN
    for name in ("points", "ids", "positions", "labels"):
        assert np.array_equal(getattr(back, name), getattr(cloud(), name))
    notes = read_metadata(path)
    assert (notes["config"], notes["data"], notes["seed"], back.origin.seed) == ("c", "d", "2018", 17)


def test_a_file_of_another_kind_is_refused_by_name(tmp_path):
    path = tmp_path / "other.safetensors"
    write_tensors(path, {name: np.zeros(1) for name in ("points", "ids", "positions", "labels")}, {})
    with pytest.raises(InputError, match=r"other.safetensors: is no cloud of activations: .*no .origin"):
        read_cloud(path)
