"""What every public function that reads arrays of numbers refuses, in place of reading something else."""

import numpy as np
import pytest
import torch

from cnn_topology.clouds.density import densest_points, density_filter
from cnn_topology.clouds.filters import centre_and_normalize, layer_filters, spatial_filters
from cnn_topology.clouds.neighbours import neighbour_distances
from cnn_topology.clouds.plane import principal_coordinates
from cnn_topology.comparison.clouds import SampledCloud
from cnn_topology.errors import InputError
from cnn_topology.mapper.clustering import Dbscan
from cnn_topology.mapper.cover import OverlapCover
from cnn_topology.mapper.graph import mapper_graph
from cnn_topology.mapper.lenses import norm_lens, pca_lens
from cnn_topology.mapper.metric import elbow_eps, variance_normalized
from cnn_topology.mapper.recipes import mapper_of_activations, mapper_of_filters
from cnn_topology.statistics.circles import circles
from cnn_topology.statistics.coefficients import mean_ranks
from cnn_topology.statistics.loops import loops
from cnn_topology.topology.circles import near_circles, nearest_model
from cnn_topology.topology.klein import edge_angles, klein_angles, klein_coordinates
from cnn_topology.topology.landmarks import landmarks_maxmin
from cnn_topology.topology.persistence import barcode
from cnn_topology.topology.representative_loop import representative_loop
from cnn_topology.topology.sliced_wasserstein import sliced_wasserstein

RANDOM = np.random.default_rng(0)
CLOUD = RANDOM.normal(size=(12, 9))
FILTERS = CLOUD / np.linalg.norm(CLOUD, axis=1, keepdims=True)
SQUARE = np.abs(CLOUD[:, None] - CLOUD).sum(axis=2)
RING = np.exp(1j * np.arange(12)).view(np.float64).reshape(12, 2)
LENS = CLOUD[:, :1]

# By name: the function of the one array that is spoilt, and a good one.
ENTRANCES = {
    "barcode": (barcode, CLOUD),
    "barcode square": (lambda a: barcode(distances=a), SQUARE),
    "barcode condensed": (lambda a: barcode(distances=a), SQUARE[np.triu_indices(12, 1)]),
    "representative_loop": (representative_loop, RING),
    "landmarks_maxmin": (lambda a: landmarks_maxmin(a, 3), CLOUD),
    "neighbour_distances": (lambda a: neighbour_distances(a, [2]), CLOUD),
    "densest_points": (lambda a: densest_points(a, 0.5), CLOUD[:, 0] ** 2),
    "density_filter": (lambda a: density_filter(a, 2, 0.5), CLOUD),
    "loops": (lambda a: loops(a, k=2, p=1.0), CLOUD),
    "circles": (lambda a: circles(a, k=2, p=1.0), CLOUD),
    "spatial_filters": (spatial_filters, CLOUD.reshape(4, 3, 3, 3)),
    "centre_and_normalize": (centre_and_normalize, CLOUD),
    "principal_coordinates": (principal_coordinates, CLOUD),
    "pca_lens": (pca_lens, CLOUD),
    "norm_lens": (norm_lens, CLOUD),
    "variance_normalized": (variance_normalized, CLOUD),
    "elbow_eps": (lambda a: elbow_eps(a, 0), CLOUD),
    "mapper_graph": (lambda a: mapper_graph(a, LENS, OverlapCover(3), Dbscan(5.0, 1)), CLOUD),
    "mapper_graph lens": (lambda a: mapper_graph(CLOUD, a, OverlapCover(3), Dbscan(5.0, 1)), LENS),
    "mapper_of_filters": (lambda a: mapper_of_filters(a, metric="euclidean"), CLOUD),
    "mapper_of_activations": (lambda a: mapper_of_activations(a, OverlapCover(), eps=5.0), CLOUD),
    "SampledCloud": (lambda a: SampledCloud(a, np.arange(12)), CLOUD),
    "sliced_wasserstein": (lambda a: sliced_wasserstein(a, np.array([[0.0, 1.0]])), np.sort(np.abs(CLOUD[:, :2]))),
    "mean_ranks": (mean_ranks, CLOUD),
    "klein_coordinates": (klein_coordinates, FILTERS),
    "near_circles": (near_circles, CLOUD),
    "nearest_model": (nearest_model, FILTERS),
}
SPOILT = {
    "masked": lambda good: np.ma.masked_array(good, np.arange(good.size).reshape(good.shape) == 2),
    "rows of which some are masked": lambda good: [*good[:-1], np.ma.masked_array(good[-1], good[-1] == good[-1])],
    "complex": lambda good: good * (1 + 1j),
    "text": lambda good: good.astype(str),
    "objects": lambda good: good.astype(object),
    "a tensor with a gradient": lambda good: torch.tensor(good, requires_grad=True),
    "a tensor of a type that NumPy lacks": lambda good: torch.tensor(good).bfloat16(),
    "a tensor that is elsewhere": lambda good: torch.tensor(good, device="meta"),
}


@pytest.mark.parametrize("spoilt", SPOILT)
@pytest.mark.parametrize("entrance", ENTRANCES)
def test_arrays_that_are_no_plain_numbers_are_refused(entrance, spoilt):
    use, good = ENTRANCES[entrance]
    use(good)
    use(np.ma.masked_array(good, False))
    use(good.tolist())
    with pytest.raises(InputError):
        use(SPOILT[spoilt](good))


# Of these one axis is enough.
LINES = {"barcode square", "barcode condensed", "densest_points", "mean_ranks"}


@pytest.mark.parametrize("spoilt", [lambda good: good.ravel(), lambda good: 3.0, lambda good: None])
@pytest.mark.parametrize("entrance", sorted(set(ENTRANCES) - LINES))
def test_what_is_no_matrix_is_refused(entrance, spoilt):
    use, good = ENTRANCES[entrance]
    with pytest.raises(InputError):
        use(spoilt(good))


