"""Random clouds in place of a layer's filters: what each null keeps of them, and what it destroys."""

from collections.abc import Callable
from functools import partial
from math import isqrt

import numpy as np
from jaxtyping import Float, Int

from cnn_topology.clouds.filters import LayerFilters, centre_and_normalize
from cnn_topology.errors import InputError, unknown
from cnn_topology.plan.clouds import Centre

MakeCloud = Callable[[np.random.Generator], np.ndarray]

# A second moment below this is rounding: centred filters have none along the constant one.
NO_MOMENT = 1e-12
# Of the search for the variances behind second moments; some tens are needed.
MOST_ROUNDS = 1_000
# Of the search for a scatter matrix: there is none where half of the filters lie on one plane, and it is near by then.
SCATTER_ROUNDS = 25
# Of the search for given second moments, which ends when they are met up to this, over the root of the filters: moments
# differ fifty times as much from draw to draw.
MOMENT_ROUNDS, MOMENT_ERROR = 25, 0.02


def sphere_null_cloud(
    points: int, rng: np.random.Generator, centre: Centre = "filter", entries: int = 9
) -> Float[np.ndarray, "points entries"]:
    """Draw Gaussian filters, centred and normalized: uniform on a sphere for ``centre='filter'``.

    Parameters
    ----------
    points : int
    rng : numpy.random.Generator
    centre : {'filter', 'coordinate'}
        How filters are centred.
    entries : int
        Of a filter: 9 of 3x3 kernels.

    Returns
    -------
    ndarray, shape (points, entries)
    """
    return centre_and_normalize(rng.standard_normal((points, entries)), centre)[0]


def _normalized(draw: MakeCloud, centre: Centre) -> MakeCloud:
    """Return what draws filters, then centres and normalizes them."""
    return lambda rng: centre_and_normalize(draw(rng), centre)[0]


def permuted_null(filters: Float[np.ndarray, "points entries"], centre: Centre = "filter") -> MakeCloud:
    """Return what shuffles the entries of each filter independently, then centres and normalizes.

    The null keeps the values of every filter and destroys their arrangement in the plane.

    Parameters
    ----------
    filters : ndarray, shape (points, entries)
        The layer's filters. Runs pass them normalized; for ``centre='filter'`` the cloud is the same without.
    centre : {'filter', 'coordinate'}
        How filters are centred.

    Returns
    -------
    callable
        From a random generator to a cloud, ndarray of shape (kept, entries).
    """
    return _normalized(lambda rng: rng.permuted(filters, axis=1), centre)


def covariance_null(filters: Float[np.ndarray, "points entries"], centre: Centre = "filter") -> MakeCloud:
    """Return what draws as many Gaussian filters that have a layer's own second moments once they are normalized.

    The null keeps which directions the filters favour and destroys all else of their arrangement (ours). Two
    strong principal components alone make a circle of it, so that a test against it has little power where the layer's
    own filters are a noisy circle: of 20 such clouds none had p <= 0.5. Only a small p says something. Normalized
    Gaussian filters are distributed as any others of an elliptical distribution (the angular central Gaussian one;
    Tyler, Biometrika 74, 1987), so nothing is said of the lengths that the layer's filters had.

    Parameters
    ----------
    filters : ndarray, shape (points, entries)
        The layer's filters, normalized.
    centre : {'filter', 'coordinate'}
        How filters are centred.

    Returns
    -------
    callable
        From a random generator to a cloud, ndarray of shape (kept, entries).
    """
    moments, axes = np.linalg.eigh(filters.T @ filters / len(filters))
    # The symmetric root: the signs of the axes, which hardware may change, cancel.
    root = (axes * np.sqrt(gaussian_variances(moments))) @ axes.T
    return _normalized(lambda rng: rng.standard_normal(filters.shape) @ root, centre)


def gaussian_variances(moments: Float[np.ndarray, " axes"]) -> Float[np.ndarray, " axes"]:
    """Compute the variances of a Gaussian whose normalized draws have given second moments along its axes.

    Normalizing evens the axes out: E[v_i z_i^2 / sum_j v_j z_j^2] is the integral over t > 0 of
    v_i / (1 + 2 v_i t) times the product over j of (1 + 2 v_j t)^(-1/2). Variances are raised and lowered by what it
    lacks until it is met.

    Parameters
    ----------
    moments : ndarray, shape (axes,)
        Of points on the unit sphere: 0 or more (but for rounding), with sum 1.

    Returns
    -------
    ndarray
        With sum 1; 0 where there is no moment.
    """
    wanted = np.where(moments > NO_MOMENT, moments, 0.0)
    wanted /= wanted.sum()
    variances = wanted.copy()
    # t = exp(u): the integrand falls off on both sides; an even grid is then exact far beyond what is asked for.
    t = np.exp(np.linspace(-30, 60, 1_801))[:, None]
    for _ in range(MOST_ROUNDS):
        grown = 1 + 2 * variances * t
        with np.errstate(over="ignore"):  # of many entries the product is infinite at large t: the density is 0 there
            density = t / np.sqrt(np.prod(grown, axis=1, keepdims=True))
        found = np.sum(variances / grown * density, axis=0) * (90 / 1_800)
        if np.abs(found - wanted).max() < 1e-9:
            break
        variances *= np.divide(wanted, found, out=np.zeros_like(wanted), where=wanted > 0)
        variances /= variances.sum()
    return variances


