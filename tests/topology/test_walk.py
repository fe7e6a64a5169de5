"""The parts of the annotations engine, each against a slow plain form of it."""

import signal
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.spatial.distance import squareform

from cnn_topology.clouds import kept, neighbour_kernels
from cnn_topology.clouds.density import density_filter
from cnn_topology.topology import annotation_kernels as kernels
from cnn_topology.topology import annotations, distances, edge_kernels, filtration, forecasting, landmarks, lune_kernels
from cnn_topology.topology.annotations import annotated, annotation_bars, last_birth
from cnn_topology.topology.filtration import lengths_of_points
from cnn_topology.topology.landmarks import landmarks_maxmin
from cnn_topology.topology.persistence import barcode

SEEDS = st.integers(0, 2**32 - 1)


@st.composite
def clouds(draw, most=70):
    """Draw noise, grids full of ties, circles, and clouds with duplicates."""
    rng = np.random.default_rng(draw(SEEDS))
    count = draw(st.integers(2, most))
    kind = draw(st.sampled_from(["noise", "grid", "circle", "duplicates"]))
    if kind == "circle":
        angle = rng.uniform(0, 2 * np.pi, count)
        return np.column_stack([np.cos(angle), np.sin(angle)]) + 0.1 * rng.standard_normal((count, 2))
    noise = rng.standard_normal((count, draw(st.integers(1, 4))))
    if kind == "grid":
        return np.round(2 * noise)
    return noise[rng.integers(count, size=count)] if kind == "duplicates" else noise


@given(clouds(), st.floats(0.3, 4), st.integers(70, 200))
@settings(max_examples=150)
def test_the_last_birth_is_the_longest_edge_without_a_point_nearer_to_both_ends(points, limit, room):
    lengths = lengths_of_points(points)
    square = squareform(lengths)
    limit = np.float32(limit)
    empty = [
        square[i, j]
        for i, j in zip(*np.triu_indices(len(points), 1), strict=True)
        if square[i, j] <= limit and not ((square[i] < square[i, j]) & (square[j] < square[i, j])).any()
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(annotations, "LEAST_DOUBTFUL", room)  # read in several pieces
        assert last_birth(lengths, len(points), limit) == max(empty, default=0)


@given(clouds(), st.sampled_from([2, 3]))
@settings(max_examples=60)
def test_no_class_is_born_after_the_last_birth(points, field):
    lengths = lengths_of_points(points)
    last = last_birth(lengths, len(points), np.float32(np.inf))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(annotations, "last_birth", lambda *_: np.finfo(np.float32).max)  # walk to the end
        state = annotated(lengths.copy(), len(points), field, np.inf)
    assert (state.birth[: state.counters[kernels.CLASSES]] <= last).all()
    assert (state.merged[: state.counters[kernels.MERGES]] <= last).all()


@pytest.mark.parametrize("few", [0, 1, 2, 64])
@given(points=clouds())
@settings(max_examples=40)
def test_bars_are_the_same_however_many_classes_end_as_rows_of_bits(few, points):
    lengths = lengths_of_points(points)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(annotations, "last_birth", lambda *_: np.finfo(np.float32).max)
        expected = annotation_bars(lengths.copy(), len(points), 1, 2, np.inf)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(annotations, "MOST_PLANES", few)
        found = annotation_bars(lengths.copy(), len(points), 1, 2, np.inf)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(np.sort(one), np.sort(other))


@pytest.mark.parametrize("field", [2, 3])
@given(points=clouds(), share=st.floats(0, 1), limit=st.floats(0.3, 4))
@settings(max_examples=60, deadline=None)
def test_a_sparse_graph_has_the_bars_of_the_matrix_with_infinite_distances(field, points, share, limit):
    square = squareform(lengths_of_points(points))
    kept = np.random.default_rng(len(points)).random(square.shape) < share
    row, column = np.nonzero(np.triu(kept, 1))
    square[~(np.triu(kept, 1) | np.triu(kept, 1).T | np.eye(len(points), dtype=bool))] = np.inf
    graph = sparse.coo_array((square[row, column], (column, row)), shape=square.shape)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distances, "THIN", 0)
        ours = barcode(distances=graph, field=field, threshold=limit)
    assert ours == barcode(distances=square, field=field, threshold=limit)


