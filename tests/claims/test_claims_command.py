"""`cnn-topology claims` reads the tables that a run has; its rows are told in the summary and on the page."""

import pyarrow as pa
import pytest
from job_runs import run_job

from cnn_topology.plan.findings import ClaimParameters
from cnn_topology.storage.tables import read_notes, read_table, write_table
from cnn_topology.summary.lines import claim_lines
from cnn_topology.tables.findings import ClaimRow
from cnn_topology.tables.registry import TABLES

NOTES = {"seed": "2018", "config": "1f0c9b7a5e21", "data": "mnist:77b1"}


@pytest.fixture(scope="module")
def claims(facts, frames, tmp_path_factory):
    """Test the claims by a table in which E1 holds and E5 fails; few other tables are there."""
    folder = tmp_path_factory.mktemp("claims")
    cloud = {
        "layer": "conv1",
        "depth": 1,
        "step": 40_000,
        "density_k": 200,
        "density_p": 0.3,
        "landmarks": 6_000,
        "points": 6_400,
        "kept": 1_920,
    }
    cloud |= {"networks": 100, "headline": True, "longest": 1.1, "significant_bars": 1, "p_longest": 0.005}
    cloud["p_lowpass"] = 0.005
    rows = [{**cloud, "population": "first", "verdict": "one loop"}, {**cloud, "population": "gray"}]
    table = pa.Table.from_pylist([{name: row.get(name) for name in TABLES["loops"].schema.names} for row in rows])
    write_table(folder / "loops.parquet", table, TABLES["loops"].schema, {"config": "abc", "data": "d", "seed": "7"})
    held = {**cloud, "population": "first", "circle": "primary", "coverage": 1.0, "p_permuted": 0.01, "degree": 1}
    table = pa.Table.from_pylist([{name: held.get(name) for name in TABLES["circles"].schema.names}])
    write_table(
        folder / "circles.parquet", table, TABLES["circles"].schema, {"config": "abc", "data": "d", "seed": "7"}
    )
    output = folder / "tables" / "claims.parquet"
    tables = [folder / f"{name}.parquet" for name in ("loops", "circles")]
    assert run_job(ClaimParameters(run_seed=7, facts=facts), {"tables": tables}, {"claims": output}) == 0
    return output


def test_rows_have_verdicts_and_the_lineage_of_their_tables(claims):
    rows = read_table(claims, ClaimRow.schema).to_pandas().set_index("claim")
    assert rows.loc["E1", "verdict"] == "supported"
    assert rows.loc["E1", "value"] == 1.1
    assert rows.loc["E1", "published_value"] == 1.1
    assert "M-med" in rows.loc["E1", "published"]
    assert rows.loc["E5", "verdict"] == "not supported"
    assert rows.loc["E13", "reason"] == "no table training in this run"
    assert read_notes(claims)["data"] == "d"
    assert claims.with_suffix(".csv").read_text().count("\n") == len(rows) + 1


def test_a_table_that_is_none_is_refused(facts, tmp_path, capsys):
    parameters, tables = ClaimParameters(run_seed=7, facts=facts), [tmp_path / "lops.parquet"]
    assert run_job(parameters, {"tables": tables}, {"claims": tmp_path / "claims.parquet"}) == 2
    assert "did you mean 'loops'" in capsys.readouterr().err


def test_the_summary_tells_what_was_decided_and_counts_the_rest(claims):
    rows = read_table(claims, ClaimRow.schema).to_pylist()
    lines = claim_lines(rows)
    assert lines[0].startswith("claims of the weights paper (")
    assert (
        "  E1   supported; 1.1, p = 0.005, n = 100 networks. MNIST, M(64, 32, 64), layer 1: one circle. (first)"
        in lines
    )
    assert not any("activations" in line for line in lines)
    assert claim_lines([]) == []
    assert "cannot decide" in {row["verdict"] for row in rows}
    assert len(lines) == 1 + sum(row["verdict"] != "not tested" or bool(row["outcome"]) for row in rows)
