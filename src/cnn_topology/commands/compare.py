"""`cnn-topology compare`: compare two runs table by table, such as those of two machines."""

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from cnn_topology.errors import InputError
from cnn_topology.plan.config_file import read_yaml
from cnn_topology.runs.jobs import find_run
from cnn_topology.storage.tables import checksum, read_table, schema_difference
from cnn_topology.tables.registry import ACTIVATION_ROWS

# Of numbers computed from the same networks on different hardware: largest difference, as a part of the largest value
# of their column. Ours; coordinates are kept in float32, whose last place is 6e-8 of a value. Activations pass many
# layers, each of which adds its roundings (measured, 17 convolutions with and without AVX-512: 1.4e-6 at most).
TOLERANCE, ACTIVATIONS_TOLERANCE = 1e-6, 1e-5
FROM_ACTIVATIONS = {row.table_name for row in ACTIVATION_ROWS}
# Columns of verdicts: what must agree between runs whose networks were trained apart.
VERDICTS = ("verdict", "shape", "significant_bars")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("runs", nargs=2, help="the runs' names or folders: results/<run>")


def run(arguments: argparse.Namespace) -> None:
    """Compare two runs.

    Raises
    ------
    InputError
        If a table differs by more than the tolerance; all of them have been named on standard output by then. If both
        are one run, or hold no tables.
    """
    first, second = map(find_run, arguments.runs)
    if first.samefile(second):
        raise InputError(f"{first}, {second}: are the same run; name two different ones")
    # As written, not validated: runs of an earlier config format are compared too.
    if changed := differing_keys(*(read_yaml(folder / "config.yaml").content for folder in (first, second))):
        print(f"the configs differ in {', '.join(changed)}")
    states = Counter[str]()
    for table in compare_tables(first, second):
        states[table.state] += 1
        print(f"{table.state:<9} {table.table}: {table.said}", flush=True)
    if not states:
        raise InputError(f"{first}/tables, {second}/tables: hold no tables")
    # The last file that a run makes: without it tables may lack that no search finds missing.
    for unfinished in (folder for folder in (first, second) if not (folder / "provenance.json").is_file()):
        print(f"{unfinished} has not finished: tables that neither run has were not compared")
    summary = (
        f"of {states.total()} tables {states['identical']} are identical and {states['within']} within the tolerance"
    )
    if states["different"]:
        raise InputError(
            f"{summary}; {states['different']} are different. Networks that were trained separately always differ"
        )
    print(summary)


@dataclass(frozen=True)
class Agreement:
    """Of one table: `identical`, `within` the tolerance or `different`, and in which column it differs most."""

    table: str
    state: str
    said: str


def compare_tables(first: Path, second: Path) -> Iterator[Agreement]:
    """Compare all finished tables of two runs.

    Parameters
    ----------
    first, second : Path
        The folders of the runs.

    Raises
    ------
    InputError
        If a table is damaged.
    """
    names = sorted({path.stem for run in (first, second) for path in (run / "tables").glob("*.parquet")})
    for name in names:
        paths = [run / f"tables/{name}.parquet" for run in (first, second)]
        absent = [str(path) for path in paths if not path.is_file()]
        if absent:
            yield Agreement(name, "different", f"{absent[0]} is missing")
        else:
            yield _compared(name, *map(read_table, paths))


def _compared(name: str, one: pa.Table, other: pa.Table) -> Agreement:
    if difference := schema_difference(one.schema, other.schema, ("the first run", "the second run")):
        return Agreement(name, "different", difference)
    if one.num_rows != other.num_rows:
        return Agreement(name, "different", f"{one.num_rows} and {other.num_rows} rows")
    if checksum(one) == checksum(other):
        return Agreement(name, "identical", f"{one.num_rows} rows")
    gaps = {column: column_gap(one[column], other[column]) for column in one.column_names}
    verdicts = "".join(
        f"; {column} equal in {_equal(one[column], other[column])} of {one.num_rows} rows"
        for column in VERDICTS
        if column in one.column_names
    )
    most = max(gaps, key=lambda column: gaps[column])
    size = "in values that are no numbers" if gaps[most] == np.inf else f"by {gaps[most]:.1e} of its largest value"
    state = "within" if gaps[most] <= tolerance(name) else "different"
    return Agreement(name, state, f"{most} differs most, {size}{verdicts}")


def tolerance(table: str) -> float:
    """Return how far numbers of a table may differ between machines."""
    return ACTIVATIONS_TOLERANCE if table in FROM_ACTIVATIONS else TOLERANCE


def column_gap(one: pa.ChunkedArray, other: pa.ChunkedArray) -> float:
    """Return the largest difference of two columns as a part of their largest value; infinite for what is no number."""
    if one.equals(other):
        return 0.0
    if not pa.types.is_floating(one.type):
        return np.inf
    a, b = (column.to_numpy().astype(float) for column in (one, other))
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    if same.all():
        return 0.0
    if not np.isfinite([a[~same], b[~same]]).all():
        return np.inf
    largest = np.abs([a, b])[np.isfinite([a, b])].max()
    return float(np.abs(a[~same] - b[~same]).max() / largest)


def _equal(one: pa.ChunkedArray, other: pa.ChunkedArray) -> int:
    """Count the equal values of two columns; two that are missing are equal."""
    return sum(a == b for a, b in zip(one.to_pylist(), other.to_pylist(), strict=True))


def differing_keys(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """List the sections in which two configs differ, the name of the run aside."""
    return [key for key in dict.fromkeys((*one, *other)) if key != "name" and one.get(key) != other.get(key)]
