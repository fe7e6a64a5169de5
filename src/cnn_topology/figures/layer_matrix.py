"""What the figures that compare layers share: names of measures, matrices of layers with their stages, footers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from cnn_topology.figures import style
from cnn_topology.figures.libraries import Axes, Figure, Normalize, PolyCollection, ScalarMappable, pd
from cnn_topology.figures.selection import Empty, number, provenance, rows
from cnn_topology.plan.activations import DIAGRAM_MEASURES

LABELS = {
    "sliced_wasserstein": "sliced Wasserstein",
    "scaled_sliced_wasserstein": "scaled sliced Wasserstein",
    "bottleneck": "bottleneck",
    "wasserstein": "2-Wasserstein",
    "linear_cka": "linear CKA",
    "linear_cka_distance": "1 − linear CKA",
    "debiased_cka": "debiased CKA",
    "cca_distance": "mean CCA",
    "svcca_distance": "SVCCA",
    "pwcca_distance": "PWCCA",
    "procrustes_distance": "Procrustes",
}
# The paper's measure; all others are baselines of ours on the same clouds.
OF_THE_PAPER = "sliced_wasserstein"

# Dark is near, for distances and, turned round, for similarities.
NEAR_IS_DARK = {"distance": "cividis", "similarity": "cividis_r"}
# A similarity from here on is that of equal layers, but for rounding.
EQUAL = 1 - 1e-9
# Layers whose numbers fit beside a matrix; of more every second one stands there.
NUMBERED = 12


def label(measure: str) -> str:
    """Name a measure."""
    return LABELS.get(measure, measure)


def whose(measure: str) -> str:
    """Return whether a measure is the paper's or ours."""
    return "paper" if measure == OF_THE_PAPER else "ours"


def matrix_of(rows: pd.DataFrame, value: str) -> pd.DataFrame:
    """Put the rows of one measure into a matrix: depth of layer a downwards, of layer b to the right."""
    return rows.pivot(index="depth_a", columns="depth_b", values=value).sort_index().sort_index(axis=1)


def stages(rows: pd.DataFrame) -> list[str]:
    """Return the stage of each layer, nearest the image first; the stem is a stage of its own."""
    names = rows.drop_duplicates("depth_a").sort_values("depth_a")["layer_a"]
    found = [re.match(r"(?:block_seq\.|layer)([0-9]+)", name) for name in names]
    first = 1 if any(name.startswith("block_seq.") for name in names) else 0
    return [f"{int(match[1]) + first}" if match else "" for match in found]


def draw_matrix(
    axes: Axes,
    matrix: pd.DataFrame,
    stage: Sequence[str],
    scale: Normalize,
    colours: str,
    sides: np.ndarray | None = None,
) -> ScalarMappable:
    """Draw a matrix of layers with lines between stages and their numbers above; cells may have sides below 1.

    Returns
    -------
    ScalarMappable
        For the colour bar.
    """
    image: ScalarMappable
    if sides is None:
        image = axes.imshow(matrix, cmap=colours, norm=scale, interpolation="nearest")
    else:
        corners = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])
        cells = [np.array([j, i]) + side * corners for (i, j), side in np.ndenumerate(sides)]
        image = PolyCollection(cells, array=matrix.to_numpy().ravel(), cmap=colours, norm=scale, linewidths=0)
        axes.add_collection(image)
        axes.set(xlim=(-0.5, len(matrix) - 0.5), ylim=(len(matrix) - 0.5, -0.5), aspect="equal")
    between = "white" if sides is None else style.PALE
    places = list(range(len(matrix)))
    step = 1 if len(places) <= NUMBERED else 2
    axes.set_xticks(places[::step], [str(depth) for depth in matrix.columns[::step]])
    axes.set_yticks(places[::step], [str(depth) for depth in matrix.index[::step]])
    axes.tick_params(length=0, labelsize=style.SMALL - 1, pad=1.5)
    axes.spines[:].set_visible(False)
    starts = [place for place in places if place == 0 or stage[place] != stage[place - 1]]
    for start, end in zip(starts, [*starts[1:], len(places)], strict=True):
        if start:
            axes.axhline(start - 0.5, color=between, linewidth=0.9, zorder=0.5 if sides is not None else 2)
            axes.axvline(start - 0.5, color=between, linewidth=0.9, zorder=0.5 if sides is not None else 2)
        if stage[start]:
            middle = (start + end - 1) / 2
            axes.text(middle, -0.7, stage[start], ha="center", va="bottom", fontsize=style.SMALL, color=style.GREY)
    return image


def draw_values(axes: Axes, rows: pd.DataFrame, value: str, sides: np.ndarray | None = None) -> ScalarMappable:
    """Draw the matrix of one measure in the colours of its kind, as `draw_matrix` does."""
    kind, matrix = rows["kind"].iloc[0], matrix_of(rows, value)
    return draw_matrix(axes, matrix, stages(rows), scale_of(kind, matrix), NEAR_IS_DARK[kind], sides)


def scale_of(kind: str, values: pd.DataFrame) -> Normalize:
    """Return the colour scale of a measure: of a distance from 0, the value of equal layers, to the farthest one found.

    A similarity ends at the nearest of different layers, since equal ones, at 1, can lie far beyond all others.
    """
    found = values.to_numpy()
    if kind == "distance":
        return Normalize(0.0, max(float(np.nanmax(found)), 1e-12))
    least, different = min(0.0, float(np.nanmin(found))), found[found < EQUAL]
    return Normalize(least, float(different.max()) if len(different) else 1.0)


def add_bar(figure: Figure, image: ScalarMappable, axes: Axes, rows: pd.DataFrame) -> None:
    """Set a colour bar beside the matrix of a measure; one with a tip where values lie beyond its scale."""
    measure, kind = rows[["measure", "kind"]].iloc[0]
    # Those of barcodes are lengths.
    unit = "median distances" if measure.startswith("scaled") else "activation units"
    said = f"distance{f', {unit}' if measure in DIAGRAM_MEASURES else ''}"
    values = image.get_array()
    assert values is not None
    beyond = bool(values.max() > image.get_clim()[1])
    bar = figure.colorbar(image, ax=axes, shrink=0.8, aspect=17, pad=0.02, extend="max" if beyond else "neither")
    bar.ax.tick_params(labelsize=style.SMALL)
    bar.set_label(said if kind == "distance" else "similarity, 1 = equal", fontsize=7)


def layer_rows(table: pa.Table, parameters: Mapping[str, Any], **equal: Any) -> pd.DataFrame:
    """Return the rows of a table on the population and cloud of a figure.

    Raises
    ------
    Empty
        If there is none.
    """
    found = rows(table, population=parameters["population"], cloud=parameters["cloud"], **equal)
    if found.empty:
        raise Empty(nothing(parameters))
    return found


def nothing(parameters: Mapping[str, Any]) -> str:
    """Describe why a panel is empty."""
    return f"no row in the table for {parameters['population']}, cloud {parameters['cloud']}"


def footer(notes: Mapping[str, str], parameters: Mapping[str, Any], found: pd.DataFrame, extra: str) -> str:
    """Describe what the values are of: population, cloud, images, and what `extra` adds."""
    images = f"n = {number(found['samples'].iloc[0])} images; " if "samples" in found else ""
    return provenance(notes, extra=f"{parameters['population']}, cloud {parameters['cloud']}; {images}{extra}")
