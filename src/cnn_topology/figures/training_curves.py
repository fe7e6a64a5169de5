"""Accuracy over training on each image set: mean over networks with its 95% interval, and each network thinly.

Accuracy over training on the images a population is trained on and on the other image sets it is tested on: mean over
networks with the 95% interval of that mean (Student's t), and each network as a thin line where there are 30 or fewer.
A set that is tested at fewer steps than another one of the same panel is drawn as open points, with its interval as a
bar: nothing was measured between them. Networks whose loss became not-a-number are counted and left out, here as in
every cloud.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cnn_topology.figures import style
from cnn_topology.figures.kinds import Drawing, Notes, Parameters, Plan, Planned, Tables, figure
from cnn_topology.figures.libraries import Axes, pd
from cnn_topology.figures.planned import numbered
from cnn_topology.figures.selection import drawn, provenance, rows
from cnn_topology.statistics.intervals import student_quantile
from cnn_topology.tables.units import COUNT

SINGLE_NETWORKS = 30
MEAN_COLUMNS = {
    "low": ("Lower end of the 95 % interval, of the mean over networks or of the difference.", ""),
    "high": ("Upper end of the 95 % interval, of the mean over networks or of the difference.", ""),
    "networks": ("Networks that did not fail.", COUNT),
}


FACETS = 12  # on one page


def planned(plan: Plan) -> Planned:
    """List pages of all populations."""
    curves = [{"population": name, "images": section.images} for name, section in plan.config.populations.items()]
    return [(name, {"populations": page}) for name, page in numbered("training_curves", curves, FACETS)]


@figure(
    section="filters",
    tables=("training",),
    planned=planned,
    columns=MEAN_COLUMNS,
)
def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw one panel for each of `populations`; `images` of each names the set it is trained on."""
    populations = parameters["populations"]
    logs = [rows(tables["training"], population=item["population"]) for item in populations]
    facet_rows, columns = style.shape(len(populations))
    # A colour for each other image set, the same in every panel.
    names = {
        images for log, item in zip(logs, populations, strict=True) for images in set(log["images"]) - {item["images"]}
    }
    colours = {name: style.SERIES[2 + place % (len(style.SERIES) - 2)] for place, name in enumerate(sorted(names))}
    footer = provenance(notes, extra="mean over networks, band: 95% interval of the mean (Student t)")
    figure = style.new_figure(1.95 * facet_rows + 0.45, footer)
    panels = style.facets(figure, len(populations))
    curves = []
    for place, (item, log, axes) in enumerate(zip(populations, logs, panels, strict=True)):
        failed = log.loc[log["failed"], "network"].unique()
        whole = log[~log["network"].isin(failed)]
        networks = whole["network"].nunique()
        style.facet_title(axes, item["population"], columns)
        if whole.empty:
            state = f"all {len(failed)} networks failed (loss not a number)" if len(failed) else "no row in the table"
            style.explain(axes, state)
            continue
        curves.append(_curves(axes, whole, item["images"], colours))
        remark = f"n = {networks}" + (f"; {len(failed)} failed, left out" if len(failed) else "")
        axes.text(0.98, 0.03, remark, transform=axes.transAxes, ha="right", va="bottom", fontsize=7, color=style.GREY)
        axes.set_ylim(0, 1.03)
        style.step_axis(axes, list(whole["step"]))
        if place % columns == 0:
            axes.set_ylabel("accuracy")
        if place + columns >= len(populations):
            axes.set_xlabel("training step")
    style.shared_legend(figure)
    return figure, drawn(accuracy=curves)


def _curves(axes: Axes, log: pd.DataFrame, own: str, colours: Mapping[str, str]) -> pd.DataFrame:
    """Draw accuracy on the population's own images, then on the other image sets by name."""
    tests = log.groupby(["images", "split"])["step"].nunique().max()
    series = [(own, "train", "own images, train", style.BLUE), (own, "test", "own images, test", style.VERMILION)]
    series += [(name, "test", f"{name}, test", colours[name]) for name in sorted(set(log["images"]) - {own})]
    parts = []
    for images, split, label, colour in series:
        chosen = log[(log["images"] == images) & (log["split"] == split)]
        if chosen.empty:
            continue
        mean = mean_interval(chosen)
        # Beside a set that is tested more often a line between the points would show a course that nobody measured.
        joined = len(mean) == tests
        single = "-" if joined else "."
        if chosen["network"].nunique() <= SINGLE_NETWORKS:
            for _, network in chosen.groupby("network"):
                axes.plot(
                    network["step"],
                    network["accuracy"],
                    single,
                    color=colour,
                    linewidth=0.3,
                    markersize=1.5,
                    alpha=0.35,
                )
        if joined:
            axes.fill_between(mean["step"], mean["low"], mean["high"], color=colour, alpha=0.25, linewidth=0)
            axes.plot(mean["step"], mean["accuracy"], ".-", color=colour, markersize=3, label=label)
        else:
            axes.vlines(mean["step"], mean["low"], mean["high"], color=colour, linewidth=0.8)
            # Open and on top: at the last step the set that is tested more often has a point of its own close by.
            axes.plot(
                mean["step"], mean["accuracy"], "o", color=colour, markersize=4, fillstyle="none", zorder=3, label=label
            )
        parts.append(mean.assign(population=chosen["population"].iloc[0], images=images, split=split))
    return pd.concat(parts) if parts else pd.DataFrame()


def mean_interval(log: pd.DataFrame) -> pd.DataFrame:
    """Average accuracy over networks at each step, with the 95% interval of the mean by Student's t.

    Returns
    -------
    DataFrame
        ``step``, ``accuracy``, ``low``, ``high`` and ``networks``; with one network `low` and `high` are NaN. The mean
        of accuracies lies in [0, 1], and so does its interval: with two networks it would reach far beyond.
    """
    grouped = log.groupby("step")["accuracy"].agg(["mean", "std", "count"])
    half = student_quantile(0.975, np.maximum(grouped["count"] - 1, 1)) * grouped["std"] / np.sqrt(grouped["count"])
    return pd.DataFrame(
        {
            "step": grouped.index,
            "accuracy": grouped["mean"].to_numpy(),
            "low": (grouped["mean"] - half).clip(lower=0).to_numpy(),
            "high": (grouped["mean"] + half).clip(upper=1).to_numpy(),
            "networks": grouped["count"].to_numpy(),
        }
    )
