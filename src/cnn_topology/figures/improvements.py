"""Does knowledge of the topology improve a network? Learning curves and comparisons with controls (panel L).

Does knowledge of the topology improve a network (the weights paper's claims E14, E15 and E16)? Above, test accuracy on
the networks' own images over training: mean over networks with the 95% interval of that mean. Below, each population
against the plain one and against the controls: the ratio of the median iterations to the target accuracy (above 1:
faster; a network that never reaches the target counts as slower than all that do), the difference of the final test
accuracy, and of the accuracy on other image sets, each with its 95% interval over networks (of the bootstrap for the
ratio, Welch's for differences); filled markers: permutation p, adjusted by Holm's method for all tests of the group, at
most 0.05; among these tests are those of the area under the learning curve, which the table `comparisons` has and the
figure does not. The paper's companion texts report two- to threefold speed and a doubled cross-test accuracy;
independent replications did not confirm the gain. The comparison with random fixed filters and the intervals are ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from cnn_topology.figures import selection, style
from cnn_topology.figures.libraries import Axes, Axis, FixedLocator, FuncFormatter, NullLocator, pd
from cnn_topology.figures.registry import Drawing, FigureKind, Notes, Parameters, Plan, Planned, Tables
from cnn_topology.figures.training_curves import MEAN_COLUMNS, mean_interval
from cnn_topology.statistics.significance import LEVEL

MARKERS = {"variant": "o", "control": "s"}
METRICS = (SPEED := "iterations_to_target", "accuracy", "cross_accuracy")
# Ticks, and the widest limits, of a ratio of speeds.
RATIOS = (0.05, 0.1, 0.2, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10, 20)
# Ticks, and the widest limits, of an accuracy: on a logit scale curves part near the target, where speed is decided.
ACCURACIES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999)
ROW = 0.165  # inches


def planned(plan: Plan) -> Planned:
    """List one figure for each group of populations compared."""
    for name, group in plan.config.improvements.items():
        shown = {
            "group": name,
            "images": plan.populations[group.baseline].images,
            "target": group.target_accuracy,
            "baseline": group.baseline,
            "variants": list(group.variants),
            "controls": list(group.controls),
        }
        yield f"improvements_{name}", shown


def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw the learning curves of one group, and below its comparisons by metric."""
    names = [parameters["baseline"], *parameters["variants"], *parameters["controls"]]
    colours = {name: style.colour(place) for place, name in enumerate(names[1:])}
    colours[parameters["baseline"]] = style.INK
    compared = selection.rows(tables["comparisons"], group_name=parameters["group"])
    if compared.empty:
        raise selection.Empty("no comparison: no row in the table")
    pairs = list(dict.fromkeys(zip(compared["population"], compared["against"], strict=True)))
    upper, lower = 2.3, 0.75 + ROW * max(4, len(pairs))
    footer = selection.provenance(notes, extra=_footer(compared, parameters))
    figure = style.new_figure(upper + lower, footer)
    grid = figure.add_gridspec(2, 1, height_ratios=[upper, lower])
    curves = _curves(figure.add_subplot(grid[0]), tables["training"], names, colours, parameters)
    shown = compared[compared["metric"] != "area_under_curve"]
    metrics = sorted(
        set(zip(shown["metric"], shown["images"], strict=True)), key=lambda item: (METRICS.index(item[0]), item)
    )
    panels = grid[1].subgridspec(1, len(metrics)).subplots(sharey=True, squeeze=False)[0]
    titles = {
        SPEED: f"speed to {100 * parameters['target']:g}%",
        "accuracy": "accuracy, ",
        "cross_accuracy": "cross-test, ",
    }
    for place, ((metric, images), axes) in enumerate(zip(metrics, panels, strict=True)):
        _intervals(axes, shown[(shown["metric"] == metric) & (shown["images"] == images)], pairs, colours)
        style.letter(axes, chr(ord("b") + place), titles[metric] + (images if metric != SPEED else ""))
        axes.tick_params(labelleft=place == 0)
    return figure, selection.drawn(accuracy=curves, comparisons=compared)


KIND = FigureKind(
    section="improvements",
    tables=("training", "improvements", "comparisons"),
    planned=planned,
    columns=MEAN_COLUMNS,
    draw=draw,
)


def _footer(compared: pd.DataFrame, parameters: Mapping[str, Any]) -> str:
    """Describe in the footer how speed is measured, which networks are censored, and how to read the lower panels."""
    missed: dict[str, int] = {}
    for row in compared[compared["metric"] == SPEED].to_dict("records"):
        missed |= {row["population"]: row["n_censored"], row["against"]: row["n_censored_against"]}
    late = ", ".join(f"{name} {count}" for name, count in missed.items() if count)
    return (
        f"target {100 * parameters['target']:g}% test accuracy on {parameters['images']}; "
        f"interpolated linearly between tests; networks that never reach it: {late or 'none'}; "
        "curves: mean, band 95% interval (Student t); "
        "below: estimate with 95% interval (speed by bootstrap, else Welch); "
        f"filled: Holm-adjusted p ≤ {LEVEL:g} ({compared['family'].max()} tests); dashed curves and squares: controls"
    )


