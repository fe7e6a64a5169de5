"""Whether classes of one kind lie together in a graph: affinities that are known, and an exact p-value."""

import numpy as np
import pytest

from cnn_topology.statistics.kinds import class_affinity, kinds_test

NONE = np.zeros((0, 2), dtype=int)


def test_classes_share_nodes_and_neighbouring_nodes():
    counts = np.array([[2, 1, 0, 0], [0, 1, 3, 0]])
    alone, joined = class_affinity(counts, NONE), class_affinity(counts, np.array([[0, 1]]))
    assert alone[0, 1] == pytest.approx(0.5 / np.sqrt(1 * 0.5))
    assert (alone[0, 2], alone[0, 3]) == (0, 0)
    # Shares of 0 and 2 lie in the two nodes of the edge.
    assert joined[0, 2] == pytest.approx(1.0)
    np.testing.assert_allclose(np.diag(joined)[:3], 1)


def test_the_p_value_is_that_of_all_choices_of_so_many_classes():
    affinity = np.kron(np.eye(2), np.ones((5, 5)))
    difference, p = kinds_test(affinity, [0, 1, 2, 3, 4])
    # The other half of the classes is the same choice.
    assert (difference, p) == (1, pytest.approx(2 / 252))
    rng = np.random.default_rng(0)
    p_values = []
    for _ in range(200):
        noise = rng.standard_normal((8, 8))
        p_values.append(kinds_test(noise + noise.T, [0, 1, 2])[1])
    assert np.mean(np.array(p_values) <= 0.1) == pytest.approx(0.1, abs=0.06)
