import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_shapes import klein_bottle, primary_circle, quadratic_circle, three_circles

from cnn_topology.errors import InputError
from cnn_topology.networks.patches import X, Y, grid, klein_filter
from cnn_topology.topology.circles import nearest_model
from cnn_topology.topology.klein import (
    MODELS,
    circle_coverage,
    edge_angles,
    klein_angles,
    klein_coordinates,
)
from cnn_topology.topology.patches import edge_patch, klein_patch, line_patch, noisy, random_filters, secondary_patch
from cnn_topology.topology.persistence import barcode

SEEDS = st.integers(0, 2**32 - 1)


def apart(a, b, period):
    """Return the distance of two angles on a circle."""
    gap = np.abs(a - b) % period
    return np.minimum(gap, period - gap)


def centred_unit(patches):
    centred = patches - patches.mean(axis=-1, keepdims=True)
    return centred / np.linalg.norm(centred, axis=-1, keepdims=True)


@given(SEEDS)
@settings(max_examples=25)
def test_coordinates_of_a_klein_patch_are_recovered(seed):
    rng = np.random.default_rng(seed)
    theta1, theta2 = rng.uniform(0, np.pi, 200), rng.uniform(0, 2 * np.pi, 200)
    found1, found2, residual = klein_coordinates(klein_patch(theta1, theta2))
    assert residual.max() < 1e-13
    # Across theta1 = 0 = pi the canonical name changes the sign of theta2.
    same_side = np.abs(found1 - theta1) < np.pi / 2
    assert apart(found1, theta1, np.pi).max() < 1e-12
    assert apart(found2, np.where(same_side, theta2, -theta2), 2 * np.pi).max() < 1e-12


@pytest.mark.parametrize("side", [4, 5, 7, 11])
def test_coordinates_of_larger_patches_are_recovered_and_no_direction_is_better(side):
    rng = np.random.default_rng(side)
    theta1, theta2 = rng.uniform(0.01, np.pi - 0.01, 300), rng.uniform(0, 2 * np.pi, 300)
    patches = klein_patch(theta1, theta2, side)
    assert patches.shape == (300, side**2)
    np.testing.assert_allclose(patches.mean(axis=1), 0, atol=1e-15)
    np.testing.assert_allclose(np.linalg.norm(patches, axis=1), 1)
    found = klein_coordinates(patches)
    np.testing.assert_allclose(found, [theta1, theta2, np.zeros(300)], atol=1e-11)
    points = random_filters(500, rng, side)
    directions = np.linspace(0, np.pi, 2_000, endpoint=False)
    squared = (points @ edge_patch(directions, side).T) ** 2 + (points @ line_patch(directions, side).T) ** 2
    _, _, residual = klein_coordinates(points)
    nearest = np.sqrt(2 - 2 * np.sqrt(squared.max(axis=1)))
    assert (residual <= nearest + 1e-9).all()
    assert (nearest - residual).max() < 1e-3


@pytest.mark.parametrize("side", [3, 4, 5, 7])
def test_squared_norms_of_edge_and_line_are_those_of_the_formula(side):
    of, theta = grid(side), np.linspace(0, np.pi, 50)
    slope = np.outer(np.cos(theta), of.x) + np.outer(np.sin(theta), of.y)
    np.testing.assert_allclose(np.sum(slope**2, axis=1), of.slope)
    line = slope**2 - np.mean(slope**2, axis=1, keepdims=True)
    expected = of.square + (of.product - of.square / 2) * np.sin(2 * theta) ** 2
    np.testing.assert_allclose(np.sum(line**2, axis=1), expected)


@pytest.mark.parametrize("side", [3, 5, 7])
def test_ideal_circles_of_every_side_are_named_as_what_they_are(side):
    ideal = {
        "primary": primary_circle(24, side)[1::2],
        "secondary vertical": secondary_patch("vertical", np.array([0.6, 1.1, 2.2]), side),
        "secondary horizontal": secondary_patch("horizontal", np.array([0.6, 1.1, 2.2]), side),
        "quadratic": quadratic_circle(24, side)[1:6],
    }
    for name, points in ideal.items():
        assert set(nearest_model(points)) == {name}
    assert set(nearest_model(klein_patch(np.array([0.4, 0.9]), np.array([0.7, 0.8]), side), near=0.1)) == {"klein"}
    bars = barcode(three_circles(40, side)).lengths(1)
    assert bars[4] > 3 * ([*bars[5:], 0.0][0])  # the first Betti number is 5


