"""Finished layers of a look on disk, each under a name that changes with all that its numbers depend on."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cnn_topology.analysis.whole_tables import completed
from cnn_topology.errors import InputError
from cnn_topology.looks.layers import LayerLook, Settings
from cnn_topology.plan.code import code_digest
from cnn_topology.storage.tables import read_table, write_finished_table, write_table
from cnn_topology.tables.dynamics import LoopTrackRow, OnsetRow
from cnn_topology.tables.look import LookRow
from cnn_topology.tables.registry import BARCODE_ROWS
from cnn_topology.tables.row import joined


def save(folder: Path, look: LayerLook, settings: Settings) -> None:
    """Write the rows of a tested layer."""
    part = _part(folder, look, settings)
    for row in BARCODE_ROWS:
        write_table(part / f"{row.table_name}.parquet", look.tables[row.table_name], row.schema)


def load(folder: Path, look: LayerLook, settings: Settings) -> LayerLook:
    """Return a layer with its rows if they were written before and are whole; otherwise as it is."""
    part = _part(folder, look, settings)
    try:
        tables = {row.table_name: read_table(part / f"{row.table_name}.parquet", row.schema) for row in BARCODE_ROWS}
    except InputError:
        return look  # not there, or cut short: it is made again
    return replace(look, tables=tables)


def _part(folder: Path, look: LayerLook, settings: Settings) -> Path:
    digest = hashlib.sha256(look.cloud.points.tobytes())
    asked = (
        settings.density,
        settings.significance,
        settings.seed,
        look.cloud.population,
        look.cloud.step,
        code_digest("barcodes"),
    )
    digest.update("\n".join(map(repr, asked)).encode())
    return folder / "parts" / f"{look.cloud.layer}-{digest.hexdigest()[:12]}"


def write_tables(
    folder: Path,
    layers: Sequence[LayerLook],
    rows: list[LookRow],
    onsets: Sequence[OnsetRow] = (),
    tracks: Sequence[LoopTrackRow] = (),
) -> None:
    """Write the table of a look, and the tables of a run with the rows of all its layers, at several steps or one."""
    if onsets:
        write_finished_table(folder / "tables/onset.parquet", OnsetRow.table(onsets), OnsetRow.schema)
        write_finished_table(folder / "tables/loop_tracks.parquet", LoopTrackRow.table(tracks), LoopTrackRow.schema)
    write_finished_table(folder / "tables/look.parquet", LookRow.table(rows), LookRow.schema)
    for row in BARCODE_ROWS:
        table = joined([layer.tables[row.table_name] for layer in layers if layer.tables], row.schema)
        if all(layer.tables for layer in layers):  # q-values count all layers
            table = completed(row.table_name, table)
        write_finished_table(folder / f"tables/{row.table_name}.parquet", table, row.schema)
