"""Longest bar and accuracy over training, both standardized, and how they go together (panel J, experiment E11).

The longest H1 bar of the pooled cloud, mean test accuracy and mean accuracy on the other image sets, each standardized
over snapshots (claim E11). In the legend the correlation of each accuracy with the bar (Pearson's r) and, since any two
curves that rise while a network learns correlate, what is left of it with the training step, as log(1 + step), held
fixed, with 95% intervals over resampled networks; the table `correlations` has rank correlations and those of changes
between snapshots too. There is no p-value: the snapshots of one training are not exchangeable. The overlay is the
paper's; intervals and detrended values are ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from cnn_topology.figures import selection, style
from cnn_topology.figures.libraries import pd
from cnn_topology.figures.registry import Drawing, FigureKind, Notes, Parameters, Plan, Planned, Tables, numbered
from cnn_topology.statistics.series import z_scores
from cnn_topology.tables.units import SHARE

SERIES = {
    "longest": ("longest H1 bar", style.BLUE, "o"),
    "test_accuracy": ("test accuracy", style.VERMILION, "s"),
    "cross_accuracy": ("accuracy on other sets", style.GREEN, "^"),
}
METHODS = {"pearson": "r", "partial_pearson": "given the step"}
FACETS = 6  # on one page


def planned(plan: Plan) -> Planned:
    """List pages of the layers that are followed over training."""
    facets = [
        {"population": c.population, "layer": c.layer.name, "images": plan.populations[c.population].images}
        for c in plan.dynamics_clouds
    ]
    return [(name, {"clouds": page}) for name, page in numbered("standardized", facets, FACETS)]


def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw the curves of each of `clouds`, with their correlations in the legend."""
    clouds, lacking = selection.with_rows(tables["loop_tracks"], parameters["clouds"], "")
    series = [_series(tables, cloud) for cloud in clouds]
    which = [{"group_name": cloud["population"], "layer": cloud["layer"], "scope": "pooled"} for cloud in clouds]
    correlations = [selection.rows(tables["correlations"], **names) for names in which]
    together = pd.concat(correlations)
    extra = "z-scores over snapshots; in brackets: 95% interval over resampled networks"
    if len(together):
        extra += f"; networks {selection.spread(together['networks'])}; snapshots {selection.spread(together['rows'])}"
    facet_rows, columns = style.shape(len(clouds), 2)
    figure = style.new_figure(2.9 * facet_rows, selection.provenance(notes, extra=extra + lacking))
    panels = style.facets(figure, len(clouds), 2)
    for cloud, axes, curves, values in zip(clouds, panels, series, correlations, strict=True):
        style.facet_title(axes, f"{cloud['population']}, {cloud['layer']}", columns)
        for name, (label, colour, marker) in SERIES.items():
            if curves[name].notna().all():
                z = z_scores(curves[name].to_numpy())
                label += _told(values[values["outcome"] == name])
                axes.plot(curves["step"], z, color=colour, marker=marker, markersize=3, label=label)
        style.step_axis(axes, list(curves["step"]))
        axes.set(xlabel="training step", ylabel="z-score")
        style.legend_below(axes)
    return figure, selection.drawn(series=pd.concat(series), correlations=together)


KIND = FigureKind(
    section="generalization",
    tables=("loop_tracks", "training", "correlations"),
    planned=planned,
    columns={
        "test_accuracy": ("Mean accuracy on own test images.", SHARE),
        "cross_accuracy": ("Mean accuracy on the test images of the other sets.", SHARE),
    },
    draw=draw,
)


def _series(tables: Mapping[str, pa.Table], cloud: Mapping[str, Any]) -> pd.DataFrame:
    """Return the longest bar and the mean accuracies over snapshots."""
    ids = {"population": cloud["population"]}
    tracks = selection.rows(tables["loop_tracks"], **ids, layer=cloud["layer"]).sort_values("step")
    log = selection.unfailed(selection.rows(tables["training"], **ids, split="test"))
    own = log["images"] == cloud["images"]
    accuracy = {
        "test_accuracy": log[own].groupby("step")["accuracy"].mean(),
        "cross_accuracy": log[~own].groupby("step")["accuracy"].mean(),
    }
    found = tracks[["population", "layer", "step", "longest"]]
    return found.assign(**{name: found["step"].map(values) for name, values in accuracy.items()})


def _told(correlations: pd.DataFrame) -> str:
    """Write the correlations of an accuracy with the bar."""
    parts = []
    for method, name in METHODS.items():
        for row in correlations[correlations["method"] == method].to_dict("records"):
            if np.isfinite(row["statistic"]):
                text = f"{name} {row['statistic']:.2f} ({row['low']:.2f} to {row['high']:.2f})"
                parts.append(text.replace("-", "\N{MINUS SIGN}"))
    return "".join(f"\n{part}" for part in parts)
