"""Loops over the depth of a network: the two longest H1 bars of each layer, their null, and the verdict (E9, E10).

Loops over the depth of a network: of each convolution that is analysed, in order from the image, the longest and the
second H1 bar of its filters after rho(k, p), and the lengths that a bar must exceed under each null model at the level
of the test. Below: the verdict as a colour with the p-value of the longest bar (the largest over the nulls), the number
of filters of the layer and how many the density filter keeps. A layer with too few filters - fewer than 50 kept, or k
above a tenth of them all - is not tested. The weights paper shows mapper graphs by depth for VGG16; bars, nulls and
verdicts by depth are ours. Layers differ in their number of filters, and bars of larger clouds under the same rho(k, p)
are not directly comparable: each is to be read against its own null.
"""

from __future__ import annotations

import numpy as np

from cnn_topology.figures import selection, style
from cnn_topology.figures.libraries import Axes, Rectangle, pd
from cnn_topology.figures.planned import networks_by_depth
from cnn_topology.figures.registry import Drawing, FigureKind, Notes, Parameters, Plan, Planned, Tables
from cnn_topology.figures.sensitivity import VERDICTS, name_verdicts

# Characters of a layer's name under its column; longer ones lose their middle.
NAME = 28


def planned(plan: Plan) -> Planned:
    """List one figure for each network of several layers."""
    alpha = plan.config.significance.alpha
    for population, layers in networks_by_depth(plan).items():
        yield f"depth_{population}", {"population": population, "clouds": layers, "alpha": alpha}


def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw the headline cloud of each of `clouds`, layers of `population`, at its last step, in order of depth."""
    clouds, lacking = selection.with_rows(tables["loops"], parameters["clouds"])
    found = selection.headlines_at(tables["loops"], clouds, "last").sort_values("depth").reset_index(drop=True)
    critical = selection.null_of(tables["significance"], found)
    extra = f"depth: place among the convolutions analysed{lacking}"
    names = [short(name) for name in found["layer"]]
    height = 2.9 + 0.055 * max(map(len, names))
    figure = style.new_figure(height, selection.provenance(notes, found, critical["draws"], extra))
    bars, below = figure.subplots(2, 1, sharex=True, height_ratios=[2.2, 0.62])
    bars.set_title(parameters["population"])
    _bars(bars, found, critical, parameters["alpha"])
    _verdicts(below, found, names)
    style.shared_legend(figure)
    return figure, selection.drawn(loops=found, null=critical)


KIND = FigureKind(section="filters", tables=("loops", "significance"), planned=planned, draw=draw)


def _bars(axes: Axes, found: pd.DataFrame, critical: pd.DataFrame, alpha: float) -> None:
    places = np.arange(len(found))
    edges = np.append(places - 0.5, len(found) - 0.5)
    for null, tested in critical.groupby("null_name"):
        level = found[["layer"]].merge(tested, on="layer", how="left")["null_critical"]
        axes.step(edges, np.append(level, level.iloc[-1]), where="post", **style.null_line(str(null), alpha))
    for name, colour, marker in (("second", style.ORANGE, "s"), ("longest", style.BLUE, "o")):
        axes.plot(places, found[name].fillna(0), color=colour, marker=marker, markersize=4, linewidth=0.8, label=name)
    axes.set_ylim(0, 1.1 * np.nanmax([found["longest"].max(), critical["null_critical"].max(), 0.1]))
    axes.set_ylabel("H1 bar length")
    axes.tick_params(labelbottom=False, bottom=False)


def _verdicts(axes: Axes, found: pd.DataFrame, names: list[str]) -> None:
    """Write under each layer its verdict as a colour, the p-value of its longest bar, and how many filters it has."""
    for place, cloud in enumerate(found.to_dict("records")):
        colour = VERDICTS[cloud["verdict"]]
        axes.add_patch(Rectangle((place - 0.46, 0), 0.92, 1, facecolor=colour, edgecolor=style.PALE, linewidth=0.4))
        p_value = f"{cloud['p_longest']:.2g}" if np.isfinite(cloud["p_longest"]) else "–"
        for height, text in ((0.5, p_value), (-0.5, _compact(cloud["points"])), (-1.4, _compact(cloud["kept"]))):
            axes.text(place, height, text, ha="center", va="center", fontsize=6)
    name_verdicts(axes, found["verdict"])
    axes.set_ylim(-1.9, 1.05)
    axes.set_yticks([0.5, -0.5, -1.4], ["p", "filters", "kept"], fontsize=6.5)
    axes.set_xticks(range(len(names)), names, rotation=60, ha="right", rotation_mode="anchor", fontsize=6.5)
    axes.set_xlim(-0.6, len(names) - 0.4)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def short(name: str) -> str:
    """Return a layer's name without its middle where it is too long for a column or a panel."""
    if len(name) <= NAME:
        return name
    half = (NAME - 1) // 2
    return f"{name[:half]}…{name[-half:]}"


def _compact(count: int) -> str:
    return f"{count:,}" if count < 10_000 else f"{count / 1_000:.0f}k"
