"""One layer of a look: its cloud, its bars at once, and its tests by the same code as in a run."""

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pydantic import Field, field_validator

from cnn_topology.analysis.filter_cloud import FilterCloud, analyse_cloud
from cnn_topology.clouds.density import densest_points
from cnn_topology.clouds.filters import (
    LayerFilters,
    centre_and_normalize,
    channel_numbers,
    norms_and_means,
    spatial_filters,
)
from cnn_topology.clouds.neighbours import neighbour_distances
from cnn_topology.errors import InputError
from cnn_topology.extras import needing_an_extra
from cnn_topology.looks.sources import LayerWeights
from cnn_topology.networks.patches import side_of
from cnn_topology.plan.base import Section
from cnn_topology.plan.clouds import DEAD_LAYER, TOO_FEW, Density, Filtering, Significance
from cnn_topology.seeds import derive_seed
from cnn_topology.statistics.nulls import NullDraws, loop_statistics, sphere_draws
from cnn_topology.statistics.significance import LOOPS
from cnn_topology.tables.look import LookRow
from cnn_topology.topology.persistence import barcode

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Of fewer filters no test is made.
FEWEST_SAMPLED = 50
# Columns that a look takes from a run's table as they are.
FROM_LOOPS = (
    *("kept", "verdict", "p_covariance", "p_lowpass", "block_ratio", "p_block", "verdict_stability"),
    *("hollowness", "hollowness_median", "p_hollowness"),
)


class Settings(Section):
    """How layers are looked at."""

    density: Density = Field(description="Density filter rho(k, p).")
    significance: Significance = Field(description="Nulls, draws and level.")
    seed: int = Field(description="Of the draws and of the sample.")
    sample: int = Field(ge=0, description="Of a layer with more filters, so many are drawn; 0 takes all.")

    @field_validator("sample")
    @classmethod
    def _is_enough(cls, sample: int) -> int:
        if 0 < sample < FEWEST_SAMPLED:
            raise ValueError(f"a sample of fewer than {FEWEST_SAMPLED} filters is not tested; 0 takes all")
        return sample


@dataclass(frozen=True)
class LayerLook:
    """What is known of a layer so far.

    Attributes
    ----------
    name, tensor : str
        As in `sources.LayerWeights`.
    filters : int
        Filters of all networks.
    cloud : FilterCloud
        Normalized filters, at most `Settings.sample` of them, and how many of the layer are constant.
    distances : ndarray, shape (points,)
        Of each to its k-th neighbour.
    filtering : Filtering
        Density filter with k as a count.
    longest, second : float
        Lengths of the two longest H1 bars; 0 where there is none.
    tables : dict of str to pyarrow.Table
        Rows of a run's tables, by name of the table; empty until the layer is tested.
    """

    name: str
    tensor: str
    filters: int
    cloud: FilterCloud
    distances: np.ndarray
    filtering: Filtering
    longest: float
    second: float
    tables: dict[str, pa.Table]

    @property
    def untested(self) -> str:
        """The verdict on a layer that is not tested; empty where it has enough filters for a test."""
        return self.filtering.untested(len(self.cloud.points))

    @property
    def lacking(self) -> str:
        """What a test of a layer with too few filters lacks; empty of others."""
        return self.filtering.lacking(len(self.cloud.points)) if self.untested == TOO_FEW else ""

    @cached_property
    def row(self) -> LookRow:
        """The layer's row in the table of a look; what is not known yet is None."""
        known: dict[str, Any] = {
            **dict.fromkeys(LookRow.schema.names),
            "layer": self.name,
            "depth": self.cloud.depth,
            "filters": self.filters,
            "kernel_side": side_of(self.cloud.points),
            "constant": self.cloud.constant,
            "points": len(self.cloud.points),
            "longest": self.longest,
            "second": self.second,
        }
        if not self.tables:
            return LookRow(**known)
        (loops,) = self.tables["loops"].to_pylist()
        known |= {name: loops[name] for name in FROM_LOOPS}
        near = [row for row in self.tables["circles"].to_pylist() if row["p_permuted"] is not None]
        if near and loops["verdict"] in LOOPS:
            best = min(near, key=lambda circle: (circle["p_permuted"], -circle["nearest"]))
            known |= {"circle": best["circle"], "circle_coverage": best["coverage"]}
        known["p"] = loops["p_longest"]
        known["needed"] = max(self.tables["significance"]["null_critical"].to_pylist(), default=None)
        return LookRow(**known)


