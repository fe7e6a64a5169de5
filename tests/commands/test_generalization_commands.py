"""The commands `networks` and `correlations`: what they read, whom they leave out, what they refuse."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from job_runs import run_job

from cnn_topology.analysis.single_networks import GIVEN, balance, correlations, pooled_rows, reliability, samples
from cnn_topology.plan.clouds import Density
from cnn_topology.plan.config import parse_config
from cnn_topology.plan.expand import Plan
from cnn_topology.plan.generalization import Vary
from cnn_topology.plan.parameters import CorrelationParameters, NetworksParameters
from cnn_topology.statistics.correlations import correlate
from cnn_topology.statistics.networks import HYPERPARAMETERS, PREDICTORS, loop_summary
from cnn_topology.storage.tables import read_notes, read_table, write_table
from cnn_topology.storage.tensors import write_tensors
from cnn_topology.tables.generalization import CorrelationRow, GeneralizationRow
from cnn_topology.tables.training import TrainingRow


def _training(population, shard, networks, steps, failed):
    rows = []
    for network in networks:
        for step in steps:
            for images, split, accuracy in (
                ("digits", "train", 0.9),
                ("digits", "test", 0.6),
                ("printed", "test", 0.3),
            ):
                bad = (network, step) in failed
                row = {"population": population, "network": network, "seed": network, "step": step, "epoch": 1.0}
                row |= {"images": images, "split": split, "examples": 10, "failed": bad}
                rows.append(
                    {**row, "loss": np.nan if bad else 1.0, "accuracy": np.nan if bad else accuracy + network / 100}
                )
    return pa.Table.from_pylist(rows, schema=TrainingRow.schema)


@pytest.fixture
def analysed(tiny, tmp_path):
    """Return the table of the networks of population a, one of which has failed by step 4."""
    plan = Plan(parse_config(tiny))
    rng, failed = np.random.default_rng(0), {(3, 4), (3, 12)}
    for shard in plan.shards_of("a"):
        networks = list(range(shard.first, shard.first + shard.count))
        for step in (0, 4, 12):
            bad = [(network, step) in failed for network in networks]
            weight = rng.standard_normal((len(networks), 6, 1, 3, 3)).astype(np.float32)
            weight[bad] = np.nan
            ids = {"networks": json.dumps(networks), "seeds": json.dumps(networks), "failed": json.dumps(bad)}
            metadata = {**ids, "step": str(step), "config": "c", "data": "d", "seed": "7"}
            write_tensors(tmp_path / f"{shard.number}-{step}.st", {"conv1.weight": weight}, metadata)
        log = _training("a", shard.number, networks, (0, 4, 12), failed)
        write_table(
            tmp_path / f"{shard.number}.parquet", log, TrainingRow.schema, {"config": "t", "data": "d,e", "seed": "7"}
        )
    group = plan.network_groups[0]
    parameters = NetworksParameters.of(plan, group, group.items)
    initial = [str(tmp_path / f"{shard}-0.st") for _ in group.items for shard in range(3)]
    snapshots = [str(tmp_path / f"{shard}-{step}.st") for _, step in group.items for shard in range(3)]
    logs = [str(tmp_path / f"{shard}.parquet") for shard in range(3)]
    output = tmp_path / "generalization.parquet"
    inputs = {"initial": initial, "snapshots": snapshots, "training": logs}
    assert run_job(parameters, inputs, {"generalization": output}) == 0
    pooled = parameters.model_copy(update={"is_grid": True})
    assert run_job(pooled, inputs, {"generalization": tmp_path / "grid.parquet"}) == 0
    return plan, output


def test_every_network_has_a_row_per_step_unless_it_failed(analysed):
    table = read_table(analysed[1], GeneralizationRow.schema).to_pandas()
    assert len(table) == 5 + 4 + 4
    assert set(table.loc[table["step"] == 12, "network"]) == {0, 1, 2, 4}
    assert (table.loc[table["step"] == 0, "distance"] == 0).all()
    assert (table.loc[table["step"] == 12, "distance"] > 1).all()
    assert (table["kept"] == 4).all()
    assert set(zip(table["pool"], table["networks"], strict=True)) == {("", 1)}
    one = table[(table["step"] == 4) & (table["network"] == 2)].iloc[0]
    assert one["test_accuracy"] == pytest.approx(0.62)
    assert one["gap"] == pytest.approx(0.3)
    assert one["cross_accuracy"] == pytest.approx(0.32)
    assert read_notes(analysed[1])["data"] == "d,e"


def test_correlations_are_over_whole_trajectories_and_every_predictor_has_its_row(analysed, tmp_path):
    plan, generalization = analysed
    output = tmp_path / "correlations.parquet"
    inputs = {"generalization": generalization}
    assert run_job(CorrelationParameters.of(plan), inputs, {"correlations": output}) == 0
    found = read_table(output, CorrelationRow.schema).to_pandas()
    # Two plain methods, and two partial ones each given the step alone and given the step and the baselines.
    cases = found.groupby(["outcome", "method", "given"])["predictor"].agg(list)
    assert len(cases) == 3 * (2 + 2 * 2)
    assert all(set(names) == set(PREDICTORS) for names in cases)
    assert (found["networks"] == 4).all()
    assert (found["rows"] == 12).all()
    assert set(found["exchanged"]) == {"4 networks as blocks"}
    assert "step, frobenius, mean, sd, kurtosis" in set(found["given"])
    rows = read_table(generalization).to_pandas().query("network != 3")
    expected = np.corrcoef(rows["spectral"], rows["test_accuracy"])[0, 1]
    mine = found.query("outcome == 'test_accuracy' and method == 'pearson'").set_index("predictor")
    assert mine.loc["spectral", "statistic"] == pytest.approx(expected)
    # Of clouds of four filters no bar counts.
    assert np.isnan(mine.loc["longest", "statistic"])


def test_a_grid_has_rows_of_pools_beside_those_of_networks(analysed, tmp_path):
    table = read_table(tmp_path / "grid.parquet", GeneralizationRow.schema).to_pandas()
    pools = table[table["pool"] != ""]
    assert pools.groupby("step")["networks"].agg(list).to_dict() == {0: [5, 3, 2], 4: [4, 3, 1], 12: [4, 3, 1]}
    assert (pools["kept"] == [21, 13, 8, *[17, 13, 4] * 2]).all()
    assert len(table) == 13 + len(pools)


def test_networks_of_a_population_of_a_grid_are_pooled_and_so_is_each_half(analysed, tmp_path):
    table = read_table(analysed[1], GeneralizationRow.schema).to_pandas()
    rng, density = np.random.default_rng(1), Density(k=0.1, p=0.5)
    rows = [GeneralizationRow(**row) for row in table[table["step"] == 12].to_dict("records")]
    weights = [rng.standard_normal((30, 1, 3, 3)) for _ in rows]
    whole, even, odd = pooled_rows(rows, weights, density)
    assert [(row.pool, row.networks, row.points, row.kept) for row in (whole, even, odd)] == [
        ("all", 4, 120, 60),
        ("even", 3, 90, 45),
        ("odd", 1, 30, 15),
    ]
    assert whole.longest == loop_summary(np.concatenate(weights), density).longest
    assert odd.longest == loop_summary(weights[1], density).longest
    assert even.test_accuracy == pytest.approx(np.mean([rows[n].test_accuracy for n in (0, 2, 3)]))
    assert whole.frobenius == pytest.approx(np.mean([row.frobenius for row in rows]))


def test_a_grid_is_correlated_over_its_populations_with_the_reliability_of_each_predictor(analysed):
    plan, output = analysed
    row = read_table(output, GeneralizationRow.schema).to_pandas().iloc[0].to_dict() | {"group_name": "grid"}
    rng, rows = np.random.default_rng(6), []
    for place in range(8):
        of = row | {"population": f"p{place}", "is_grid": True, "kept": 60, "step": 12, "test_accuracy": place / 10}
        rows += [of | {"pool": "", "longest": rng.normal()} for _ in range(4)]
        for pool, networks in (("all", 4), ("even", 2), ("odd", 2)):
            rows.append(of | {"network": -1, "pool": pool, "networks": networks, "longest": place + rng.normal() / 9})
    found = pd.DataFrame(correlations(pd.DataFrame(rows), CorrelationParameters.of(plan)))
    (longest,) = found.query("predictor == 'longest' and outcome == 'test_accuracy' and method == 'spearman'").to_dict(
        "records"
    )
    assert (longest["scope"], longest["rows"], longest["networks"]) == ("grid", 8, 32)
    assert longest["statistic"] > 0.95
    assert longest["reliability"] > 0.95
    assert longest["exchanged"] == "8 populations as blocks"


def test_reliability_is_the_correlation_of_halves_stepped_up():
    rng = np.random.default_rng(2)
    signal, halves = rng.normal(size=400), {}
    for pool in ("even", "odd", "all"):
        values = {name: signal + rng.normal(size=400) for name in PREDICTORS}
        halves[pool] = pd.DataFrame({**values, "pool": pool, "population": range(400)})
    found = reliability(pd.concat(halves.values()))
    # Each half has half of its variance from the signal: of both together two thirds are.
    assert found["longest"] == pytest.approx(2 / 3, abs=0.08)
    assert np.isnan(reliability(pd.concat(halves.values()).query("population < 3"))["longest"])
    halves["odd"] = halves["odd"].assign(longest=-halves["even"]["longest"])
    assert reliability(pd.concat(halves.values()))["longest"] == 0  # and not below -1


def test_partial_correlations_of_a_grid_hold_all_that_it_varies_fixed():
    assert set(Vary.model_fields) == set(HYPERPARAMETERS) <= set(GIVEN)
    # Label noise alone moves both the bar and accuracy: with it held fixed nothing is left of their correlation.
    rng = np.random.default_rng(5)
    noise = np.tile(np.linspace(0, 0.8, 5), 8)
    table = pd.DataFrame(dict.fromkeys((*PREDICTORS, *HYPERPARAMETERS), 0.1), index=range(40)).assign(
        kept=60, networks=1
    )
    table = table.assign(population=np.arange(40) // 2, network=np.arange(40) % 2, block=np.arange(40) // 2, step=9)
    table["label_noise"] = noise
    table["longest"], table["test_accuracy"] = (1 - noise + 0.05 * rng.normal(size=40) for _ in range(2))
    ((given, sample),) = samples(table, "test_accuracy", "grid", "partial_pearson")
    assert given == "label_noise"
    place = list(sample.predictors).index("longest")
    plain, partial = (
        correlate(sample, method, 9, 9, rng).statistic[place] for method in ("pearson", "partial_pearson")
    )
    assert plain > 0.9
    assert abs(partial) < 0.4


def test_of_a_grid_width_is_held_fixed_alone_too():
    rng = np.random.default_rng(3)
    width = np.repeat([16, 32, 64], 40)
    # Bars and accuracy both follow width, by no line, and nothing else binds them.
    table = pd.DataFrame({name: rng.normal(size=120) for name in PREDICTORS})
    table = table.assign(width=width, step=300, test_accuracy=np.sqrt(width) + 0.1 * rng.normal(size=120))
    table = table.assign(longest=-((width - 20.0) ** 2) + rng.normal(size=120), block=np.arange(120))
    table = table.assign(population=[f"p{n}" for n in range(120)], network=0, kept=60, networks=1)
    table = table.reindex(columns=[*table.columns, "dropout", "learning_rate", "label_noise", "train_images"])
    choices = dict(samples(table, "test_accuracy", "grid", "partial_spearman"))
    assert list(choices) == ["width", "width, frobenius, mean, sd, kurtosis"]
    found = correlate(choices["width"], "partial_spearman", 20, 99, np.random.default_rng(0))
    place = list(choices["width"].predictors).index("longest")
    assert abs(found.statistic[place]) < 0.25
    ((_, plain),) = samples(table, "test_accuracy", "grid", "spearman")
    assert abs(correlate(plain, "spearman", 20, 99, np.random.default_rng(0)).statistic[place]) > 0.8


def test_a_number_of_training_images_that_is_not_known_is_a_class_of_its_own():
    table = pd.DataFrame(dict.fromkeys((*PREDICTORS, *HYPERPARAMETERS), 0.1), index=range(8)).assign(
        kept=60, networks=1
    )
    table = table.assign(population=range(8), network=0, block=range(8), step=9, test_accuracy=np.arange(8.0))
    table["train_images"] = [np.nan, np.nan, 100, 100, 100, 500, 500, 500]
    ((given, sample),) = samples(table, "test_accuracy", "grid", "partial_spearman")
    assert given == "train_images"
    assert sample.given["train_images"].sum(axis=0).tolist() == [3, 3]


def test_fewer_than_four_networks_are_left_out_with_the_number_needed(analysed, tmp_path, capsys):
    plan, generalization = analysed
    table = read_table(generalization)
    few = table.filter(pa.compute.less(table["network"], 3))
    write_table(tmp_path / "few.parquet", few, GeneralizationRow.schema, {"seed": "7"})
    inputs, outputs = {"generalization": tmp_path / "few.parquet"}, {"correlations": tmp_path / "none.parquet"}
    assert run_job(CorrelationParameters.of(plan), inputs, outputs) == 0
    assert read_table(tmp_path / "none.parquet", CorrelationRow.schema).num_rows == 0
    assert (
        "left out: a, conv1, gap: correlations need at least 4 networks; got 3: train 1 more" in capsys.readouterr().out
    )


def test_a_population_of_a_grid_is_one_block_its_networks_pooled():
    table = pd.DataFrame({"population": list("bbbaac"), "network": [-1, 0, 1, -1, 1, -1], "step": 5, "gap": 0.1})
    table = table.assign(pool=["all", "", "odd", "all", "", "all"])
    table.loc[5, "gap"] = np.nan
    found = balance(table, "gap", "grid")
    assert list(zip(found["population"], found["network"], found["block"], strict=True)) == [("a", -1, 0), ("b", -1, 1)]
