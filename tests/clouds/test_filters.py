import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cnn_topology.clouds.filters import centre_and_normalize, contrast_coordinates, layer_filters, spatial_filters
from cnn_topology.errors import InputError

# Weights as training leaves them: float32, neither huge nor so small that their squares vanish.
WEIGHTS = st.floats(-100, 100, width=32).map(lambda value: value if abs(value) > 1e-6 else 0.0)
CLOUDS = arrays(np.float32, st.tuples(st.integers(1, 12), st.just(9)), elements=WEIGHTS)


def test_every_slice_of_every_network_is_one_point_under_its_ids():
    weight = np.random.default_rng(0).standard_normal((2, 3, 4, 3, 3)).astype(np.float32)
    points, ids = spatial_filters(weight, stacked=True)
    assert points.shape == (24, 9)
    assert len(np.unique(ids, axis=0)) == 24
    for point, (network, out, channel) in zip(points, ids, strict=True):
        np.testing.assert_array_equal(point.reshape(3, 3), weight[network, out, channel])


def test_one_network_is_a_stack_of_one():
    weight = np.random.default_rng(1).standard_normal((3, 4, 3, 3)).astype(np.float32)
    stack = spatial_filters(weight[np.newaxis], stacked=True)
    for alone, stacked in zip(spatial_filters(weight), stack, strict=True):
        np.testing.assert_array_equal(alone, stacked)


def test_larger_kernels_are_points_of_their_own_size():
    weight = np.random.default_rng(2).standard_normal((5, 1, 7, 7))
    points, _ = spatial_filters(weight)
    np.testing.assert_array_equal(points, weight.reshape(5, 49))
    assert layer_filters(weight).points.shape == layer_filters(points).points.shape == (5, 49)


@pytest.mark.parametrize("shape", [(2, 3, 4, 5, 3), (2, 3, 4, 1, 1), (3, 4, 2, 2), (3, 4, 1, 5), (4, 3, 3)])
def test_other_kernels_are_refused_with_their_shape(shape):
    for stacked in (False, True):
        with pytest.raises(InputError, match="3x3") as caught:
            spatial_filters(np.zeros(shape), stacked=stacked)
        assert str(shape) in str(caught.value)


def test_a_three_dimensional_convolution_is_no_stack_of_networks():
    with pytest.raises(InputError, match=r"\(16, 8, 3, 3, 3\).*stacked=True"):
        spatial_filters(np.zeros((16, 8, 3, 3, 3)))
    with pytest.raises(InputError, match=r"\(8, 3, 3, 3\).*networks"):
        spatial_filters(np.zeros((8, 3, 3, 3)), stacked=True)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_refused_and_counted(bad):
    weight = np.ones((2, 2, 3, 3))
    weight[1, 0, 2, 2] = bad
    with pytest.raises(InputError, match="1 of 4 filters hold NaN or infinite weights, first number 2"):
        spatial_filters(weight)
    with pytest.raises(InputError, match="first number 2"):
        centre_and_normalize(weight.reshape(-1, 9))


@given(CLOUDS)
def test_centred_filters_have_mean_zero_and_norm_one(points):
    normalized, kept = centre_and_normalize(points)
    assert normalized.dtype == np.float64
    assert len(normalized) == kept.sum()
    np.testing.assert_allclose(np.linalg.norm(normalized, axis=1), 1, atol=1e-12)
    np.testing.assert_allclose(normalized.mean(axis=1), 0, atol=1e-8)


@given(CLOUDS)
def test_exactly_the_constant_filters_are_dropped(points):
    _, kept = centre_and_normalize(points)
    np.testing.assert_array_equal(kept, points.max(axis=1) > points.min(axis=1))


def test_a_constant_filter_is_told_from_one_unit_in_the_last_place():
    nearly = np.full(9, 0.1, dtype=np.float32)
    nearly[4] = np.nextafter(nearly[4], np.float32(1))
    _, kept = centre_and_normalize(np.stack([np.full(9, 0.1, dtype=np.float32), nearly, np.zeros(9, np.float32)]))
    assert kept.tolist() == [False, True, False]


@given(st.floats(0.01, 100), st.floats(-10, 10))
def test_scale_and_offset_of_a_filter_do_not_matter(scale, offset):
    points = np.random.default_rng(1).standard_normal((5, 9))
    expected, _ = centre_and_normalize(points)
    found, _ = centre_and_normalize(scale * points + offset)
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_centring_by_coordinate_subtracts_the_mean_filter():
    points = np.random.default_rng(2).standard_normal((50, 9)) + np.arange(9)
    normalized, kept = centre_and_normalize(points, centre="coordinate")
    centred = points - points.mean(axis=0)
    np.testing.assert_allclose(normalized, centred / np.linalg.norm(centred, axis=1, keepdims=True), atol=1e-12)
    assert kept.all()
    assert abs(normalized.mean(axis=1)).max() > 0.1


def test_equal_filters_vanish_when_centred_by_coordinate():
    normalized, kept = centre_and_normalize(np.tile(np.arange(9.0) / 7, (6, 1)), centre="coordinate")
    assert normalized.shape == (0, 9)
    assert not kept.any()


def test_an_empty_cloud_stays_empty():
    normalized, kept = centre_and_normalize(np.empty((0, 9)))
    assert normalized.shape == (0, 9)
    assert kept.shape == (0,)


def contrast(patches):
    """Compute the contrast norm by its definition: neighbours in a row, then in a column."""
    square = patches.reshape(len(patches), *[int(np.sqrt(patches.shape[1]))] * 2)
    return np.sqrt(sum((np.diff(square, axis=axis) ** 2).sum(axis=(1, 2)) for axis in (1, 2)))


@pytest.mark.parametrize("side", [3, 5])
def test_distances_of_contrast_coordinates_are_those_of_the_contrast_norm(side):
    patches = np.random.default_rng(side).normal(size=(20, side**2))
    patches[7] = 3.0
    coordinates, kept = contrast_coordinates(patches)
    assert np.flatnonzero(~kept).tolist() == [7]
    assert coordinates.shape == (19, side**2 - 1)
    normed = patches[kept] / contrast(patches[kept])[:, None]
    for row in range(19):
        np.testing.assert_allclose(
            np.linalg.norm(coordinates - coordinates[row], axis=1), contrast(normed - normed[row])
        )


def test_contrast_coordinates_are_of_square_patches():
    with pytest.raises(InputError, match="8 entries"):
        contrast_coordinates(np.eye(8))