def _curves(
    axes: Axes, training: pa.Table, names: Sequence[str], colours: Mapping[str, str], parameters: Mapping[str, Any]
) -> pd.DataFrame:
    parts = []
    for name in names:
        log = selection.rows(training, population=name, images=parameters["images"], split="test")
        left = selection.unfailed(log)
        if left.empty:
            continue
        mean, networks = mean_interval(left), left["network"].nunique()
        failed = log["network"].nunique() - networks
        line: style.Options = {"linestyle": "--" if name in parameters["controls"] else "-", "linewidth": 1.1}
        line["label"] = f"{name} (n = {networks}" + (f", {failed} failed)" if failed else ")")
        style.curve(axes, mean["step"], mean["accuracy"], mean["low"], mean["high"], colours[name], 0.18, **line)
        parts.append(mean.assign(population=name))
    if not parts:
        style.explain(axes, "no learning curve: no row in the table", characters=80)
        return pd.DataFrame()
    curves = pd.concat(parts)
    axes.axhline(parameters["target"], color=style.GREY, linewidth=0.7, linestyle=":")
    style.step_axis(axes, list(curves["step"]))
    _accuracy_axis(axes, curves, parameters["target"])
    axes.set(xlabel="training step", ylabel=f"test accuracy, {parameters['images']}")
    style.letter(axes, "a", "learning curves, logit scale; dotted: target")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), borderaxespad=0.3)
    return curves


def _accuracy_axis(axes: Axes, curves: pd.DataFrame, target: float) -> None:
    lowest, highest = min(curves["accuracy"].min(), target), max(curves["accuracy"].max(), target)
    axes.set_yscale("logit", nonpositive="clip")
    _fixed_ticks(axes.yaxis, ACCURACIES)
    axes.set_ylim(max(0.8 * lowest, ACCURACIES[0]), min(1 - 0.7 * (1 - highest), ACCURACIES[-1]))


def _fixed_ticks(axis: Axis, ticks: Sequence[float]) -> None:
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())


def _intervals(
    axes: Axes, compared: pd.DataFrame, pairs: Sequence[tuple[str, str]], colours: Mapping[str, str]
) -> None:
    """Draw one metric: a row per pair, its estimate and interval; the vertical line is no difference."""
    speed = compared["metric"].iloc[0] == SPEED
    scale, none = (1.0, 1.0) if speed else (100.0, 0.0)
    left, right = _limits(scale * compared[["estimate", "low", "high"]].to_numpy().ravel(), speed)
    axes.axvline(none, color=style.GREY, linewidth=0.7)
    for row in compared.to_dict("records"):
        place, colour = pairs.index((row["population"], row["against"])), colours[row["population"]]
        estimate, low, high = (scale * row[name] for name in ("estimate", "low", "high"))
        axes.hlines(place, max(low, left), min(high, right), color=colour, linewidth=1.2)
        # Ends beyond the panel: an unknown or infinite ratio, where most runs of one side never reach the target.
        for end, mark, beyond in ((left, "<", low < left), (right, ">", high > right)):
            if beyond:
                axes.plot(end, place, mark, color=colour, markersize=3.5, clip_on=False)
        if np.isnan(estimate):
            axes.text(none, place, "neither reaches it", fontsize=6, ha="center", va="bottom")
            continue
        face = colour if row["p_holm"] <= LEVEL else "white"
        shown = min(max(estimate, left), right)
        axes.plot(shown, place, MARKERS[row["role"]], color=colour, markerfacecolor=face, markersize=4.5, clip_on=False)
    axes.set_ylim(len(pairs) - 0.4, -0.6)
    axes.set_yticks(range(len(pairs)), [f"{population} / {against}" for population, against in pairs])
    axes.tick_params(axis="y", labelsize=6.5, length=0)
    if speed:
        axes.set_xscale("log")
        _fixed_ticks(axes.xaxis, [tick for tick in RATIOS if left <= tick <= right])
    axes.set_xlim(left, right)
    axes.set_xlabel("ratio (right: faster)" if speed else "difference, % points")


def _limits(values: np.ndarray, speed: bool) -> tuple[float, float]:
    """Return limits that hold all finite values and no difference, with some room."""
    finite = values[np.isfinite(values) & ((values > 0) | (not speed))]
    least, most = (0.8, 1.25) if speed else (-1.0, 1.0)
    low, high = min([*finite, least]), max([*finite, most])
    if speed:
        return max(low / 1.15, RATIOS[0]), min(high * 1.15, RATIOS[-1])
    room = 0.08 * (high - low)
    return low - room, high + room
