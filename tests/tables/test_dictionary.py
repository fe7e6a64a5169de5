"""The data dictionary: in step with the row types, names with one meaning, queries that run."""

import re
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
from tables_page import GENERATED, data_dictionary

from cnn_topology.storage.tables import write_table
from cnn_topology.tables.registry import ALL_ROWS, TABLES

PAGE = (Path(__file__).parents[2] / "docs/tables.md").read_text()
QUERIES = re.findall(r"^```sql\n(.*?)^```\n\n```python\n(.*?)^```$", PAGE.partition(GENERATED)[0], re.M | re.S)
# What such a number is depends on the table, and stands in the column's meaning; all else means one thing everywhere.
STATISTICS = {"low", "high", "value", "statistic", "mean", "sd"}


def test_the_page_is_in_step_with_the_row_types():
    assert data_dictionary(PAGE) == PAGE, "run `make reference`"


def test_every_table_and_column_is_on_the_page():
    for name, row in TABLES.items():
        section = re.search(rf"^### {name}$(.*?)(?=^##|\Z)", PAGE, re.M | re.S)
        assert section, f"no section on {name}"
        for column in row.schema.names:
            assert f"`{column}`" in section[1] or re.search(r"arc00.*arc35", section[1]), f"{name}.{column}"


def test_no_column_is_a_reserved_word_of_sql():
    words = "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category = 'reserved'"
    reserved = {name for (name,) in duckdb.sql(words).fetchall()}
    assert {"group", "null", "column"} <= reserved
    assert {f"{row.table_name}.{name}" for row in ALL_ROWS for name in row.schema.names if name in reserved} == set()


def test_a_name_has_one_type_and_one_unit_in_all_tables():
    seen: dict[str, dict[tuple[str, str], str]] = {}
    for row in ALL_ROWS:
        for field in row.schema:
            number = pa.types.is_integer(field.type) or pa.types.is_floating(field.type)
            kind = ("number" if number else str(field.type), field.metadata[b"unit"].decode())
            seen.setdefault(field.name, {}).setdefault(kind, row.table_name)
    several = {name: kinds for name, kinds in seen.items() if len(kinds) > 1 and name not in STATISTICS}
    assert several == {}


@pytest.fixture
def tables(tmp_path, monkeypatch):
    """Write tables of two populations, of which the first has a circle, where queries find them."""
    cloud = {"layer": "conv1", "depth": 1, "density_k": 200, "density_p": 0.3, "landmarks": 6000}
    rows = {
        "loops": [
            {**cloud, "population": name, "step": step, "headline": headline, "longest": longest, "second": 0.2,
             "p_longest": 0.01, "verdict": verdict}
            for name, step, headline, longest, verdict in [
                ("first", 0, True, 0.3, "no loop"), ("first", 600, True, 0.9, "one loop"),
                ("first", 600, False, 0.5, "one weak loop"), ("other", 600, True, 0.25, "no loop"),
            ]
        ],
        "significance": [
            {**cloud, "population": "first", "step": 600, "null_name": null, "null_critical": limit}
            for null, limit in (("sphere", 0.3), ("permuted", 0.45))
        ],
        "training": [
            {"population": name, "network": n, "step": 600, "images": images, "own_images": images == "mnist",
             "split": split, "accuracy": accuracy, "failed": False}
            for name, n, images, split, accuracy in [
                ("first", 0, "mnist", "test", 0.9), ("first", 1, "mnist", "test", 0.8),
                ("first", 0, "svhn", "test", 0.2), ("first", 0, "mnist", "train", 1.0),
                ("other", 0, "mnist", "test", 0.7),
            ]
        ],
        "claims": [{"paper": "weights", "verdict": verdict} for verdict in ("supported", "supported", "not tested")],
    }  # fmt: skip
    for name, made in rows.items():
        unknown = {column for row in made for column in row} - set(TABLES[name].schema.names)
        assert unknown == set()
        write_table(tmp_path / f"{name}.parquet", pa.Table.from_pylist(made, TABLES[name].schema), TABLES[name].schema)
    monkeypatch.chdir(tmp_path)


EXPECTED = (
    [("first", 0.9, 0.2, 0.01, "one loop", 0.85), ("other", 0.25, 0.2, 0.01, "no loop", 0.7)],
    [("first", "conv1", 600, "permuted", 0.9, 0.45, 2.0), ("first", "conv1", 600, "sphere", 0.9, 0.3, 3.0)],
    [("weights", "not tested", 1), ("weights", "supported", 2)],
)


@pytest.mark.parametrize(("query", "expected"), list(zip(QUERIES, EXPECTED, strict=True)))
def test_queries_answer_their_question_in_sql_and_in_pandas(tables, query, expected):
    sql, code = query
    assert [pytest.approx(row) for row in duckdb.sql(sql).fetchall()] == expected
    names = {"pd": pd}
    exec(code, names)
    assert [pytest.approx(row) for row in names["result"].itertuples(index=False, name=None)] == expected
