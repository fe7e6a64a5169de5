"""A table is one class: rows, schema and data dictionary cannot differ."""

import importlib
import pkgutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from cnn_topology import tables
from cnn_topology.errors import InputError
from cnn_topology.storage.tables import checksum, read_table, write_table
from cnn_topology.tables.loops import ControlRow
from cnn_topology.tables.mapper import MapperGraphRow, MapperSweepRow
from cnn_topology.tables.registry import ALL_ROWS, BARCODE_ROWS, GRAPH_ROWS, MAPPER_ROWS, TABLES, WHOLE
from cnn_topology.tables.row import Row, column

BAR = {"control": "circle", "points": 60, "noise_sd": 0.1, "field": 2, "dimension": 1, "birth": 0.2, "death": 1.5}


class Sampled(Row, table="sampled"):
    """A row with every kind of column."""

    name: str = column("Its name.")
    seen: int | None = column("How often.", "count", default=None)
    depths: Sequence[int] = column("Some depths.")
    entries: Sequence[float] = column("Two entries.", "length", names=("w0", "w1"), kind=pa.float32())


def test_an_unknown_or_missing_column_is_an_error_and_no_column_of_nulls():
    with pytest.raises(TypeError, match="longestt"):
        ControlRow(**BAR, longestt=1.0)
    with pytest.raises(TypeError, match="death"):
        ControlRow(**{name: value for name, value in BAR.items() if name != "death"})
    columns = {name: [value] for name, value in BAR.items()}
    with pytest.raises(TypeError, match=r"deaths.*did you mean 'death'"):
        ControlRow.columns(**columns, deaths=[1.0])
    with pytest.raises(TypeError, match="ControlRow lacks the column death"):
        ControlRow.columns(**{name: value for name, value in columns.items() if name != "death"})


def test_a_value_is_missing_only_where_a_row_may_lack_it():
    assert Sampled.table([Sampled(name="a", depths=[], entries=(0, 1))])["seen"].to_pylist() == [None]
    with pytest.raises(TypeError, match=r"ControlRow\.death"):
        ControlRow.columns(**{name: [value] for name, value in {**BAR, "death": None}.items()})


@pytest.mark.parametrize("points", [1.5, [1.5], np.array([1.5]), pa.array([1.5])])
def test_a_fraction_is_no_count(points):
    with pytest.raises(pa.ArrowInvalid, match="truncated"):
        ControlRow.columns(**{name: [value] for name, value in BAR.items() if name != "points"}, points=points)
    assert ControlRow.columns(**{**BAR, "points": 60.0, "birth": [0.2]})["points"].to_pylist() == [60]


def test_rows_and_columns_give_the_same_table():
    rows = [ControlRow(**BAR), ControlRow(**{**BAR, "birth": 0.4})]
    by_column = ControlRow.columns(**{**BAR, "birth": np.array([0.2, 0.4])})
    assert ControlRow.table(rows).equals(by_column, check_metadata=True)
    assert ControlRow.table([]).equals(ControlRow.schema.empty_table(), check_metadata=True)


def test_columns_of_other_lengths_and_rows_of_other_tables_are_refused():
    with pytest.raises(TypeError, match=r"different lengths: \[1, 2\]"):
        ControlRow.columns(**{**BAR, "birth": [0.2], "death": [1.0, 2.0]})
    graph = dict.fromkeys(MapperGraphRow.schema.names, 1)
    with pytest.raises(TypeError, match="MapperSweepRow is no row of MapperGraphRow"):
        MapperGraphRow.table([MapperSweepRow(**graph, change="none")])


def test_one_field_can_fill_several_columns():
    table = Sampled.columns(name="a", seen=[1, None], depths=[[1], [2, 3]], entries=np.array([[1, 2], [3, 4]]))
    assert table.schema.field("w1").type == pa.float32()
    assert table["w1"].to_pylist() == [2, 4]
    assert table["depths"].to_pylist() == [[1], [2, 3]]


def test_every_column_of_every_table_says_what_it_means_in_the_file(tmp_path):
    for row in ALL_ROWS:
        assert not row.__doc__.startswith(f"{row.__name__}("), f"{row.__name__} has no docstring"
        path = tmp_path / f"{row.table_name}.parquet"
        write_table(path, row.table([]), row.schema)
        for field in read_table(path, row.schema).schema:
            words = (field.metadata or {}).get(b"description", b"").decode()
            assert words.endswith("."), f"{row.table_name}.{field.name}: {words!r} is no sentence"
            assert b"unit" in field.metadata


def test_every_row_type_is_in_the_registry_or_one_of_an_intermediate_file():
    """Parts that no person reads are tables of their own, of which a run keeps no finished one; a look is no run."""
    intermediate = {"clouds", "activation_barcodes", "network_pairs", "component_curves", "sampled", "look"}
    for module in pkgutil.iter_modules(tables.__path__):
        importlib.import_module(f"{tables.__name__}.{module.name}")

    def below(row):
        return {row, *(leaf for sub in row.__subclasses__() for leaf in below(sub))}

    named = {row.table_name for row in below(Row) - {Row}} - {""}
    assert named - set(TABLES) == intermediate


def test_every_table_is_made_whole_by_a_job_or_joined_from_parts():
    made = {row.table_name for rows in (BARCODE_ROWS, MAPPER_ROWS, GRAPH_ROWS, *WHOLE.values()) for row in rows}
    joined_from = (Path(__file__).parents[2] / "workflow/jobs/tables.smk").read_text()
    lacking = {name for name in TABLES if name not in made and f'"{name}"' not in joined_from}
    assert not lacking, f"no job makes them: WHOLE of tables/registry.py, or workflow/jobs/tables.smk: {lacking}"


def test_tables_have_a_name_each():
    assert len(TABLES) == len(ALL_ROWS)
    assert "" not in TABLES


def test_meanings_are_no_content():
    table = ControlRow.table([ControlRow(**BAR)])
    plain = pa.table(table.columns, names=table.column_names)
    assert checksum(table) == checksum(plain)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        (lambda table: table.drop_columns("birth"), ("birth", "double")),
        (lambda table: table.set_column(0, "control", pa.array([1])), ("control", "int64", "string")),
        (lambda table: table.append_column("extra", pa.array([1.5])), ("extra", "double")),
        (lambda table: table.select(table.column_names[::-1]), ("order",)),
    ],
)
def test_a_file_of_another_version_is_refused_with_the_column_and_both_types(tmp_path, changed, named):
    table = changed(ControlRow.table([ControlRow(**BAR)]))
    write_table(tmp_path / "controls.parquet", table, table.schema)
    with pytest.raises(InputError) as refused:
        read_table(tmp_path / "controls.parquet", ControlRow.schema)
    for words in ("controls.parquet", *named):
        assert words in str(refused.value)
