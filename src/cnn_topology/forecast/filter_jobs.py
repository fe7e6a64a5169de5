"""Forecasts of the jobs on clouds of filters and on single networks, by the names of the jobs (weights paper)."""

import math
from collections.abc import Sequence
from functools import partial

from cnn_topology.forecast.demand import NUMERIC, Demand
from cnn_topology.plan.clouds import ALTERNATIVE_NULLS, MOST_COUNTED, REPORTED_NULLS, Filtering, Significance
from cnn_topology.plan.expand import LayerClouds, NetworkGroup, Plan
from cnn_topology.topology.forecasting import LOOP_BYTES
from cnn_topology.topology.forecasting import forecast as barcode_forecast

# All that follows is of 3x3 filters. Searches, landmarks and bytes go with the entries of a filter, barcodes of noise
# with their square: the more dimensions, the more loops live at once. Of larger filters than 3x3 barcodes take twice as
# long at so many points over the root of the size, and grow with the third power beyond (November 2026, 600 to 4,800
# filters of 5x5, 7x7 and 11x11, within a factor of 2: 4,800 of 5x5 take 41 s, of 3x3 0.4).
ENTRIES, CROWDED = 9, 3_350
# Seconds, power of the points and power of k of a search for the k-th neighbours of all points, and of the counts by
# which one density filter is applied. Fitted in November 2026 to noise of 2,000 to 204,800 filters at k = 10 to 200,
# within a third of each: 51,200 at k = 100 take 1.3 and 0.19 s (`benchmarks/null_draw.py`).
SEARCH, COUNTS = (2.5e-8, 1.5, 0.33), (3.4e-8, 1.33, 0.25)
# Max-min landmarks, per landmark and point.
SECONDS_PER_LANDMARK = 2.5e-9
# Barcodes of noise, per pair of points and per triple; those of a circle, which `topology.forecasting` foretells, take
# twice as long at 2,000 points and more beyond.
SECONDS_PER_PAIR, SECONDS_PER_TRIPLE = 2.5e-8, 5e-13
# Barcodes that take as long as following the loop of one snapshot with its cocycle.
COCYCLES = 5
# Klein coordinates and tests of the filters kept; mapper graphs: per point kept.
SECONDS_PER_KEPT, SECONDS_PER_MEMBER = 4e-5, 5e-4
# The named circles, per filter that is kept in a draw of the permuted null.
SECONDS_PER_CIRCLED = 1e-5
# What does not grow with the cloud: of each draw, and of one layer of one network with its baselines.
SECONDS_PER_DRAW, SECONDS_PER_NETWORK = 1.2e-3, 4e-3
# A row under each draw of the bootstrap and each permutation, with all outcomes, methods and choices of what is held
# fixed: of networks over their training, and of populations of a grid (24 to 1,000 rows, 17 predictors).
SECONDS_PER_CORRELATED_ROW, SECONDS_PER_GRID_ROW = 5e-5, 1.2e-4
# Bytes of a row of a cloud in memory (its columns, several times over) and on disk without the neighbours' columns.
CLOUD_BYTES, CLOUD_ROW, NEIGHBOUR_ROW, KEPT_ROW = 800, 90, 8, 150


def clouds(plan: Plan, layer: LayerClouds, steps: tuple[int, ...]) -> Demand:
    """Forecast the gathering of a layer's filters, with their distances to the k-th neighbour."""
    ks = {filtering.neighbours_left(layer.points) for step in steps for filtering in layer.filterings[step]}
    size = _size(layer.layer.side)
    seconds = len(steps) * (size * _scaled(SEARCH, layer.points, max(ks, default=1)) + 2e-6 * layer.points)
    row = size * CLOUD_ROW + NEIGHBOUR_ROW * len(ks)
    rows = layer.points * len(steps)
    return Demand(NUMERIC[0] + seconds, NUMERIC[1] + size * rows * CLOUD_BYTES / 1e6, rows * row / 1e6)


def nulls(plan: Plan, points: int, side: int) -> Demand:
    """Forecast the draws of the sphere null for clouds of so many filters of a side."""
    filterings = [filtering for of_centre in plan.null_sizes[points, side].values() for filtering in of_centre]
    draws = plan.config.significance.draws
    seconds, held = draws * _draw(points, filterings, side) if filterings else 0.0, _held(points, filterings, side)
    return Demand(NUMERIC[0] + seconds, NUMERIC[1] + held, 0.1)