def test_a_sparse_graph_takes_no_memory_for_all_pairs():
    rng = np.random.default_rng(0)
    row, column = np.unique(np.sort(rng.integers(4_000, size=(2, 12_000)), axis=0), axis=1)
    graph = sparse.coo_array((rng.random(len(row)), (row, column)), shape=(4_000, 4_000))
    graph.setdiag(0)
    tracemalloc.start()
    try:
        bars = barcode(distances=graph)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(bars.lengths(0)) > 3_000
    assert peak < forecasting.bytes_of_graph(4_000, graph.nnz) + 100 * graph.nnz < 4 * 4_000 * 3_999 / 2


# Kernels that run long, the module whose constant cuts their work into pieces, small pieces, and who calls them.
LONG_KERNELS = {
    "walk": (kernels, annotations, "EDGES_AT_ONCE", 500, 200, barcode),
    "doubtful": (lune_kernels, annotations, "PAIRS_AT_ONCE", 500, 200, barcode),
    "fill_lengths": (edge_kernels, filtration, "PAIRS_AT_ONCE", 500, 200, barcode),
    "choose_farthest": (edge_kernels, landmarks, "NUMBERS_AT_ONCE", 6_000, 200, lambda x: landmarks_maxmin(x, 100)),
    "count_within": (
        neighbour_kernels,
        kept,
        "PAIRS_OF_LEAVES_AT_ONCE",
        1,
        1_600,
        lambda x: density_filter(x, 50, 0.3),
    ),
}


@pytest.mark.parametrize("name", LONG_KERNELS)
def test_ctrl_c_ends_compiled_work_before_its_next_piece(monkeypatch, name):
    module, cut_by, constant, size, points, work = LONG_KERNELS[name]
    pieces, kernel, cloud = [], getattr(module, name), np.random.default_rng(0).normal(size=(points, 3))
    interrupted_at = None

    def piece(*arguments):
        pieces.append(name)
        if len(pieces) == interrupted_at:
            signal.raise_signal(signal.SIGINT)
        return kernel(*arguments)

    monkeypatch.setattr(cut_by, constant, size)
    monkeypatch.setattr(module, name, piece)
    work(cloud)
    assert len(pieces) > 3
    pieces.clear()
    interrupted_at = 2
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # processes of a parallel pytest ignore Ctrl-C
    try:
        with pytest.raises(KeyboardInterrupt):
            work(cloud)
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(pieces) == 2


def torus(count, rng):
    one, two = rng.uniform(0, 2 * np.pi, (2, count))
    return np.column_stack([np.cos(one), np.sin(one), np.cos(two), np.sin(two)])


def test_two_classes_that_die_late_end_as_rows_of_bits(monkeypatch):
    points = torus(400, np.random.default_rng(3))
    lengths = lengths_of_points(points)
    calls = []
    finish = annotations._Planes.finish
    monkeypatch.setattr(annotations._Planes, "finish", lambda *a: (calls.append(len(a[2])), finish(*a))[1])
    _, birth, death = annotation_bars(lengths.copy(), 400, 1, 2, np.inf)
    assert sum(calls) > 0
    monkeypatch.setattr(annotations, "MOST_PLANES", 0)
    calls.clear()
    expected = annotation_bars(lengths.copy(), 400, 1, 2, np.inf)
    assert not calls
    assert sorted(zip(birth, death, strict=True)) == sorted(zip(*expected[1:], strict=True))


