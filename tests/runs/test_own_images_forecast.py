"""Jobs on a user's own images ask for memory by how many images there are, and the largest of them get by with it."""

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from job_runs import write_job
from PIL import Image

from cnn_topology.data.image_files import list_folder
from cnn_topology.forecast import activation_jobs, image_jobs, training_jobs
from cnn_topology.forecast.demand import TORCH
from cnn_topology.forecast.image_jobs import PHOTOGRAPH_MB, UNKNOWN_SET, images_used
from cnn_topology.plan.config import parse_config
from cnn_topology.plan.expand import Plan
from cnn_topology.plan.images import FolderImages
from cnn_topology.plan.names import RunFolder
from cnn_topology.plan.parameters import ImagesParameters
from cnn_topology.storage.tensors import write_tensors
from cnn_topology.storage.weight_arrays import Stored, npz_headers

SMALL = {"widths": [4], "blocks": [1]}


def plan(path, kind="npz", shape=(64, 64, 3), layout=SMALL, cloud="top-l2", **keys) -> Plan:
    training = {"normalization": "set", "recipe": {"epochs": 10, "milestones": []}}
    content = {
        "version": 2,
        "name": "mine",
        "images": {"own": {"kind": kind, "path": str(path), "shape": list(shape), **keys}},
        "populations": {"p": {"images": "own", "recipe": {"iterations": 10}}},
        "resnets": {"nets": {"variant": "mapper", "images": "own", **training, **layout}},
        "activation_clouds": {"top": {"population": "nets", "layers": "all", "n_images": 10, "sampling": cloud}},
    }
    return Plan(parse_config(content))


# Files of the tests that are too large to be written: what their headers hold.
HEADERS = {}


@pytest.fixture(autouse=True)
def _headers_alone(monkeypatch):
    """Read the headers of files that `headers` made from there; of others as ever."""
    monkeypatch.setattr(image_jobs, "npz_headers", lambda path: HEADERS.get(path) or npz_headers(path))


def headers(path, **shapes):
    """Stand for an .npz file of these shapes: nothing but its headers may be read."""
    path.touch()
    HEADERS[path] = {name: Stored(shape, kind, NotImplemented) for name, (kind, shape) in shapes.items()}


def test_a_large_set_is_planned_with_all_its_images(tmp_path):
    headers(tmp_path / "own.npz", x_train=("u1", (60_000, 64, 64, 3)), x_test=("u1", (10_000, 64, 64, 3)))
    made = plan(tmp_path / "own.npz")
    assert images_used(made, "own") == (60_000, 10_000)
    size = 70_000 * 64 * 64 * 3 / 1e6
    # Measured: 938 MB to prepare the set as it is (what brings it to another shape needs more), 1,720 more than before
    # to read it.
    prepared = image_jobs.images(made, "own")
    assert 938 < prepared.memory_mb < 2.5 * 938
    assert prepared.disk_mb == pytest.approx(size)
    assert training_jobs.train(made, made.shards[0]).memory_mb > TORCH[1] + 1_720
    assert training_jobs.train_resnet(made, "nets").memory_mb > TORCH[1] + 1_720
    assert activation_jobs.activations(made, ["top"], 1).memory_mb > 600 + 1_720
    assert activation_jobs.masks(made, "nets", 10).memory_mb > 110 + 1_720
    assert activation_jobs.example_pixels(made, "nets").memory_mb > 110 + 1_720


def test_masks_of_large_images_need_memory_by_the_square_of_their_pixels(tmp_path):
    headers(tmp_path / "own.npz", x_train=("u1", (100, 64, 64, 3)), x_test=("u1", (100, 64, 64, 3)))
    made = plan(tmp_path / "own.npz", layout={}, cloud="foreground")
    # Measured: 1,791 MB while the influences of one mode are computed, 2,638 of both, besides interpreter and images.
    assert activation_jobs.masks(made, "nets", 10).memory_mb > 300 + 2_638
    assert activation_jobs.example_pixels(made, "nets").memory_mb > 200 + 2_638
    assert activation_jobs.activations(made, ["top"], 1).memory_mb > 600 + 1_791


def test_an_epoch_has_as_many_images_as_the_files(tmp_path):
    seconds = []
    for count in (1_000, 50_000):
        headers(tmp_path / f"{count}.npz", x_train=("u1", (count, 32, 32)), x_test=("u1", (100, 32, 32)))
        seconds.append(training_jobs.train_resnet(plan(tmp_path / f"{count}.npz"), "nets").seconds - TORCH[0])
    assert seconds[1] == pytest.approx(50 * seconds[0])


