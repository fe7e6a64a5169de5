"""Where the engines end: counts, memory, fields, the range of float32, and forms of input that are refused or the same.

Each case once gave a wrong barcode, or took the memory first, without a word.
"""

import re
import resource
import tracemalloc
from itertools import combinations, pairwise

import numpy as np
import pytest
from scipy import sparse
from scipy.spatial.distance import pdist, squareform

from cnn_topology.errors import InputError
from cnn_topology.topology import filtration, forecasting, persistence
from cnn_topology.topology.persistence import barcode
from cnn_topology.topology.representative_loop import representative_loop

USES = (barcode, representative_loop)
ANGLE = np.linspace(0, 2 * np.pi, 30, endpoint=False)
CIRCLE = np.stack([np.cos(ANGLE), np.sin(ANGLE)], axis=1)
LATTICE = np.stack(np.meshgrid(*[np.arange(4) * 0.1] * 2), axis=-1).reshape(-1, 2)
TOO_MANY = 65_536


def bars_of(**arguments):
    bars = barcode(**arguments)
    return bars.dimension, bars.birth, bars.death


def assert_equal_bars(one, other):
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)


def as_sparse(square):
    row, column = np.triu_indices(len(square), 1)
    return sparse.coo_matrix((square[row, column], (row, column)), shape=square.shape)


