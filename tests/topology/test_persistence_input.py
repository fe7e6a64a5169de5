"""What `barcode` refuses and says, landmarks and their radius, forecasts and loops."""

import numpy as np
import pytest
from ripser import ripser
from scipy import sparse
from scipy.spatial.distance import cdist, pdist, squareform

from cnn_topology.errors import InputError
from cnn_topology.topology import forecasting
from cnn_topology.topology.landmarks import landmarks_maxmin
from cnn_topology.topology.persistence import barcode, forecast
from cnn_topology.topology.representative_loop import representative_loop

CLOUD = np.random.default_rng(0).normal(size=(40, 3))


def with_entry(matrix, row, column, value):
    matrix = matrix.copy()
    matrix[row, column] = value
    return matrix


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "neither"),
        ({"points": CLOUD, "distances": pdist(CLOUD)}, "both"),
        ({"points": CLOUD[:, 0]}, "matrix of numbers"),
        ({"points": CLOUD.astype(str)}, "matrix of numbers"),
        ({"points": with_entry(CLOUD, 7, 1, np.nan)}, "first in row 7"),
        ({"points": with_entry(CLOUD, 7, 1, np.inf)}, "first in row 7"),
        ({"distances": np.ones(5)}, "5 is no such number"),
        ({"distances": np.ones((3, 4))}, "must be square"),
        ({"distances": with_entry(squareform(pdist(CLOUD)), 2, 5, np.nan)}, "symmetric"),
        ({"distances": with_entry(squareform(pdist(CLOUD)), 5, 2, 9.0)}, r"entry \(2, 5\)"),
        ({"distances": np.array([1.0, np.nan, 1.0])}, "NaN or negative"),
        ({"distances": np.array([1.0, -1.0, 1.0])}, "NaN or negative"),
        ({"distances": sparse.coo_matrix(([1.0, 2.0], ([0, 1], [1, 0])), shape=(2, 2))}, "above"),
        ({"distances": sparse.coo_matrix(([1.0], ([0], [1])), shape=(2, 3))}, "square"),
        ({"points": CLOUD, "engine": "riper"}, "did you mean 'ripser'"),
        (
            {"points": CLOUD, "engine": "annotations", "max_dimension": 2},
            "'annotations' serves dimensions 0 and 1; got max_dimension=2: use engine='auto'$",
        ),
        (
            {"points": CLOUD, "engine": "annotations", "field": 5},
            "'annotations' serves coefficients up to Z/3; got field=5: use engine='auto'$",
        ),
        (
            {"points": CLOUD, "field": 131},
            r"'ripser' serves coefficients up to Z/127; got field=131: use engine='gudhi' \(pip install gudhi\)$",
        ),
        ({"points": CLOUD, "engine": "annotations", "field": 131}, "use engine='gudhi'"),
        ({"points": CLOUD, "engine": "redzed", "field": 3}, "up to Z/2; got field=3: use engine='auto'$"),
        ({"points": CLOUD, "field": 4}, "prime"),
        ({"points": CLOUD, "max_dimension": -1}, "max_dimension"),
        ({"points": CLOUD, "threshold": np.nan}, "threshold"),
        ({"points": CLOUD, "threads": 0}, "threads"),
        ({"points": CLOUD, "landmarks": 0}, "landmarks"),
    ],
)
def test_unusable_input_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        barcode(**arguments)


def test_a_matrix_asymmetric_by_rounding_is_that_of_its_upper_triangle():
    square = squareform(pdist(CLOUD))
    rounded = square + np.tril(np.full_like(square, 1e-12), -1)
    np.testing.assert_array_equal(barcode(distances=rounded).death, barcode(distances=square).death)


def test_a_diagonal_that_is_not_zero_changes_nothing():
    square = squareform(pdist(np.concatenate([CLOUD, CLOUD[:9]])))
    for engine in ("annotations", "ripser", "gudhi"):
        shifted = barcode(distances=square + 1e-12 * np.eye(49), engine=engine)
        np.testing.assert_array_equal(shifted.death, barcode(CLOUD).death)


def test_stored_zeros_of_a_sparse_matrix_are_distances():
    joined = sparse.coo_matrix(([0.0, 1.0], ([0, 1], [1, 2])), shape=(3, 3))
    np.testing.assert_array_equal(barcode(distances=joined).in_dimension(0), [[0, np.inf], [0, 1]])


def test_other_fields_and_dimensions_go_to_ripser():
    points = CLOUD / np.linalg.norm(CLOUD, axis=1, keepdims=True)
    assert barcode(points, field=5).engine == "ripser"
    bars = barcode(points, max_dimension=2)
    assert bars.engine == "ripser"
    assert bars.lengths(2)[0] > 0.2
    assert barcode(points).engine == "annotations"
    assert not (barcode(points, max_dimension=0).dimension == 1).any()