def test_arguments_of_another_kind_are_refused_by_their_name():
    for name, use in {
        "ks": lambda: neighbour_distances(CLOUD, 3),
        "threads": lambda: density_filter(CLOUD, 2, 0.5, threads=1.5),
        "seed": lambda: loops(CLOUD, k=2, p=1.0, seed=1.5),
        "cover": lambda: mapper_of_filters(CLOUD, cover=3),
        "clustering": lambda: mapper_of_filters(CLOUD, clustering="dbscan"),
        "metric": lambda: mapper_of_filters(CLOUD, metric=None),
        "engine": lambda: barcode(CLOUD, engine=3),
    }.items():
        with pytest.raises(InputError, match=name):
            use()


def test_masked_ids_are_refused():
    with pytest.raises(InputError, match="masked"):
        SampledCloud(CLOUD, np.ma.masked_equal(np.arange(12), 4))


@pytest.mark.parametrize("factor", [1e-170, 1e170])
@pytest.mark.parametrize(
    "entrance",
    ["centre_and_normalize", "principal_coordinates", "pca_lens", "norm_lens", "variance_normalized", "elbow_eps",
     "barcode", "landmarks_maxmin", "mapper_graph", "representative_loop"],
)  # fmt: skip
def test_clouds_whose_squares_vanish_or_overflow_are_refused(entrance, factor):
    use, good = ENTRANCES[entrance]
    with pytest.raises(InputError, match="ldexp"):
        use(good * factor)


def test_numbers_of_numpy_are_read_as_those_of_python():
    points = RANDOM.normal(size=(200, 9))
    for k, same in ((6, np.int64(6)), (float(np.float32(0.03)), np.float32(0.03))):
        assert density_filter(points, k, 0.3).tolist() == density_filter(points, same, 0.3).tolist()


@pytest.mark.parametrize("k", ["6", None, [6]])
def test_neighbours_that_are_no_number_are_refused(k):
    with pytest.raises(InputError, match="k = "):
        density_filter(CLOUD, k, 0.3)


def test_a_share_that_is_no_number_is_refused():
    with pytest.raises(InputError, match="must be a number"):
        densest_points(np.arange(9.0), "0.5")


@pytest.mark.parametrize("of", [centre_and_normalize, layer_filters])
def test_an_unknown_way_of_centring_is_refused_with_the_nearest(of):
    with pytest.raises(InputError, match=r"'filters'.*'filter'"):
        of(np.random.default_rng(0).normal(size=(8, 9)), "filters")


@pytest.mark.parametrize("of", [klein_coordinates, klein_angles, edge_angles, nearest_model])
def test_filters_of_no_square_number_of_entries_are_refused_by_their_shape(of):
    with pytest.raises(InputError, match=r"\(points, k\^2\).*\(12, 8\)"):
        of(FILTERS[:, :8])


def test_a_masked_number_is_refused():
    with pytest.raises(InputError, match="threshold"):
        barcode(CLOUD, threshold=np.ma.masked)


def test_neighbours_in_clouds_whose_sums_overflow_are_refused():
    with pytest.raises(InputError, match="ldexp"):
        density_filter(np.ldexp(CLOUD, 1020), 2, 0.5)
    assert density_filter(np.ldexp(CLOUD, 900), 2, 0.5).tolist() == density_filter(CLOUD, 2, 0.5).tolist()


@pytest.mark.parametrize("use", [loops, circles])
def test_seeds_and_keys_of_clouds_draw_the_same_in_numpys_types(use):
    """The seed of a draw is made of the type of each part: an integer of NumPy drew other clouds of noise."""
    layer = np.random.default_rng(0).normal(size=(400, 9))
    options = {"k": 5, "p": 0.3, "draws": 19, "seed": 3, "cloud": ("a", "b", 4)} | (
        {"alpha": 0.1} if use is loops else {}
    )

    def of(test):
        return test.permuted.tolist() if use is circles else test.tests["permuted"]

    expected = of(use(layer, **options))
    assert of(use(layer, **options | {"seed": np.int64(3), "cloud": (np.str_("a"), "b", np.int32(4))})) == expected
    for odd in ({"seed": None}, {"seed": 3.0}, {"cloud": ("a", "b")}, {"cloud": ("a", "b", "4")}, {"cloud": None}):
        with pytest.raises(InputError, match=next(iter(odd))):
            use(layer, **options | odd)


def test_one_null_may_be_named_by_its_name():
    layer = np.random.default_rng(0).normal(size=(400, 9))
    found = loops(layer, k=5, p=0.3, draws=19, alpha=0.1, nulls="permuted", also="sphere")
    assert (list(found.tests), list(found.also)) == (["permuted"], ["sphere"])


@pytest.mark.parametrize("entrance", ["loops", "circles", "spatial_filters"])
def test_kernels_of_tensorflow_with_as_many_channels_in_and_out_are_refused(entrance):
    """They are square in both orders: nine filters of 16x16 were read in place of 256 of 3x3."""
    use, keras = ENTRANCES[entrance][0], RANDOM.normal(size=(3, 3, 16, 16))
    with pytest.raises(InputError, match=r"weight\.transpose\(3, 2, 0, 1\)"):
        use(keras)
    use(keras.transpose(3, 2, 0, 1))
    points, _ = spatial_filters(np.stack([keras.transpose(3, 2, 0, 1)] * 2), stacked=True)
    assert points.shape == (512, 9)
    with pytest.raises(InputError, match=r"weight\.transpose\(0, 4, 3, 1, 2\)"):
        spatial_filters(np.stack([keras] * 2), stacked=True)
