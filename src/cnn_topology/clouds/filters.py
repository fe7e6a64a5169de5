"""Spatial filters as points on the sphere (weights paper, method, steps 1 to 4).

Every k x k slice of a convolution weight is one point of R^(k^2), whatever its network, output and input channel; it is
centred and divided by its norm, so that it lies on the unit sphere of the mean-zero patches, of 3x3 ones the 7-sphere.
"""

from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
from jaxtyping import Bool, Float, Int

from cnn_topology.checks import SIDES, SQUARED_IN_FLOAT64, real_array
from cnn_topology.errors import InputError, unknown
from cnn_topology.networks.patches import side_of
from cnn_topology.plan.clouds import Centre

# A filter counts as constant when centring leaves less than this part of it. Rounding of a constant filter leaves
# about 1e-16, one unit in the last place of one float32 entry 2e-8.
CONSTANT_BELOW = 1e-12
# The sum of the entries of a filter is 0 when it is less than this part of its norm, in float32.
NO_MEAN = 1e-6
# Filters are centred each by itself, or all by the mean filter.
CENTRES = get_args(Centre)


def spatial_filters(
    weight: np.ndarray, *, stacked: bool = False
) -> tuple[Float[np.ndarray, "points entries"], Int[np.ndarray, "points 3"]]:
    """List the spatial filters of one layer of a network, or of stacked networks.

    Parameters
    ----------
    weight : ndarray, shape (out, in, k, k), or (networks, out, in, k, k) if `stacked`
        Convolution weights in PyTorch's order of axes.
    stacked : bool
        Whether `weight` holds several networks. A shape cannot tell: a three-dimensional convolution has five axes too.

    Returns
    -------
    points : ndarray of float64, shape (networks out in, k^2)
        Entries row by row, as they are: neither centred nor normalized.
    ids : ndarray of int64, shape (networks out in, 3)
        Position in the stack (0 for one network), output channel and input channel of each point.

    Raises
    ------
    InputError
        If the kernels are not square or smaller than 3x3, the axes are in TensorFlow's order, there are more or fewer,
        or a weight is NaN or infinite.

    See Also
    --------
    centre_and_normalize : What the weights paper does with them next.

    Notes
    -----
    Weights paper, method, step 1: every pair of output and input channel is one point, of R^9 for the 3x3
    kernels of the paper. Larger kernels are ours.

    Examples
    --------
    Of a PyTorch model, ``weight = model.conv1.weight.detach().numpy()``.

    >>> import cnn_topology as ct
    >>> import numpy as np
    >>> weight = np.arange(4 * 2 * 9).reshape(4, 2, 3, 3)
    >>> points, ids = ct.spatial_filters(weight)
    >>> points.shape
    (8, 9)
    >>> points[3].tolist() == weight[1, 1].ravel().tolist(), ids[3].tolist()
    (True, [0, 1, 1])
    """
    array = real_array(weight, "convolution weights")
    side = array.shape[-1] if array.ndim else 0
    if array.ndim != (5 if stacked else 4) or array.shape[-2] != side or side < SIDES[0]:
        raise InputError(
            f"convolution weights have shape {array.shape}; filter clouds are made of square kernels, 3x3 or larger, "
            "(out, in, k, k) of one network, or (networks, out, in, k, k) with stacked=True: choose a layer with such "
            "kernels, or slices of a three-dimensional convolution"
        )
    rows, columns = array.shape[-4:-2]
    if rows == columns and rows in SIDES and side > SIDES[-1]:  # of as many output as input channels
        order = (0, 4, 3, 1, 2) if stacked else (3, 2, 0, 1)
        raise InputError(
            f"convolution weights have shape {array.shape}, as kernels of {rows}x{rows} in TensorFlow's order: pass "
            f"weight.transpose{order}, and the kernels as filters (points, k^2) where they are {side}x{side}"
        )
    if not stacked:
        array = array[np.newaxis]
    points = array.reshape(-1, side**2).astype(np.float64)
    _check_finite(points)
    ids = np.stack(np.unravel_index(np.arange(len(points)), array.shape[:3]), axis=1)
    return points, ids