def barcodes(plan: Plan, layer: LayerClouds, steps: tuple[int, ...]) -> Demand:
    """Forecast the barcodes and tests of a layer's clouds."""
    asked = plan.config.significance
    draws = asked.draws * sum(name != "sphere" for name in asked.nulls)
    beside = asked.draws * sum(name not in asked.nulls for name in (*REPORTED_NULLS, *ALTERNATIVE_NULLS))
    # Resampled networks and their nulls, see `statistics.stability`.
    beside += asked.least_draws * (1 + len(asked.nulls))
    kept = sum(layer.filterings[step][0].kept(layer.points) for step in steps)
    seconds = sum(draws * _tests(layer, layer.filterings[step]) for step in steps) + kept * SECONDS_PER_KEPT
    seconds += sum(beside * _tests(layer, layer.filterings[step][:1]) for step in steps)
    side, size = layer.layer.side, _size(layer.layer.side)
    seconds += sum(_barcodes(layer.points, layer.filterings[step], side) for step in steps)
    followed = 0
    for headline, *others in (layer.filterings[step] for step in steps):
        circled = (headline, *(filtering for filtering in others if filtering in layer.measured))
        followed = max(followed, *(filtering.used(layer.points) for filtering in circled))
        if "permuted" not in asked.nulls:
            seconds += asked.draws * _tests(layer, circled)
        tested = [filtering for filtering in circled if not filtering.untested(layer.points)]
        seconds += asked.draws * sum(filtering.kept(layer.points) for filtering in tested) * SECONDS_PER_CIRCLED
    held = max(_held(layer.points, layer.filterings[step], side) for step in steps)
    for filtering in (filtering for step in steps for filtering in layer.filterings[step] if filtering in layer.exact):
        cost = barcode_forecast(filtering.kept(layer.points))
        seconds, held = seconds + cost.seconds, max(held, cost.bytes / 1e6)
    held += len(steps) * size * layer.points * CLOUD_BYTES / 2e6
    held += LOOP_BYTES * followed**2 / 2e6
    return Demand(NUMERIC[0] + seconds, NUMERIC[1] + held, size * kept * KEPT_ROW / 1e6)


def look(points: int, side: int, filtering: Filtering, significance: Significance) -> float:
    """Forecast the seconds of the tests of one layer of a look, in which a loop is found."""
    if filtering.untested(points):
        return 0.0
    draws = significance.draws * len({*significance.nulls, "permuted", *REPORTED_NULLS, *ALTERNATIVE_NULLS})
    circled = significance.draws * filtering.kept(points) * SECONDS_PER_CIRCLED
    return draws * _draw(points, (filtering,), side) + circled + _barcodes(points, (filtering,), side)


def mapper(plan: Plan, layer: LayerClouds, steps: tuple[int, ...]) -> Demand:
    """Forecast the mapper graphs of a layer's headline clouds."""
    kept = sum(layer.filterings[step][0].kept(layer.points) for step in plan.mapper_steps(layer, steps))
    size = _size(layer.layer.side)
    held = len(steps) * size * layer.points * CLOUD_BYTES / 2e6
    graphs = 1 + len(plan.config.mapper.sweep if plan.config.mapper else ())
    return Demand(
        NUMERIC[0] + graphs * kept * SECONDS_PER_MEMBER, NUMERIC[1] + 100 + held, size * kept * KEPT_ROW / 1e6
    )


def dynamics(plan: Plan, layer: LayerClouds) -> Demand:
    """Forecast the loops of a layer followed over training, with resampled networks and nulls at every snapshot.

    The sphere null is the same at all of them.
    """
    assert plan.config.dynamics is not None, "the run follows no loops"
    steps, nulls = len(layer.filterings), set(plan.config.significance.nulls)
    headline = layer.filterings[max(layer.filterings)][0]
    barcode = barcode_forecast(headline.used(layer.points))
    draws = plan.config.dynamics.bootstrap_draws * (steps * (1 + len(nulls - {"sphere"})) + ("sphere" in nulls))
    seconds = draws * _draw(layer.points, (headline,), layer.layer.side) + steps * COCYCLES * barcode.seconds
    return Demand(NUMERIC[0] + seconds, 1_000 + 2 * barcode.bytes / 1e6 + 2e-3 * layer.points, 1)


