"""Topological predictors and plain weight statistics against what networks have learned, with intervals (E11).

Topological summaries of filters (above the dotted line) and plain statistics of the same weights (below; the two with
the largest rank correlation with an outcome, the table has all) against what networks have learned. Of a grid: its
populations at the last step, the networks of each pooled, resampled and exchanged; granulated Kendall compares only
runs that differ in one hyperparameter (Jiang et al. 2020); partial correlations hold fixed all hyperparameters that the
grid varies (of width, dropout, learning rate, label noise and training images), weight norm and simple weight
statistics (the table has those, too, that hold width alone fixed, by which claim A4a is tested). Of one population: its
networks over all steps, whole trajectories resampled and exchanged. Filled markers survive the adjustment over all
predictors of a panel (max-T); a partial correlation that leaves fewer than four populations or networks free is drawn
but not tested. Ours throughout: the paper shows no such comparison.
"""

from __future__ import annotations

import numpy as np

from cnn_topology.figures import selection, style
from cnn_topology.figures.libraries import Axes, pd
from cnn_topology.figures.registry import Drawing, FigureKind, Notes, Parameters, Plan, Planned, Tables
from cnn_topology.statistics.significance import LEVEL

OUTCOMES = {"test_accuracy": "test accuracy", "gap": "generalization gap", "cross_accuracy": "accuracy on other sets"}
LABELS = {
    **{"longest": "longest H1 bar", "second": "second longest", "ratio": "longest / second"},
    **{"frobenius": "norm", "distance": "distance from start", "spectral": "spectral norm"},
    **{"mean": "mean weight", "sd": "sd of weights", "kurtosis": "kurtosis of weights"},
    **{"minimum": "least weight", "lower": "lower quartile", "median": "median weight", "upper": "upper quartile"},
    "maximum": "greatest weight",
}
# What is drawn of each scope: method, what it holds fixed (`*`: the longest list), name, colour, marker.
SHOWN: dict[str, tuple[tuple[str, str, str, str, str], ...]] = {
    "grid": (
        ("spearman", "", "Spearman", style.BLUE, "o"),
        ("granulated_kendall", "", "granulated Kendall", style.ORANGE, "s"),
        ("partial_spearman", "*", "partial Spearman", style.VERMILION, "D"),
    ),
    "networks": (
        ("spearman", "", "Spearman", style.BLUE, "o"),
        ("partial_spearman", "step", "given the step", style.ORANGE, "s"),
        ("partial_spearman", "*", "given step and weights", style.VERMILION, "D"),
    ),
}
ROW = 0.21  # inches
# Plain statistics of the weights that are drawn.
BASELINES = 2


def planned(plan: Plan) -> Planned:
    """List one figure for each group of networks and layer."""
    for group in plan.network_groups:
        scope = "grid" if group.is_grid else "networks"
        name = f"correlations_{group.name}_{group.layer}"
        yield name, {"group_name": group.name, "layer": group.layer, "scope": scope}


def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw one panel for each outcome of one group and layer; predictors down, methods side by side."""
    found = _without_weak_baselines(selection.rows(tables["correlations"], **parameters))
    if found.empty:
        raise selection.Empty("no correlation in the table: fewer than 4 networks were left, or nothing varied")
    predictors = list(dict.fromkeys(found["predictor"]))
    outcomes = [name for name in OUTCOMES if (found["outcome"] == name).any()]
    held = max(found["given"], key=len)
    footer = (
        "above the line: topology, below: plain weight statistics; "
        f"n = {selection.spread(found['networks'])} networks, {selection.spread(found['rows'])} rows; "
        f"lines: 95% bootstrap interval ({selection.spread(found['draws'])} draws); "
        f"filled: p ≤ {LEVEL:g} after max-T adjustment over the predictors of a panel; "
        f"{selection.spread(found['permutations'])} permutations of {found['exchanged'].iloc[0]}; "
        f"held fixed at most: {held or 'nothing'}"
    )
    figure = style.new_figure(0.9 + ROW * max(6, len(predictors)), selection.provenance(notes, extra=footer))
    panels = figure.subplots(1, len(outcomes), squeeze=False, sharey=True)[0]
    shown = [_shown(found, parameters["scope"], outcome) for outcome in outcomes]
    topological = found.drop_duplicates("predictor")["predictor_kind"].eq("topological").sum()
    for axes, outcome, values in zip(panels, outcomes, shown, strict=True):
        axes.axvline(0, color=style.PALE, linewidth=0.6)
        axes.axhline(topological - 0.5, color=style.INK, linewidth=0.5, linestyle=":")
        _forest(axes, values, predictors, parameters["scope"])
        # Clouds keep fewer than 50 filters, or nothing varies.
        undefined = values.groupby("predictor", sort=False)["statistic"].count().eq(0)
        for name in undefined[undefined].index:
            height = predictors.index(name)
            axes.text(0.04, height, "not defined", color=style.GREY, fontsize=style.SMALL, va="center")
        axes.set(title=OUTCOMES[outcome], xlim=(-1.08, 1.08), xticks=[-1, 0, 1], xlabel="correlation")
        axes.tick_params(axis="y", length=0)
    panels[0].set_yticks(range(len(predictors)), [LABELS.get(p, p.replace("_", " ")) for p in predictors])
    panels[0].set_ylim(len(predictors) - 0.4, -0.6)
    style.shared_legend(figure)
    return figure, selection.drawn(correlations=pd.concat(shown))


KIND = FigureKind(
    section="generalization",
    tables=("correlations",),
    planned=planned,
    columns={"curve": ("Name of the method in the legend.", "")},
    draw=draw,
)


def _without_weak_baselines(found: pd.DataFrame) -> pd.DataFrame:
    """Leave of the plain statistics those with the largest rank correlation with an outcome."""
    is_plain = found["predictor_kind"] != "topological"
    ranked = found[is_plain & (found["method"] == "spearman") & (found["given"] == "")]
    strongest = ranked["statistic"].abs().groupby(ranked["predictor"], sort=False).max()
    return found[~is_plain | found["predictor"].isin(strongest.nlargest(BASELINES).index)]


def _shown(found: pd.DataFrame, scope: str, outcome: str) -> pd.DataFrame:
    """Return the rows of an outcome that are drawn, with the name of their method in the legend."""
    mine = found[found["outcome"] == outcome]
    parts = []
    for method, given, name, *_ in SHOWN[scope]:
        chosen = mine[mine["method"] == method]
        held = max(chosen["given"], key=len, default="") if given == "*" else given
        parts.append(chosen[chosen["given"] == held].assign(curve=name))
    return pd.concat(parts)


def _forest(axes: Axes, values: pd.DataFrame, predictors: list[str], scope: str) -> None:
    for place, (*_, name, colour, marker) in enumerate(SHOWN[scope]):
        mine = values[(values["curve"] == name) & np.isfinite(values["statistic"])]
        heights = mine["predictor"].map(predictors.index).to_numpy() + 0.24 * (place - 1)
        axes.hlines(heights, mine["low"], mine["high"], color=colour, linewidth=0.9)
        # In the legend a method has its colour and shape, filled.
        look: style.Options = {"color": colour, "markeredgewidth": 0.8, "markersize": 3.4}
        axes.plot([], [], marker, label=name, **look)
        for statistic, height, p in zip(mine["statistic"], heights, mine["p_adjusted"], strict=True):
            axes.plot(statistic, height, marker, markerfacecolor=colour if p <= LEVEL else "white", **look)
