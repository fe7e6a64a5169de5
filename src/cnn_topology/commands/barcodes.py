"""`cnn-topology barcodes`: density filter, persistent homology, tests, Klein coordinates and circles of a layer."""

import pyarrow as pa

from cnn_topology.analysis.filter_cloud import FilterCloud, analyse_cloud, filters_of
from cnn_topology.plan.parameters import BarcodeParameters
from cnn_topology.runs.job import Job
from cnn_topology.statistics.nulls import Filtering, NullDraws
from cnn_topology.storage.tables import read_table
from cnn_topology.tables.filters import clouds_at, neighbour_column
from cnn_topology.tables.loops import NullRow
from cnn_topology.tables.registry import BARCODE_ROWS
from cnn_topology.tables.row import matching


def run(job: Job) -> None:
    """Analyse every step of the block."""
    parameters = job.parameters(BarcodeParameters)
    asked, sphere = parameters.clouds, job.read_rows(NullRow, "null")
    parts = []
    for step, (rows, points, constant, networks) in clouds_at(read_table(job.input("clouds")), asked.variants):
        variants, centre = asked.variants[step], asked.centre
        of = (asked.population, asked.layer.name, asked.layer.depth, step)
        cloud = FilterCloud(*of, *filters_of(rows, points, centre), constant, networks)
        filterings = {variant: Filtering.of(variant, len(points)) for variant in variants}
        distances = {of: rows[neighbour_column(variant.k)].to_numpy() for variant, of in filterings.items()}
        shared = None  # where networks failed, the shared null is of another size
        if len(points) == asked.points:
            shared = {filtering: _read_draws(sphere, filtering, centre) for filtering in distances}
        measured, exact = (
            [filterings[variant] for variant in wanted if variant in filterings]
            for wanted in (asked.measured, asked.exact)
        )
        tables, results = analyse_cloud(
            cloud,
            distances,
            parameters.significance,
            parameters.run_seed,
            shared=shared,
            measured=measured,
            exact=exact,
        )
        parts.append(tables)
        for filtering, loops in zip(distances, results, strict=True):
            print(f"step {step}, rho({filtering.k}, {filtering.p:g}): {loops.verdict}", flush=True)
    job.write_tables(BARCODE_ROWS, parts, job.notes(parameters))


def _read_draws(sphere: pa.Table, filtering: Filtering, centre: str) -> NullDraws:
    """Pick the draws under one filtering from the shared null."""
    rows = matching(sphere, centre=centre, **filtering.columns)
    return NullDraws(*(rows[name].to_numpy() for name in ("longest", "second", "largest_ratio")))
