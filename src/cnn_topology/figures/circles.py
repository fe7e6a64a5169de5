"""The three-circle model: filters near each named circle against chance, what they cover, and the known shape.

The three-circle model and what else a layer holds, at the last step. Left: filters that rho(k, p) keeps and that lie
within the stated distance of one of four circles of patches - primary (edges), the two secondary circles through edges
and lines of one direction, quadratic (lines) - each counted at the nearest; marks: the same number by chance, for the
layer's filters with their entries shuffled, through the same rho(k, p) (mean; p is the rank among these draws) and for
filters drawn from the sphere. Middle: which arcs of each circle have filters within that distance (darker is more, on a
logarithmic scale; the quadratic circle by twice the direction of the line), the part covered and in brackets that of
shuffled filters. Right: the longest H1 bars. The title of a row says which known shape the kept filters lie on, by
where they lie about the Klein bottle (docs/calibration.md has the rule and its error rates). The three-circle model has
five loops, but a density filter may leave fewer long bars of it, and as many of a Klein bottle. Circles cross, and
noise splits the filters at a crossing among them: counts near the secondary circles at angles 0 and π are edges of the
primary circle, and only coverage beyond them speaks for a secondary circle. The model is the paper's; counts, chance
and the rule are ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from cnn_topology.figures import selection, style
from cnn_topology.figures.libraries import Axes, Rectangle, pd
from cnn_topology.figures.planned import facet, pages_of_clouds
from cnn_topology.figures.registry import Drawing, FigureKind, Notes, Parameters, Plan, Planned, Tables
from cnn_topology.plan.clouds import Filtering
from cnn_topology.statistics.significance import TOO_FEW
from cnn_topology.tables.filters import CIRCLE_ARCS
from cnn_topology.tables.loops import CLOUD

BARS = 10
MAP = "cividis_r"


FACETS = 4  # on one page


def planned(plan: Plan) -> Planned:
    """List pages of all layers, and of the other density filters that the three-circle model is compared under."""
    facets = []
    for clouds in plan.layer_clouds:
        last = clouds.filterings[max(clouds.filterings)]
        measured = [filtering for filtering in clouds.measured if filtering in last]
        facets.append(facet(clouds))
        facets += [{**facet(clouds), "asked": filtering.model_dump()} for filtering in measured]
    return pages_of_clouds(plan, "circles", facets, FACETS)


def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw one row for each of `clouds` at its last step: its headline, or the density filter it has `asked`."""
    clouds, lacking = selection.with_rows(tables["circles"], parameters["clouds"])
    chosen = [(cloud, row) for cloud in clouds for _, row in _chosen(tables["loops"], cloud).iterrows()]
    each = [selection.of_cloud(tables["circles"], row) for _, row in chosen]
    together = pd.DataFrame([row for _, row in chosen])
    critical = selection.null_of(tables["significance"], together)
    most = pd.concat([circles[["nearest", "permuted"]].div(circles["kept"], axis=0) for circles in each]).max().max()
    footer = selection.provenance(notes, together, critical["draws"], f"arcs of 10°{lacking}")
    figure = style.new_figure(1.7 * len(each) + 0.4, footer)
    panels = figure.subplots(len(each), 3, squeeze=False, width_ratios=[1, 1.15, 0.8])
    bars = []
    for (cloud, row), circles, (left, middle, right) in zip(chosen, each, panels, strict=True):
        _counts(left, circles, max(0.05, most))
        _coverage(middle, circles)
        level = critical.loc[(critical[CLOUD] == row[CLOUD]).all(axis=1), "null_critical"].max()
        bars.append(_bars(right, selection.of_cloud(tables["barcodes"], row), level, circles, parameters["alpha"]))
        density = f"ρ({row['density_k']}, {row['density_p']:g})"
        where = f"{row['population']}, {row['layer']}, {selection.when(cloud)}, {density}"
        style.row_title(left, f"{where}: {_shape(circles)}, {_sentence(circles)}")
    labels = ("part of the kept filters", "angle on the circle", "H1 bars, longest first")
    for axes, label in zip(panels[-1], labels, strict=True):
        axes.set_xlabel(label)
    style.shared_legend(figure)
    shown = [circles.drop(columns=list(CIRCLE_ARCS)) for circles in each]
    return figure, selection.drawn(circles=shown, arcs=[_arcs(circles) for circles in each], bars=bars)


KIND = FigureKind(
    section="filters",
    tables=("loops", "circles", "barcodes", "significance"),
    planned=planned,
    columns={"arc": ("Number of the arc of 10 degrees, from 0.", "")},
    draw=draw,
)


