"""One cloud of filters, from its points to the rows of five tables (weights paper, sections 3 and 4).

The job `barcodes` of a run and `cnn-topology look` both go through `analyse_cloud`, so that they give the same numbers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from cnn_topology.clouds.filters import LayerFilters, channel_numbers
from cnn_topology.clouds.plane import principal_coordinates
from cnn_topology.networks.patches import side_of
from cnn_topology.plan.clouds import (
    ALTERNATIVE_NULLS,
    DEAD_LAYER,
    REPORTED_NULLS,
    Centre,
    Filtering,
    Significance,
)
from cnn_topology.statistics.circles import CircleTest, circle_test
from cnn_topology.statistics.dynamics import Winding, winding
from cnn_topology.statistics.hollowness import Hollowness, hollowness_test
from cnn_topology.statistics.loops import CloudLoops, cloud_loops
from cnn_topology.statistics.null_clouds import block_ratio, needs
from cnn_topology.statistics.nulls import CloudName, NullDraws, draws_of_null, loop_statistics
from cnn_topology.statistics.power import FAINT_CIRCLE, HALF_CIRCLE, power
from cnn_topology.statistics.shapes import known_shape, on_klein_bottle
from cnn_topology.statistics.stability import stability
from cnn_topology.tables.filters import CircleRow, FilterRow
from cnn_topology.tables.loops import BarRow, CloudKey, LoopRow, SignificanceRow, filtering_key
from cnn_topology.tables.registry import BARCODE_ROWS
from cnn_topology.tables.row import joined
from cnn_topology.topology.circles import CIRCLES, nearest_model
from cnn_topology.topology.klein import klein_coordinates
from cnn_topology.topology.persistence import Barcode, barcode


@dataclass(frozen=True)
class FilterCloud:
    """The normalized filters of one layer at one step, over all networks pooled.

    Attributes
    ----------
    population, layer : str
    depth, step : int
    filters : LayerFilters
    ids : ndarray of int, shape (points, 3)
        Network, output channel and input channel of each.
    constant : int
        Filters of which centring leaves nothing; they are no points.
    networks : int
        Networks pooled, those of constant filters alone too.
    """

    population: str
    layer: str
    depth: int
    step: int
    filters: LayerFilters
    ids: np.ndarray
    constant: int = 0
    networks: int = 1

    @property
    def points(self) -> np.ndarray:
        """The normalized filters, shape (points, entries)."""
        return self.filters.points

    @property
    def name(self) -> CloudName:
        """Population, layer and step, of which the seeds of draws are made."""
        return self.population, self.layer, self.step

    def key(self, filtering: Filtering) -> CloudKey:
        """Return what rows of tables about the cloud begin with, after a density filter."""
        return CloudKey(
            population=self.population,
            layer=self.layer,
            depth=self.depth,
            step=self.step,
            **vars(filtering_key(filtering, len(self.points))),
        )


def filters_of(cloud: pa.Table, points: np.ndarray, centre: Centre) -> tuple[LayerFilters, np.ndarray]:
    """Return the filters of the rows of `tables.filters.cloud_at` with what nulls need to know, and their ids."""
    ids = np.column_stack([cloud[name].to_numpy() for name in ("network", "out_channel", "in_channel")])
    norms, means = cloud["norm"].to_numpy(), cloud["mean_entry"].to_numpy()
    return LayerFilters(points, norms, means, channel_numbers(ids), centre), ids


def analyse_cloud(
    cloud: FilterCloud,
    distances: Mapping[Filtering, np.ndarray],
    significance: Significance,
    run_seed: int,
    *,
    shared: Mapping[Filtering, NullDraws] | None = None,
    measured: Sequence[Filtering] = (),
    exact: Sequence[Filtering] = (),
    threads: int = 1,
) -> tuple[dict[str, pa.Table], list[CloudLoops]]:
    """Find and test the loops of a cloud under some density filters, and compare what they keep with known circles.

    Parameters
    ----------
    cloud : FilterCloud
    distances : mapping of Filtering to ndarray, shape (points,)
        The density filters with k as a count, the headline first; of each the distances to the k-th neighbour.
    significance : Significance
        Nulls, number of draws and level.
    run_seed : int
        Seed of the draws, together with population, layer and step.
    shared : mapping of Filtering to NullDraws, optional
        Draws of the sphere null for clouds of this size; absent, they are drawn here.
    measured : sequence of Filtering
        Density filters other than the headline under which the circles are looked at too.
    exact : sequence of Filtering
        Those of which the barcode of all points kept is computed too, where landmarks are tested in their place.
    threads : int
        Draws of nulls made at once; their number changes no result.

    Returns
    -------
    tables : dict of str to pyarrow.Table
        The rows of `BARCODE_ROWS`, by name of the table.
    loops : list of CloudLoops
        One for each density filter, in their order.
    """
    filterings = list(distances)
    headline = filterings[0]
    # No draw is made for a cloud that has too few filters for a test.
    tested = [of for of in filterings if not of.untested(len(cloud.points))]
    circled = [filtering for filtering in tested if filtering == headline or filtering in measured]
    wanted: dict[str, list[Filtering]] = {"permuted": circled}
    wanted |= dict.fromkeys(REPORTED_NULLS, [headline] if headline in tested else [])
    wanted |= dict.fromkeys(significance.nulls, tested)
    drawn = _draws(cloud, wanted, circled, significance.draws, run_seed, threads, shared or {})
    layer = cloud.filters
    hollow = None
    if headline in tested:
        hollow = hollowness_test(layer.points, layer.channels, significance.draws, run_seed, cloud.name)
    parts: dict[str, list[pa.Table]] = {row.table_name: [] for row in BARCODE_ROWS}
    results = []
    for filtering, distance in distances.items():
        of = {name: draws[filtering] for name, draws in drawn.items() if filtering in draws}
        nulls: dict[str, NullDraws] = {name: of[name] for name in significance.nulls if filtering in tested}
        also: dict[str, NullDraws] = {name: of[name] for name in REPORTED_NULLS if name in of and name not in nulls}
        loops = cloud_loops(cloud.points, distance, filtering, nulls, significance, also)
        if filtering == headline and loops.significant_bars:
            also |= _alternatives(cloud, filtering, significance, run_seed, threads)
            loops = cloud_loops(cloud.points, distance, filtering, nulls, significance, also)
        results.append(loops)
        key = cloud.key(filtering)
        stable = None
        if filtering == headline and loops.tests:
            stable = stability(
                layer, cloud.ids[:, 0], filtering, loops.verdict, significance, run_seed, cloud.name, threads
            )
        hollow_here = hollow if filtering == headline else None
        exact_bars = exact_barcode(cloud.points[loops.kept], loops.barcode) if filtering in exact else None
        row = _loops(
            key, loops, cloud, hollow_here, stable, filtering == headline, significance.least_draws, exact_bars
        )
        parts["loops"].append(row)
        parts["significance"].append(_significance(key, loops))
        parts["barcodes"].append(_bars(key, loops))
        if loops.verdict == DEAD_LAYER:
            continue
        kept = cloud.points[loops.kept]
        if filtering == headline:
            parts["filters"].append(_filters(key, kept, cloud.ids[loops.kept], distance[loops.kept]))
        if filtering == headline or filtering in measured:
            test = circle_test(kept, drawn["permuted"].get(filtering), layer.centre)
            around = winding(kept, filtering.landmarks) if loops.significant_bars else None
            parts["circles"].append(_circles(key, loops, kept, test, around))
    return {row.table_name: joined(parts[row.table_name], row.schema) for row in BARCODE_ROWS}, results


def _draws(
    cloud: FilterCloud,
    wanted: Mapping[str, list[Filtering]],
    circled: list[Filtering],
    draws: int,
    run_seed: int,
    threads: int,
    shared: Mapping[Filtering, NullDraws],
) -> dict[str, dict[Filtering, NullDraws]]:
    """Return the draws of each null under the density filters that it is wanted for."""
    drawn: dict[str, dict[Filtering, NullDraws]] = {}
    for name, filterings in wanted.items():
        known = shared if name == "sphere" else {}
        drawn[name] = {filtering: known[filtering] for filtering in filterings if filtering in known}
        if left := [filtering for filtering in filterings if filtering not in drawn[name]]:
            counted = circled if name == "permuted" else []
            drawn[name] |= draws_of_null(name, cloud.filters, left, draws, run_seed, cloud.name, counted, threads)
    return drawn


def _alternatives(
    cloud: FilterCloud, headline: Filtering, significance: Significance, run_seed: int, threads: int
) -> dict[str, NullDraws]:
    """Return the draws of what a loop of the headline may be explained by, but for nulls that decided."""
    names = [name for name in ALTERNATIVE_NULLS if name not in significance.nulls and not needs(name, cloud.filters)]
    drawn = _draws(cloud, {name: [headline] for name in names}, [], significance.draws, run_seed, threads, {})
    return {name: draws[headline] for name, draws in drawn.items()}


def exact_barcode(kept: np.ndarray, tested: Barcode) -> Barcode:
    """Return the barcode of all points that a density filter keeps: the one that is tested unless it has landmarks.

    Parameters
    ----------
    kept : ndarray, shape (kept, entries)
    tested : Barcode
        Of these or of landmarks of them.

    Returns
    -------
    Barcode

    Raises
    ------
    InputError
        If it does not fit into memory.
    """
    return tested if tested.points == len(kept) else barcode(kept, max_seconds=np.inf)


def _loops(
    key: CloudKey,
    loops: CloudLoops,
    cloud: FilterCloud,
    hollow: Hollowness | None,
    stable: float | None,
    headline: bool,
    least_draws: int,
    exact_bars: Barcode | None,
) -> pa.Table:
    found = [
        power(model, "loop", len(cloud.points), key.density_k, key.density_p, cloud.points.shape[1])
        for model in (HALF_CIRCLE, FAINT_CIRCLE)
    ]
    covariance, lowpass, block = (loops.against(name) for name in (*REPORTED_NULLS, *ALTERNATIVE_NULLS))
    ratio = block_ratio(cloud.points, cloud.filters.channels)
    exact = loop_statistics(exact_bars) if exact_bars else (None, None)
    row = LoopRow(
        **vars(key),
        points=len(cloud.points),
        constant=cloud.constant,
        kept=len(loops.kept),
        used=loops.barcode.points,
        covering_radius=loops.barcode.covering_radius,
        networks=cloud.networks,
        headline=headline,
        kernel_side=side_of(cloud.points),
        engine=loops.barcode.engine,
        bars=int(np.sum(loops.barcode.dimension == 1)),
        longest=loops.longest,
        longest_birth=loops.longest_bar[0],
        longest_death=loops.longest_bar[1],
        second=loops.second,
        ratio=loops.ratio,
        exact_longest=exact[0],
        exact_second=exact[1],
        significant_bars=loops.significant_bars,
        p_longest=loops.p_longest,
        p_ratio=loops.p_ratio,
        p_bobrowski_skraba=loops.p_bobrowski_skraba if loops.tests else None,
        covariance_longest_median=covariance.median if covariance else None,
        p_covariance=covariance.p_two_sided if covariance else None,
        lowpass_longest_median=lowpass.median if lowpass else None,
        p_lowpass=lowpass.p_longest if lowpass else None,
        block_ratio=None if np.isnan(ratio) else ratio,
        block_longest_median=block.median if block else None,
        p_block=block.p_longest if block else None,
        verdict_stability=stable,
        stability_draws=None if stable is None else least_draws,
        hollowness=hollow.value if hollow else None,
        hollowness_error=hollow.error if hollow else None,
        hollowness_median=hollow.median if hollow else None,
        p_hollowness=hollow.p_value if hollow else None,
        verdict=loops.verdict,
        power_circle=found[0].rate if found[0] else None,
        power_faint_circle=found[1].rate if found[1] else None,
        power_in_range=all(one.in_range for one in found if one) if found[0] else None,
    )
    return LoopRow.table([row])


def _significance(key: CloudKey, loops: CloudLoops) -> pa.Table:
    return SignificanceRow.table(
        SignificanceRow(
            **vars(key),
            null_name=name,
            draws=test.draws,
            null_longest_median=test.median,
            null_longest_95=test.upper,
            null_critical=test.critical,
            p_longest=test.p_longest,
            p_ratio=test.p_ratio,
            significant_bars=test.significant_bars,
        )
        for name, test in loops.tests.items()
    )


def _bars(key: CloudKey, loops: CloudLoops) -> pa.Table:
    bars = loops.barcode
    return BarRow.columns(
        **vars(key),
        field=bars.field,
        dimension=bars.dimension,
        birth=bars.birth,
        death=bars.death,
        p_value=_or_null(loops.p_values),
    )


def _filters(key: CloudKey, points: np.ndarray, ids: np.ndarray, distances: np.ndarray) -> pa.Table:
    theta1, theta2, residual = klein_coordinates(points)
    plane = principal_coordinates(points)
    return FilterRow.columns(
        **vars(key),
        network=ids[:, 0],
        out_channel=ids[:, 1],
        in_channel=ids[:, 2],
        neighbour_distance=distances,
        coordinates=points.astype(np.float32),
        plane1=plane[:, 0],
        plane2=plane[:, 1],
        theta1=theta1,
        theta2=theta2,
        residual=residual,
        model=nearest_model(points),
    )


def _circles(key: CloudKey, loops: CloudLoops, kept: np.ndarray, test: CircleTest, around: Winding | None) -> pa.Table:
    bottle, degree = on_klein_bottle(kept), around.degree if around else None
    fifth, sixth = [*loops.barcode.lengths(1), *[0.0] * 6][4:6]
    return CircleRow.columns(
        **vars(key),
        circle=list(CIRCLES),
        kept=len(loops.kept),
        near_distance=test.found.near,
        within=test.found.within.sum(axis=1),
        nearest=test.found.counts(),
        permuted=_or_null(test.permuted),
        sphere=test.sphere,
        shuffles=test.draws,
        p_permuted=_or_null(test.p_permuted),
        coverage=test.found.coverage(),
        permuted_coverage=_or_null(test.permuted_coverage),
        significant_bars=loops.significant_bars,
        degree=degree,
        fifth=fifth,
        sixth=sixth,
        near_bottle=bottle.near,
        off_circles=bottle.off,
        shape=known_shape(bottle, test, degree) if loops.significant_bars else None,
        arcs=test.found.arc_counts(),
    )


def _or_null(values: np.ndarray) -> pa.Array:
    """Return a column of numbers with a null in place of each NaN: what was not tested has no number."""
    return pa.array(values, pa.float64(), from_pandas=True)
