"""`cnn-topology barcodes`: density filter, persistent homology, tests, Klein coordinates and circles of a layer."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cnn_topology.clouds.plane import principal_plane
from cnn_topology.commands.nulls import filtering_of
from cnn_topology.plan.parameters import BarcodeParameters
from cnn_topology.statistics.circles import CircleTest, circle_test
from cnn_topology.statistics.dynamics import Winding, winding
from cnn_topology.statistics.loops import CloudLoops, cloud_loops, is_tested
from cnn_topology.statistics.nulls import OWN_NULLS, Filtering, NullDraws, own_draws, sphere_draws
from cnn_topology.storage.tables import read_notes, read_table, write_table
from cnn_topology.tables.filters import CircleRow, FilterRow, neighbour_column
from cnn_topology.tables.loops import BarRow, LoopRow, NullRow, SignificanceRow
from cnn_topology.tables.registry import BARCODE_ROWS
from cnn_topology.tables.rows import cloud_at, joined
from cnn_topology.topology.circles import CIRCLES as CIRCLE_NAMES
from cnn_topology.topology.circles import five_loops
from cnn_topology.topology.klein import klein_coordinates, nearest_model

Nulls = dict[Filtering, dict[str, NullDraws]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--parameters", required=True, type=BarcodeParameters.parse, help="JSON: layer, variants, test")
    parser.add_argument("--clouds", required=True, type=Path, help="the layer's clouds for a block of steps")
    parser.add_argument("--null", required=True, type=Path, help="the sphere null for clouds of this size")
    for row in BARCODE_ROWS:
        name = row.table_name
        parser.add_argument(f"--{name}", required=True, type=Path, help=f"this block's part of the table {name}")


def run(arguments: argparse.Namespace) -> None:
    """Analyse every step of the block."""
    parameters: BarcodeParameters = arguments.parameters
    clouds, sphere = read_table(arguments.clouds), read_table(arguments.null, NullRow.schema)
    parts: dict[str, list[pa.Table]] = {row.table_name: [] for row in BARCODE_ROWS}
    for step, variants in parameters.variants.items():
        cloud, points = cloud_at(clouds, step)
        if not len(points):
            print(f"step {step}: no cloud, since every network had failed")
            continue
        filterings = [filtering_of(variant, len(points)) for variant in variants]
        # No draw is made for a cloud that has too few filters for a test.
        tested = [f for f in filterings if is_tested(len(points), f)]
        circled = [f for n, f in enumerate(filterings) if n == 0 or variants[n] in parameters.measured]
        circled = [f for f in circled if f in tested]
        nulls = _nulls(parameters, step, points, tested, circled, sphere)
        shuffled = _shuffled(parameters, step, points, circled, nulls)
        beside = _beside(parameters, step, points, filterings[0]) if filterings[0] in tested else None
        for number, (variant, filtering) in enumerate(zip(variants, filterings, strict=True)):
            distances = cloud[neighbour_column(variant.k)].to_numpy()
            found = cloud_loops(
                points,
                distances,
                filtering,
                nulls.get(filtering, {}),
                parameters.significance,
                covariance=beside if number == 0 else None,
            )
            which = {
                "population": parameters.population,
                "layer": parameters.layer,
                "depth": parameters.depth,
                "step": step,
                **filtering.columns,
            }
            networks = len(pc.unique(cloud["network"]))
            parts["loops"].append(_loops(which, found, len(points), networks, headline=number == 0))
            parts["significance"].append(_significance(which, found))
            parts["barcodes"].append(_barcode(which, found))
            if number == 0:
                parts["filters"].append(
                    _filters(which, cloud.take(found.kept), points[found.kept], distances[found.kept])
                )
            if number == 0 or variant in parameters.measured:
                test = circle_test(points[found.kept], shuffled.get(filtering), variant.centre)
                around = winding(points[found.kept], variant.landmarks) if found.significant_bars else None
                parts["circles"].append(_circles(which, found, test, around))
            print(
                f"step {step}, rho({filtering.k}, {filtering.p:g}): longest H1 bar {found.longest:.3f}, "
                f"second {found.second:.3f}: {found.verdict}",
                flush=True,
            )
    notes = parameters.notes([read_notes(arguments.clouds), read_notes(arguments.null)])
    for row in BARCODE_ROWS:
        table = joined(parts[row.table_name], row.schema)
        write_table(getattr(arguments, row.table_name), table, row.schema, notes)


def _nulls(
    parameters: BarcodeParameters,
    step: int,
    points: np.ndarray,
    filterings: list[Filtering],
    circled: list[Filtering],
    sphere: pa.Table,
) -> Nulls:
    """Return the draws of every null asked for, under each of some filterings."""
    draws, variants = parameters.significance.draws, parameters.variants[step]
    nulls: Nulls = {filtering: {} for filtering in filterings}
    if not filterings:
        return nulls
    for name in parameters.significance.nulls:
        if name in OWN_NULLS:
            drawn = _own_draws(name, parameters, step, points, filterings, circled)
        elif len(points) == parameters.points:
            drawn = {filtering: _read_draws(sphere, filtering, variants[0].centre) for filtering in filterings}
        else:
            # Networks failed: the shared null is of another size, so this cloud draws its own.
            drawn = sphere_draws(len(points), filterings, draws, parameters.run_seed, variants[0].centre)
        for filtering in filterings:
            nulls[filtering][name] = drawn[filtering]
    return nulls


def _shuffled(
    parameters: BarcodeParameters, step: int, points: np.ndarray, circled: list[Filtering], nulls: Nulls
) -> dict[Filtering, NullDraws]:
    """Return the draws that filters near circles are compared with, whether or not these decide on the loops."""
    if not circled:
        return {}
    if "permuted" in parameters.significance.nulls:
        return {filtering: nulls[filtering]["permuted"] for filtering in circled}
    return _own_draws("permuted", parameters, step, points, circled, circled)


def _beside(parameters: BarcodeParameters, step: int, points: np.ndarray, headline: Filtering) -> NullDraws | None:
    """Return the draws of the covariance null under the headline filtering, if it is asked for and decides nothing."""
    asked = parameters.significance
    if not asked.covariance or "covariance" in asked.nulls:
        return None
    return _own_draws("covariance", parameters, step, points, [headline], [])[headline]


def _own_draws(
    name: str,
    parameters: BarcodeParameters,
    step: int,
    points: np.ndarray,
    filterings: list[Filtering],
    circled: list[Filtering],
) -> dict[Filtering, NullDraws]:
    """Draw a null that is made of the layer's own filters."""
    cloud = (parameters.population, parameters.layer, step)
    draws, centre = parameters.significance.draws, parameters.variants[step][0].centre
    return own_draws(name, points, filterings, draws, parameters.run_seed, cloud, centre, circled)