def test_both_names_of_a_patch_give_the_same_canonical_coordinates():
    rng = np.random.default_rng(0)
    theta1, theta2 = rng.uniform(0.01, np.pi - 0.01, 500), rng.uniform(0.01, 2 * np.pi - 0.01, 500)
    canonical = klein_coordinates(klein_patch(theta1, theta2))
    np.testing.assert_allclose(canonical, klein_coordinates(klein_patch(theta1 + np.pi, -theta2)), atol=1e-12)
    np.testing.assert_allclose(canonical[:2], [theta1, theta2], atol=1e-12)


@given(SEEDS)
@settings(max_examples=25)
def test_coordinates_lie_in_their_ranges_and_name_a_point_at_the_residual(seed):
    rng = np.random.default_rng(seed)
    points = np.concatenate([random_filters(100, rng), primary_circle(24), klein_bottle(6, 8), -quadratic_circle(16)])
    theta1, theta2, residual = klein_coordinates(points)
    assert ((theta1 >= 0) & (theta1 < np.pi)).all()
    assert ((theta2 >= 0) & (theta2 < 2 * np.pi)).all()
    np.testing.assert_allclose(np.linalg.norm(points - klein_patch(theta1, theta2), axis=1), residual, atol=1e-12)
    assert residual.max() <= 2**0.5 + 1e-12


def between_two_patches(count, rng):
    """Draw filters about as near to one patch of the bottle as to another."""
    one, other = (klein_patch(rng.uniform(0, np.pi, count), rng.uniform(0, 2 * np.pi, count)) for _ in range(2))
    return centred_unit(one + other * rng.normal(1, 1e-3, (count, 1)))


def test_no_point_of_a_dense_grid_is_nearer_than_the_nearest_point():
    rng = np.random.default_rng(1)
    points = np.concatenate([random_filters(200, rng), between_two_patches(200, rng)])
    bottle = klein_bottle(240, 480)
    nearest = np.sqrt(2 - 2 * np.max(points @ bottle.T, axis=1))
    _, _, residual = klein_coordinates(points)
    assert (residual <= nearest + 1e-9).all()
    # Neighbours on the grid are 0.75 degrees apart: no farther than that can the true residual lie below.
    assert (nearest - residual).max() < 0.01


def test_no_direction_is_better_than_the_one_found():
    points = between_two_patches(4_000, np.random.default_rng(7))
    directions = np.linspace(0, np.pi, 2_000, endpoint=False)
    squared = (points @ edge_patch(directions).T) ** 2 + (points @ line_patch(directions).T) ** 2
    nearest = np.sqrt(2 - 2 * np.sqrt(squared.max(axis=1)))
    theta1, theta2, residual = klein_coordinates(points)
    assert (residual <= nearest + 1e-9).all()
    # At the nearest point the residual stands at a right angle to the bottle.
    tangent = (klein_patch(theta1 + 1e-5, theta2) - klein_patch(theta1 - 1e-5, theta2)) / 2e-5
    assert np.abs(np.sum(points * tangent, axis=1)).max() < 1e-8


def test_polynomials_of_natural_images_and_of_topological_layers_lie_on_the_bottle():
    rng = np.random.default_rng(2)
    theta1, theta2 = rng.uniform(0, np.pi, 300), rng.uniform(0, 2 * np.pi, 300)
    slope = np.cos(theta1)[:, None] * X + np.sin(theta1)[:, None] * Y
    polynomial = np.cos(theta2)[:, None] * slope**2 + np.sin(theta2)[:, None] * slope
    for patches in (polynomial, klein_filter(theta1, theta2)):
        found, _, residual = klein_coordinates(centred_unit(patches))
        assert residual.max() < 1e-12
        assert apart(found, theta1, np.pi).max() < 1e-9


def test_a_patch_orthogonal_to_the_bottle_is_as_far_as_can_be():
    corner = centred_unit((X**2 * Y**2 - (X**2 + Y**2) * 2 / 3)[None])
    _, _, residual = klein_coordinates(corner)
    assert residual == pytest.approx([2**0.5])


