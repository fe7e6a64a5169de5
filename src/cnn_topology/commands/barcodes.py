"""`cnn-topology barcodes`: density filter, persistent homology, tests, Klein coordinates and circles of a layer."""

import pyarrow as pa

from cnn_topology.analysis.filter_cloud import FilterCloud, analyse_cloud, filters_of
from cnn_topology.plan.clouds import Filtering
from cnn_topology.plan.expand import LayerClouds
from cnn_topology.plan.parameters import BarcodeParameters
from cnn_topology.runs.job import Job
from cnn_topology.statistics.nulls import NullDraws
from cnn_topology.storage.tables import read_table
from cnn_topology.tables.filters import clouds_at, neighbour_column
from cnn_topology.tables.loops import NullRow, filtering_key
from cnn_topology.tables.registry import BARCODE_ROWS
from cnn_topology.tables.row import matching


def run(job: Job) -> None:
    """Analyse every step of the block."""
    parameters = job.parameters(BarcodeParameters)
    asked, sphere = parameters.clouds, job.read_rows(NullRow, "null")
    parts = []
    for step, (rows, points, constant, networks) in clouds_at(read_table(job.input("clouds")), asked.filterings):
        of = (asked.population, asked.layer.name, asked.layer.depth, step)
        cloud = FilterCloud(*of, *filters_of(rows, points, asked.centre), constant, networks)
        distances = {
            filtering.at(len(points)): rows[neighbour_column(filtering.k)].to_numpy()
            for filtering in asked.filterings[step]
        }
        shared = None  # where networks failed, the shared null is of another size
        if len(points) == asked.points:
            shared = {filtering: _read_draws(sphere, filtering, asked) for filtering in distances}
        tables, results = analyse_cloud(
            cloud,
            distances,
            parameters.significance,
            parameters.run_seed,
            shared=shared,
            measured=[filtering.at(len(points)) for filtering in asked.measured],
            exact=[filtering.at(len(points)) for filtering in asked.exact],
        )
        parts.append(tables)
        for filtering, loops in zip(distances, results, strict=True):
            print(f"step {step}, rho({filtering.k}, {filtering.p:g}): {loops.verdict}", flush=True)
    job.write_tables(BARCODE_ROWS, parts, job.notes(parameters))


def _read_draws(sphere: pa.Table, filtering: Filtering, clouds: LayerClouds) -> NullDraws:
    """Pick the draws under one filtering from the shared null."""
    rows = matching(sphere, centre=clouds.centre, **vars(filtering_key(filtering, clouds.points)))
    return NullDraws(*(rows[name].to_numpy() for name in ("longest", "second", "largest_ratio")))