def networks(plan: Plan, group: NetworkGroup, items: Sequence[tuple[str, int]]) -> Demand:
    """Forecast the analysis of one layer of single networks, and of those of each population of a grid pooled."""
    assert plan.config.generalization is not None, "the run analyses no single networks"
    density, seconds = plan.config.generalization.density, 0.0
    for population, _ in items:
        count, layer = plan.networks(population), plan.layer(population, group.layer)
        points = layer.filters
        filtering = Filtering(k=density.k, p=density.p, landmarks=count * points)
        draw = partial(_draw, filterings=(filtering,), side=layer.side)
        seconds += count * (SECONDS_PER_NETWORK + draw(points))
        if group.is_grid:
            seconds += draw(count * points) + 2 * draw(math.ceil(count / 2) * points)
    return Demand(NUMERIC[0] + seconds, 1_200, 1)


def correlations(plan: Plan) -> Demand:
    """Forecast the correlations over the networks of each group and layer."""
    assert plan.config.generalization is not None, "the run analyses no single networks"
    asked, seconds = plan.config.generalization, 0.0
    for group in plan.network_groups:
        rows = sum(1 if group.is_grid else plan.networks(population) for population, _ in group.items)
        seconds += rows * (SECONDS_PER_GRID_ROW if group.is_grid else SECONDS_PER_CORRELATED_ROW)
    return Demand(NUMERIC[0] + seconds * (asked.bootstrap_draws + asked.permutations), 1_000, 1)


def _size(side: int) -> float:
    """Return how many times the entries of a 3x3 filter those of a side have."""
    return side**2 / ENTRIES


def _scaled(cost: tuple[float, float, float], points: int, k: float) -> float:
    seconds, power, power_of_k = cost
    return float(seconds * points**power * k**power_of_k)


def _kept_sets(points: int, filterings: Sequence[Filtering]) -> float:
    """Return the seconds of the density filters on one drawn cloud of 3x3 filters, see `kept_sets`."""
    densities = {(filtering.neighbours_left(points), filtering.p) for filtering in filterings}
    if len(densities) > MOST_COUNTED:
        return _scaled(SEARCH, points, max(k for k, _ in densities))
    return sum(_scaled(COUNTS, points, k) for k, _ in densities)


def _landmarks(points: int, filtering: Filtering, side: int) -> float:
    kept, used = filtering.kept(points), filtering.used(points)
    return (kept > used) * kept * used * _size(side) * SECONDS_PER_LANDMARK


def _barcodes(points: int, filterings: Sequence[Filtering], side: int) -> float:
    """Return the seconds of the barcodes of one real cloud, circles at worst."""
    return sum(barcode_forecast(v.used(points)).seconds + _landmarks(points, v, side) for v in filterings)


def _draw(points: int, filterings: Sequence[Filtering], side: int) -> float:
    """Return the seconds of one draw of a null under some filterings: their density filters, one barcode each."""
    size = _size(side)
    seconds = SECONDS_PER_DRAW + size * _kept_sets(points, filterings)
    for filtering in filterings:
        used = filtering.used(points)
        barcode = size**2 * used**2 / 2 * (SECONDS_PER_PAIR + SECONDS_PER_TRIPLE * used)
        crowding = (used * size**0.5 / CROWDED) ** 3 if size > 1 else 0.0
        seconds += (1 + crowding) * barcode + _landmarks(points, filtering, side)
    return seconds


def _tests(layer: LayerClouds, filterings: Sequence[Filtering]) -> float:
    """Return the seconds of one draw of a null under those of some filterings that are tested; 0 where none is."""
    tested = tuple(filtering for filtering in filterings if not filtering.untested(layer.points))
    return _draw(layer.points, tested, layer.layer.side) if tested else 0.0


def _held(points: int, filterings: Sequence[Filtering], side: int) -> float:
    """Return the MB that the largest barcode needs besides its cloud."""
    largest = max((barcode_forecast(v.used(points)).bytes for v in filterings), default=0.0)
    return _size(side) * (largest + points * CLOUD_BYTES) / 1e6