@given(clouds(), st.sampled_from([2, 3]), st.floats(0.2, 2))
@settings(max_examples=60)
def test_edges_without_a_mark_have_the_value_zero(points, field, threshold):
    count = len(points)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(annotations, "MOST_PLANES", 0)  # carries all classes on as vectors
        state = annotated(lengths_of_points(points), count, field, float(np.float32(threshold)))
    values = np.zeros(len(state.entry), dtype=np.uint32)
    entered = np.flatnonzero(state.entry < kernels.UNREAD)
    values[entered] = [kernels.resolved(state.forward, np.uint32(value)) for value in state.entry[entered]]
    bits = np.unpackbits(state.marked.view(np.uint8), axis=1, bitorder="little")[:, :count]
    assert not ((squareform(values) != 0) & (bits == 0)).any()
    np.testing.assert_array_equal(bits, bits.T)
    np.testing.assert_array_equal(state.marks, bits.sum(axis=1))


@given(SEEDS, st.integers(2, 300), st.sampled_from([16, 33, 200]), st.integers(1, 2))
@settings(max_examples=40)
def test_lengths_from_products_have_the_bits_of_sums(seed, count, dimension, threads):
    rng = np.random.default_rng(seed)
    points = rng.standard_normal((count, dimension)) * 2.0 ** rng.integers(-40, 40) + rng.standard_normal(dimension)
    points[rng.integers(count, size=count // 4)] = points[0]
    near = rng.integers(count, size=count // 4)
    points[near] = points[-1] * (1 + 1e-9 * rng.standard_normal((len(near), 1)))
    lengths = np.zeros(count * (count - 1) // 2, dtype=np.float32)
    edge_kernels.fill_lengths(np.ascontiguousarray(points.T), 0, count, lengths)
    assert dimension >= filtration.LEAST_MULTIPLIED
    np.testing.assert_array_equal(lengths_of_points(points, threads).view(np.uint32), lengths.view(np.uint32))


def test_a_length_whose_rounding_is_in_doubt_is_summed():
    """Points far from the mean of all, close to each other: their products alone give no digit."""
    points = np.zeros((4, 16))
    points[0] = -1e6
    points[1:] = 1e6
    points[2, 0] += 1e-3
    np.testing.assert_allclose(lengths_of_points(points)[3:], [1e-3, 0, 1e-3], rtol=1e-6)


@given(SEEDS, st.integers(2, 80), st.floats(0, 1), st.floats(0, 1))
@settings(max_examples=40)
def test_gathered_edges_are_those_between_two_lengths(seed, count, low, high):
    lengths = np.random.default_rng(seed).random(count * (count - 1) // 2).astype(np.float32)
    low, high = np.float32(min(low, high)), np.float32(max(low, high))
    keys = [int(x.view(np.uint32) | kernels.UNREAD) for x in (low, high)]
    edges = np.empty(len(lengths) + 1, dtype=np.uint64)
    entry = lengths.view(np.uint32) | kernels.UNREAD
    total = edge_kernels.gather(entry, count, np.uint32(keys[0]), np.uint32(keys[1]), 0, count - 1, edges)
    i, j = np.triu_indices(count, 1)
    inside = (low <= lengths) & (lengths <= high)
    expected = (lengths.view(np.uint32).astype(np.uint64) << np.uint64(32)) | (i << 16 | j).astype(np.uint64)
    np.testing.assert_array_equal(edges[:total], expected[inside])


def test_blocks_have_every_edge_once_and_no_more_than_fit():
    rng = np.random.default_rng(0)
    lengths = np.concatenate([np.full(2_000, 0.5), rng.random(2_950)]).astype(np.float32)  # many ties
    entry = lengths.view(np.uint32) | kernels.UNREAD
    low, high = int(entry.min()), int(entry.max())
    edges = np.empty(301, dtype=np.uint64)
    seen = []
    for first, last, begin, end in annotations._blocks(entry, 100, (low, high), low, 300):
        total = edge_kernels.gather(entry, 100, np.uint32(first), np.uint32(last), begin, end, edges)
        assert total <= 300
        seen.append(np.sort(edges[:total]))
    together = np.concatenate(seen)
    assert (np.diff(together.astype(np.float64)) >= 0).all()
    assert len(np.unique(together)) == len(together) == 4_950
