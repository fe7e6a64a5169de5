"""Which positions make a cloud: rules of the paper, their defects, and draws that belong to images."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnn_topology.activations import positions as positions_module
from cnn_topology.activations.positions import (
    Chosen,
    Everywhere,
    choose_images,
    full_positions,
    heaviest_positions,
    masked_positions,
    random_positions,
)
from cnn_topology.data.image_set import ImageSet
from cnn_topology.errors import InputError


@pytest.mark.parametrize(
    ("published", "rows", "columns"), [(False, range(5), range(6)), (True, range(1, 5), range(1, 6))]
)
def test_random_positions_leave_out_the_first_row_and_column_as_published_alone(published, rows, columns):
    chosen = random_positions(np.arange(2_000), 2_000, (5, 6), published, 1)
    assert set(chosen.positions.tolist()) == {row * 6 + column for row in rows for column in columns}
    assert chosen.places.tolist() == list(range(2_000))


def test_a_random_position_belongs_to_its_image():
    every = random_positions(np.arange(50), 50, (4, 4), False, 3).positions
    ids = np.array([3, 17, 49])
    assert random_positions(ids, 50, (4, 4), False, 3).positions.tolist() == every[ids].tolist()
    assert random_positions(ids, 50, (4, 4), False, 4).positions.tolist() != every[ids].tolist()


def test_a_small_full_cloud_is_every_position_of_every_image():
    chosen = full_positions(3, 4, 12, True, 0)
    [(places, positions)] = chosen.pieces()
    assert places.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert positions.tolist() == [0, 1, 2, 3] * 3


def test_every_position_of_any_number_of_images_comes_in_parts_that_fit_in_memory(monkeypatch):
    monkeypatch.setattr(positions_module, "PIECE", 10)
    whole = Everywhere(7, 4)
    parts = list(whole.pieces())
    assert [len(places) for places, _ in parts] == [8, 8, 8, 4]
    flat = [np.concatenate(column) for column in zip(*parts, strict=True)]
    assert (flat[0] * 4 + flat[1]).tolist() == list(range(28))
    listed = Chosen(*np.divmod(np.arange(28), 4))
    for start, stop in ((0, 3), (3, 6), (6, 9)):
        for one, other in zip(whole.among(start, stop), listed.among(start, stop), strict=True):
            assert one.tolist() == other.tolist()
    places, positions = next(Everywhere(10**12, 4).pieces())
    assert len(places) == len(positions) == 8


def test_a_large_full_cloud_repeats_points_only_where_published():
    for replacement in (True, False):
        chosen = full_positions(100, 64, 3_000, replacement, 5)
        flat = chosen.places * 64 + chosen.positions
        assert len(flat) == 3_000
        assert (np.diff(flat) >= 0).all()
        assert (len(np.unique(flat)) == 3_000) is not replacement
        assert np.abs(chosen.places.mean() - 49.5) < 3
        assert chosen.positions.max() < 64


def test_images_are_balanced_and_a_smaller_count_is_a_part():
    labels = np.repeat(np.arange(4), [30, 10, 20, 40])
    pixels = np.zeros((100, 2, 2, 1), np.uint8)
    image_set = ImageSet("s", pixels, labels, pixels[:4], np.arange(4), tuple("abcd"))
    few, many = choose_images(image_set, "train", 20, 7, "x"), choose_images(image_set, "train", 36, 7, "x")
    assert np.bincount(labels[few]).tolist() == [5, 5, 5, 5]
    assert set(few) <= set(many)
    with pytest.raises(InputError, match=r"activation_clouds.top.n_images is 101, but the split has 100 images"):
        choose_images(image_set, "train", 101, 7, "activation_clouds.top.n_images")


def test_the_heaviest_positions_are_taken_and_chance_decides_among_equals():
    weights = np.array([[5.0, 3.0, 3.0, 3.0, 1.0, 0.0]])
    sure, drawn = set(), set()
    for seed in range(60):
        corrected = heaviest_positions(weights, 2, np.array([0]), seed, published=False)[0].tolist()
        published = heaviest_positions(weights, 2, np.array([0]), seed, published=True)[0].tolist()
        assert corrected[0] == 0
        sure.add(corrected[1])
        drawn.add(tuple(published))
    assert sure == {1, 2, 3}
    # As released: any two of the four that reach the second largest weight, so that the heaviest may be lost.
    assert drawn == {(a, b) for a in range(4) for b in range(a + 1, 4)}


@given(st.integers(1, 5), st.integers(0, 2**31), st.booleans())
def test_chosen_positions_are_distinct_and_none_outside_is_heavier(top, seed, published):
    rng = np.random.default_rng(seed)
    weights = rng.integers(0, 4, (6, 9)).astype(float)
    chosen = heaviest_positions(weights, top, np.arange(6), seed, published)
    assert chosen.shape == (6, top)
    assert (np.diff(chosen, axis=1) > 0).all()
    for row, taken in zip(weights, chosen, strict=True):
        threshold = np.sort(row)[-top]
        assert (row[taken] >= threshold).all()
        assert published or np.delete(row, taken).max(initial=-1) <= row[taken].min()


def test_rounding_makes_no_difference_between_equal_weights():
    weights = np.array([[1.0, 1.0 + 1e-13, 0.5]])
    taken = {int(heaviest_positions(weights, 1, np.array([0]), seed, False)[0, 0]) for seed in range(40)}
    assert taken == {0, 1}


def test_a_choice_belongs_to_its_image():
    weights = np.zeros((30, 16))
    every = heaviest_positions(weights, 1, np.arange(30), 9, True)
    some = heaviest_positions(weights[:3], 1, np.array([4, 11, 29]), 9, True)
    assert some.tolist() == every[[4, 11, 29]].tolist()
    assert len(np.unique(every)) > 5


def test_images_that_are_not_kept_have_no_points():
    chosen = masked_positions(np.array([[0, 2], [1, 3], [4, 5]]), np.array([True, False, True]))
    assert chosen.places.tolist() == [0, 0, 2, 2]
    assert chosen.positions.tolist() == [0, 2, 4, 5]
