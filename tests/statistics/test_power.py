"""Power of the decision on a cloud: the table, its interpolation, and the trials that it is made of."""

import hashlib
import sys
from pathlib import Path

import pytest

from cnn_topology.plan.clouds import Filtering
from cnn_topology.statistics import power as module
from cnn_topology.statistics.power import (
    DIGEST,
    FAINT_CIRCLE,
    HALF_CIRCLE,
    LOOKED_UP,
    TABLE,
    Cell,
    Model,
    power,
    power_beside,
    read_cells,
)

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import calibration
from trials import decisions


def cell(kept: int, k_share: float, p: float, loop: int) -> Cell:
    points = round(kept / p)
    return Cell(*HALF_CIRCLE, kept, k_share, p, points, max(1, round(k_share * points)), 40, loop, 0, 0)


@pytest.fixture
def table(monkeypatch):
    rows = [cell(kept, 0.02, 0.3, loop) for kept, loop in ((60, 10), (240, 30))]
    monkeypatch.setattr(module, "read_cells", lambda: rows)
    module.cells_of.cache_clear()
    yield
    module.cells_of.cache_clear()


def test_a_cell_is_what_it_is_and_between_cells_its_logarithm_counts(table):
    assert power(HALF_CIRCLE, "loop", 200, 4, 0.3).rate == 0.25
    half_way = power(HALF_CIRCLE, "loop", 400, 8, 0.3)
    assert half_way.rate == pytest.approx(0.5)
    assert half_way.low < 0.36 < 0.64 < half_way.high
    assert half_way.in_range


@pytest.mark.parametrize(("points", "k", "p"), [(4_000, 80, 0.3), (400, 16, 0.3), (1_200, 24, 0.1)])
def test_beyond_the_table_the_nearest_size_stands_and_is_marked(points, k, p, table):
    found = power(HALF_CIRCLE, "loop", points, k, p)
    assert not found.in_range
    assert 0.25 <= found.rate <= 0.75


def test_where_cells_are_missing_the_others_stand_and_it_is_marked(monkeypatch):
    rows = [cell(60, 0.02, 0.3, 10), cell(240, 0.02, 0.3, 30), cell(240, 0.06, 0.3, 20)]
    monkeypatch.setattr(module, "read_cells", lambda: rows)
    module.cells_of.cache_clear()
    whole, partly = power(HALF_CIRCLE, "loop", 400, 8, 0.3), power(HALF_CIRCLE, "loop", 300, 12, 0.3)
    module.cells_of.cache_clear()
    assert (whole.in_range, partly.in_range) == (True, False)
    assert 0.25 < partly.rate < 0.75


def test_a_cloud_that_is_not_tested_has_no_power(table):
    assert power(HALF_CIRCLE, "loop", 100, 3, 0.3) is None


def test_runs_find_the_power_for_all_models_that_they_name_and_the_table_is_the_one_named():
    for model in LOOKED_UP:
        assert 0 <= power(model, "loop", 1_024, 32, 0.3).rate <= 1
    assert hashlib.sha256(TABLE.read_bytes()).hexdigest() == DIGEST, "renew DIGEST of statistics.power"
    assert power(HALF_CIRCLE, "loop", 1_024, 32, 0.3).rate >= power(FAINT_CIRCLE, "loop", 1_024, 32, 0.3).rate


def test_only_no_loop_is_told_with_the_power():
    row = {"verdict": "no loop", "power_circle": 0.95, "power_faint_circle": 0.4, "power_in_range": True}
    assert "95%" in power_beside(row)
    assert power_beside(row | {"verdict": "one loop"}) == power_beside(row | {"power_circle": None}) == ""


def test_trials_pass_through_the_decision_and_are_the_same_for_their_seed():
    filtering = Filtering(k=10, p=0.6)
    found = decisions(Model("primary circle", 0.2), 330, filtering, 3, seed=0)
    assert found == decisions(Model("primary circle", 0.2), 330, filtering, 3, seed=0)
    assert found == [("one loop", "primary circle")] * 3
    assert decisions(Model("noise"), 330, filtering, 3, seed=0) == [("no loop", None)] * 3


def test_calibration_resumes_and_grows_a_cell(tmp_path, monkeypatch, capsys):
    made = []

    def decided(model, points, filtering, trials):
        made.append((model, points))
        return [("no loop", None)] * trials

    monkeypatch.setattr(calibration, "decisions", decided)
    table = tmp_path / "power.csv"

    def run(trials):
        made.clear()
        monkeypatch.setattr(sys, "argv", ["calibration.py", "--trials", trials, "--kept", "50", "--table", str(table)])
        calibration.main()
        return len(made)

    every = run("3")
    assert every == len(read_cells(table)) > len(LOOKED_UP)
    assert (run("3"), run("4")) == (0, every)
    assert {cell.trials for cell in read_cells(table)} == {4}