def lowpass_null(raw: Float[np.ndarray, "points entries"], centre: Centre = "filter") -> MakeCloud:
    """Return what draws patches of a Gaussian random field with the layer's own stationary autocorrelation.

    The null keeps how alike the entries of a filter are at each distance and direction, the mean R(lag) of
    w(x) w(x + lag) over all filters and places x, and destroys all else: a loop longer than its loops is not made by
    smoothness alone (ours). The means of the filters are part of R, since a smooth field has large ones. Without them
    the null would be a rougher field, which smooth fields beat at the least p-value in 9 of 12 trials.

    Parameters
    ----------
    raw : ndarray, shape (points, entries)
        The layer's filters, with their means and norms.
    centre : {'filter', 'coordinate'}
        How filters are centred.

    Returns
    -------
    callable
        From a random generator to a cloud, ndarray of shape (kept, entries).
    """
    variances, axes = np.linalg.eigh(stationary(raw.T @ raw / len(raw)))
    # Averages over unequally many pairs of entries may leave a variance below zero.
    root = (axes * np.sqrt(np.maximum(variances, 0))) @ axes.T
    return _normalized(lambda rng: rng.standard_normal(raw.shape) @ root, centre)


def stationary(moments: Float[np.ndarray, "entries entries"]) -> Float[np.ndarray, "entries entries"]:
    """Compute the mean of second moments of square filters over all pairs of entries with the same lag.

    Parameters
    ----------
    moments : ndarray, shape (entries, entries)

    Returns
    -------
    ndarray, shape (entries, entries)
        The nearest matrix, in squares, that depends on the lag alone.
    """
    side = isqrt(len(moments))
    row, column = np.divmod(np.arange(len(moments)), side)
    # Lags as numbers from 0, each of which some pair has.
    lag = (2 * side - 1) * (row[:, None] - row + side - 1) + column[:, None] - column + side - 1
    return (np.bincount(lag.ravel(), moments.ravel()) / np.bincount(lag.ravel()))[lag]


def block_null(
    points: Float[np.ndarray, "points entries"], channels: Int[np.ndarray, " points"], centre: Centre = "filter"
) -> MakeCloud:
    """Return what shuffles the entries of all filters of an output channel in one way, then centres, normalizes.

    A filter x_i of output channel b becomes (x_i[s_b(1)], x_i[s_b(2)], ...) with one random permutation s_b for each
    channel of each network (ours). The permuted null, with a permutation for each filter, takes filters as independent:
    where those of a channel are alike, its draws are too spread out, and p <= .05 occurs in .22 of layers without a
    loop. This one keeps the inner products within a channel. The counterpart for the sphere null turns each channel by
    a random rotation, x_i -> Q_b x_i with Q_b uniform among the rotations that keep the constant filter; permutations
    are some of these rotations, and keep the values of every filter too.

    Parameters
    ----------
    points : ndarray, shape (points, entries)
        The layer's filters, normalized.
    channels : ndarray of int, shape (points,)
        Number of each filter's output channel, counted over all networks.
    centre : {'filter', 'coordinate'}
        How filters are centred.

    Returns
    -------
    callable
        From a random generator to a cloud, ndarray of shape (kept, entries).
    """
    _, places = np.unique(channels, return_inverse=True)
    return _normalized(lambda rng: _shuffled(points, places, rng), centre)


def whitened_null(points: Float[np.ndarray, "points entries"], channels: Int[np.ndarray, " points"]) -> MakeCloud:
    """Return what shuffles the entries of whitened filters, a channel in one way, and gives back the second moments.

    The null keeps the second moments of the layer, up to `MOMENT_ERROR`, and of the whitened filters their values and
    how alike those of a channel are; it destroys which entries go together (ours). Filters of any elliptical
    distribution pass for their own null, and so do filters with independent entries of any distribution, uniform or
    heavy-tailed. Without the moments given back the draws would have the sample's axes, which differ more in length
    than those of the distribution do, spread once more: of layers of independent Gaussian weights a test had p <= .05
    in a fifth.

    Parameters
    ----------
    points : ndarray, shape (points, entries)
        The layer's filters, normalized.
    channels : ndarray of int, shape (points,)
        As for `block_null`.

    Returns
    -------
    callable
        From a random generator to a cloud, ndarray of shape (points, entries).
    """
    _, places = np.unique(channels, return_inverse=True)
    moments, axes = np.linalg.eigh(points.T @ points / len(points))
    moments, axes = moments[moments > NO_MOMENT], axes[:, moments > NO_MOMENT]
    along = points @ axes
    scatter = _scatter(along)
    white = _directions(along @ _power(scatter, -0.5)) @ axes.T
    colour = axes @ _power(scatter, 0.5)

    def cloud(rng: np.random.Generator) -> Float[np.ndarray, "points entries"]:
        drawn = _directions(_shuffled(white, places, rng) @ colour)
        for _ in range(MOMENT_ROUNDS):
            own = drawn.T @ drawn / len(drawn)
            if np.abs(own - np.diag(moments)).max() < MOMENT_ERROR / np.sqrt(len(drawn)):
                break
            drawn = _directions(drawn @ _power(own, -0.5) * np.sqrt(moments))
        return drawn @ axes.T

    return cloud


