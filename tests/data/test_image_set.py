import dataclasses

import numpy as np
import pytest

from cnn_topology.data.image_set import ImageSet, read_image_set, write_image_set
from cnn_topology.errors import InputError


def small_set(**changes) -> ImageSet:
    random = np.random.default_rng(0)
    parts = {
        "name": "small",
        "train_images": random.integers(0, 256, (5, 4, 3, 1), dtype=np.uint8),
        "train_labels": np.array([0, 1, 0, 1, 0]),
        "test_images": random.integers(0, 256, (2, 4, 3, 1), dtype=np.uint8),
        "test_labels": np.array([1, 0]),
        "classes": ("cat", "dög"),
    }
    return ImageSet(**{**parts, **changes})


def test_a_written_set_is_read_back_whole(tmp_path):
    before = small_set()
    write_image_set(tmp_path / "set.safetensors", before)
    after = read_image_set(tmp_path / "set.safetensors")
    assert (after.name, after.classes, after.sha256) == (before.name, before.classes, before.sha256)
    assert after.shape == (4, 3, 1)
    for key in ("train_images", "train_labels", "test_images", "test_labels"):
        np.testing.assert_array_equal(getattr(after, key), getattr(before, key))


@pytest.mark.parametrize(
    "change",
    [
        {"train_images": small_set().train_images ^ np.uint8(1)},
        {"train_labels": np.array([1, 1, 0, 1, 0])},
        {"test_images": small_set().test_images[::-1]},
        {"test_labels": np.array([0, 0])},
        {"classes": ("cat", "dog")},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_hash_covers_every_part(change):
    assert small_set(**change).sha256 != small_set().sha256


def test_the_hash_does_not_depend_on_the_name_or_on_memory_order():
    same = small_set(name="other", train_images=np.asfortranarray(small_set().train_images))
    assert same.sha256 == small_set().sha256


def test_an_altered_file_is_refused(tmp_path):
    path = tmp_path / "set.safetensors"
    write_image_set(path, small_set())
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"set\.safetensors.*altered"):
        read_image_set(path)


def test_a_file_cut_short_is_refused(tmp_path):
    path = tmp_path / "set.safetensors"
    write_image_set(path, small_set())
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(InputError, match="cut short"):
        read_image_set(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train_images": np.zeros((5, 4, 3, 1))}, "train_images is float64"),
        ({"train_images": np.zeros((5, 4, 3), dtype=np.uint8)}, r"train_images is uint8 \(5, 4, 3\)"),
        ({"train_images": np.zeros((5, 4, 3, 2), dtype=np.uint8)}, "1 or 3 channels"),
        ({"test_images": np.zeros((0, 4, 3, 1), dtype=np.uint8), "test_labels": np.zeros(0, int)}, "at least one"),
        ({"test_images": np.zeros((2, 4, 4, 1), dtype=np.uint8)}, "bring both to one shape"),
        ({"train_labels": np.array([0, 1])}, r"train_labels is int64 \(2,\)"),
        ({"train_labels": np.zeros(5)}, "train_labels is float64"),
        ({"train_labels": np.array([0, 1, 2, 1, 0])}, "0 to 2; with 2 classes"),
        ({"test_labels": np.array([-1, 0])}, "test_labels run from -1"),
        ({"classes": ("cat",)}, "two different names"),
        ({"classes": ("cat", "cat")}, "two different names"),
    ],
)
def test_a_set_that_does_not_fit_itself_is_refused(change, message):
    with pytest.raises(InputError, match=message) as caught:
        small_set(**change)
    assert "'small'" in str(caught.value)


def test_an_image_set_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        small_set().name = "other"
