"""One interface for all measures that compare two layers; each is registered here, once.

A measure says whether it is a distance (0 for equal layers, larger is more different) or a similarity (1 for equal
layers), whether it is symmetric, what it does not see, and how many samples it needs. Those on clouds take
`SampledCloud`; the topological ones take the finite H1 bars of each layer, computed before.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from cnn_topology.comparison.alignment import (
    FEWEST_DEBIASED,
    aligned,
    centred,
    debiased_cka,
    debiased_gram,
    linear_cka,
    linear_cka_distance,
    procrustes_distance,
)
from cnn_topology.comparison.canonical_correlations import (
    all_directions,
    cca_distance,
    fewest_samples,
    leading_directions,
    pwcca_distance,
)
from cnn_topology.comparison.clouds import SampledCloud, check_same_samples
from cnn_topology.errors import InputError, check_known
from cnn_topology.topology.matchings import bottleneck, wasserstein
from cnn_topology.topology.sliced_wasserstein import checked_diagram, sliced_wasserstein, sliced_wasserstein_matrix

Kind = Literal["distance", "similarity"]
Invariance = Literal["orthogonal", "scaling", "linear"]

# A value nearer than this to that of equal layers is rounding: sums of thousands of products carry errors of 1e-13.
ROUNDING = 1e-12

# Of two samples the centred points of any two layers are the same but for scale and rotation: equal to every measure.
FEWEST = 3


@dataclass(frozen=True)
class Measure:
    """One way to compare two layers.

    Of a measure on clouds the tests ask besides that it ignores where a cloud lies (a shift of all its points) and the
    order of samples, and that it is invariant and symmetric exactly where it says so here.

    Attributes
    ----------
    name : str
    invariant : tuple of {'orthogonal', 'scaling', 'linear'}
        Maps of the features of one layer that do not change the value: rotations and reflections, scaling by a
        number, any invertible linear map. Of diagrams: a map of the points they were made from.
    prepare : callable
        The part of the computation that belongs to one layer, done once.
    function : callable
        From two prepared layers to the value.
    kind : {'distance', 'similarity'}
    symmetric : bool
        Exchanging the layers changes nothing.
    takes : {'clouds', 'diagrams', 'scaled diagrams'}
        Clouds on the same samples; finite H1 bars; finite H1 bars over the median distance of the cloud's points.
    minimum_samples : callable
        Of a measure on clouds: from both prepared layers to the fewest samples that it needs.
    matrix : callable, optional
        From layers, others or None, and threads to all values at once, where pairs share work.
    """

    name: str
    invariant: tuple[Invariance, ...]
    prepare: Callable[[Any], Any]
    function: Callable[[Any, Any], float]
    kind: Kind = "distance"
    symmetric: bool = True
    takes: Literal["clouds", "diagrams", "scaled diagrams"] = "clouds"
    minimum_samples: Callable[[Any, Any], int] = lambda first, second: FEWEST
    matrix: Callable[..., np.ndarray] | None = None

    @property
    def of_equals(self) -> float:
        """The value of a layer against itself."""
        return 0.0 if self.kind == "distance" else 1.0


def _diagram(bars: Any) -> np.ndarray:
    return checked_diagram(bars, "an H1 diagram")


_TURN_AND_SCALE: tuple[Invariance, ...] = ("orthogonal", "scaling")
_LINEAR: tuple[Invariance, ...] = ("orthogonal", "scaling", "linear")
_SLICED = partial(Measure, prepare=_diagram, function=sliced_wasserstein, matrix=sliced_wasserstein_matrix)

MEASURES = {
    measure.name: measure
    for measure in (
        Measure("linear_cka", _TURN_AND_SCALE, aligned, linear_cka, "similarity"),
        Measure("linear_cka_distance", _TURN_AND_SCALE, aligned, linear_cka_distance),
        Measure(
            "debiased_cka", _TURN_AND_SCALE, debiased_gram, debiased_cka, "similarity",
            minimum_samples=lambda first, second: FEWEST_DEBIASED,
        ),
        Measure("cca_distance", _LINEAR, all_directions, cca_distance, minimum_samples=fewest_samples),
        Measure("svcca_distance", _TURN_AND_SCALE, leading_directions, cca_distance, minimum_samples=fewest_samples),
        # The weights look at the features of the first layer, in the coordinates given: of a linear map only scaling
        # leaves them alone. A linear map of the second layer changes nothing.
        Measure(
            "pwcca_distance", ("scaling",), all_directions, pwcca_distance,
            symmetric=False, minimum_samples=fewest_samples,
        ),
        Measure("procrustes_distance", _TURN_AND_SCALE, centred, procrustes_distance),
        _SLICED("sliced_wasserstein", ("orthogonal",), takes="diagrams"),
        # Bars over the median distance of the points: shape alone, without the scale of the layer (ours, Q9).
        _SLICED("scaled_sliced_wasserstein", _TURN_AND_SCALE, takes="scaled diagrams"),
        Measure("bottleneck", ("orthogonal",), _diagram, bottleneck, takes="diagrams"),
        Measure("wasserstein", ("orthogonal",), _diagram, wasserstein, takes="diagrams"),
    )
}  # fmt: skip


def measure_named(name: str) -> Measure:
    """Return the registered measure of that name.

    Parameters
    ----------
    name : str
        A key of `MEASURES`.

    Returns
    -------
    Measure

    Raises
    ------
    InputError
        If there is none; it names the nearest.
    """
    check_known("measure", name, MEASURES)
    return MEASURES[name]


def compare(name: str, first: Any, second: Any) -> float:
    """Compare two layers by one measure.

    Parameters
    ----------
    name : str
        A key of `MEASURES`.
    first, second : SampledCloud, or ndarray of shape (bars, 2)
        What the measure takes: clouds on the same samples, or finite H1 bars.

    Returns
    -------
    float
        Exactly 0 (a distance) or 1 (a similarity) where the layers are equal up to rounding.

    Raises
    ------
    InputError
        If there is no such measure, or it takes something else; if ids or order of the samples differ, samples are too
        few for the measure (it says how many are needed) or all features of a layer are constant; if a bar is infinite.

    Notes
    -----
    ``linear_cka`` and its distance: Kornblith et al. 2019; ``debiased_cka`` without its bias at few samples;
    ``cca_distance``, ``svcca_distance``, ``pwcca_distance``: canonical correlations; ``procrustes_distance``: the
    distance after the best rotation. ``sliced_wasserstein`` of the H1 bars is that of the activations paper;
    ``scaled_sliced_wasserstein`` takes bars divided by the median distance of the points (ours). ``bottleneck`` and
    (2-)``wasserstein`` match the bars.

    Examples
    --------
    A rotation of the features changes no distance between images, and no linear CKA.

    >>> import cnn_topology as ct
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> activations, images = rng.normal(size=(60, 4)), np.arange(60)
    >>> turned = activations @ np.linalg.qr(rng.normal(size=(4, 4)))[0]
    >>> first, second = ct.SampledCloud(activations, images), ct.SampledCloud(turned, images)
    >>> ct.compare("linear_cka", first, second)
    1.0
    >>> bars = [ct.barcode(points).in_dimension(1) for points in (activations, 2 * activations)]
    >>> ct.compare("sliced_wasserstein", *bars) > 0
    True
    """
    return float(compare_all(name, [first], [second])[0, 0])


def compare_all(
    name: str, layers: Sequence[Any], others: Sequence[Any] | None = None, threads: int = 1
) -> Float[np.ndarray, "layers others"]:
    """Compare all pairs of layers, or all pairs across two lists, by one measure.

    Parameters
    ----------
    name : str
        A key of `MEASURES`.
    layers : sequence
        As in `compare`; what belongs to one layer is computed once and kept for all pairs.
    others : sequence, optional
        The layers of the columns; by default `layers`, and then a symmetric measure computes each pair once.
    threads : int
        Threads of the sliced Wasserstein distance; the others use those of the linear algebra library.

    Returns
    -------
    ndarray of float64, shape (layers, others)
        Row: the first argument of the measure.

    Raises
    ------
    InputError
        As `compare`.
    """
    measure = measure_named(name)
    for layer in [*layers, *(others or ())]:
        _check_taken(measure, layer)
    if measure.matrix:
        return measure.matrix(layers, others, threads=threads)
    on_clouds = measure.takes == "clouds"
    if on_clouds:
        for second in [*layers, *(others or ())]:
            check_same_samples(layers[0], second)
    prepared = [measure.prepare(layer.points if on_clouds else layer) for layer in layers]
    columns = prepared
    if others is not None:
        columns = [measure.prepare(layer.points if on_clouds else layer) for layer in others]
    once = others is None and measure.symmetric
    values = np.empty((len(prepared), len(columns)))
    for i, first in enumerate(prepared):
        for j, second in enumerate(columns):
            if once and j < i:
                values[i, j] = values[j, i]
                continue
            if on_clouds and len(layers[0].ids) < (needed := measure.minimum_samples(first, second)):
                raise InputError(
                    f"{name} needs at least {needed} samples for these two layers; got {len(layers[0].ids)}: extract "
                    "activations of more images, or choose a measure that needs fewer (linear_cka, procrustes_distance)"
                )
            values[i, j] = measure.function(first, second)
    if not on_clouds:  # in units of the bars, which may be as small; of equal diagrams exactly 0
        return values
    return np.where(np.abs(values - measure.of_equals) < ROUNDING, measure.of_equals, values)


def _check_taken(measure: Measure, layer: Any) -> None:
    if isinstance(layer, SampledCloud) == (measure.takes == "clouds"):
        return
    if measure.takes == "clouds":
        wanted = f"a SampledCloud(points, ids), got {type(layer).__name__}"
    else:
        wanted = f"the finite H1 bars of a cloud, barcode(points).in_dimension(1), got {type(layer).__name__}"
    raise InputError(f"{measure.name} compares {measure.takes}: give {wanted}")
