"""The activation tensor of one image: every value back in its place, and no image of which a part is missing."""

from dataclasses import replace

import numpy as np
from job_runs import origin_of, run_job, write_cloud

from cnn_topology.activations.cloud_file import ActivationCloud
from cnn_topology.plan.activation_parameters import ActivationTensorParameters
from cnn_topology.storage.tables import read_notes, read_table
from cnn_topology.tables.images import ActivationTensorRow

ORIGIN = origin_of(
    "layer1.0.bn1", 2, (2, 3, 4), {"sampling": "full"}, cloud="all", tensor="relu", classes=("cat", "dog"), images=2
)


def call(path, cloud):
    write_cloud(path / "all.safetensors", cloud, {"config": "c", "data": "d", "seed": "1"})
    outputs = {"activation_tensor": path / "tensor.parquet"}
    return run_job(ActivationTensorParameters(run_seed=1), {"cloud": path / "all.safetensors"}, outputs)


def shuffled(tensors, labels):
    """Write tensors (images, c, h, w) as a cloud whose points stand in no order."""
    images, channels, height, width = tensors.shape
    order = np.random.default_rng(0).permutation(images * height * width)
    ids, positions = np.divmod(np.arange(images * height * width), height * width)
    points = tensors.transpose(0, 2, 3, 1).reshape(-1, channels).astype(np.float32)
    return ActivationCloud(points[order], ids[order], positions[order], np.array(labels)[ids[order]], ORIGIN)


def test_every_value_is_back_in_its_place(tmp_path):
    tensors = np.arange(48.0).reshape(2, 4, 2, 3)
    assert call(tmp_path, shuffled(tensors, [0, 1])) == 0
    table = read_table(tmp_path / "tensor.parquet", ActivationTensorRow.schema).to_pandas()
    image = table["image"].iloc[0]
    assert table["class_name"].iloc[0] == ("cat", "dog")[image]
    found = np.full((4, 2, 3), np.nan)
    found[table["channel"], table["y"], table["x"]] = table["value"]
    np.testing.assert_array_equal(found, tensors[image])
    assert read_notes(tmp_path / "tensor.parquet")["data"] == "d"


def test_an_image_without_all_positions_is_not_taken(tmp_path, capsys):
    cloud = shuffled(np.arange(48.0).reshape(2, 4, 2, 3), [0, 1])

    def only(chosen):
        arrays = {name: getattr(cloud, name)[chosen] for name in ("points", "ids", "positions", "labels")}
        return replace(cloud, **arrays)

    kept = ~((cloud.ids == 0) & (cloud.positions == 5))
    assert call(tmp_path, only(kept)) == 0
    assert read_table(tmp_path / "tensor.parquet")["image"][0].as_py() == 1
    few = kept & (np.arange(12) < 4)
    assert call(tmp_path, only(few)) == 2
    assert "no image has all 6 positions" in capsys.readouterr().err