def test_what_cannot_be_used_needs_its_memory_too(tmp_path):
    headers(tmp_path / "own.npz", x_train=("f8", (10_000, 64, 64, 3)), x_test=("f8", (3_000, 64, 64, 3)))
    # Measured: 1,342 MB until floats are refused for their range.
    assert 1_342 < image_jobs.images(plan(tmp_path / "own.npz"), "own").memory_mb < 1.5 * 1_342


def test_a_stated_number_of_images_bounds_that_of_the_files(tmp_path):
    headers(tmp_path / "own.npz", x_train=("u1", (60_000, 64, 64)), x_test=("u1", (500, 64, 64)))
    assert images_used(plan(tmp_path / "own.npz", train=3_000, test=9_999), "own") == (3_000, 500)


def folder(path, train, test, shape=(64, 64, 3)):
    random = np.random.default_rng(0)
    for split, count in (("train", train), ("test", test)):
        for number in range(count):
            file = path / split / f"class{number % 2}" / f"{number}.bmp"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(random.integers(0, 256, shape, dtype=np.uint8)).save(file)
    return path


def test_files_of_a_folder_are_counted_as_they_are_read(tmp_path):
    images = folder(tmp_path / "own", 7, 4)
    (images / "train" / "class0" / ".DS_Store").touch()
    (images / "train" / ".cache").mkdir()
    (images / "train" / ".cache" / "0.png").touch()
    (images / "train" / "notes.txt").touch()
    (images / "test" / "class1").rename(tmp_path / "elsewhere")
    (images / "test" / "class1").symlink_to(tmp_path / "elsewhere")
    assert images_used(plan(images, "folder"), "own") == (7, 4)
    section = FolderImages(kind="folder", path=str(images))
    _, read = list_folder("own", section, {})
    assert [len(read[split].files) for split in ("train", "test")] == [7, 4]


def test_a_set_whose_files_are_gone_is_counted_where_it_is_prepared(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = plan("own.npz", shape=(3, 3, 1))
    assert images_used(made, "own") == UNKNOWN_SET
    arrays = {"train_images": np.zeros((321, 3, 3, 1), np.uint8), "test_images": np.zeros((45, 3, 3, 1), np.uint8)}
    path = Path(RunFolder("mine").images("own"))
    path.parent.mkdir(parents=True)
    write_tensors(path, arrays, {})
    assert images_used(made, "own") == (321, 45)


@pytest.mark.parametrize("content", [b"", b"PK\3\4 and no more"])
def test_a_damaged_file_stops_no_forecast(tmp_path, content):
    (tmp_path / "own.npz").write_bytes(content)
    assert images_used(plan(tmp_path / "own.npz"), "own") == UNKNOWN_SET


def peak_mb(made: Plan, output: Path) -> float:
    """Prepare the set in a process of its own and return the most memory that it held, MB."""
    parameters = ImagesParameters(run_seed=0, name="own", images=made.config.images["own"])
    command = ["cnn-topology", "job", str(write_job(output.with_suffix(".json"), parameters, {}, {"images": output}))]
    printed = subprocess.run(command, check=True, capture_output=True, text=True)
    (measured,) = re.findall(r"([\d.]+) MB of memory at most", printed.stdout + printed.stderr)
    return float(measured)


@pytest.mark.parametrize(
    ("form", "shape", "keys"),
    [
        ("npz", (64, 64, 3), {}),
        ("npz", (64, 64, 3), {"train": 4_000}),
        ("npz", (48, 48, 1), {}),
        ("npz", (96, 96, 3), {}),
        ("folder", (96, 96, 3), {}),
    ],
)
def test_the_forecast_covers_what_is_measured(tmp_path, form, shape, keys):
    if form == "npz":
        random = np.random.default_rng(0)
        arrays = {
            f"x_{split}": random.integers(0, 256, (count, 64, 64, 3), dtype=np.uint8)
            for split, count in (("train", 5_000), ("test", 1_000))
        }
        labels = {f"y_{name[2:]}": np.arange(len(images)) % 2 for name, images in arrays.items()}
        np.savez(tmp_path / "own.npz", **arrays, **labels)
        made = plan(tmp_path / "own.npz", "npz", shape, **keys)
    else:
        made = plan(folder(tmp_path / "own", 1_000, 100), "folder", shape, **keys)
    measured, forecasted = peak_mb(made, tmp_path / "out.safetensors"), image_jobs.images(made, "own").memory_mb
    assert measured < forecasted < 2 * measured + (PHOTOGRAPH_MB if form == "folder" else 0)
