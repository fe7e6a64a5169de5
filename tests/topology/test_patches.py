import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from known_shapes import klein_bottle, primary_circle, quadratic_circle, three_circles

from cnn_topology.networks.patches import X, Y, klein_filter
from cnn_topology.topology.patches import edge_patch, klein_patch, line_patch, noisy, random_filters, secondary_patch
from cnn_topology.topology.persistence import barcode

ANGLES = st.floats(-10, 10)


def loops(points, field=2):
    return barcode(points, max_dimension=1, field=field).lengths(1)


@pytest.mark.parametrize(
    "patches",
    [
        primary_circle(7),
        quadratic_circle(7),
        three_circles(7),
        klein_bottle(5, 8),
        random_filters(20, np.random.default_rng(0)),
        noisy(primary_circle(20), 0.3, np.random.default_rng(1)),
    ],
)
def test_every_model_is_made_of_mean_zero_unit_patches(patches):
    np.testing.assert_allclose(patches.mean(axis=1), 0, atol=1e-15)
    np.testing.assert_allclose(np.linalg.norm(patches, axis=1), 1, atol=1e-14)


def test_an_edge_is_bright_where_its_angle_points():
    right, up = edge_patch(0.0).reshape(3, 3), edge_patch(np.pi / 2).reshape(3, 3)
    assert (right[:, 2] > 0.4).all()
    assert (right[:, 0] < -0.4).all()
    assert (up[0] > 0.4).all()
    assert (up[2] < -0.4).all()


def test_a_line_runs_across_its_angle_and_is_dark():
    vertical = line_patch(0.0).reshape(3, 3)
    assert (vertical[:, 1] < -0.4).all()
    assert (vertical[:, [0, 2]] > 0.2).all()


@given(ANGLES)
def test_opposite_edges_are_negatives_and_opposite_lines_are_equal(theta):
    np.testing.assert_allclose(edge_patch(theta + np.pi), -edge_patch(theta), atol=1e-14)
    np.testing.assert_allclose(line_patch(theta + np.pi), line_patch(theta), atol=1e-13)


@given(ANGLES, ANGLES)
def test_the_primary_circle_is_a_great_circle(a, b):
    assert edge_patch(a) @ edge_patch(b) == pytest.approx(np.cos(a - b), abs=1e-14)


@given(ANGLES, ANGLES)
def test_the_two_names_of_a_klein_patch_agree(theta1, theta2):
    np.testing.assert_allclose(klein_patch(theta1 + np.pi, -theta2), klein_patch(theta1, theta2), atol=1e-13)


@given(ANGLES)
def test_the_klein_bottle_contains_the_primary_and_the_quadratic_circles(theta):
    np.testing.assert_allclose(klein_patch(theta, np.pi / 2), edge_patch(theta), atol=1e-14)
    np.testing.assert_allclose(klein_patch(theta, 0.0), line_patch(theta), atol=1e-14)


@given(ANGLES, st.sampled_from([("vertical", 0.0), ("horizontal", np.pi / 2)]))
def test_the_klein_bottle_contains_the_secondary_circles(phi, circle):
    direction, theta1 = circle
    np.testing.assert_allclose(klein_patch(theta1, np.pi / 2 - phi), secondary_patch(direction, phi), atol=1e-14)


@given(ANGLES)
def test_secondary_circles_keep_to_their_stripes(phi):
    vertical = secondary_patch("vertical", phi).reshape(3, 3)
    horizontal = secondary_patch("horizontal", phi).reshape(3, 3)
    np.testing.assert_allclose(vertical, np.tile(vertical[0], (3, 1)), atol=1e-14)
    np.testing.assert_allclose(horizontal, np.tile(horizontal[:, :1], (1, 3)), atol=1e-14)


@given(ANGLES, ANGLES)
def test_the_klein_filter_is_the_integral_over_each_pixel(theta1, theta2):
    # Gauss-Legendre with two nodes is exact for the squares that occur; the cells of [-1, 1]^2 have side 2/3.
    nodes = np.array([-1, 1]) / 3 / 3**0.5
    expected = np.zeros(9)
    for dx in nodes:
        for dy in nodes:
            t = np.cos(theta1) * (X * 2 / 3 + dx) + np.sin(theta1) * (Y * 2 / 3 + dy)
            expected += (np.sin(theta2) * t + np.cos(theta2) * (2 * t**2 - 1)) / 9
    np.testing.assert_allclose(klein_filter(theta1, theta2), expected, atol=1e-13)


@given(st.floats(0, 0.9), st.integers(0, 2**32 - 1))
def test_noise_moves_a_patch_by_no_more_than_its_norm_allows(norm, seed):
    points = primary_circle(12)
    moved = noisy(points, norm, np.random.default_rng(seed))
    # A vector of this norm turns a unit vector by at most arcsin(norm).
    assert (np.sum(points * moved, axis=1) >= np.sqrt(1 - norm**2) - 1e-12).all()


def test_random_filters_prefer_no_direction():
    points = random_filters(20_000, np.random.default_rng(2))
    spectrum = np.linalg.eigvalsh(points.T @ points / len(points))
    np.testing.assert_allclose(spectrum[1:], 1 / 8, atol=0.01)
    np.testing.assert_allclose(points.mean(axis=0), 0, atol=0.01)


@pytest.mark.parametrize(("angles", "length"), [(8, 1.082), (16, 1.458), (64, 1.666)])
def test_the_primary_circle_has_one_loop_of_known_length(angles, length):
    assert loops(primary_circle(angles)) == pytest.approx([length], abs=5e-4)


def test_the_quadratic_circle_has_one_loop_of_known_length():
    assert loops(quadratic_circle(64)) == pytest.approx([1.222], abs=5e-4)


def test_a_noisy_circle_keeps_one_long_loop():
    rng = np.random.default_rng(3)
    lengths = loops(noisy(edge_patch(rng.uniform(0, 2 * np.pi, 600)), 0.2, rng))
    assert lengths[0] == pytest.approx(1.52, abs=0.03)
    assert lengths[1] == pytest.approx(0.06, abs=0.025)


def test_three_circles_have_five_loops():
    assert loops(three_circles(64)) == pytest.approx([1.316] * 5, abs=5e-4)


def test_the_klein_bottle_has_two_loops_over_z2_and_one_over_z3():
    bottle = klein_bottle(18, 24)
    assert loops(bottle)[:3] == pytest.approx([0.804, 0.804, 0.347], abs=5e-4)
    assert loops(bottle, field=3)[:2] == pytest.approx([0.891, 0.260], abs=5e-4)