def centre_and_normalize(
    points: Float[np.ndarray, "points entries"], centre: Centre = "filter"
) -> tuple[Float[np.ndarray, "kept entries"], Bool[np.ndarray, " points"]]:
    """Centre filters and divide them by their Euclidean norm; drop those of which centring leaves nothing.

    Parameters
    ----------
    points : ndarray, shape (points, entries)
        Filters.
    centre : {'filter', 'coordinate'}
        Subtract from each filter the mean of its entries (the paper), or from each of the coordinates its
        mean over the cloud (one re-implementation).

    Returns
    -------
    normalized : ndarray of float64, shape (kept, entries)
        Rows of norm 1, in the order of `points`.
    kept : ndarray of bool, shape (points,)
        False for the filters that were dropped: constant ones, or those equal to the mean filter.

    Raises
    ------
    InputError
        If they are no matrix, an entry is NaN or infinite, or all of a filter's are so small or large that its norm
        has no float64.

    Notes
    -----
    Weights paper, method, steps 2 to 4.

    Examples
    --------
    >>> import cnn_topology as ct
    >>> import numpy as np
    >>> edge, constant = np.array([-1.0, 0, 1] * 3), np.full(9, 5.0)
    >>> cloud, kept = ct.centre_and_normalize(np.stack([edge, constant, 7 * edge + 2]))
    >>> kept.tolist()
    [True, False, True]
    >>> bool(np.allclose(cloud[0], cloud[1]))  # brightness and contrast are gone
    True
    """
    if centre not in CENTRES:
        raise unknown("centre", centre, CENTRES)
    array = np.asarray(real_array(points, "filters"), dtype=np.float64)
    if array.ndim != 2:
        raise InputError(f"filters must be a matrix, one row per filter; got shape {array.shape}: see spatial_filters")
    _check_finite(array)
    _check_sizes(array)
    if not len(array):
        return array, np.zeros(0, dtype=bool)
    mean = array.mean(axis=1 if centre == "filter" else 0, keepdims=True)
    centred = array - mean
    norms = np.linalg.norm(centred, axis=1)
    # What rounding can leave grows with what was subtracted.
    scale = np.linalg.norm(array, axis=1) + np.linalg.norm(np.broadcast_to(mean, array.shape), axis=1)
    kept = norms > CONSTANT_BELOW * scale
    return centred[kept] / norms[kept, None], kept


def contrast_coordinates(
    points: Float[np.ndarray, "points entries"],
) -> tuple[Float[np.ndarray, "kept coordinates"], Bool[np.ndarray, " points"]]:
    """Return square patches of contrast norm 1 in coordinates whose Euclidean distance is that of the contrast norm.

    The contrast norm (D-norm) is the root of the sum of squared differences of neighbouring entries: rapid changes
    weigh more than in the Euclidean norm. Patches of natural images are compared by it.

    Parameters
    ----------
    points : ndarray, shape (points, entries)
        Patches of k^2 entries, row by row.

    Returns
    -------
    coordinates : ndarray of float64, shape (kept, k^2 - 1)
        Rows of norm 1, in the order of `points`, for `barcode` and `density_filter`.
    kept : ndarray of bool, shape (points,)
        False for constant patches, which were dropped.

    Raises
    ------
    InputError
        As `centre_and_normalize`; if patches are not square or smaller than 3x3.

    Notes
    -----
    Lee, Pedersen and Mumford, IJCV 54 (2003); Carlsson et al., IJCV 76 (2008). The coordinates are along the
    eigenvectors of the form (for 3x3 patches a basis of discrete cosines), scaled by the roots of its eigenvalues.

    Examples
    --------
    An edge and a finer pattern of the same variance: the pattern has more contrast, and both have norm 1.

    >>> import cnn_topology as ct
    >>> import numpy as np
    >>> edge, pattern = np.array([-1.0, 0, 1] * 3), np.array([0.0, 1, 0, 1, -4, 1, 0, 1, 0])
    >>> coordinates, kept = ct.contrast_coordinates(np.stack([edge, pattern]))
    >>> coordinates.shape, np.linalg.norm(coordinates, axis=1).round(6).tolist()
    ((2, 8), [1.0, 1.0])
    """
    centred, kept = centre_and_normalize(points)
    side = side_of(centred)
    if not side:
        raise InputError(f"patches must be square, 3x3 or larger: {centred.shape[1]} entries are no such patch")
    steps = np.diff(np.eye(side), axis=0)
    differences = np.concatenate([np.kron(np.eye(side), steps), np.kron(steps, np.eye(side))])
    values, vectors = np.linalg.eigh(differences.T @ differences)
    # The first eigenvector is the constant patch, of contrast 0.
    coordinates = centred @ (vectors[:, 1:] * np.sqrt(values[1:]))
    return coordinates / np.linalg.norm(coordinates, axis=1, keepdims=True), kept


@dataclass(frozen=True)
class LayerFilters:
    """The filters of one layer, over all networks pooled, without the constant ones.

    Attributes
    ----------
    points : ndarray, shape (points, entries)
        Centred and normalized.
    norms, means : ndarray, shape (points,)
        What normalizing divided each filter by, and the mean of its entries that centring took away: 0 where filters
        are centred by coordinate.
    channels : ndarray of int, shape (points,)
        Number of each filter's output channel, counted over all networks; numbers of their own where it is not known.
    centre : {'filter', 'coordinate'}
        How the filters were centred.
    """

    points: np.ndarray
    norms: np.ndarray
    means: np.ndarray
    channels: np.ndarray
    centre: Centre = "filter"

    @property
    def raw(self) -> Float[np.ndarray, "points entries"]:
        """The filters with norm and mean as they are in the networks; the mean of each coordinate may be missing."""
        return self.points * self.norms[:, None] + self.means[:, None]

    @property
    def has_means(self) -> bool:
        """Whether the filters have means: those that were centred before, or that training keeps at 0, have none."""
        raw = self.raw
        return bool(np.any(np.abs(raw.sum(axis=1)) > NO_MEAN * np.linalg.norm(raw, axis=1)))

    @property
    def has_blocks(self) -> bool:
        """Whether there are several output channels, of which one has several filters."""
        return 1 < len(np.unique(self.channels)) < len(self.channels)


