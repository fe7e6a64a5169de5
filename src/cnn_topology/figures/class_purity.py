"""Class-wise purity over chance by class and layer for each kind of cloud (table T-B), with its coverage.

Class-wise purity of mapper graphs of activations (the paper's printed numbers are unknown), less the level of chance.
For each class the mean over all its points of the mean purity of the nodes that hold the point, 0 for points in no
node: it mixes purity and coverage. Chance is its mean over shuffles of the labels over images. A dot a layer, the
darker the deeper; its area is the coverage, the share of the points of the class that are in a node. Stored labels are
used (the released code took the class from the row, a defect). The lowest row is the mean over all points.
"""

from __future__ import annotations

from cnn_topology.figures import style
from cnn_topology.figures.graph_rows import cloud_title, footer, of_recipe, titled_legend
from cnn_topology.figures.libraries import Line2D, pd, to_hex
from cnn_topology.figures.planned import graph_groups
from cnn_topology.figures.registry import Drawing, FigureKind, Notes, Parameters, Plan, Planned, Tables, numbered
from cnn_topology.figures.selection import drawn
from cnn_topology.tables.units import SHARE

# Clouds on one page, two beside each other.
FACETS, BESIDE = 6, 2
# Area of the dot of a class that is wholly in nodes, points squared.
AREA = 26
ALL = "all points"


def planned(plan: Plan) -> Planned:
    """List pages of the clouds of each group of graphs."""
    for group in graph_groups(plan):
        for name, page in numbered(f"class_purity_{group.name}", group.clean, FACETS):
            yield name, {**group.ids, "clouds": page}


def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw class-wise purity over chance of the `clouds` of `population` and `recipe`."""
    purity, graphs = (of_recipe(tables[name], parameters) for name in KIND.tables)
    clouds = list(dict.fromkeys(purity["cloud"]))
    parts = [_of_class(purity), _of_all(purity)]
    parts = [part.assign(over_chance=part["purity"] - part["chance"]) for part in parts]
    shown = pd.concat(parts, ignore_index=True)
    classes = list(dict.fromkeys(shown["class_name"]))
    depths = sorted(shown["depth"].unique())
    draws = f"chance: labels shuffled over images, {int(purity['draws'].max())} draws"
    rows, columns = style.shape(len(clouds), BESIDE)
    height = rows * (0.75 + 0.17 * len(classes)) + 0.5
    figure = style.new_figure(height, footer(notes, graphs, [draws]))
    reach = 1.1 * float(shown["over_chance"].abs().max() or 0.1)
    for axes, cloud in zip(style.facets(figure, len(clouds), BESIDE), clouds, strict=True):
        axes.axvline(0, color=style.GREY, linewidth=0.7)
        for depth, dots in shown[shown["cloud"] == cloud].groupby("depth"):
            places = dots["class_name"].map(classes.index)
            axes.scatter(
                dots["over_chance"], places, s=AREA * dots["coverage"], color=_shade(depth, depths), linewidths=0
            )
        axes.set_yticks(range(len(classes)), classes)
        axes.set_ylim(len(classes) - 0.5, -0.5)
        axes.set_xlim(min(0, 1.1 * float(shown["over_chance"].min())) - 0.02 * reach, reach)
        axes.grid(axis="y", color=style.BAND, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.set_xlabel("class-wise purity minus chance")
        style.facet_title(axes, cloud_title(purity[purity["cloud"] == cloud].iloc[0]), columns)
    marked = depths if len(depths) <= 6 else [depths[0], depths[len(depths) // 2], depths[-1]]
    handles = [
        Line2D([], [], marker="o", linestyle="", markersize=5, color=_shade(depth, depths), label=f"depth {depth}")
        for depth in marked
    ]
    titled_legend(figure, f"{_finding(shown)}\n{parameters['population']}, {parameters['recipe']}", handles)
    return figure, drawn(class_purity=parts[0], all_points=parts[1])


KIND = FigureKind(
    section="activation_graphs",
    tables=("class_purity", "activation_graphs"),
    planned=planned,
    columns={"over_chance": ("Purity minus its level of chance.", SHARE)},
    draw=draw,
)


def _shade(depth: float, depths: list[float]) -> str:
    """Return the blue of a layer, the darker the deeper."""
    share = depths.index(depth) / max(1, len(depths) - 1)
    return to_hex((0.62 - 0.59 * share, 0.79 - 0.6 * share, 0.88 - 0.46 * share))


def _of_class(purity: pd.DataFrame) -> pd.DataFrame:
    """Average over networks by class and layer."""
    by = ["cloud", "depth", "label", "class_name"]
    return purity.groupby(by, sort=False)[["purity", "chance", "coverage"]].mean().reset_index().sort_values(by[:3])


def _of_all(purity: pd.DataFrame) -> pd.DataFrame:
    """Average over the points of all classes, by layer."""
    names, keys = ["purity", "chance", "coverage"], [purity["cloud"], purity["depth"]]
    sums = purity[names].mul(purity["points"], axis=0).groupby(keys, sort=False).sum()
    return sums.div(purity.groupby(keys, sort=False)["points"].sum(), axis=0).reset_index().assign(class_name=ALL)


def _finding(shown: pd.DataFrame) -> str:
    """Describe how far the purity of all points lies over chance at the deepest layer."""
    last = shown[(shown["class_name"] == ALL) & (shown["depth"] == shown["depth"].max())]
    told = ", ".join(f"{row['over_chance']:+.2f} ({row['cloud']})" for row in last.to_dict("records"))
    return f"Class-wise purity over chance at depth {int(shown['depth'].max())}: {told}"
