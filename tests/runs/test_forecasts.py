"""Forecasts of jobs grow with what costs, and are compared with what the jobs of a run took."""

import sys
from pathlib import Path

from cnn_topology.forecast import activation_jobs, filter_jobs
from cnn_topology.forecast.demand import NUMERIC
from cnn_topology.plan.config import parse_config
from cnn_topology.plan.expand import Plan
from cnn_topology.plan.layer_comparisons import Comparison
from cnn_topology.plan.recorded import RecordedLayer
from cnn_topology.runs.jobs import Job

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import forecasts


def test_forecasts_grow_with_the_filters_of_a_network_the_draws_and_the_rows_that_are_correlated(tiny):
    def expected():
        plan = Plan(parse_config(tiny))
        group = next(group for group in plan.network_groups if not group.is_grid)
        return (
            filter_jobs.networks(plan, group, group.items).seconds - NUMERIC[0],
            filter_jobs.correlations(plan).seconds - NUMERIC[0],
            filter_jobs.dynamics(plan, plan.layer_clouds[0]).seconds - NUMERIC[0],
        )

    little = expected()
    tiny["populations"]["a"]["networks"] = 50
    tiny["populations"]["a"]["architecture"]["convolutions"] = [600, 4]
    tiny["generalization"].update(bootstrap_draws=2_000, permutations=1_900)
    tiny["dynamics"]["bootstrap_draws"] = 1_900
    networks, correlations, dynamics = expected()
    assert networks > 12 * little[0]  # ten times as many networks of more filters
    assert correlations > 500 * little[1]  # nearly ten times as many rows under a hundred times as many draws
    assert dynamics > 99 * little[2]


def test_forecast_and_outcome_of_a_run_are_compared_by_kind_of_job(tmp_path):
    """The outcome is CPU time, but of a job on a GPU wall time; what has not ended counts nowhere."""
    asked = {"expected_s": 10, "mem_mb": 1_000}
    jobs = [
        Job("train_a", ("results/t/a",), "results/t/logs/train/a.log", 1, asked),
        Job("train_b", ("results/t/b",), "results/t/logs/train/b.log", 1, {**asked, "gpu": 1, "mem_mb": 2_000}),
        Job("page", ("results/t/page",), "results/t/logs/page.log", 1, asked),
    ]
    for name, wall, cpu in (("a", 50, 4), ("b", 30, 9)):
        took = f"# took {wall}.00 s, {cpu}.00 s of CPU time, 90 MB of memory at most"
        log = tmp_path / f"results/t/logs/train/{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(f"cnn-topology job\n{took}\n")
    assert forecasts.rows(jobs, tmp_path) == [("train", 2, 20, 34, 2_000, 90)]


def test_layers_that_are_twice_as_wide_take_four_times_as_long_to_compare_and_eight_times_without_components():
    def expected(channels):
        layer = RecordedLayer(name="a", depth=1, convolution="a", norm="a", channels=channels, height=4, width=4)
        compared = Comparison("c", "p", (0, 1), (layer, layer), 1_000, ("linear_cka", "pwcca_distance"), (), (), ())
        whole = activation_jobs.layer_distances(compared, "0000-0000", 2)
        return whole.seconds - NUMERIC[0], activation_jobs.component_sensitivity(compared).seconds - NUMERIC[0]

    (pairs, reduced), (wider_pairs, wider_reduced) = expected(1_000), expected(2_000)
    assert 3.9 < wider_pairs / pairs < 4
    assert 7.9 < wider_reduced / reduced < 8
