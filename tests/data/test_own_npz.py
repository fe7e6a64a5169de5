import io
import zipfile

import numpy as np
import pytest

from cnn_topology.data.repeats import repeats
from cnn_topology.data.sources import load_image_set
from cnn_topology.errors import InputError
from cnn_topology.plan.images import NpzImages


def arrays(**changes):
    random = np.random.default_rng(0)
    plain = {
        "x_train": random.integers(0, 256, (6, 5, 4, 3), dtype=np.uint8),
        "y_train": np.array([0, 1, 2, 0, 1, 2], dtype=np.int32),
        "x_test": random.integers(0, 256, (3, 5, 4, 3), dtype=np.uint8),
        "y_test": np.array([2, 1, 0], dtype=np.uint8),
    }
    return {key: value for key, value in {**plain, **changes}.items() if value is not None}


def load_npz(path, shape=(5, 4, 3), **keys):
    return load_image_set("own", NpzImages(kind="npz", path=str(path), shape=shape, **keys), seed=0)


def test_an_npz_is_read_as_it_is(tmp_path):
    np.savez_compressed(tmp_path / "own.npz", **arrays(), unused=np.zeros(3))
    images = load_npz(tmp_path / "own.npz")
    np.testing.assert_array_equal(images.train_images, arrays()["x_train"])
    assert images.test_labels.tolist() == [2, 1, 0]
    assert images.classes == ("0", "1", "2")


def test_gray_images_need_no_channel_axis(tmp_path):
    gray = {key: arrays()[key][..., 0] for key in ("x_train", "x_test")}
    np.savez(tmp_path / "own.npz", **arrays(**gray))
    images = load_npz(tmp_path / "own.npz", shape=(5, 4, 1))
    np.testing.assert_array_equal(images.train_images[..., 0], gray["x_train"])


def test_named_classes_may_lack_training_images(tmp_path):
    np.savez(tmp_path / "own.npz", **arrays(y_train=np.array([0, 2, 2, 0, 2, 2])))
    assert load_npz(tmp_path / "own.npz", classes=("a", "b", "c", "d")).classes == ("a", "b", "c", "d")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y_test": None}, "key y_test is missing; it holds x_train, y_train, x_test"),
        ({"y_test": None, "x_test": None}, "keys x_test, y_test are missing; it holds x_train, y_train"),
        ({"y_test": np.array([0, 1])}, "3 images in x_test, 2 labels in y_test"),
        (
            {"x_train": np.zeros((6, 5, 4)), "y_test": np.zeros(3)},
            r"2 problems: \(1\) .*key x_train: pixels .* black\. \(2\) .*key y_test: labels are float64",
        ),
        ({"x_train": np.full((6, 5, 4), np.nan)}, r"key x_train: pixels are float64.*Replace NaN"),
        ({"x_train": np.full((6, 5, 4), "a")}, r"key x_train: pixels are <U1"),
        ({"x_train": np.zeros((6, 3, 5, 4), dtype=np.uint8)}, "key x_train: shape .*transpose"),
        ({"x_test": np.zeros((0, 5, 4, 3), dtype=np.uint8)}, r"key x_test: shape \(0, 5, 4, 3\)"),
        ({"x_test": np.full((3, 6, 6, 3), 200, dtype=np.uint8)}, "x_train and x_test have images of"),
        ({"y_train": np.zeros(6)}, "key y_train: labels are float64"),
        ({"y_train": np.zeros((6, 1), dtype=int)}, r"key y_train: shape \(6, 1\).*reshape"),
        ({"y_train": np.array([1, 2, 3, 1, 2, 3])}, r"key y_train: .*without a gap.*\[1\]"),
        ({"y_train": np.array([-1, 0, 1, 2, 0, 1])}, r"key y_train: .*without a gap.*\[-1\]"),
        ({"y_test": np.array([0, 1, 3])}, "key y_test: labels run from 0 to 3; with 3 classes"),
        ({"y_train": np.array([0, 1, None, 0, 1, 2])}, r"own\.npz, y_train: .*Python objects"),
    ],
)
def test_an_npz_that_cannot_be_used_is_refused_by_key(tmp_path, changes, message):
    np.savez(tmp_path / "own.npz", **arrays(**changes))
    with pytest.raises(InputError, match=message) as caught:
        load_npz(tmp_path / "own.npz")
    assert "own.npz" in str(caught.value)


def test_labels_beyond_the_named_classes_are_refused(tmp_path):
    np.savez(tmp_path / "own.npz", **arrays())
    with pytest.raises(InputError, match="key y_train: labels run from 0 to 2; with 2 classes"):
        load_npz(tmp_path / "own.npz", classes=("a", "b"))


def test_a_missing_npz_is_named(tmp_path):
    with pytest.raises(InputError, match=r"^images\.own: .*own\.npz: no such file"):
        load_npz(tmp_path / "own.npz")


def test_an_npz_cut_short_is_refused(tmp_path):
    np.savez(tmp_path / "own.npz", **arrays())
    whole = (tmp_path / "own.npz").read_bytes()
    for length in (0, 3, 100, len(whole) // 2, len(whole) - 1):
        (tmp_path / "own.npz").write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"own\.npz.*cut short"):
            load_npz(tmp_path / "own.npz")


def test_an_npz_with_a_damaged_member_names_its_key(tmp_path):
    plain = io.BytesIO()
    np.savez(plain, **arrays())
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(tmp_path / "own.npz", "w") as new:
        for member in old.namelist():
            new.writestr(member, old.read(member)[: 40 if member == "x_test.npy" else None])
    with pytest.raises(InputError, match=r"own\.npz, x_test: cannot be read"):
        load_npz(tmp_path / "own.npz")


def test_one_bare_array_is_no_npz(tmp_path):
    with (tmp_path / "own.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(InputError, match=r"own\.npz: one bare array"):
        load_npz(tmp_path / "own.npz")


def test_numbers_in_place_of_arrays_are_refused_by_key(tmp_path):
    np.savez(tmp_path / "own.npz", **arrays(x_train=np.uint8(200)))
    for labels in (True, False):
        with pytest.raises(InputError, match=r"key x_train: shape \(\)"):
            load_npz(tmp_path / "own.npz", labels=labels)
    np.savez(tmp_path / "own.npz", **arrays(y_test=np.int64(1)))
    with pytest.raises(InputError, match=r"key y_test: shape \(\)"):
        load_npz(tmp_path / "own.npz")


def test_test_images_that_are_training_images_are_counted(tmp_path):
    np.savez(tmp_path / "own.npz", **arrays(x_test=arrays()["x_train"][:3]))
    config = NpzImages(kind="npz", path=str(tmp_path / "own.npz"), shape=(5, 4, 3))
    assert repeats(load_npz(config.path), config).startswith("3 of 3 test images are training images too")


def test_images_of_too_many_axes_are_refused_by_key(tmp_path):
    movies = {key: np.stack([arrays()[key]] * 2, axis=1) for key in ("x_train", "x_test")}
    for labels in (True, False):
        np.savez(tmp_path / "own.npz", **arrays(**movies))
        with pytest.raises(InputError, match=r"key x_train: shape \(6, 2, 5, 4, 3\).*key x_test"):
            load_npz(tmp_path / "own.npz", labels=labels)
