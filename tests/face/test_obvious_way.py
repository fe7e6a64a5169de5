"""The benchmark of both papers: what its two ways of each piece of work return is compared before it is timed."""

import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import obvious_way

SMALL = {
    "loops of filters and nulls": (64, 128),
    "barcodes of layers, images": (30, 60),
    "all distances, diagrams": (2, 3),
    "mapper graph, vectors": (100, 200),
}
WORKS = {work.name: work for works in obvious_way.PAPERS.values() for work in works}


@pytest.mark.parametrize("name", SMALL)
def test_both_ways_have_the_same_numbers(name, monkeypatch):
    monkeypatch.setattr(obvious_way, "TRIED", 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what other libraries use is not ours to mend
        seconds = obvious_way.measured(WORKS[name], SMALL[name])
    assert (seconds > 0).all()


def test_ways_that_disagree_are_no_benchmark(monkeypatch):
    monkeypatch.setattr(obvious_way, "TRIED", 0)
    work = WORKS["loops of filters and nulls"]
    wrong = obvious_way.Work(
        work.name, work.make, work.obvious, lambda points: np.zeros(3), work.agree, (64, 128), 1, (1, 1)
    )
    with pytest.raises(SystemExit, match="disagree"):
        obvious_way.measured(wrong, (64, 128))