def norms_and_means(
    points: Float[np.ndarray, "points entries"], centre: Centre = "filter"
) -> tuple[Float[np.ndarray, " points"], Float[np.ndarray, " points"]]:
    """Compute what `centre_and_normalize` takes away of each filter.

    Parameters
    ----------
    points : ndarray, shape (points, entries)
        Filters as they are in the networks.
    centre : {'filter', 'coordinate'}
        As for `centre_and_normalize`.

    Returns
    -------
    norms, means : ndarray, shape (points,)
        As in `LayerFilters`.
    """
    mean = points.mean(axis=1 if centre == "filter" else 0, keepdims=True)
    norms = np.linalg.norm(points - mean, axis=1)
    return norms, mean[:, 0] if centre == "filter" else np.zeros(len(points))


def channel_numbers(ids: Int[np.ndarray, "points 3"]) -> Int[np.ndarray, " points"]:
    """Compute a number for the output channel of each filter, counted over all networks.

    Parameters
    ----------
    ids : ndarray of int, shape (points, 3)
        Network, output channel and input channel of each filter.

    Returns
    -------
    ndarray of int, shape (points,)
        From 0, by network and output channel.
    """
    return np.unique(ids[:, :2], axis=0, return_inverse=True)[1].ravel()


def layer_filters(filters: np.ndarray, centre: Centre = "filter") -> LayerFilters:
    """Return a convolution weight, or filters, as points on a unit sphere, with what nulls need to know.

    Parameters
    ----------
    filters : ndarray, shape (out, in, k, k) or (points, k^2)
        The weight of a convolution in PyTorch's order of axes, filters as rows, or filters that were
        normalized before, which stay as they are to the last bit.
    centre : {'filter', 'coordinate'}
        As for `centre_and_normalize`.

    Returns
    -------
    LayerFilters
        Without the filters of which centring leaves nothing.

    Raises
    ------
    InputError
        If the shape is another, an entry is NaN or infinite, or fewer than two filters are left.
    """
    array = real_array(filters, "filters")
    if array.ndim == 2 and side_of(array):
        raw, channels = array.astype(np.float64), np.arange(len(array))
    elif array.ndim == 2:
        raise InputError(f"filters have shape (points, k^2), 9 entries each of 3x3 kernels; got shape {array.shape}")
    else:
        raw, ids = spatial_filters(array)
        channels = channel_numbers(ids)
    points, alive = raw, np.ones(len(raw), dtype=bool)
    norms, means = np.ones(len(raw)), np.zeros(len(raw))
    if centre not in CENTRES or not _is_normalized(raw, centre):
        points, alive = centre_and_normalize(raw, centre)
        norms, means = norms_and_means(raw, centre)
    if len(points) < 2:
        raise InputError(
            f"{len(points)} of the filters are not constant, and a cloud has two at least: choose another layer"
        )
    return LayerFilters(points, norms[alive], means[alive], channels[alive], centre)


def _is_normalized(points: np.ndarray, centre: str) -> bool:
    """Whether all filters have norm 1, and mean 0 where each is centred by itself."""
    if not np.isfinite(points).all() or not np.allclose(np.linalg.norm(points, axis=1), 1, rtol=0, atol=1e-9):
        return False
    return centre == "coordinate" or np.allclose(points.mean(axis=1), 0, rtol=0, atol=1e-9)


def _check_sizes(points: np.ndarray) -> None:
    sizes = np.abs(points).max(axis=1, initial=0)
    low, high = SQUARED_IN_FLOAT64
    bad = np.flatnonzero(((sizes > 0) & (sizes < low)) | (sizes > high))
    if bad.size:
        raise InputError(
            f"the largest weight of {bad.size} of {len(points)} filters is too small or too large to be squared, "
            f"{sizes[bad[0]]:.3g} of filter {bad[0]}: multiply all weights by a power of 2 (numpy.ldexp)"
        )


def _check_finite(points: Any) -> None:
    bad = np.flatnonzero(~np.isfinite(points).all(axis=1))
    if bad.size:
        raise InputError(
            f"{bad.size} of {len(points)} filters hold NaN or infinite weights, first number {bad[0]}: leave out "
            "networks whose training failed"
        )