def _read_draws(sphere: pa.Table, filtering: Filtering, centre: str) -> NullDraws:
    """Pick the draws under one filtering from the shared null."""
    chosen = pc.equal(sphere["centre"], centre)
    for column, value in filtering.columns.items():
        chosen = pc.and_(chosen, pc.equal(sphere[column], value))
    rows = sphere.filter(chosen)
    return NullDraws(*(rows[name].to_numpy() for name in ("longest", "second", "largest_ratio")))


def _loops(which: dict[str, Any], found: CloudLoops, points: int, networks: int, *, headline: bool) -> pa.Table:
    row = LoopRow(
        **which,
        points=points,
        kept=len(found.kept),
        used=found.barcode.points,
        covering_radius=found.barcode.covering_radius,
        networks=networks,
        headline=headline,
        engine=found.barcode.engine,
        bars=int(np.sum(found.barcode.dimension == 1)),
        longest=found.longest,
        longest_birth=found.longest_bar[0],
        longest_death=found.longest_bar[1],
        second=found.second,
        ratio=found.ratio,
        significant_bars=found.significant_bars,
        p_longest=found.p_longest,
        p_ratio=found.p_ratio,
        p_bobrowski_skraba=found.p_bobrowski_skraba if found.tests else None,
        covariance_longest_median=found.covariance.median if found.covariance else None,
        p_covariance=found.covariance.p_longest if found.covariance else None,
        verdict=found.verdict,
    )
    return LoopRow.table([row])


def _significance(which: dict[str, Any], found: CloudLoops) -> pa.Table:
    return SignificanceRow.table(
        SignificanceRow(
            **which,
            null_name=name,
            draws=test.draws,
            null_longest_median=test.median,
            null_longest_95=test.upper,
            null_critical=test.critical,
            p_longest=test.p_longest,
            p_ratio=test.p_ratio,
            significant_bars=test.significant_bars,
        )
        for name, test in found.tests.items()
    )


def _barcode(which: dict[str, Any], found: CloudLoops) -> pa.Table:
    bars = found.barcode
    return BarRow.columns(
        **which,
        field=bars.field,
        dimension=bars.dimension.astype(np.int64),
        birth=bars.birth,
        death=bars.death,
        p_value=_or_null(found.p_values),
    )


def _filters(which: dict[str, Any], cloud: pa.Table, points: np.ndarray, distances: np.ndarray) -> pa.Table:
    theta1, theta2, residual = klein_coordinates(points)
    plane = principal_plane(points)
    return FilterRow.columns(
        **which,
        **{name: cloud[name] for name in ("network", "out_channel", "in_channel")},
        neighbour_distance=distances,
        coordinates=points.astype(np.float32),
        plane1=plane[:, 0],
        plane2=plane[:, 1],
        theta1=theta1,
        theta2=theta2,
        residual=residual,
        model=nearest_model(points),
    )


def _circles(which: dict[str, Any], found: CloudLoops, test: CircleTest, around: Winding | None) -> pa.Table:
    bars = found.significant_bars
    fifth, sixth, five = five_loops(found.barcode.lengths(1), bars or 0)
    return CircleRow.columns(
        **which,
        circle=list(CIRCLE_NAMES),
        kept=len(found.kept),
        near_distance=test.found.near,
        within=test.found.within.sum(axis=1),
        nearest=test.found.counts(),
        permuted=_or_null(test.permuted),
        sphere=test.sphere,
        shuffles=test.draws,
        p_permuted=_or_null(test.p_permuted),
        coverage=test.found.coverage(),
        permuted_coverage=_or_null(test.permuted_coverage),
        significant_bars=bars,
        degree=around.degree if around else None,
        fifth=fifth,
        sixth=sixth,
        five_loops=None if bars is None else five,
        arcs=test.found.arc_counts(),
    )


def _or_null(values: np.ndarray) -> pa.Array:
    """Return a column of numbers with a null in place of each NaN: what was not tested has no number."""
    return pa.array(values, pa.float64(), from_pandas=True)
