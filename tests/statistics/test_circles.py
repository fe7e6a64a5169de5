"""Filters near the named circles against chance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_shapes import primary_circle, quadratic_circle, three_circles

from cnn_topology.plan.clouds import Centre, Filtering
from cnn_topology.statistics.circles import CircleTest, circle_test, sphere_parts
from cnn_topology.statistics.null_clouds import MakeCloud, permuted_null, sphere_null_cloud
from cnn_topology.statistics.nulls import filtered_clouds, null_draws
from cnn_topology.topology.circles import ARCS, CIRCLES, near_circles, nearest_model
from cnn_topology.topology.patches import edge_patch, line_patch, noisy, random_filters, secondary_patch


@pytest.mark.parametrize(
    ("patch", "number"),
    [
        (edge_patch, 0),
        (lambda t: secondary_patch("vertical", t), 1),
        (lambda t: secondary_patch("horizontal", t), 2),
        (lambda t: line_patch(t / 2), 3),
        (lambda t: -line_patch(t / 2), 3),
    ],
)
def test_a_patch_of_a_circle_lies_on_it_at_its_angle(patch, number: int) -> None:
    angles = np.random.default_rng(1).uniform(0, 2 * np.pi, 300)
    found = near_circles(patch(angles))
    assert found.residual[number].max() < 1e-7
    np.testing.assert_allclose(np.exp(1j * found.angle[number]), np.exp(1j * angles), atol=1e-6)
    assert found.counts()[number] > 290  # the rest is where it meets another circle
    assert found.coverage()[number] == 1.0


def test_counts_agree_with_the_model_that_is_nearest() -> None:
    rng = np.random.default_rng(2)
    points = np.concatenate([noisy(three_circles(40), 0.3, rng), random_filters(300, rng)])
    found, models = near_circles(points), nearest_model(points)
    assert [int((models == name).sum()) for name in CIRCLES] == found.counts().tolist()
    assert (found.within.sum(axis=1) >= found.counts()).all()


@settings(max_examples=20)
@given(st.floats(0.1, 1.2), st.integers(0, 2**32 - 1))
def test_a_larger_residual_never_counts_fewer(near: float, seed: int) -> None:
    points = random_filters(60, np.random.default_rng(seed))
    small, large = near_circles(points, near), near_circles(points, near + 0.2)
    assert (small.within <= large.within).all()
    assert (small.coverage() <= large.coverage()).all()
    assert small.counts().sum() <= large.counts().sum() <= 60


def test_coverage_counts_arcs() -> None:
    middle = (np.array([0, 1, 7, 7]) + 0.5) * 2 * np.pi / ARCS
    assert near_circles(edge_patch(middle)).coverage()[0] == 3 / ARCS


def test_the_part_of_the_sphere_near_the_primary_circle_is_that_of_its_beta_law() -> None:
    # A unit vector of R^8 lies within r of a great circle iff its squared projection on the plane, Beta(1, 3), is at
    # least (1 - r^2 / 2)^2: with probability (1 - (1 - r^2 / 2)^2)^3.
    drawn = near_circles(random_filters(40_000, np.random.default_rng(3)), 0.8)
    assert drawn.within[0].mean() == pytest.approx((1 - (1 - 0.32) ** 2) ** 3, abs=0.006)


def chance_test(
    points: np.ndarray, k: int = 1, p: float = 1.0, centre: Centre = "filter", draws: int = 39
) -> CircleTest:
    """Test what rho(k, p) keeps of some filters."""
    filtering = Filtering(k=k, p=p)
    null = null_draws(permuted_null(points, centre), [filtering], range(draws), ("circles",), [filtering])[filtering]
    return circle_test(filtered_clouds(points, [filtering])[0], null, centre)


def test_edges_stand_out_from_chance_and_random_filters_do_not() -> None:
    rng = np.random.default_rng(4)
    edges = chance_test(noisy(primary_circle(300), 0.2, rng))
    assert edges.draws == 39
    assert edges.p_permuted[0] == 1 / 40
    assert edges.found.counts()[0] > 5 * edges.permuted[0]
    assert edges.found.coverage()[0] == 1.0
    chance = chance_test(random_filters(600, rng))
    assert (chance.p_permuted > 0.05).all()
    np.testing.assert_allclose(chance.permuted, chance.sphere, atol=4.0)
    np.testing.assert_allclose(chance.sphere, 600 * sphere_parts())


def test_the_null_has_the_clumps_that_the_density_filter_makes_of_noise() -> None:
    def spread(make: MakeCloud, filtering: Filtering) -> float:
        near = null_draws(make, [filtering], range(30), ("spread",), [filtering])[filtering].near
        assert near is not None
        return float(near.var(axis=0, ddof=1).sum())

    filtering, everything = Filtering(k=100, p=0.3, landmarks=20), Filtering(k=1, p=1.0, landmarks=20)
    noise = sphere_null_cloud(3_200, np.random.default_rng(1))
    (kept,) = filtered_clouds(noise, [filtering])
    among_clouds = spread(lambda rng: sphere_null_cloud(3_200, rng), filtering)
    assert spread(permuted_null(noise), filtering) == pytest.approx(among_clouds, rel=0.4)
    assert spread(permuted_null(kept), everything) < among_clouds / 2


def test_chance_by_the_sphere_goes_by_how_filters_are_centred() -> None:
    clouds = [sphere_null_cloud(2_000, np.random.default_rng(n), "coordinate") for n in range(20)]
    found = np.mean([near_circles(cloud).counts() for cloud in clouds], axis=0)
    np.testing.assert_allclose(found, 2_000 * sphere_parts("coordinate"), rtol=0.2)
    assert (sphere_parts("coordinate") < 0.6 * sphere_parts()).all()


def test_lines_lie_on_the_quadratic_circle_and_on_no_other() -> None:
    test = chance_test(noisy(quadratic_circle(200), 0.15, np.random.default_rng(5)))
    assert CIRCLES[int(np.argmax(test.found.counts()))] == "quadratic"
    assert test.p_permuted[3] == 1 / 40
    assert test.found.coverage()[0] < 0.2