def _arcs(mine: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each arc of each circle."""
    arcs = mine.melt([*CLOUD, "circle"], list(CIRCLE_ARCS), "arc", "filters")
    number = arcs["arc"].map(CIRCLE_ARCS.index)
    return arcs.assign(arc=number, angle=2 * np.pi * (number + 0.5) / len(CIRCLE_ARCS))


def _chosen(loops: pa.Table, cloud: Mapping[str, Any]) -> pd.DataFrame:
    if "asked" not in cloud:
        return selection.headlines_at(loops, [cloud], "last")
    asked = Filtering.model_validate(cloud["asked"])
    ids = {"population": cloud["population"], "layer": cloud["layer"], "step": cloud["last"]}
    found = selection.rows(loops, **ids, density_p=asked.p, landmarks=asked.landmarks)
    # As a fraction k depends on how many filters there are, and networks may have failed.
    left = found["points"].map(asked.neighbours_left)
    return found[left == found["density_k"]].head(1)


def _sentence(mine: pd.DataFrame) -> str:
    """Describe how many filters lie near the circle that most are nearest to, against shuffled filters."""
    row = mine.iloc[int(mine["nearest"].to_numpy().argmax())]
    if not row["nearest"]:
        return "no filter lies near a circle"
    chance = "" if pd.isna(row["permuted"]) else f" (chance {row['permuted'] / row['kept']:.0%})"
    return f"{row['nearest'] / row['kept']:.0%} near the {row['circle']} circle{chance}"


def _shape(mine: pd.DataFrame) -> str:
    """Name the known shape, or why none is asked for."""
    row = mine.iloc[0]
    if pd.notna(row["shape"]):
        return str(row["shape"])
    return TOO_FEW if pd.isna(row["significant_bars"]) else "no significant loop"


def _counts(axes: Axes, mine: pd.DataFrame, most: float) -> None:
    places = np.arange(len(mine))
    axes.barh(places, mine["nearest"] / mine["kept"], height=0.62, color=style.BLUE, label="filters nearest to it")
    marks = (("permuted", "|", style.VERMILION, "entries shuffled"), ("sphere", "d", style.INK, "sphere"))
    for name, marker, colour, label in marks:
        size = 9 if marker == "|" else 3
        part = mine[name] / mine["kept"]
        axes.plot(part, places, marker, color=colour, markersize=size, markeredgewidth=1.3, label=f"chance: {label}")
    for place, row in zip(places.tolist(), mine.to_dict("records"), strict=True):
        end = np.nanmax([row["nearest"], row["permuted"], row["sphere"]]) / row["kept"]
        text = f"{row['nearest']:,}" + (f" (p = {row['p_permuted']:.2g})" if pd.notna(row["p_permuted"]) else "")
        axes.text(end + 0.06 * most, place, text, va="center", fontsize=6)
    axes.set_xlim(0, 1.75 * most)
    axes.set_xticks([tick for tick in axes.get_xticks() if 0 <= tick <= min(1, 1.75 * most)])
    axes.set_yticks(places, [name.replace("secondary ", "secondary\n") for name in mine["circle"]], fontsize=6.5)
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.set_title(f"of {int(mine['kept'].iloc[0]):,} kept, within {mine['near_distance'].iloc[0]:g}")


def _coverage(axes: Axes, mine: pd.DataFrame) -> None:
    """Draw how many filters lie within the residual of each arc of each circle; white where there is none."""
    counts = mine[list(CIRCLE_ARCS)].to_numpy()
    edges = np.linspace(0, 2 * np.pi, len(CIRCLE_ARCS) + 1)
    top = max(1, int(counts.max()))
    shown = np.where(counts > 0, np.log10(np.maximum(counts, 1)), np.nan)
    axes.pcolormesh(edges, np.arange(len(counts) + 1) - 0.5, shown, cmap=MAP, vmin=-0.15, vmax=np.log10(top) or 1)
    for place, row in enumerate(mine.to_dict("records")):
        chance = row["permuted_coverage"]
        text = f"{row['coverage']:.0%}" + (f"\n({chance:.0%})" if pd.notna(chance) else "")
        axes.text(2 * np.pi + 0.15, place, text, va="center", fontsize=6)
    axes.set_ylim(len(counts) - 0.5, -0.5)
    axes.set_yticks([])
    axes.set_xlim(0, 2 * np.pi + 1.25)
    axes.set_xticks([0, np.pi, 2 * np.pi], ["0", "π", "2π"])
    axes.spines[:].set_visible(False)
    axes.set_title(f"covered (by chance); most in an arc: {top:,}")


def _bars(axes: Axes, bars: pd.DataFrame, level: float, mine: pd.DataFrame, alpha: float) -> pd.DataFrame:
    found = selection.lengths(bars, 1).head(BARS)
    row = mine.iloc[0]
    if found.empty:
        style.explain(axes, "no H1 bar")
    else:
        colours = [style.VERMILION if length > level else style.PALE for length in found["length"]]
        axes.bar(found.index + 1, found["length"], color=colours, width=0.7)
        for colour, label in ((style.VERMILION, "significant bar"), (style.PALE, "other bar")):
            axes.add_patch(Rectangle((0, 0), 0, 0, facecolor=colour, label=label))
        if np.isfinite(level):
            axes.axhline(level, color=style.GREY, linestyle="--", linewidth=0.9, label=f"nulls, {1 - alpha:.0%}")
        axes.axvline(5.5, color=style.INK, linestyle=":", linewidth=0.8)
        axes.set_xticks([1, 5, 10])
    axes.set_title(f"5th bar {selection.length(row['fifth'])}, 6th {selection.length(row['sixth'])}")
    return found
