import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cnn_topology.data.shapes import balanced_indices, cropping_note, to_gray, to_shape

sides = st.integers(1, 12)
shapes = st.tuples(sides, sides, st.sampled_from([1, 3]))
pictures = st.tuples(st.integers(1, 3), sides, sides, st.sampled_from([1, 3])).flatmap(
    lambda shape: arrays(np.uint8, shape)
)
labellings = st.lists(st.integers(0, 4), min_size=1, max_size=40).map(lambda labels: np.array(labels, dtype=np.int64))
seeds = st.integers(0, 2**63 - 1)


@given(pictures, shapes)
def test_every_shape_is_reached_and_then_kept(images, shape):
    shaped = to_shape(images, shape)
    assert shaped.dtype == np.uint8
    assert shaped.shape == (len(images), *shape)
    assert to_shape(shaped, shape) is shaped


@given(pictures, shapes)
def test_no_pixel_leaves_the_range_of_its_image(images, shape):
    shaped = to_shape(images, shape)
    for before, after in zip(images, shaped, strict=True):
        assert before.min() <= after.min()
        assert after.max() <= before.max()


@given(pictures, shapes)
def test_images_are_shaped_one_by_one(images, shape):
    one_by_one = [to_shape(image[np.newaxis], shape)[0] for image in images]
    np.testing.assert_array_equal(to_shape(images, shape), one_by_one)


@given(arrays(np.uint8, (2, 5, 4, 1)))
def test_gray_survives_the_way_through_colour(images):
    colour = to_shape(images, (5, 4, 3))
    assert (colour == images).all()
    np.testing.assert_array_equal(to_shape(colour, (5, 4, 1)), images)


def test_gray_weighs_the_channels_by_bt601_and_rounds():
    colours = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [10, 20, 30]], dtype=np.uint8)
    # 76.245, 149.685, 29.07, 255, 18.15
    assert to_gray(colours.reshape(1, 1, 5, 3)).ravel().tolist() == [76, 150, 29, 255, 18]


def test_shrinking_is_antialiased():
    # Columns of width one: without averaging a quarter of the side would pick black or white ones only.
    stripes = np.tile(np.array([0, 255], dtype=np.uint8), (1, 64, 32))[..., np.newaxis]
    inner = to_shape(stripes, (16, 16, 1))[0, 1:-1, 1:-1]
    assert inner.min() >= 110
    assert inner.max() <= 145


def test_height_and_width_are_not_confused():
    image = np.zeros((1, 2, 8, 1), dtype=np.uint8)
    image[0, 1] = 200
    larger = to_shape(image, (4, 16, 1))[0, ..., 0]
    assert (larger[0] == 0).all()
    assert (larger[3] == 200).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_of_another_aspect_ratio_the_centre_is_taken_and_nothing_is_stretched(channels):
    wide = np.random.default_rng(0).integers(0, 256, (2, 64, 96, channels), dtype=np.uint8)
    shrunk = to_shape(wide, (32, 48, channels))  # the same aspect ratio: all of it
    np.testing.assert_array_equal(to_shape(wide, (32, 32, channels)), shrunk[:, :, 8:40])
    tall = wide.swapaxes(1, 2)
    np.testing.assert_array_equal(to_shape(tall, (32, 32, channels)), to_shape(tall, (48, 32, channels))[:, 8:40])


@pytest.mark.parametrize("size", [(40, 200), (200, 40), (31, 47)])
def test_an_edge_keeps_its_angle(size):
    rows, columns = np.indices(size)
    falling = np.where(rows - columns > (size[0] - size[1]) / 2, 255, 0).astype(np.uint8)  # 45 degrees, by the centre
    shaped = to_shape(falling[np.newaxis, ..., np.newaxis], (16, 16, 1))[0, ..., 0]
    assert shaped[np.tril_indices(16, -2)].min() == 255
    assert shaped[np.triu_indices(16, 2)].max() == 0


def test_a_note_counts_the_cropped_images():
    assert cropping_note("leaves", [(8, 8), (32, 32)], (16, 16, 3)) is None
    note = cropping_note("leaves", [(8, 8), (8, 32), (24, 16)], (16, 16, 3))
    assert note is not None
    assert note.startswith("leaves: 2 of 3 images ")
    assert " 75% " in note


@given(labellings, st.data(), seeds)
def test_a_subset_is_as_balanced_as_its_source_allows(labels, data, seed):
    count = data.draw(st.integers(1, len(labels)))
    places = balanced_indices(labels, count, seed)
    assert len(places) == count
    assert (np.diff(places) > 0).all()
    taken, there = np.bincount(labels[places], minlength=5), np.bincount(labels, minlength=5)
    not_used_up = taken < there
    if not_used_up.any():
        assert taken.max() <= taken[not_used_up].min() + 1


@given(labellings, st.data(), seeds)
def test_a_larger_subset_holds_the_smaller(labels, data, seed):
    small, large = sorted(data.draw(st.tuples(*[st.integers(1, len(labels))] * 2)))
    assert set(balanced_indices(labels, small, seed)) <= set(balanced_indices(labels, large, seed))


def test_another_seed_draws_other_images():
    labels = np.zeros(100, dtype=np.int64)
    assert (balanced_indices(labels, 50, 1) == balanced_indices(labels, 50, 1)).all()
    assert (balanced_indices(labels, 50, 1) != balanced_indices(labels, 50, 2)).any()


@pytest.mark.parametrize("count", [0, 4])
def test_no_more_images_are_drawn_than_there_are(count):
    with pytest.raises(ValueError, match=rf"count \(={count}\) .* number of images \(=3\)"):
        balanced_indices(np.zeros(3, dtype=np.int64), count, 0)