def _shuffled(
    points: Float[np.ndarray, "points entries"], places: Int[np.ndarray, " points"], rng: np.random.Generator
) -> Float[np.ndarray, "points entries"]:
    """Shuffle the entries of filters, all of a place in one way."""
    orders = rng.permuted(np.tile(np.arange(points.shape[1]), (int(places.max()) + 1, 1)), axis=1)
    return np.take_along_axis(points, orders[places], axis=1)


def _directions(points: Float[np.ndarray, "points axes"]) -> Float[np.ndarray, "points axes"]:
    """Divide points by their norms; one at the origin, as shuffling makes of filters on one line, stays there."""
    return points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), NO_MOMENT)


def _scatter(points: Float[np.ndarray, "points axes"]) -> Float[np.ndarray, "axes axes"]:
    """Compute the scatter matrix of directions (Tyler, Annals of Statistics 15, 1987), by which they are whitened."""
    scatter = np.eye(points.shape[1])
    for _ in range(SCATTER_ROUNDS):
        before = scatter
        weights = 1 / np.sum(points @ np.linalg.inv(scatter) * points, axis=1)
        scatter = (points.T * weights) @ points
        scatter *= len(scatter) / np.trace(scatter)
        if np.abs(scatter - before).max() < 1e-6:
            break
    return scatter


def _power(matrix: Float[np.ndarray, "axes axes"], exponent: float) -> Float[np.ndarray, "axes axes"]:
    """Raise a symmetric matrix to a power; the signs of its axes, which hardware may change, cancel."""
    values, axes = np.linalg.eigh(matrix)
    return (axes * np.maximum(values, NO_MOMENT) ** exponent) @ axes.T


def block_ratio(points: Float[np.ndarray, "points entries"], channels: Int[np.ndarray, " points"]) -> float:
    """Compute how much more alike the filters of one output channel are than those of different ones.

    Parameters
    ----------
    points, channels
        As for `block_null`.

    Returns
    -------
    float
        Mean squared cosine of two filters of one channel over that of two filters of different channels; about 1 where
        filters are independent, NaN where no channel, or only one, has two filters.
    """
    _, places, counts = np.unique(channels, return_inverse=True, return_counts=True)
    order = np.argsort(places, kind="stable")
    parts = np.split(points[order], np.cumsum(counts)[:-1])
    # The sum of (x . y)^2 over all pairs of a set is the squared norm of its matrix of second moments.
    inside = sum(float(np.sum((part.T @ part) ** 2)) for part in parts)
    total = float(np.sum((points.T @ points) ** 2))
    within = int(np.sum(counts * (counts - 1)))
    between = len(points) * (len(points) - 1) - within
    if not within or not between:
        return float("nan")
    return (inside - len(points)) / within / ((total - inside) / between)


def needs(name: str, layer: LayerFilters) -> str:
    """Describe what a null needs that is not known of a layer; empty where it can be drawn.

    Parameters
    ----------
    name : str
        Of `NULLS`.
    layer : LayerFilters

    Returns
    -------
    str
    """
    if name == "lowpass" and not layer.has_means:
        return "the means of the filters, and all filters have mean 0"
    if name == "block" and not layer.has_blocks:
        return "several output channels and several filters of one, and no such are known"
    return ""


# From the layer's filters to what draws a cloud. `sphere` depends on the number of filters and of their entries
# alone and is drawn once for all layers.
NULLS: dict[str, Callable[[LayerFilters], MakeCloud]] = {
    "sphere": lambda layer: partial(
        sphere_null_cloud, len(layer.points), centre=layer.centre, entries=layer.points.shape[1]
    ),
    "permuted": lambda layer: permuted_null(layer.points, layer.centre),
    "covariance": lambda layer: covariance_null(layer.points, layer.centre),
    "lowpass": lambda layer: lowpass_null(layer.raw, layer.centre),
    "block": lambda layer: block_null(layer.points, layer.channels, layer.centre),
}


def null_cloud(name: str, layer: LayerFilters) -> MakeCloud:
    """Return what draws clouds of a null for a layer.

    Parameters
    ----------
    name : str
        Of `NULLS`.
    layer : LayerFilters

    Returns
    -------
    callable
        From a random generator to a cloud.

    Raises
    ------
    InputError
        If there is no null of that name, or it needs what is not known of the layer.
    """
    if name not in NULLS:
        raise unknown("null", name, NULLS)
    if lacking := needs(name, layer):
        raise InputError(f"the null `{name}` needs {lacking}: leave it out of `nulls`")
    return NULLS[name](layer)
