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

from cnn_topology.figures import selection, style
from cnn_topology.figures.libraries import Axes, pd
from cnn_topology.figures.registry import Drawing, FigureKind, Notes, Parameters, Plan, Planned, Tables, numbered
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


def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw one panel for each of `populations`; `images` of each names the set it is trained on."""
    populations = parameters["populations"]
    logs = [selection.rows(tables["training"], population=item["population"]) for item in populations]
    # A colour for each other image set, the same in every panel.
    others = (set(log["images"]) - {item["images"]} for log, item in zip(logs, populations, strict=True))
    names = sorted(set().union(*others))
    colours = {name: style.SERIES[2 + place % (len(style.SERIES) - 2)] for place, name in enumerate(names)}
    facet_rows, columns = style.shape(len(populations))
    extra = "mean over networks, band: 95% interval of the mean (Student t)"
    figure = style.new_figure(1.95 * facet_rows + 0.45, selection.provenance(notes, extra=extra))
    curves = []
    for item, log, axes in zip(populations, logs, style.facets(figure, len(populations)), strict=True):
        left = selection.unfailed(log)
        networks = left["network"].nunique()
        failed = log["network"].nunique() - networks
        style.facet_title(axes, item["population"], columns)
        if left.empty:
            style.explain(
                axes, f"all {failed} networks failed (loss not a number)" if failed else "no row in the table"
            )
            continue
        curves.append(_curves(axes, left, item["images"], colours))
        remark = f"n = {networks}" + (f"; {failed} failed, left out" if failed else "")
        axes.text(0.98, 0.03, remark, transform=axes.transAxes, ha="right", va="bottom", fontsize=7, color=style.GREY)
        axes.set_ylim(0, 1.03)
        style.step_axis(axes, list(left["step"]))
    for axes in figure.axes[::columns]:
        axes.set_ylabel("accuracy")
    for axes in figure.axes[-columns:]:
        axes.set_xlabel("training step")
    style.shared_legend(figure)
    return figure, selection.drawn(accuracy=curves)


KIND = FigureKind(section="filters", tables=("training",), planned=planned, columns=MEAN_COLUMNS, draw=draw)


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
        if chosen["network"].nunique() <= SINGLE_NETWORKS:
            thin: style.Options = {"color": colour, "linewidth": 0.3, "markersize": 1.5, "alpha": 0.35}
            for _, network in chosen.groupby("network"):
                axes.plot(network["step"], network["accuracy"], "-" if joined else ".", **thin)
        x, y, low, high = (mean[name] for name in ("step", "accuracy", "low", "high"))
        if joined:
            style.curve(axes, x, y, low, high, colour, marker=".", markersize=3, label=label)
        else:
            axes.vlines(x, low, high, color=colour, linewidth=0.8)
            # Open and on top: at the last step the set that is tested more often has a point of its own close by.
            axes.plot(x, y, "o", color=colour, markersize=4, fillstyle="none", zorder=3, label=label)
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
    mean = log.groupby("step")["accuracy"].agg(accuracy="mean", sd="std", networks="count").reset_index()
    half = student_quantile(0.975, np.maximum(mean["networks"] - 1, 1)) * mean.pop("sd") / np.sqrt(mean["networks"])
    low, high = (mean["accuracy"] - half).clip(lower=0), (mean["accuracy"] + half).clip(upper=1)
    return mean[["step", "accuracy"]].assign(low=low, high=high, networks=mean["networks"])
