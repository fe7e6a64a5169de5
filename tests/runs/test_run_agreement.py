"""Two runs are told alike or apart by their tables."""

import numpy as np
import pyarrow as pa
import pytest

from cnn_topology.cli import main
from cnn_topology.commands.compare import TOLERANCE, compare_tables, tolerance
from cnn_topology.plan.config import parse_config
from cnn_topology.storage.tables import write_table

VALUES = [0.5, -2.0, np.nan, np.inf, 1e-12]


def _write(folder, name="loops", values=VALUES, verdicts=("a", "b", "a", "b", "a")):
    table = pa.table({"longest": np.array(values, float), "verdict": list(verdicts)})
    write_table(folder / f"tables/{name}.parquet", table, table.schema, {})


def _said(tmp_path):
    return {found.table: (found.state, found.said) for found in compare_tables(tmp_path / "a", tmp_path / "b")}


def test_equal_tables_are_identical_whatever_their_notes(tmp_path):
    _write(tmp_path / "a")
    table = pa.table({"longest": np.array(VALUES), "verdict": ["a", "b", "a", "b", "a"]})
    write_table(tmp_path / "b/tables/loops.parquet", table, table.schema, {"seed": "another"})
    assert _said(tmp_path) == {"loops": ("identical", "5 rows")}


@pytest.mark.parametrize(("factor", "state"), [(0.9, "within"), (1.1, "different")])
def test_the_tolerance_is_a_part_of_the_largest_value_of_a_column(tmp_path, factor, state):
    _write(tmp_path / "a")
    _write(tmp_path / "b", values=[0.5 + factor * 2 * TOLERANCE, *VALUES[1:]])
    found, said = _said(tmp_path)["loops"]
    assert found == state
    assert said.startswith("longest differs most, by")
    assert said.endswith("verdict equal in 5 of 5 rows")


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (
            {"verdicts": ("a", "b", "a", "b", "b")},
            "verdict differs most, in values that are no numbers; verdict equal in 4 of 5 rows",
        ),
        (
            {"values": [0.5, -2.0, 0.0, np.inf, 1e-12]},
            "longest differs most, in values that are no numbers; verdict equal in 5 of 5 rows",
        ),
        ({"values": VALUES[:2], "verdicts": ("a", "b")}, "5 and 2 rows"),
        ({"name": "onset"}, None),
    ],
)
def test_what_no_tolerance_covers_is_apart(tmp_path, other, said):
    _write(tmp_path / "a")
    _write(tmp_path / "b", **other)
    found = _said(tmp_path)
    assert {state for state, _ in found.values()} == {"different"}
    assert found["loops"][1] == (said or f"{tmp_path / 'b/tables/loops.parquet'} is missing")


def test_the_command_names_changed_keys_and_ends_by_the_outcome(tmp_path, tiny, capsys):
    for name in ("a", "b"):
        _write(tmp_path / name)
        (tmp_path / name / "config.yaml").write_text(parse_config({**tiny, "name": name}).to_yaml())
        (tmp_path / name / "provenance.json").touch()
    folders = [str(tmp_path / "a"), str(tmp_path / "b")]
    assert main(["compare", *folders]) == 0
    printed = capsys.readouterr().out
    assert "has not finished" not in printed
    assert printed.splitlines()[-1] == "of 1 tables 1 are identical and 0 within the tolerance"
    (tmp_path / "b/config.yaml").write_text(parse_config({**tiny, "seed": 8}).to_yaml())
    _write(tmp_path / "b", values=[1, 2, 3, 4, 5])
    assert main(["compare", *folders]) == 2
    captured = capsys.readouterr()
    assert "the configs differ in seed" in captured.out
    assert "1 are different" in captured.err


def test_a_run_of_config_format_1_is_compared_with_one_of_today(tmp_path, tiny, capsys):
    for name in ("a", "b"):
        _write(tmp_path / name)
        (tmp_path / name / "config.yaml").write_text(parse_config({**tiny, "name": name}).to_yaml())
    old = (tmp_path / "a/config.yaml").read_text().replace("version: 2", "version: 1").replace("batch_size", "batch")
    (tmp_path / "a/config.yaml").write_text(old)
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == 0
    assert "the configs differ in version, populations" in capsys.readouterr().out


def test_runs_that_have_not_ended_and_one_that_is_compared_with_itself_are_named(tmp_path, tiny, capsys):
    """Tables that neither run has were once passed over unsaid; a link to the first run agreed with it."""
    for name in ("a", "b"):
        _write(tmp_path / name)
        (tmp_path / name / "config.yaml").write_text(parse_config({**tiny, "name": name}).to_yaml())
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == 0
    printed = capsys.readouterr().out
    assert all(f"{tmp_path / name} has not finished" in printed for name in ("a", "b"))
    (tmp_path / "c").symlink_to(tmp_path / "a")
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "c")]) == 2
    assert str(tmp_path / "c") in capsys.readouterr().err


def test_columns_of_other_types_are_different_and_missing_verdicts_are_equal(tmp_path):
    _write(tmp_path / "a", verdicts=("a", None, "a", "b", "a"))
    _write(tmp_path / "b", verdicts=("a", None, "a", "b", "b"))
    assert _said(tmp_path)["loops"][1].endswith("verdict equal in 4 of 5 rows")
    table = pa.table({"longest": [str(value) for value in VALUES], "verdict": ["a", None, "a", "b", "a"]})
    write_table(tmp_path / "b/tables/loops.parquet", table, table.schema, {})
    assert _said(tmp_path)["loops"] == ("different", "longest is double in the first run and string in the second run")


def test_columns_that_one_run_alone_has_are_named(tmp_path):
    _write(tmp_path / "a")
    table = pa.table({"longest": VALUES, "shape": VALUES})
    write_table(tmp_path / "b/tables/loops.parquet", table, table.schema, {})
    state, said = _said(tmp_path)["loops"]
    assert (state, said) == (
        "different",
        "only the first run has verdict (string); only the second run has shape (double)",
    )


def test_numbers_from_activations_may_differ_by_more_than_those_from_filters():
    assert tolerance("layer_distances") == tolerance("activation_nodes") > 5 * tolerance("barcodes")
    assert tolerance("loops") == TOLERANCE
