"""Forecasts of mapper graphs of activations: near what was measured, and growing with what makes the work grow."""

import pytest

from cnn_topology.mapper.metric import ELBOW_ROWS
from cnn_topology.plan.activation_graphs import GraphPlan
from cnn_topology.plan.config import parse_config
from cnn_topology.plan.expand import Plan
from cnn_topology.runs.activation_forecast import MOST_ELBOW_ROWS, graphs


def seconds(count: int, channels: int, layers: int = 1, **entry: object) -> float:
    """Forecast one job of graphs of clouds of `count` points with so many channels."""
    names = [f"layer1.{block}.bn2" for block in range(layers)]
    nets = {"images": "cifar10", "variant": "mapper", "widths": [channels], "blocks": [max(layers, 1)]}
    cloud = {"networks": "nets", "split": "train", "count": count, "layers": names, "sampling": "random"}
    content = {
        "version": 1,
        "name": "costs",
        "images": {"cifar10": {"kind": "cifar10"}},
        "resnets": {"nets": nets},
        "activation_clouds": {"random": cloud},
        "activation_mapper": {"elbow": entry},
        "jobs": {"layers": layers},
    }
    plan = GraphPlan(Plan(parse_config(content)))
    [job] = plan.jobs.values()
    return graphs(plan, job).seconds


# CPU seconds of the elbow rule, the graph and its purity with 199 shuffles on one shared core, imports aside.
MEASURED = {(3_000, 16): 0.34, (3_000, 512): 0.44, (10_000, 64): 0.65, (10_000, 512): 1.48, (20_000, 64): 1.83}


@pytest.mark.parametrize(("size", "measured"), MEASURED.items())
def test_forecasts_are_within_a_factor_of_three_of_what_was_measured(size: tuple[int, int], measured: float) -> None:
    more = seconds(*size, layers=2) - seconds(*size)  # one more layer, without the start of the job
    assert measured / 3 < more < 3 * measured


def test_points_that_are_not_used_cost_nothing_and_a_sweep_costs_a_graph_a_setting() -> None:
    assert seconds(50_000, 64, most_points=10_000) == seconds(10_000, 64)
    sweep = {"eps_factors": [0.5], "overlaps": [], "intervals": [30, 50]}
    plain, swept = seconds(3_000, 64), seconds(3_000, 64, sweep=sweep)
    assert 1.5 < swept - plain < 2.0
    assert seconds(20_000, 64, intervals=1) > seconds(20_000, 64)


def test_the_forecast_knows_how_many_rows_the_elbow_rule_looks_at() -> None:
    assert MOST_ELBOW_ROWS == ELBOW_ROWS