FORMS = {
    "points": lambda cloud: {"points": cloud},
    "condensed": lambda cloud: {"distances": pdist(cloud)},
    "square": lambda cloud: {"distances": squareform(pdist(cloud))},
    "sparse": lambda cloud: {"distances": as_sparse(squareform(pdist(cloud)))},
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize(
    "given",
    [
        {"points": np.broadcast_to(0.0, (TOO_MANY, 1))},
        {"distances": np.broadcast_to(1.0, (TOO_MANY, TOO_MANY))},
        {"distances": np.broadcast_to(np.float32(1), (TOO_MANY * (TOO_MANY - 1) // 2,))},
        {"distances": sparse.coo_matrix(([1.0], ([0], [1])), shape=(TOO_MANY, TOO_MANY))},
    ],
    ids=list(FORMS),
)
def test_more_points_than_an_edge_can_name_are_refused_in_every_form(use, given):
    with pytest.raises(InputError, match="65536 points are more than the 65535"):
        use(**given)


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize(
    "given",
    [
        {"points": np.broadcast_to(np.float32(0), (4_000, 50))},
        {"distances": np.broadcast_to(1.0, (4_000, 4_000))},
        {"distances": np.broadcast_to(np.float32(1), (4_000 * 3_999 // 2,))},
        {"distances": sparse.coo_matrix(([1.0], ([0], [1])), shape=(4_000, 4_000))},
    ],
    ids=list(FORMS),
)
def test_memory_is_checked_before_it_is_taken(monkeypatch, use, given):
    use(CIRCLE)  # loads code
    monkeypatch.setattr(forecasting, "available_memory", lambda: 5_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="GB are free"):
            use(**given)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 500_000


def test_more_loops_than_memory_has_room_for_are_refused(monkeypatch):
    """Points on a sphere of many dimensions have thousands of loops alive at once, which no forecast knows."""
    points = np.random.default_rng(0).normal(size=(500, 25))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    monkeypatch.setattr(forecasting, "NEVER_ASKED", 1 << 18)
    bars, enough = barcode(points), forecasting.forecast(500).bytes + forecasting.NEVER_ASKED
    assert len(bars.lengths(1)) > 1_000
    monkeypatch.setattr(forecasting, "available_memory", iter([enough, 1_000, 1_000]).__next__)
    with pytest.raises(InputError, match="loops alive at once"):
        barcode(points)


def test_limits_of_the_process_are_limits_of_memory(monkeypatch):
    most = 1 << 50
    for limit in (resource.RLIMIT_AS, resource.RLIMIT_DATA):
        monkeypatch.setattr(resource, "getrlimit", lambda asked, one=limit: (most if asked == one else -1, -1))
        (left,) = forecasting._left_of_limits()
        assert most - (1 << 45) < left < most


def test_entries_of_a_sparse_matrix_are_part_of_the_forecast(monkeypatch):
    row, column = np.triu_indices(600, 1)
    stored = sparse.coo_matrix((np.ones(len(row)), (row, column)), shape=(600, 600))
    need = forecasting.forecast(600).bytes
    monkeypatch.setattr(forecasting, "available_memory", lambda: need + 10_000_000)
    assert barcode(np.zeros((600, 1))).points == 600
    with pytest.raises(InputError, match="GB are free"):
        barcode(distances=stored)


def test_only_a_barcode_that_may_not_fit_asks_for_the_free_memory(monkeypatch):
    def asked():
        raise AssertionError("asked")

    monkeypatch.setattr(forecasting, "available_memory", asked)
    assert barcode(np.random.default_rng(0).normal(size=(200, 3))).points == 200
    with pytest.raises(AssertionError, match="asked"):
        barcode(np.random.default_rng(0).normal(size=(1_000, 3)))


def test_what_would_take_hours_is_refused_with_the_landmarks_that_would_not(monkeypatch):
    monkeypatch.setattr(forecasting, "available_memory", lambda: None)
    for engine, dimension in (("ripser", 2), ("gudhi", 1), ("auto", 3)):
        with pytest.raises(InputError, match=r"take up to [\d.]+ h, more than max_seconds = 3600") as caught:
            barcode(np.broadcast_to(0.0, (20_000, 3)), max_dimension=dimension, engine=engine)
        most = int(re.search(r"take (\d+) landmarks", str(caught.value))[1])
        seconds = [forecasting.forecast(count, dimension, engine).seconds for count in (most, most + 1)]
        assert seconds[0] <= persistence.LONGEST < seconds[1]


def test_higher_dimensions_are_forecast_to_take_what_their_simplices_take():
    """Three hundred points in dimension 3 were forecast as in dimension 2: 2 s."""
    costs = [forecasting.forecast(300, dimension) for dimension in (2, 3, 4)]
    assert all(10 * one.seconds < other.seconds for one, other in pairwise(costs))
    assert all(10 * one.bytes < other.bytes for one, other in pairwise(costs))


def test_a_barcode_of_our_own_is_never_beyond_the_time_that_is_accepted():
    """Jobs of a run ask a cluster for the time that they are forecast to take, and state no longest one."""
    assert forecasting.forecast(filtration.MOST_POINTS).seconds < persistence.LONGEST


def test_a_forecast_is_of_a_number_of_points():
    assert persistence.forecast(np.int64(100)) == persistence.forecast(100)
    with pytest.raises(InputError, match="points"):
        persistence.forecast(CIRCLE)


def test_a_barcode_is_shown_in_one_line():
    shown = repr(barcode(CIRCLE, max_dimension=1, field=3))
    assert shown == "<Barcode of 30 points over Z/3 by 'annotations'; bars: 30 in dimension 0, 1 in dimension 1>"


def test_a_barcode_whose_time_is_accepted_goes_on():
    with pytest.raises(InputError, match=r"max_seconds=math\.inf"):
        barcode(CIRCLE, max_seconds=1e-9)
    assert barcode(CIRCLE, max_seconds=np.inf) == barcode(CIRCLE)


def test_a_search_for_a_loop_is_refused_before_it_takes_what_is_not_there(monkeypatch):
    corners = np.repeat([[0.0, 0], [0, 10], [10, 0], [10, 10]], 200, axis=0)
    cloud = corners + np.random.default_rng(0).normal(size=(800, 2))
    assert len(representative_loop(cloud).vertices) >= 4
    free = iter([10**9, 10**5])
    monkeypatch.setattr(forecasting, "available_memory", lambda: next(free))
    with pytest.raises(InputError, match="search for a loop among"):
        representative_loop(cloud)


PRIMES = [p for p in range(2, 128) if all(p % q for q in range(2, p))]


def projective_plane():
    """Return distances of 1 on a triangulated projective plane, which has homology over Z/2 alone, and 2 elsewhere."""
    corners = ["012", "023", "034", "045", "015", "124", "235", "134", "245", "135"]
    faces = {frozenset(face) for triangle in corners for size in (1, 2, 3) for face in combinations(triangle, size)}
    # Barycentric subdivision: its points are the faces, joined where one holds the other, and cliques are filled.
    near = np.array([[one <= other or other <= one for other in faces] for one in faces])
    return np.where(near, 1.0, 2.0) - np.eye(len(faces))


@pytest.mark.parametrize("field", PRIMES)
def test_ripser_and_gudhi_agree_over_every_field_that_ripser_holds(field):
    plane = projective_plane()
    ripser, gudhi = (
        bars_of(distances=plane, field=field, max_dimension=2, engine=engine) for engine in ("ripser", "gudhi")
    )
    assert_equal_bars(ripser, gudhi)
    assert [(ripser[0] == d).sum() for d in (1, 2)] == ([1, 1] if field == 2 else [0, 0])


@pytest.mark.parametrize("field", [131, 257, 8_191, 65_521])
@pytest.mark.parametrize("engine", ["auto", "ripser"])
def test_larger_fields_are_served_by_gudhi_alone(field, engine):
    with pytest.raises(InputError, match="engine='gudhi'"):
        barcode(CIRCLE, field=field, engine=engine)
    cloud = np.random.default_rng(0).normal(size=(40, 4))
    cloud /= np.linalg.norm(cloud, axis=1, keepdims=True)
    larger = bars_of(points=cloud, field=field, max_dimension=2, engine="gudhi")
    assert_equal_bars(larger, bars_of(points=cloud, field=127, max_dimension=2, engine="ripser"))


@pytest.mark.parametrize("engine", ["auto", "ripser", "gudhi"])
def test_fields_that_no_engine_holds_are_refused_at_once(engine):
    for field in (65_537, 2**61 - 1):
        with pytest.raises(InputError, match="prime up to 65521"):
            barcode(CIRCLE, field=field, engine=engine)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("factor", [1e39, 1e-46, 1e-170, 1e150])
def test_a_cloud_that_float32_does_not_hold_is_refused_with_an_exact_factor(form, factor):
    ((name, values),) = FORMS[form](CIRCLE).items()
    scaled = {name: values * factor}
    for use in USES:
        with pytest.raises(InputError, match=r"numpy\.ldexp") as caught:
            use(**scaled)
    power = int(re.search(r"ldexp\(\.\.\., (-?\d+)\)", str(caught.value))[1])
    bars = barcode(**{name: values * factor * 2.0**power}).in_dimension(1)
    assert len(bars) == 1
    assert 0.25 < bars[0, 1] < 2


@pytest.mark.parametrize("engine", ["annotations", "ripser", "gudhi"])
@pytest.mark.parametrize("power", [-95, -40, 40, 120])
def test_bars_scale_with_the_cloud_to_the_last_bit(engine, power):
    cloud = np.random.default_rng(1).normal(size=(40, 3))
    dimension, birth, death = bars_of(points=cloud, engine=engine)
    scaled = bars_of(points=np.ldexp(cloud, power), engine=engine)
    assert_equal_bars(scaled, (dimension, np.ldexp(birth, power), np.ldexp(death, power)))


def test_coordinates_near_zero_beside_large_ones_are_no_matter():
    cloud = np.concatenate([CIRCLE, [[1e-300, 0], [0, 5e-324], [1e-45, 0]]])
    bars, zeros = barcode(cloud), barcode(np.concatenate([CIRCLE, np.zeros((3, 2))]))
    for d in (0, 1):
        np.testing.assert_array_equal(bars.lengths(d)[bars.lengths(d) > 1e-30], zeros.lengths(d))


@pytest.mark.parametrize("scale", [1e-20, 1e-6, 1.0, 1e6])
def test_a_matrix_that_is_not_symmetric_is_refused_at_any_scale(scale):
    square = np.random.default_rng(0).random((30, 30)) * scale
    np.fill_diagonal(square, 0)
    with pytest.raises(InputError, match=r"not symmetric: entry \(0, 1\)"):
        barcode(distances=square)
    with pytest.raises(InputError, match=r"not symmetric: entry \(0, 1\)"):
        barcode(distances=sparse.coo_matrix(square))


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_products_of_matrices_are_symmetric_enough(scale, dtype):
    points = np.random.default_rng(0).normal(size=(150, 30)).astype(dtype) * dtype(scale)
    if dtype is np.float64:
        points = np.concatenate([points, points[:20]])  # distances of 1e-8 in place of 0
    squares = (points**2).sum(axis=1)
    products = np.stack([points @ point for point in points])
    square = np.sqrt(np.maximum(squares[:, None] + squares - 2 * products, 0))
    square[np.tril_indices(len(square), -1)] *= dtype(1 + 1e-6)
    assert (square != square.T).any()
    exact, rounded = barcode(points), barcode(distances=square)
    for d in (0, 1):
        near = np.sort(exact.lengths(d))[-20:] - np.sort(rounded.lengths(d))[-20:]
        assert np.abs(near).max() < 1e-3 * scale


def test_the_diagonal_is_zero_up_to_rounding():
    similar = np.corrcoef(np.random.default_rng(0).normal(size=(10, 50))) + 1
    for matrix in (similar, sparse.coo_matrix(similar), np.array([[0.5]])):
        with pytest.raises(InputError, match="diagonal"):
            barcode(distances=matrix)
    square = squareform(pdist(CIRCLE))
    for mark in (1e-4, np.inf, np.nan):
        np.fill_diagonal(square, mark)
        assert len(barcode(distances=square).lengths(1)) == 1


@pytest.mark.parametrize("engine", ["annotations", "ripser", "gudhi"])
@pytest.mark.parametrize("kind", [float, np.float32, np.float64, np.longdouble])
def test_a_threshold_of_any_type_lets_in_the_edges_of_its_length(engine, kind):
    """Of length 0.1 are the sides of nine squares; the float32 nearest to 0.1 lies above it."""
    bars = barcode(LATTICE, threshold=kind(0.1), engine=engine).in_dimension(1)
    np.testing.assert_array_equal(bars, np.tile([float(np.float32(0.1)), np.inf], (9, 1)))


def test_a_bar_that_missing_edges_leave_open_has_a_loop():
    ring = sparse.coo_matrix((np.ones(5), (np.arange(5), (np.arange(5) + 1) % 5)), shape=(5, 5))
    loop = representative_loop(distances=ring)
    assert (loop.birth, loop.death, len(loop.vertices)) == (1, np.inf, 5)


@pytest.mark.parametrize(
    ("name", "same", "wrong"),
    [
        ("field", [3, np.int64(3), np.uint8(3), np.array(3)], [3.0, "3", None]),
        ("max_dimension", [1, np.int8(1), True], [1.0, "1"]),
        ("landmarks", [20, np.uint16(20)], [20.0, "20"]),
        ("threads", [1, np.int32(1)], [1.5]),
        ("max_seconds", [1e9, np.inf, np.float32(3_600), 10**9], ["1", None]),
        ("threshold", [0.5, np.float32(0.5), np.float16(0.5), np.array(0.5)], ["0.5", None, 1j, [0.5]]),
    ],
)
def test_numbers_of_any_type_are_the_same_number(name, same, wrong):
    expected, *others = (bars_of(points=CIRCLE, **{name: value}) for value in same)
    for bars in others:
        assert_equal_bars(bars, expected)
    assert type(barcode(CIRCLE, field=np.int64(3)).field) is int
    for value in wrong:
        with pytest.raises(InputError, match=name):
            barcode(CIRCLE, **{name: value})


@pytest.mark.parametrize("form", ["coo", "csr", "csc"])
@pytest.mark.parametrize("again", [0.5, 1.0])
def test_a_distance_stored_twice_is_refused(form, again):
    """One reader takes the last of the two, another their sum."""
    row, column, value = np.array([0, 0, 1]), np.array([1, 1, 2]), np.array([1.0, again, 1.0])
    stored = sparse.coo_array((value, (row, column)), shape=(3, 3))
    if form != "coo":
        kind = sparse.csr_array if form == "csr" else sparse.csc_array
        major, minor = (row, column) if form == "csr" else (column, row)
        starts = np.searchsorted(major, np.arange(4))
        stored = kind((value, minor, starts), shape=(3, 3))
    with pytest.raises(InputError, match=r"stores \(0, 1\) more than once"):
        barcode(distances=stored)


def test_every_sparse_format_is_the_same_or_refused():
    square = squareform(pdist(CIRCLE))
    square[square > 1.2] = 0
    expected = bars_of(distances=np.where((square > 0) | np.eye(30, dtype=bool), square, np.inf))
    for triangle in (square, np.triu(square), np.tril(square)):
        for form in ("coo", "csr", "csc", "lil", "dok"):
            for kind in (sparse.coo_matrix, sparse.coo_array):
                assert_equal_bars(bars_of(distances=kind(triangle).asformat(form)), expected)
        for form in ("bsr", "dia"):  # the zeros that fill their blocks and diagonals would be distances
            with pytest.raises(InputError, match=form):
                barcode(distances=sparse.coo_matrix(triangle).asformat(form))


@pytest.mark.parametrize("dtype", [np.float16, np.int8, np.uint8, np.int64, np.float32, np.longdouble])
def test_distances_of_any_type_are_those_of_float64(dtype):
    square = squareform(np.random.default_rng(0).integers(1, 100, 190)).astype(dtype)
    expected = bars_of(distances=square.astype(np.float64))
    for distances in (square, square.tolist(), squareform(square, checks=False)):
        assert_equal_bars(bars_of(distances=distances), expected)


def test_integers_that_float64_does_not_hold_are_refused():
    far = np.array([[2**60, 0], [2**60 + 1, 0], [2**60 + 2, 5]])
    with pytest.raises(InputError, match=r"2\*\*53"):
        barcode(far)
    assert barcode(far - far[0]).lengths(0)[0] > 0


def test_the_highest_dimensions_are_forecast_as_those_below_them():
    """A simplex of all 40 points is one alone: dimension 38 was forecast to take nothing, and took hours."""
    costs = [forecasting.forecast(40, dimension).seconds for dimension in range(3, 45)]
    assert costs == sorted(costs)
    with pytest.raises(InputError, match="forecast to"):
        barcode(np.concatenate([CIRCLE, LATTICE[:10]]), max_dimension=38)
    with pytest.raises(InputError, match="max_dimension = 1000000000"):
        barcode(CIRCLE, max_dimension=10**9)  # ended the interpreter
    assert barcode(CIRCLE[::4], max_dimension=127).lengths(1).size == 1