def test_input_is_left_as_it_was():
    for distances in (pdist(CLOUD).astype(np.float32), squareform(pdist(CLOUD)).astype(np.float32)):
        before = distances.copy()
        barcode(distances=distances)
        np.testing.assert_array_equal(before, distances)


def test_distances_given_as_points_are_questioned():
    square = squareform(pdist(CLOUD))
    with pytest.warns(UserWarning, match="distances="):
        barcode(square)
    barcode(square[:, :-1])
    barcode(np.where(np.eye(40), 1, square))


def test_barcodes_compare_by_their_bars():
    bars = barcode(CLOUD)
    assert bars == barcode(CLOUD, engine="ripser")
    assert bars not in (barcode(CLOUD[:-1]), barcode(CLOUD, field=3), None)


def test_landmarks_do_not_depend_on_the_order_and_cover_within_their_radius():
    lattice = np.stack(np.meshgrid(*[np.arange(5.0)] * 2), axis=-1).reshape(-1, 2)
    shuffled = np.random.default_rng(0).permutation(25)
    indices, radius = landmarks_maxmin(lattice, 9)
    again, same_radius = landmarks_maxmin(lattice[shuffled], 9)
    np.testing.assert_array_equal(lattice[indices], lattice[shuffled][again])
    assert radius == same_radius == pytest.approx(cdist(lattice, lattice[indices]).min(axis=1).max())


def test_landmarks_bound_the_error_and_distances_have_none():
    circle = np.random.default_rng(0).normal(size=(200, 2))
    circle /= np.linalg.norm(circle, axis=1, keepdims=True)
    whole = barcode(circle).in_dimension(1)[0]
    bars = barcode(circle, landmarks=30)
    assert bars.points == 30
    assert barcode(circle[bars.landmarks]).birth == pytest.approx(bars.birth, rel=1e-6)
    assert 0 < bars.covering_radius < 0.5
    assert np.abs(bars.in_dimension(1)[0] - whole).max() <= 2 * bars.covering_radius
    assert barcode(circle, landmarks=500).covering_radius == 0
    assert barcode(circle, landmarks=500).landmarks is None
    with pytest.raises(InputError, match="landmarks are chosen from points"):
        barcode(distances=squareform(pdist(circle)), landmarks=30)


def test_too_little_memory_is_refused_with_a_number_of_landmarks_that_fits(monkeypatch):
    monkeypatch.setattr(forecasting, "available_memory", lambda: 10**8)
    with pytest.raises(InputError, match=r"take \d+ landmarks or fewer") as caught:
        barcode(np.zeros((20_000, 2)))
    count = int(str(caught.value).split("take ")[1].split()[0])
    copies = 2 * 8 * 2 * (20_000 + count)  # of the cloud, while landmarks are chosen
    assert forecast(count).bytes + copies <= 10**8 < forecast(count + 1).bytes + copies + 32
    assert barcode(np.random.default_rng(0).normal(size=(20_000, 2)), landmarks=50).points == 50


@pytest.mark.parametrize(
    ("line", "folder", "names"),
    [
        ("0::/slurm/job_7", "", ("memory.max", "memory.current", "inactive_file")),
        (
            "4:cpu,memory:/slurm/job_7",
            "memory",
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ),
    ],
)
def test_the_limit_of_a_job_is_found_in_its_control_group_and_those_above(tmp_path, line, folder, names):
    limit, used, cached = names
    for group, values in {"slurm": (10_000, 4_000, 500), "slurm/job_7": ("max", 1_000, 0)}.items():
        place = tmp_path / "groups" / folder / group
        place.mkdir(parents=True)
        for name, value in zip((limit, used), values, strict=False):
            (place / name).write_text(f"{value}\n")
        (place / "memory.stat").write_text(f"cache 7\n{cached} {values[2]}\n")
    (tmp_path / "own").write_text(f"9:pids:/other\n{line}\n")
    assert list(forecasting._left_in_groups(tmp_path / "own", tmp_path / "groups")) == [6_500]
    assert list(forecasting._left_in_groups(tmp_path / "absent", tmp_path / "groups")) == []


def test_more_points_than_fit_are_refused():
    with pytest.raises(InputError, match="landmarks="):
        barcode(np.zeros((70_000, 1)))
    with pytest.raises(InputError, match=r"that fit: give the distances of at most 65535 points$"):
        barcode(distances=sparse.coo_matrix((70_000, 70_000)))


SQUARE = squareform(pdist(np.random.default_rng(0).normal(size=(600, 3))))
POINTS = SQUARE[:, :3]


