"""Class-wise purity by class and layer for each kind of cloud (table T-B), with its chance level and coverage.

Class-wise purity of mapper graphs of activations (table T-B, printed numbers unknown). For each class the mean over all
its points of the mean purity of the nodes that hold the point, 0 for points in no node: it mixes purity and coverage.
Small: the level of chance, which is its mean over shuffles of the labels over images, and the coverage, the share of
the points of the class that are in a node. Stored labels are used (defect Q7 of the released code: it took the class
from the row). The last line is the mean over all points.
"""

from __future__ import annotations

from cnn_topology.figures import style
from cnn_topology.figures.empty import empty_figure
from cnn_topology.figures.graph_rows import EMPTY, cloud_title, footer, of_recipe
from cnn_topology.figures.heat_table import MANY, heat_table
from cnn_topology.figures.kinds import Drawing, Notes, Parameters, Plan, Planned, Tables, figure
from cnn_topology.figures.libraries import pd
from cnn_topology.figures.planned import graph_groups, numbered
from cnn_topology.figures.selection import drawn

# Layers up to which a cell has room for zeros and spaces.
WIDE = 5
MEANS = ("purity", "chance", "coverage")


# Tables of classes on one page, and layers up to which two of them fit beside each other; else a third as many fit.
FACETS, BESIDE = 6, 7


def planned(plan: Plan) -> Planned:
    """List pages of the clouds of each group of graphs."""
    for group in graph_groups(plan):
        layers = max((len(group.layers(cloud)) for cloud in group.clean), default=0)
        size = FACETS if layers <= BESIDE else FACETS // 3
        for name, page in numbered(f"class_purity_{group.name}", group.clean, size):
            yield name, {**group.ids, "clouds": page}


@figure(section="activation_graphs", tables=("class_purity", "activation_graphs"), planned=planned)
def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw class-wise purity of the clouds without noise of `population` and `recipe`."""
    purity, graphs = (of_recipe(tables[name], parameters) for name in ("class_purity", "activation_graphs"))
    purity, graphs = purity[purity["sigma"] == 0], graphs[graphs["sigma"] == 0]
    where = f"{parameters['population']}, {parameters['recipe']}: class-wise purity (chance level; coverage)"
    clouds = list(dict.fromkeys(purity["cloud"]))
    if not clouds:
        return empty_figure(EMPTY, footer(notes, graphs), where)
    classes = list(purity.sort_values("label")["class_name"].drop_duplicates())
    layers = purity["depth"].nunique()
    beside = 2 if layers <= BESIDE else 1
    rows, columns = style.shape(len(clouds), beside)
    draws = f"chance: labels shuffled over images, {int(purity['draws'].max())} draws"
    row = 0.32 if layers >= MANY else 0.23  # inches
    figure = style.new_figure(rows * (0.7 + row * (len(classes) + 1)), footer(notes, graphs, [draws]), where)
    for axes, cloud in zip(style.facets(figure, len(clouds), beside), clouds, strict=True):
        here = purity[purity["cloud"] == cloud]
        depths = sorted(here["depth"].unique())
        wide, chance, covered = (_by_class(here, name) for name in MEANS)
        below = [
            [_small(*pair, layers) for pair in zip(*line, strict=True)]
            for line in zip(chance.to_numpy(), covered.to_numpy(), strict=True)
        ]
        heat_table(axes, wide.to_numpy(), [*classes, "all points"], [str(depth - 1) for depth in depths], below)
        style.facet_title(axes, cloud_title(here.iloc[0]), columns)
        axes.set_xlabel("layer, counted as in the paper")
    return figure, drawn(class_purity=purity)


def _small(chance: float, covered: float, layers: int) -> str:
    """Write chance level and coverage for a cell, the shorter the more layers there are."""
    if layers >= MANY:
        return f"({chance:.2f})\n{covered:.2f}"
    text = f"({chance:.2f}; {covered:.2f})"
    return text if layers <= WIDE else text.replace("1.00", "1").replace("0.", ".").replace(" ", "")


def _by_class(here: pd.DataFrame, name: str) -> pd.DataFrame:
    """Average over networks by class and depth; the last row is the mean over the points of all classes."""
    wide = here.groupby(["label", "depth"])[name].mean().unstack("depth").sort_index(axis="columns")
    total = here.assign(sum=here[name] * here["points"]).groupby("depth")[["sum", "points"]].sum()
    wide.loc[wide.index.max() + 1] = total["sum"] / total["points"]
    return wide
