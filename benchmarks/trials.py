"""Layers of known shape passed through the whole decision on a cloud, at any size and filtering (ours).

Density filter, landmarks, barcode, both nulls, verdict and known shape are those of a run. `calibration.py` counts the
outcomes.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from models import draw_model

from cnn_topology.clouds.density import densest_points
from cnn_topology.clouds.filters import layer_filters
from cnn_topology.clouds.neighbours import neighbour_distances
from cnn_topology.plan.clouds import Filtering, Significance
from cnn_topology.seeds import derive_seed
from cnn_topology.statistics.circles import circle_test
from cnn_topology.statistics.dynamics import winding
from cnn_topology.statistics.loops import cloud_loops
from cnn_topology.statistics.nulls import NullDraws, draws_of_null, sphere_draws
from cnn_topology.statistics.power import Model
from cnn_topology.statistics.shapes import known_shape, on_klein_bottle
from cnn_topology.statistics.significance import LOOPS

# Nulls and level of a run by default, and as many draws as that level needs.
SIGNIFICANCE = Significance(draws=99)


def decisions(
    model: Model, points: int, filtering: Filtering, trials: int, seed: int = 0
) -> list[tuple[str, str | None]]:
    """Decide on layers of a model as a run decides on a cloud.

    The sphere null is drawn once, as in a run. The permuted null is that of all trials together: each gives an equal
    share of its draws, which makes a trial some thirty times as fast and leaves its distribution as it is.

    Parameters
    ----------
    model : Model
    points : int
        Filters of a layer.
    filtering : Filtering
        Density filter and landmarks.
    trials : int
        Number of layers.
    seed : int
        Trial i has a seed of its own, made from this, the model, the points and i.

    Returns
    -------
    list of (str, str or None)
        For each trial the verdict, and the known shape where it is a loop.
    """
    of = (model.name, model.noise, model.share, points)
    seeds = [derive_seed(seed, "power", *of, trial) for trial in range(trials)]
    clouds = [draw_model(model.name, points, np.random.default_rng(s), model.noise, model.share) for s in seeds]
    own = -(-SIGNIFICANCE.draws // trials)
    parts = [
        draws_of_null("permuted", layer_filters(cloud), [filtering], own, s, ("power", "", 0), [filtering])[filtering]
        for cloud, s in zip(clouds, seeds, strict=True)
    ]
    nulls = {"sphere": _sphere(points, filtering, seed), "permuted": _joined(parts)}
    return [_decision(cloud, filtering, nulls) for cloud in clouds]


@lru_cache
def _sphere(points: int, filtering: Filtering, seed: int) -> NullDraws:
    return sphere_draws(points, 9, [filtering], SIGNIFICANCE.draws, seed)[filtering]


def _joined(parts: Sequence[NullDraws]) -> NullDraws:
    names = ("longest", "second", "largest_ratio", "near", "coverage")
    return NullDraws(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _decision(cloud: np.ndarray, filtering: Filtering, nulls: dict[str, NullDraws]) -> tuple[str, str | None]:
    distances = neighbour_distances(cloud, [filtering.k])[:, 0]
    loops = cloud_loops(cloud, distances, filtering, nulls, SIGNIFICANCE)
    if loops.verdict not in LOOPS:
        return loops.verdict, None
    kept = cloud[densest_points(distances, filtering.p)]
    around = winding(kept, filtering.landmarks or len(kept))
    test = circle_test(kept, nulls["permuted"])
    return loops.verdict, known_shape(on_klein_bottle(kept), test, around.degree if around else None)