@pytest.mark.parametrize(
    ("memory", "arguments", "ways"),
    [
        (10**12, {"points": POINTS, "engine": "ripser"}, ["landmarks", "engine='annotations'", "max_seconds"]),
        (10**12, {"distances": SQUARE, "engine": "ripser"}, ["distances", "engine='annotations'", "max_seconds"]),
        (10**12, {"points": POINTS, "field": 5}, ["landmarks", "max_seconds"]),
        (10**12, {"points": POINTS[:60], "max_dimension": 3}, ["landmarks", "max_seconds"]),
        (10**7, {"points": POINTS, "engine": "ripser"}, ["landmarks", "engine='annotations'"]),
        (5 * 10**6, {"points": POINTS, "engine": "ripser"}, ["landmarks"]),
        (5 * 10**6, {"distances": SQUARE}, ["distances"]),
    ],
)
def test_what_the_refusal_of_a_costly_barcode_offers_is_not_refused(monkeypatch, memory, arguments, ways):
    monkeypatch.setattr(forecasting, "available_memory", lambda: memory)
    with pytest.raises(InputError, match="is forecast to") as caught:
        barcode(**arguments, max_seconds=0.05)
    offered = str(caught.value).rpartition(": ")[2].split(", or ")
    assert len(offered) == len(ways)
    for way, text in zip(ways, offered, strict=True):
        assert way in text
        most = int("".join(filter(str.isdigit, text)) or 0)
        taken = {
            "landmarks": {"landmarks": most},
            "distances": {"distances": SQUARE[:most, :most]},
            "engine='annotations'": {"engine": "annotations"},
            "max_seconds": {"max_seconds": np.inf},
        }[way]
        barcode(**{"max_seconds": 0.05, **arguments, **taken})


@pytest.mark.parametrize(
    ("arguments", "way"),
    [
        ({"points": np.zeros((10_000, 3))}, "give fewer points$"),
        ({"distances": sparse.coo_matrix(np.ones((2_000, 2_000)))}, "give the distances of fewer points$"),
    ],
)
def test_no_number_of_points_is_offered_where_none_fits(monkeypatch, arguments, way):
    monkeypatch.setattr(forecasting, "available_memory", lambda: 10)
    with pytest.raises(InputError, match=way):
        barcode(**arguments)


@pytest.mark.parametrize("seed", range(3))
def test_the_loop_of_each_bar_meets_the_cocycle_that_ripser_has_of_it(seed):
    cloud = np.random.default_rng(seed).normal(size=(60, 3))
    theirs = ripser(cloud, do_cocycles=True)
    bars = barcode(cloud).in_dimension(1)
    assert len(bars) > 5
    for rank, bar in enumerate(bars):
        loop = representative_loop(cloud, rank=rank)
        assert [loop.birth, loop.death] == bar.tolist()
        following = np.roll(loop.vertices, -1)
        assert np.linalg.norm(cloud[loop.vertices] - cloud[following], axis=1).max() <= loop.birth * (1 + 1e-6)
        which = np.flatnonzero(np.isclose(theirs["dgms"][1], bar, rtol=1e-6).all(axis=1))
        values = np.zeros((len(cloud), len(cloud)), dtype=int)
        (cocycle,) = (theirs["cocycles"][1][k] for k in which)
        values[cocycle[:, 0], cocycle[:, 1]] = values[cocycle[:, 1], cocycle[:, 0]] = cocycle[:, 2]
        assert values[loop.vertices, following].sum() % 2 == 1


@pytest.mark.parametrize("seed", range(5))
def test_a_loop_of_points_with_ties_and_duplicates_is_the_ring(seed):
    side = np.arange(6)
    ring = np.concatenate(
        [np.c_[side, 0 * side], np.c_[0 * side, side], np.c_[side, 0 * side + 5], np.c_[0 * side + 5, side]]
    )
    cloud = np.random.default_rng(seed).permutation(ring).astype(float)  # the corners stand twice
    loop = representative_loop(cloud)
    following = np.roll(loop.vertices, -1)
    assert np.linalg.norm(cloud[loop.vertices] - cloud[following], axis=1).max() == loop.birth == 1
    around = cloud[loop.vertices] - 2.5
    turns = np.angle(np.exp(1j * np.diff(np.arctan2(around[:, 1], around[:, 0]), append=np.nan)[:-1]))
    closing = np.arctan2(around[0, 1], around[0, 0]) - np.arctan2(around[-1, 1], around[-1, 0])
    assert abs(round((turns.sum() + np.angle(np.exp(1j * closing))) / (2 * np.pi))) == 1


def test_a_loop_of_no_bar_is_refused():
    with pytest.raises(InputError, match="rank"):
        representative_loop(np.zeros((3, 2)))
