"""Power of the decision on a cloud: how often a layer of known shape gets which verdict, by its size and filtering.

The rates are those of simulated layers, by `benchmarks/calibration.py`, in ``power.csv``. Runs read them by
interpolation, so that no `no loop` stands without how often a loop would have been found.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cnn_topology.plan.clouds import Density
from cnn_topology.statistics.intervals import wilson_interval
from cnn_topology.statistics.significance import NO_LOOP

TABLE = Path(str(files("cnn_topology.statistics") / "power.csv"))
# SHA-256 of the table: the code of the jobs that read it changes when it does.
DIGEST = "e3421ca2e7e4150b93afc05ed72aaaf1346b00a673b434d97626b9339922017a"
# What is counted: any loop, and two known shapes.
OUTCOMES = ("loop", "three circles", "Klein bottle")


class Model(NamedTuple):
    """A layer of known shape: name, norm of the noise, share of the filters that are of the shape."""

    name: str
    noise: float = 0.0
    share: float = 1.0

    @property
    def words(self) -> str:
        """The model in words, for sentences."""
        noise = f" with noise of norm {self.noise:g}" if self.noise else ""
        return f"{self.name}{noise}" + (f" in {1 - self.share:.0%} random filters" if self.share < 1 else "")


# What `no loop` is judged by, and what claims about three circles are: the table has them at all sizes.
HALF_CIRCLE, FAINT_CIRCLE = Model("primary circle", 0.6, 0.5), Model("primary circle", 0.6, 0.2)
THREE_CIRCLES_MODEL = Model("three circles", 0.2)
LOOKED_UP = (HALF_CIRCLE, FAINT_CIRCLE, THREE_CIRCLES_MODEL)


class Cell(NamedTuple):
    """A row of the table: a model at one size under one density filter, and how often each outcome came.

    `kept` and `k_share`, with `density_p`, are what is interpolated over; `points` and `density_k` follow from them.
    """

    model: str
    noise: float
    share: float
    kept: int
    k_share: float
    density_p: float
    points: int
    density_k: int
    trials: int
    loop: int
    three_circles: int
    klein_bottle: int

    def count(self, outcome: str) -> int:
        """Return how often an outcome came.

        Parameters
        ----------
        outcome : str
            One of `OUTCOMES`.

        Returns
        -------
        int
        """
        return int(getattr(self, outcome.lower().replace(" ", "_")))


@dataclass(frozen=True)
class Power:
    """Share of simulated layers with an outcome, and Wilson's 95 % interval over `trials` layers.

    Not `in_range`: the nearest size and filtering of the table stands for this one.
    """

    rate: float
    low: float
    high: float
    trials: int
    in_range: bool

    def __str__(self) -> str:
        beyond = "" if self.in_range else ", by the nearest size that was simulated"
        return f"{self.rate:.2f} ({self.low:.2f} to {self.high:.2f}, n = {self.trials}{beyond})"


def read_cells(path: Path = TABLE) -> list[Cell]:
    """Read the table.

    Parameters
    ----------
    path : Path

    Returns
    -------
    list of Cell
        Empty where there is no such file.
    """
    import pandas as pd  # who asks for the loops of one cloud without a run does without

    return [Cell(*row) for row in pd.read_csv(path).itertuples(index=False)] if path.exists() else []


@lru_cache
def cells_of(model: Model) -> dict[tuple[float, ...], Cell]:
    """Return the cells of a model.

    Parameters
    ----------
    model : Model

    Returns
    -------
    dict of tuple to Cell
        By kept filters, k as a share, and p.
    """
    return {(float(c.kept), c.k_share, c.density_p): c for c in read_cells() if (c.model, c.noise, c.share) == model}


def power(model: Model, outcome: str, points: int, k: int, p: float, entries: int = 9) -> Power | None:
    """Return how often a layer of a model has an outcome, at one size under one density filter.

    Interpolated between cells of the table, in the logarithms of the kept filters, of k over the filters, and of p; of
    cells that the table lacks the others stand for it.

    Parameters
    ----------
    model : Model
        One that the table has at all sizes.
    outcome : str
        One of `OUTCOMES`.
    points : int
        Filters of the layer.
    k, p : int, float
        Density filter, k as a count.
    entries : int
        Of a filter: the simulated layers have 3x3 kernels.

    Returns
    -------
    Power or None
        None where the cloud is not tested, or filters are larger than those that were simulated.
    """
    density = Density(k=k, p=p)
    if density.untested(points) or entries != 9:
        return None
    cells = cells_of(model)
    asked = (float(density.kept(points)), k / points, p)
    brackets = [_bracket(sorted({key[axis] for key in cells}), value) for axis, value in enumerate(asked)]
    corners = {tuple(value for value, _ in c): float(np.prod([weight for _, weight in c])) for c in product(*brackets)}
    weights = {cells[key]: weight for key, weight in corners.items() if key in cells and weight}
    nearest = min(cells, key=lambda key: float(np.sum(np.log(np.divide(key, asked)) ** 2)))
    weights = weights or {cells[nearest]: 1.0}
    rate = sum(weight * cell.count(outcome) / cell.trials for cell, weight in weights.items()) / sum(weights.values())
    trials = min(cell.trials for cell in weights)
    low, high = wilson_interval(np.array(rate), trials)
    # k and the kept filters are rounded to counts: some per cent beyond an end are no other size.
    inside = all(
        0.95 * min(values) <= value <= 1.05 * max(values)
        for values, value in zip(zip(*cells, strict=True), asked, strict=True)
    )
    return Power(rate, float(low), float(high), trials, inside and sum(weights.values()) > 0.95)


def power_beside(cloud: Any) -> str:
    """Describe beside the verdict `no loop` how often a loop would have been found; empty beside another verdict.

    Parameters
    ----------
    cloud : mapping or Series
        A row of the table `loops`.

    Returns
    -------
    str
    """
    half, fifth = cloud["power_circle"], cloud["power_faint_circle"]
    if cloud["verdict"] != NO_LOOP or half is None or np.isnan(half):
        return ""
    size = "this size" if cloud["power_in_range"] else "the nearest size simulated"
    return f" (power at {size}: {half:.0%} for a circle of half of the filters, {fifth:.0%} for one of a fifth)"


def _bracket(values: Sequence[float], asked: float) -> list[tuple[float, float]]:
    """Return the values on both sides of one, or the end nearest to it, with the weights of their logarithms."""
    within = min(max(asked, values[0]), values[-1])
    if len(values) == 1:
        return [(values[0], 1.0)]
    right = min(max(1, int(np.searchsorted(values, within))), len(values) - 1)
    low, high = values[right - 1], values[right]
    weight = float(np.log(within / low) / np.log(high / low))
    return [(low, 1 - weight), (high, weight)]
