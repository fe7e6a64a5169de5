"""Chance level, error and stability of purity on graphs whose answers are known."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from cnn_topology.mapper.cover import OverlapCover
from cnn_topology.mapper.homology import stability
from cnn_topology.mapper.purity import (
    class_purity,
    image_rank,
    jackknife_purity,
    label_counts,
    node_purity,
    node_wise,
    shuffled_purity,
)
from cnn_topology.mapper.recipes import mapper_of_activations
from cnn_topology.mapper.summaries import examples
from cnn_topology.statistics.coefficients import adjusted_rand_index
from cnn_topology.statistics.intervals import jackknife_error
from cnn_topology.statistics.significance import rank_p_value


@pytest.fixture(scope="module")
def made():
    """Four well separated classes of 100 images each, two points an image."""
    generator = np.random.default_rng(0)
    labels = np.repeat(np.arange(4), 200)
    ids = np.repeat(np.arange(400), 2) + 1_000
    points = 30 * np.eye(4)[labels] * generator.uniform(1, 2, (800, 1)) + generator.normal(size=(800, 4))
    return mapper_of_activations(points, OverlapCover(8, 0.25), 8.0), ids, labels


def test_separate_classes_are_pure_and_shuffled_ones_are_not(made):
    graph, ids, labels = made
    shuffled, of_classes = shuffled_purity(graph, ids, labels, 4, 99, 3)
    assert node_wise(graph, labels, 4) == 1.0
    assert shuffled.max() < 0.6
    assert of_classes.shape == (99, 4)
    assert rank_p_value(1.0, shuffled) == 0.01
    assert np.array_equal(shuffled, shuffled_purity(graph, ids, labels, 4, 99, 3)[0])


def test_positions_of_an_image_keep_one_label_when_shuffled(made):
    graph, ids, labels = made
    of_images, _ = shuffled_purity(graph, ids, labels, 4, 50, 3)
    of_points, _ = shuffled_purity(graph, np.arange(800), labels, 4, 50, 3)
    assert of_images.mean() > of_points.mean()


def test_shuffled_purity_is_that_of_a_direct_count(made):
    graph, ids, labels = made
    drawn, of_classes = shuffled_purity(graph, ids, labels, 4, 1, 5)
    order = np.random.default_rng(5).permutation(400)
    again = labels[::2][order][(ids - 1_000)]
    direct = [1 / len(set(again[graph.members[a:b]])) for a, b in zip(graph.starts[:-1], graph.starts[1:], strict=True)]
    assert drawn[0] == pytest.approx(np.mean(direct))
    assert of_classes[0] == pytest.approx(class_purity(graph, again, 4))


def test_jackknife_takes_halves_of_whole_images(made):
    graph, ids, labels = made
    mixed = (ids % 4).astype(np.int64)
    values = jackknife_purity(graph, ids, mixed, 4, 1, halves=10)
    assert values.shape == (10,)
    assert np.ptp(values) > 0
    assert np.array_equal(values[1:], jackknife_purity(graph, ids, mixed, 4, 2, halves=9))
    # One image alone in the graph is in a half or not at all.
    one = jackknife_purity(graph, np.zeros(800, dtype=np.int64), mixed, 4, 1, halves=30)
    assert 3 < np.isnan(one).sum() < 27
    assert set(one[~np.isnan(one)]) == {node_wise(graph, mixed, 4)}
    assert (jackknife_purity(graph, ids, labels, 4, 1) == 1).all()


def test_jackknife_error_of_a_mean_is_about_its_standard_error():
    sample = np.random.default_rng(2).normal(size=500)
    values = np.array([sample[image_rank(np.arange(500), seed) >> np.uint64(63) == 0].mean() for seed in range(200)])
    assert jackknife_error(values) == pytest.approx(sample.std(ddof=1) / np.sqrt(500), rel=0.2)


def test_halves_of_ordered_images_are_drawn_independently():
    # Images often come class by class: a half that is the last one moved along by one has nearly the same mean.
    sample = np.linspace(0, 1, 500)
    halves = [image_rank(np.arange(500), seed) >> np.uint64(63) == 0 for seed in range(200)]
    assert not np.array_equal(halves[1][:-1], halves[0][1:])
    assert jackknife_error(np.array([sample[half].mean() for half in halves])) == pytest.approx(
        sample.std(ddof=1) / np.sqrt(500), rel=0.2
    )


def test_a_graph_is_stable_against_itself_and_not_when_it_falls_apart(made):
    graph, *_ = made
    generator = np.random.default_rng(1)
    other = mapper_of_activations(generator.normal(size=(800, 4)), OverlapCover(3, 0.0), 0.4)
    assert stability(graph, graph) == 1.0
    assert abs(stability(graph, other)) < 0.1


def test_an_empty_graph_has_no_purity():
    empty = mapper_of_activations(np.diag(np.arange(1.0, 40.0)), OverlapCover(4, 0.1), 0.01)
    ids = np.arange(39)
    assert empty.nodes == 0
    assert np.isnan(node_wise(empty, ids % 3, 3))
    assert np.isnan(shuffled_purity(empty, ids, ids % 3, 3, 5, 0)[0]).all()
    assert np.isnan(jackknife_purity(empty, ids, ids % 3, 3, 0)).all()
    assert np.isnan(rank_p_value(np.nan, np.zeros(3)))


def test_examples_are_images_of_the_node_in_one_order(made):
    graph, ids, labels = made
    chosen = examples(graph, ids, 5, 7)
    for node, images in enumerate(chosen):
        members = ids[graph.members[graph.starts[node] : graph.starts[node + 1]]]
        assert set(images) <= set(members.tolist())
        assert len(set(images)) == len(images) == min(5, len(set(members.tolist())))
    assert examples(graph, ids, 5, 8) != chosen
    counts = label_counts(graph, labels, 4)
    assert (node_purity(counts) == 1).all()


def test_the_adjusted_rand_index_is_that_of_scikit_learn():
    rng = np.random.default_rng(5)
    for points in range(1, 40):
        first, second = rng.integers(-1, rng.integers(0, 4), points), rng.integers(-1, rng.integers(0, 6), points)
        assert adjusted_rand_index(first, second) == adjusted_rand_score(first, second)
    assert adjusted_rand_index(first, first) == 1.0
