"""Longest bar and accuracy over training, both standardized, and how they go together (panel J, experiment E11).

Experiment E11: longest H1 bar of the pooled cloud, mean test accuracy and mean accuracy on the other image sets, each
standardized over snapshots, with Pearson and Spearman correlation and their interval over resampled networks. Any two
curves that rise while a network learns correlate, so the value with the training step held fixed and that of changes
between snapshots stand beside it. There is no p-value: the snapshots of one training are not exchangeable. The overlay
is the paper's; intervals and detrended values are ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from cnn_topology.figures import style
from cnn_topology.figures.kinds import Drawing, Notes, Parameters, Plan, Planned, Tables, figure
from cnn_topology.figures.libraries import Axes, pd
from cnn_topology.figures.planned import numbered
from cnn_topology.figures.selection import drawn, no_cloud, provenance, rows, spread
from cnn_topology.statistics.series import z_scores
from cnn_topology.tables.units import SHARE

SERIES = {
    "longest": ("longest H1 bar", style.BLUE, "o"),
    "test_accuracy": ("test accuracy", style.VERMILION, "s"),
    "cross_accuracy": ("accuracy on other sets", style.GREEN, "^"),
}
# Where the columns of the small table begin, in widths of the panel.
ACROSS = (0.24, 0.64)
METHODS = {
    ("pearson", ""): "r",
    ("spearman", ""): "Spearman",
    ("partial_pearson", "log(1 + step)"): "r given step",
    ("pearson_of_changes", ""): "r of changes",
}


FACETS = 6  # on one page


def planned(plan: Plan) -> Planned:
    """List pages of the layers that are followed over training."""
    facets = [
        {"population": c.population, "layer": c.layer.name, "images": plan.population(c.population).images}
        for c in plan.dynamics_clouds
    ]
    return [(name, {"clouds": page}) for name, page in numbered("standardized", facets, FACETS)]


@figure(
    section="generalization",
    tables=("loop_tracks", "training", "correlations"),
    planned=planned,
    columns={
        "test_accuracy": ("Mean accuracy on own test images.", SHARE),
        "cross_accuracy": ("Mean accuracy on the test images of the other sets.", SHARE),
    },
)
def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw the curves of each of `clouds`, and below each a table of correlations."""
    clouds = parameters["clouds"]
    found = [_series(tables, cloud) for cloud in clouds]
    which = [{"group_name": cloud["population"], "layer": cloud["layer"], "scope": "pooled"} for cloud in clouds]
    correlations = [rows(tables["correlations"], **names) for names in which]
    facet_rows, columns = style.shape(len(clouds), 2)
    together = pd.concat(correlations)
    footer = [
        "z-scores over snapshots",
        "below: correlation with the longest bar and 95% interval over resampled networks",
        "any two rising curves correlate: what is left with the step, as log(1 + step), held fixed, and of the changes "
        "between snapshots, stands below",
    ]
    if len(together):
        footer += [f"networks {spread(together['networks'])}", f"snapshots {spread(together['rows'])}"]
    figure = style.new_figure(3.1 * facet_rows + 0.3, " · ".join([*footer, provenance(notes)]))
    grid = figure.add_gridspec(2 * facet_rows, columns, height_ratios=[1.9, 1.0] * facet_rows)
    for place, (cloud, series, values) in enumerate(zip(clouds, found, correlations, strict=True)):
        row, column = divmod(place, columns)
        curves, below = (figure.add_subplot(grid[2 * row + half, column]) for half in (0, 1))
        style.facet_title(curves, f"{cloud['population']}, {cloud['layer']}", columns)
        if series.empty:
            style.explain(curves, no_cloud())
            style.explain(below, "")
            continue
        for name, (label, colour, marker) in SERIES.items():
            if series[name].notna().all():
                z = z_scores(series[name].to_numpy())
                curves.plot(series["step"], z, color=colour, marker=marker, markersize=3, label=label)
        style.step_axis(curves, list(series["step"]))
        curves.set_xlabel("training step")
        if column == 0:
            curves.set_ylabel("z-score")
        _values(below, values)
    style.shared_legend(figure)
    return figure, drawn(series=pd.concat(found), correlations=together)


def _series(tables: Mapping[str, pa.Table], cloud: Mapping[str, Any]) -> pd.DataFrame:
    """Return the longest bar and the mean accuracies over snapshots."""
    tracks = rows(tables["loop_tracks"], population=cloud["population"], layer=cloud["layer"]).sort_values("step")
    log = rows(tables["training"], population=cloud["population"], split="test")
    log = log[log["step"].isin(tracks["step"])]
    whole = log[~log["network"].isin(log.loc[log["failed"], "network"])]
    own = whole["images"] == cloud["images"]
    accuracy = {
        "test_accuracy": whole[own].groupby("step")["accuracy"].mean(),
        "cross_accuracy": whole[~own].groupby("step")["accuracy"].mean(),
    }
    found = tracks[["population", "layer", "step", "longest"]]
    return found.assign(**{name: found["step"].map(values) for name, values in accuracy.items()})


def _values(axes: Axes, correlations: pd.DataFrame) -> None:
    """Write the correlations as a small table: methods down, outcomes across."""
    style.explain(axes, "" if len(correlations) else "no correlation in the table")
    outcomes = [name for name in ("test_accuracy", "cross_accuracy") if (correlations["outcome"] == name).any()]
    for column, outcome in enumerate(outcomes):
        label, colour, _ = SERIES[outcome]
        axes.text(ACROSS[column], 0.98, label, color=colour, fontsize=7, va="top", transform=axes.transAxes)
    for row, ((method, given), name) in enumerate(METHODS.items()):
        height = 0.75 - 0.23 * row
        axes.text(0, height, name, fontsize=7, va="top", transform=axes.transAxes)
        for column, outcome in enumerate(outcomes):
            chosen = correlations[
                (correlations["outcome"] == outcome)
                & (correlations["method"] == method)
                & (correlations["given"] == given)
            ]
            text = _interval(chosen.iloc[0]) if len(chosen) else "–"
            axes.text(ACROSS[column], height, text, fontsize=style.SMALL, va="top", transform=axes.transAxes)


def _interval(row: pd.Series) -> str:
    if not np.isfinite(row["statistic"]):
        return "–"
    return f"{row['statistic']:.2f} ({row['low']:.2f} to {row['high']:.2f})".replace("-", "\N{MINUS SIGN}")
