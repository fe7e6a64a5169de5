"""Foreground by GrabCut and what it makes of the positions of a layer, published beside corrected (F-M).

Foreground by GrabCut and the weights it gives to the positions of a layer, published beside corrected (after the third
experiment of the mapper half; the paper's own figure is not known to us, so this one is ours). The released code hands
GrabCut the normalized image cast to bytes with its axes reversed, and drops foreground pixels whose gray value is 0;
corrected, GrabCut sees the image and the mask is taken as it is. Weights are relative to the largest of each image; the
position of the largest weight enters a cloud of the foreground. Upper right: the share of common foreground pixels of
both modes, image by image. Lower right: the share of an image's positions that both modes choose, by depth of the
layer, with 95% intervals over images; chance, grey in the dashes of its curves, is the share that as many random
positions would have in common. Deep layers have few positions, and every one of them sees most of the image.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cnn_topology.figures import style
from cnn_topology.figures.kinds import Drawing, Notes, Parameters, Plan, Planned, Tables, figure
from cnn_topology.figures.libraries import Axes, Figure, SubplotSpec, pd
from cnn_topology.figures.noisy_images import draw_image
from cnn_topology.figures.selection import drawn, provenance, rows

SIDE = 0.55  # inches of an image
MODES = ("published", "corrected")
COLOURS = {"foreground": style.VERMILION, "background": style.BLUE}


def planned(plan: Plan) -> Planned:
    """List one figure for each population whose images have masks."""
    for population in dict.fromkeys(name for name, _, _ in plan.masked_images):
        yield f"masks_{population}", {"population": population}


@figure(
    section="resnets",
    tables=("masks", "modes", "example_pixels"),
    planned=planned,
    columns={"picture": ("image, foreground (1 or 0) or weight of a position, relative to the largest.", "")},
)
def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw masks and weights of example images of `population`, and how far both modes agree over all images."""
    which = {"population": parameters["population"]}
    pixels = rows(tables["example_pixels"], **which)
    pixels = pixels[(pixels["panel"] != "image") | (pixels["sigma"] == 0)]
    masks, modes = rows(tables["masks"], **which), rows(tables["modes"], **which)
    images = list(dict.fromkeys(pixels["image"]))
    lines = _lines(pixels)
    footer = provenance(
        notes, extra="published: GrabCut on the normalized image cast to bytes, axes reversed; corrected: on the image"
    )
    figure = style.new_figure(max(SIDE * len(lines) + 0.3, 3.6), footer)
    grid = figure.add_gridspec(1, 2, width_ratios=[SIDE * max(len(images), 1) + 1.05, 2.4])
    if images:
        _examples(figure, grid[0], pixels, images, lines)
    else:
        style.explain(figure.add_subplot(grid[0]), "no example image is in the table")
    right = grid[1].subgridspec(2, 1)
    agreement = masks.drop_duplicates(["split", "image"])
    _histogram(figure.add_subplot(right[0]), agreement, masks)
    _by_depth(figure.add_subplot(right[1]), modes)
    return figure, drawn(modes=modes, masks=agreement, examples=pixels.rename(columns={"panel": "picture"}))


def _lines(pixels: pd.DataFrame) -> list[tuple[str, dict[str, Any]]]:
    """Describe what each line of the picture shows, and which rows of the table it takes."""
    lines: list[tuple[str, dict[str, Any]]] = [("image", {"panel": "image"})]
    lines += [(f"foreground\n{mode}", {"panel": "foreground", "mode": mode}) for mode in MODES]
    layers = dict.fromkeys(pixels.loc[pixels["panel"] == "weight", "layer"])
    lines += [
        (f"{layer}\n{mode}", {"panel": "weight", "mode": mode, "layer": layer}) for layer in layers for mode in MODES
    ]
    return lines


def _examples(
    figure: Figure, place: SubplotSpec, pixels: pd.DataFrame, images: list[int], lines: list[tuple[str, dict[str, Any]]]
) -> None:
    grid = place.subgridspec(len(lines), len(images), wspace=0.04, hspace=0.04)
    for line, (title, which) in enumerate(lines):
        chosen = pixels[np.logical_and.reduce([pixels[key] == value for key, value in which.items()])]
        for column, image in enumerate(images):
            axes = figure.add_subplot(grid[line, column])
            shown = chosen[chosen["image"] == image]
            if which["panel"] == "image":
                draw_image(axes, shown)
                axes.set_title(shown["class_name"].iloc[0], fontsize=6.5, loc="center")
            else:
                _draw_values(axes, shown, "gray" if which["panel"] == "foreground" else "viridis")
            if not column:
                axes.set_ylabel(title, fontsize=6.5, rotation=0, ha="right", va="center")


def _draw_values(axes: Axes, shown: pd.DataFrame, colours: str) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    values = np.zeros((shown["y"].max() + 1, shown["x"].max() + 1))
    values[shown["y"], shown["x"]] = shown["value"]
    axes.imshow(values, cmap=colours, vmin=0, vmax=1, interpolation="nearest")


def _histogram(axes: Axes, agreement: pd.DataFrame, masks: pd.DataFrame) -> None:
    if agreement.empty:
        style.explain(axes, "no mask is in the table")
        return
    axes.hist(agreement["agreement"], bins=20, range=(0, 1), color=style.SKY, edgecolor="white", linewidth=0.3)
    axes.axvline(agreement["agreement"].mean(), color=style.INK, linewidth=0.8, linestyle="--")
    empty = {mode: int(masks.loc[masks["mode"] == mode, "empty_foreground"].sum()) for mode in MODES}
    axes.set_xlabel("common pixels / pixels of either")
    axes.set_ylabel("images")
    axes.set_title(
        f"agreement of the modes: mean {agreement['agreement'].mean():.2f},\n{len(agreement):,} images; no foreground "
        f"in\n{empty['published']} published, {empty['corrected']} corrected",
        fontsize=7,
    )


def _by_depth(axes: Axes, modes: pd.DataFrame) -> None:
    if modes.empty:
        style.explain(axes, "no layer is in the table")
        return
    for (sampling, top), one in modes.groupby(["sampling", "top"]):
        dashes = "-" if top == 1 else ":"
        one = one.groupby("depth").agg({"agreement": "mean", "standard_error": "mean"})
        axes.errorbar(
            one.index, one["agreement"], 1.96 * one["standard_error"], color=COLOURS[str(sampling)], linestyle=dashes,
            marker=".", markersize=3, linewidth=1, elinewidth=0.5, label=f"{sampling}, top {top}",
        )  # fmt: skip
    for top in sorted(modes["top"].unique()):
        chance = modes[modes["top"] == top].groupby("depth")["chance"].mean()
        dashes = "-" if top == 1 else ":"
        axes.plot(chance.index, chance, dashes, color=style.GREY, linewidth=0.8, label=f"chance, top {top}")
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("depth of the layer")
    axes.set_ylabel("shared positions")
    axes.legend(fontsize=6.5, loc="upper left", labelspacing=0.2)
