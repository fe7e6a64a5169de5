"""Onset of a loop and its interval, and the same loop followed: known onsets, windings and rotations."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_shapes import primary_circle

from cnn_topology.clouds.density import densest_points
from cnn_topology.clouds.neighbours import neighbour_distances
from cnn_topology.plan.clouds import Filtering
from cnn_topology.statistics.circular import circular_correlation, kuiper
from cnn_topology.statistics.dynamics import (
    longest_interval,
    onset_interval,
    primary_coverage,
    resampled_correlation,
    resampled_longest,
    resampled_networks,
    resampled_null,
    track,
    winding,
)
from cnn_topology.statistics.null_clouds import sphere_null_cloud
from cnn_topology.statistics.significance import onset
from cnn_topology.topology.patches import edge_patch, noisy, random_filters, secondary_patch
from cnn_topology.topology.persistence import barcode

STEPS = [0, 10, 50, 100]


@pytest.mark.parametrize(
    ("significant", "expected"),
    [
        ([False, False, True, True], 50),
        ([True, True, False, True], 100),
        ([True, True, True, False], None),
        ([True] * 4, 0),
        ([False] * 4, None),
        ([p <= 0.01 for p in (0.5, 0.005, 0.3, 0.01)], 100),
        ([p <= 0.01 for p in (0.005, 0.005, 0.005, float("nan"))], None),
    ],
)
def test_onset_is_the_first_step_from_which_on_the_loop_lasts(significant, expected):
    assert onset(STEPS, significant) == expected


def test_the_interval_of_the_onset_is_made_of_snapshots_and_open_where_a_loop_does_not_last():
    critical = np.full(4, 0.3)
    longest = np.zeros((4, 100))
    longest[2:] = 1
    longest[1, :10] = 1
    assert onset_interval(STEPS, longest, critical) == (10, 50, 1.0)
    longest[3, 90:] = 0
    assert onset_interval(STEPS, longest, critical) == (10, None, 0.9)


def _networks(rng, networks, each, noise):
    points = noisy(primary_circle(networks * each)[rng.permutation(networks * each)], noise, rng)
    return points, np.repeat(np.arange(networks), each)


def test_a_loop_of_the_pool_is_there_in_every_draw_of_networks_and_noise_in_none():
    rng = np.random.default_rng(0)
    points, network = _networks(rng, 12, 60, 0.3)
    drawn = resampled_networks(12, 12, rng)
    filtering = Filtering(k=0.03125, p=0.3, landmarks=500)
    circle = resampled_longest(points, network, filtering, drawn)
    noise = resampled_longest(random_filters(720, rng), network, filtering, drawn)
    assert circle.min() > 0.6 > noise.max()
    assert len(set(circle)) > 6  # the draws differ


def test_the_interval_of_the_longest_bar_holds_the_typical_bar_although_draws_are_sparser():
    network, filtering, held = np.repeat(np.arange(12), 64), Filtering(k=0.03125, p=0.3, landmarks=500), []

    def cloud(rng):
        return noisy(edge_patch(rng.uniform(0, 2 * np.pi, 768)), 0.45, rng)

    every = np.arange(12)[None]
    typical = np.median(
        [resampled_longest(cloud(np.random.default_rng(99 + n)), network, filtering, every) for n in range(20)]
    )
    for seed in range(8):
        rng = np.random.default_rng(seed)
        points = cloud(rng)
        longest = resampled_longest(points, network, filtering, every)[0]
        drawn = resampled_longest(points, network, filtering, resampled_networks(12, 20, rng))
        low, high = longest_interval(longest, drawn)
        held.append(low <= typical <= high)
        assert low <= longest <= high
    assert sum(held) >= 6
    assert longest_interval(0.1, np.array([0.0, 0.2, 0.4])) == pytest.approx((0.0, 0.29))


def test_a_null_resampled_alike_holds_its_level():
    rng = np.random.default_rng(4)
    network, filtering = np.repeat(np.arange(6), 40), Filtering(k=0.03125, p=0.3, landmarks=500)

    def make(rng):
        return random_filters(240, rng)

    drawn = resampled_networks(6, 99, rng)
    alike = np.quantile(resampled_null(make, network, filtering, drawn, rng), 0.9)
    noise = resampled_null(make, network, filtering, resampled_networks(6, 200, rng), rng)
    assert 0.03 < np.mean(noise > alike) < 0.2
    assert len(set(noise)) == 200  # a cloud of its own for each draw


def test_the_draw_of_every_network_once_is_the_cloud_itself_in_any_order_of_its_points():
    rng = np.random.default_rng(3)
    points, network = _networks(rng, 6, 15, 0.3)
    filtering = Filtering(k=0.05, p=0.5, landmarks=500)
    whole = np.arange(6)[None]
    shuffled = rng.permutation(90)
    one = resampled_longest(points, network, filtering, whole)
    two = resampled_longest(points[shuffled], network[shuffled], filtering, whole[:, ::-1])
    assert one == pytest.approx(two)
    kept = points[densest_points(neighbour_distances(points, [4])[:, 0], 0.5)]  # k = 0.05 of 90 points
    assert one[0] == pytest.approx(barcode(kept).lengths(1)[0])
    # A network that has failed by now has no point; the others remain.
    left = network != 2
    three = resampled_longest(points[left], network[left], filtering, whole)
    assert three[0] > 0


def test_the_loop_of_the_primary_circle_winds_once_and_a_secondary_circle_or_noise_does_not():
    rng = np.random.default_rng(1)
    assert winding(noisy(primary_circle(120), 0.2, rng), 1_000).degree == 1
    assert winding(primary_circle(400), 60).degree == 1
    secondary = secondary_patch("vertical", np.linspace(0, 2 * np.pi, 60, endpoint=False))
    assert winding(secondary + 1e-3 * rng.normal(size=secondary.shape), 1_000).degree == 0
    assert winding(edge_patch(np.array([0.0, 0.1, 0.2])), 1_000) is None


def _fisher_lee(a, b):
    """Write the definition out, pair by pair."""
    pairs = [(np.sin(a[i] - a[j]), np.sin(b[i] - b[j])) for i, j in itertools.combinations(range(len(a)), 2)]
    x, y = np.array(pairs).T
    return (x * y).sum() / np.sqrt((x**2).sum() * (y**2).sum())


@given(seed=st.integers(0, 10_000), count=st.integers(3, 20))
@settings(max_examples=30)
def test_circular_correlation_is_its_definition_over_pairs_and_knows_rotations_and_reversals(seed, count):
    rng = np.random.default_rng(seed)
    a, b = rng.uniform(0, 2 * np.pi, (2, count))
    assert circular_correlation(a, b) == pytest.approx(_fisher_lee(a, b))
    assert circular_correlation(a, np.mod(a + 2, 2 * np.pi)) == pytest.approx(1)
    assert circular_correlation(a, -a + 1) == pytest.approx(-1)


def test_circular_correlation_of_too_few_or_equal_angles_is_none():
    assert np.isnan(circular_correlation(np.array([1.0]), np.array([2.0])))
    assert np.isnan(circular_correlation(np.ones(5), np.arange(5.0)))


def test_filters_that_turn_together_are_the_same_loop_and_filters_dealt_anew_are_not():
    rng = np.random.default_rng(5)
    network = np.repeat(np.arange(10), 20)
    before = rng.uniform(0, 2 * np.pi, 200)
    was, now = rng.random((2, 200)) < 0.5
    drawn = resampled_networks(10, 100, rng)
    same = track((before, before + 0.3 + 0.05 * rng.normal(size=200)), (was, now), network, drawn)
    assert same.both == (was & now).sum()
    assert same.correlation > 0.99
    assert same.low <= same.correlation <= same.high
    assert same.turn == pytest.approx(0.3, abs=0.05)
    dealt = track((before, rng.permutation(before)), (was, now), network, drawn)
    assert dealt.low < 0 < dealt.high
    nothing = track((before, before), (was, np.zeros(200, bool)), network, drawn)
    assert nothing.both == 0
    assert np.isnan(nothing.correlation)


def test_interval_of_the_circular_correlation_draws_whole_networks():
    rng = np.random.default_rng(7)
    angle = rng.uniform(0, 2 * np.pi, 40)
    # Two networks hold their angles, two reverse them: networks, not filters, are what the result varies over.
    network = np.repeat(np.arange(4), 10)
    other = np.where(network < 2, angle, -angle)
    low, high = resampled_correlation(angle, other, network, resampled_networks(4, 300, rng))
    assert low < -0.9
    assert high > 0.9


@given(shift=st.floats(0, 6), seed=st.integers(0, 1_000))
@settings(max_examples=20)
def test_kuiper_distance_does_not_hang_on_where_zero_lies(shift, seed):
    rng = np.random.default_rng(seed)
    a, b = rng.uniform(0, 2 * np.pi, 15), rng.vonmises(1, 2, 20) % (2 * np.pi)
    turned = [np.mod(angles + shift, 2 * np.pi) for angles in (a, b)]
    assert kuiper(*turned) == pytest.approx(kuiper(a, b))
    assert kuiper(a, a) == 0
    assert kuiper(np.array([0.1, 0.2]), np.array([3.0, 3.1])) == pytest.approx(1)


def test_levels_of_chance_of_the_coverage_are_those_of_simulation():
    rng = np.random.default_rng(2)
    clouds = [random_filters(500, rng) for _ in range(60)]
    found = [primary_coverage(cloud) for cloud in clouds]
    assert np.mean([c.coverage for c in found]) == pytest.approx(found[0].random, abs=0.02)
    assert np.mean([c.near for c in found]) / 500 == pytest.approx(0.0129, abs=0.002)
    other = [primary_coverage(sphere_null_cloud(500, rng, "coordinate"), "coordinate") for _ in range(60)]
    assert np.mean([c.coverage for c in other]) == pytest.approx(other[0].random, abs=0.01)
    circle = primary_coverage(edge_patch(rng.uniform(0, 2 * np.pi, 40)))
    assert circle.near == 40
    assert circle.even == pytest.approx(1 - (35 / 36) ** 40)
    assert abs(circle.coverage - circle.even) < 0.15