def test_an_empty_cloud_has_no_coordinates():
    assert [len(values) for values in klein_coordinates(np.empty((0, 9)))] == [0, 0, 0]
    assert len(nearest_model(np.empty((0, 9)))) == 0


@given(SEEDS)
@settings(max_examples=25)
def test_edge_angles_are_recovered_and_noise_is_the_distance(seed):
    theta = np.random.default_rng(seed).uniform(0, 2 * np.pi, 50)
    found, distance = edge_angles(edge_patch(theta))
    assert apart(found, theta, 2 * np.pi).max() < 1e-12
    assert distance.max() < 1e-12
    aside = centred_unit(edge_patch(theta) + 0.2 * line_patch(theta))
    np.testing.assert_allclose(edge_angles(aside)[1], np.sqrt(2 - 2 / np.sqrt(1.04)), atol=1e-12)


@pytest.mark.parametrize(
    ("patches", "name"),
    [
        (primary_circle(32), "primary"),
        (secondary_patch("vertical", np.linspace(0.3, 2.8, 20)), "secondary vertical"),
        (secondary_patch("horizontal", np.linspace(3.5, 6, 20)), "secondary horizontal"),
        (line_patch(np.linspace(0.3, 1.2, 20)), "quadratic"),
        (-line_patch(np.linspace(0.3, 1.2, 20)), "quadratic"),
        (klein_patch(np.full(3, np.pi / 4), np.linspace(0.7, 0.9, 3)), "klein"),
    ],
)
def test_every_model_is_named(patches, name):
    assert set(nearest_model(patches)) == {name}


def test_a_checkerboard_belongs_to_no_model():
    board = centred_unit(np.array([[1.0, -1, 1, -1, 1, -1, 1, -1, 1]]))
    assert nearest_model(board).tolist() == ["none"]


def test_where_circles_meet_the_first_in_order_counts():
    meeting = np.stack([edge_patch(0.0), -edge_patch(np.pi / 2), line_patch(0.0), -line_patch(np.pi / 2)])
    assert nearest_model(meeting).tolist() == ["primary", "primary", "secondary vertical", "secondary horizontal"]


def test_one_in_ten_random_filters_lies_near_a_model():
    names = nearest_model(random_filters(20_000, np.random.default_rng(3)))
    assert set(names) == set(MODELS)
    assert np.mean(names != "none") == pytest.approx(0.10, abs=0.01)
    assert np.mean(names == "primary") == pytest.approx(0.01, abs=0.003)


def test_noisy_edges_stay_edges():
    rng = np.random.default_rng(4)
    names = nearest_model(noisy(primary_circle(2_000), 0.2, rng))
    assert np.mean(names == "primary") > 0.85
    assert "none" not in names


@given(st.integers(1, 60))
def test_as_many_equally_spaced_edges_as_arcs_cover_the_circle(bins):
    theta = 2 * np.pi * (np.arange(bins) + 0.5) / bins
    assert circle_coverage(theta, bins) == 1
    assert circle_coverage(theta[: (bins + 1) // 2] - 4 * np.pi, bins) == pytest.approx((bins + 1) // 2 / bins)


def test_no_angles_cover_nothing():
    assert circle_coverage(np.empty(0)) == 0
    assert circle_coverage(np.array([-1e-18, 0.0, 2 * np.pi])) == pytest.approx(1 / 36)


@pytest.mark.parametrize("bins", range(1, 61))
def test_the_last_angle_below_a_full_turn_lies_in_the_last_arc(bins):
    theta = np.append(2 * np.pi * (np.arange(bins) + 0.5) / bins, np.nextafter(2 * np.pi, 0))
    assert circle_coverage(theta, bins) == 1


def test_filters_of_another_norm_are_refused_and_only_angles_go_without_a_norm():
    points = random_filters(20, np.random.default_rng(0))
    with pytest.raises(InputError, match="norm 1"):
        klein_coordinates(2 * points)
    theta1, theta2, _ = klein_coordinates(points)
    np.testing.assert_allclose(klein_angles(2 * points), (theta1, theta2), atol=1e-9)