def first_look(population: str, weights: LayerWeights, settings: Settings, step: int = 0) -> LayerLook:
    """Return the cloud of a layer with its two longest bars, without a test.

    Parameters
    ----------
    population : str
        Name of the networks.
    weights : LayerWeights
    settings : Settings
    step : int
        Of the training.

    Returns
    -------
    LayerLook
    """
    filters, ids = spatial_filters(weights.weight, stacked=True)
    points, alive = centre_and_normalize(filters)
    norms, means = norms_and_means(filters)
    norms, means, ids = norms[alive], means[alive], ids[alive]
    if settings.sample and len(points) > settings.sample:
        seed = derive_seed(settings.seed, "look", population, weights.key)
        drawn = np.sort(np.random.default_rng(seed).choice(len(points), settings.sample, replace=False))
        points, norms, means, ids = points[drawn], norms[drawn], means[drawn], ids[drawn]
    cloud = FilterCloud(
        population,
        weights.key,
        weights.depth,
        step,
        LayerFilters(points, norms, means, channel_numbers(ids)),
        ids,
        constant=int(np.sum(~alive)),
        networks=len(weights.weight),
    )
    k = settings.density.neighbours_left(len(points))
    filtering = Filtering(k=k, p=settings.density.p)
    look = LayerLook(weights.name, weights.tensor, len(filters), cloud, np.empty(0), filtering, 0.0, 0.0, {})
    if look.untested == DEAD_LAYER:
        return look
    distances = neighbour_distances(points, [k])[:, 0]
    kept = densest_points(distances, filtering.p)
    longest, second, _ = loop_statistics(barcode(points[kept], landmarks=filtering.landmarks))
    return replace(look, distances=distances, longest=longest, second=second)


def tested(look: LayerLook, settings: Settings, threads: int) -> LayerLook:
    """Test the loops of a layer against noise, as a run does.

    Parameters
    ----------
    look : LayerLook
        From `first_look`.
    settings : Settings
    threads : int
        Draws of nulls made at once; their number changes no result.

    Returns
    -------
    LayerLook
        With `tables`.
    """
    shared = {}
    if not look.untested:
        shared = _sphere(*look.cloud.points.shape, look.filtering, settings.significance.draws, settings.seed, threads)
    distances = {look.filtering: look.distances}
    tables, _ = analyse_cloud(
        look.cloud, distances, settings.significance, settings.seed, shared=shared, threads=threads
    )
    return replace(look, tables=tables)


@lru_cache
def _sphere(
    points: int, entries: int, filtering: Filtering, draws: int, seed: int, threads: int
) -> dict[Filtering, NullDraws]:
    """Return the draws of the sphere null, which layers of one size share."""
    return sphere_draws(points, entries, [filtering], draws, seed, threads=threads)


def size_of(row: LookRow) -> str:
    """Describe how many filters of a layer are looked at: ``628 of 1,024 filters (396 constant)``."""
    if row.points == row.filters:
        return f"{row.points:,} filters"
    left_out = [f"{row.constant:,} constant"] * bool(row.constant)
    left_out += ["a sample"] * (row.points < row.filters - row.constant)
    return f"{row.points:,} of {row.filters:,} filters ({', '.join(left_out)})"


def describe(layer: LayerLook) -> str:
    """Describe a layer in a line of a terminal."""
    row = layer.row
    start = f"{row.layer:<32} {size_of(row):<28}"
    if row.p is None:
        return f"{start} {row.verdict}{f': {layer.lacking}' if layer.lacking else ''}"
    near = f", {row.circle} circle covered {row.circle_coverage:.0%}" if row.circle else ""
    loop = f"longest loop {row.longest:.3f}, needed {row.needed:.3f}, p = {row.p:<6.2g}"
    return f"{start} {loop} {row.verdict}{near}"


class Layer:
    """One layer of a look.

    Attributes
    ----------
    name : str
    row : dict of str to Any
        Its row of `Look.table`.
    """

    def __init__(self, look: LayerLook, row: LookRow, alpha: float) -> None:
        self.name = look.name
        self.row = dict(vars(row))
        self._look = look
        self._alpha = alpha

    @needing_an_extra("a figure")
    def plot(self) -> "Figure":
        """Draw barcode with null band, principal plane and mean filters around the loop.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        InputError
            If the layer is not tested yet, or all but one of its filters are constant.
        """
        # Loaded when a figure is wanted.
        from cnn_topology.figures import style
        from cnn_topology.figures.cloud import draw

        if not self._look.tables or self.row["verdict"] == DEAD_LAYER:
            raise InputError(f"{self.name}: {self.row['verdict'] or 'not tested yet'}; there is nothing to draw")
        cloud = self._look.cloud
        parameters = {
            "population": cloud.population,
            "layer": self.name,
            "last": cloud.step,
            "pretrained": not cloud.step,
        }
        with style.applied():
            figure, _ = draw({**parameters, "alpha": self._alpha}, self._named(), {})
            style.settle(figure)
        return figure

    def _named(self) -> dict[str, pa.Table]:
        """Return the tables with the name of the layer for people."""
        name = pa.scalar(self.name)
        return {
            of: table.set_column(table.schema.get_field_index("layer"), "layer", pa.repeat(name, len(table)))
            for of, table in self._look.tables.items()
        }
