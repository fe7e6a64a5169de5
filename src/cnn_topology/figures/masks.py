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

from cnn_topology.figures import selection, style
from cnn_topology.figures.libraries import Axes, pd
from cnn_topology.figures.noisy_images import draw_image
from cnn_topology.figures.registry import Drawing, FigureKind, Notes, Parameters, Plan, Planned, Tables

SIDE = 0.55  # inches of an image
MODES = ("published", "corrected")
COLOURS = {"foreground": style.VERMILION, "background": style.BLUE}


def planned(plan: Plan) -> Planned:
    """List one figure for each population whose images have masks."""
    for population in dict.fromkeys(name for name, _, _ in plan.masked_images):
        yield f"masks_{population}", {"population": population}


def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw masks and weights of example images of `population`, and how far both modes agree over all images."""
    which = {"population": parameters["population"]}
    pixels, masks, modes = (selection.rows(tables[name], **which) for name in ("example_pixels", "masks", "modes"))
    pixels = pixels[(pixels["panel"] != "image") | (pixels["sigma"] == 0)]
    if pixels.empty or masks.empty or modes.empty:
        raise selection.Empty("no example image, mask or layer is in the table")
    images, lines = list(dict.fromkeys(pixels["image"])), _lines(pixels)
    extra = "published: GrabCut on the normalized image cast to bytes, axes reversed; corrected: on the image"
    figure = style.new_figure(max(SIDE * len(lines) + 0.3, 3.6), selection.provenance(notes, extra=extra))
    grid = figure.add_gridspec(1, 2, width_ratios=[SIDE * len(images) + 1.05, 2.4])
    pictures = grid[0].subgridspec(len(lines), len(images), wspace=0.04, hspace=0.04).subplots(squeeze=False)
    for (title, chosen), line in zip(lines.items(), pictures, strict=True):
        for image, axes in zip(images, line, strict=True):
            shown = chosen[chosen["image"] == image]
            if title == "image":
                draw_image(axes, shown)
                axes.set_title(shown["class_name"].iloc[0], fontsize=6.5, loc="center")
            else:
                _draw_values(axes, shown)
        line[0].set_ylabel(title, fontsize=6.5, rotation=0, ha="right", va="center")
    right = grid[1].subgridspec(2, 1)
    agreement = masks.drop_duplicates(["split", "image"])
    _histogram(figure.add_subplot(right[0]), agreement, masks)
    _by_depth(figure.add_subplot(right[1]), modes)
    examples = pixels.rename(columns={"panel": "picture"})
    return figure, selection.drawn(modes=modes, masks=agreement, examples=examples)


KIND = FigureKind(
    section="resnets",
    tables=("masks", "modes", "example_pixels"),
    planned=planned,
    columns={"picture": ("image, foreground (1 or 0) or weight of a position, relative to the largest.", "")},
    draw=draw,
)


def _lines(pixels: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the pixels of each line of the picture by its title: image, foreground, and the weights of layers."""
    lines = {"image": pixels[pixels["panel"] == "image"]}
    for layer in ("", *dict.fromkeys(pixels.loc[pixels["panel"] == "weight", "layer"])):
        for mode in MODES:
            panel = "weight" if layer else "foreground"
            chosen = pixels[(pixels["panel"] == panel) & (pixels["mode"] == mode)]
            lines[f"{layer or panel}\n{mode}"] = chosen[chosen["layer"] == layer] if layer else chosen
    return lines


def _draw_values(axes: Axes, shown: pd.DataFrame) -> None:
    axes.set(xticks=[], yticks=[])
    values = np.zeros((shown["y"].max() + 1, shown["x"].max() + 1))
    values[shown["y"], shown["x"]] = shown["value"]
    colours = "gray" if (shown["panel"] == "foreground").all() else "viridis"
    axes.imshow(values, cmap=colours, vmin=0, vmax=1, interpolation="nearest")


def _histogram(axes: Axes, agreement: pd.DataFrame, masks: pd.DataFrame) -> None:
    axes.hist(agreement["agreement"], bins=20, range=(0, 1), color=style.SKY, edgecolor="white", linewidth=0.3)
    mean = agreement["agreement"].mean()
    axes.axvline(mean, color=style.INK, linewidth=0.8, linestyle="--")
    empty = masks.groupby("mode")["empty_foreground"].sum()
    axes.set(xlabel="common pixels / pixels of either", ylabel="images")
    axes.set_title(
        f"agreement of the modes: mean {mean:.2f},\n{len(agreement):,} images; no foreground in\n"
        f"{empty.get('published', 0)} published, {empty.get('corrected', 0)} corrected",
        fontsize=7,
    )


def _by_depth(axes: Axes, modes: pd.DataFrame) -> None:
    for top, of_top in modes.groupby("top"):
        dashes = "-" if top == 1 else ":"
        for sampling, one in of_top.groupby("sampling"):
            mean = one.groupby("depth")[["agreement", "standard_error"]].mean()
            look: dict[str, Any] = {
                "color": COLOURS[str(sampling)],
                "linestyle": dashes,
                "marker": ".",
                "markersize": 3,
            }
            error = 1.96 * mean["standard_error"]
            label = f"{sampling}, top {top}"
            axes.errorbar(mean.index, mean["agreement"], error, **look, linewidth=1, elinewidth=0.5, label=label)
        chance = of_top.groupby("depth")["chance"].mean()
        axes.plot(chance.index, chance, dashes, color=style.GREY, linewidth=0.8, label=f"chance, top {top}")
    axes.set(ylim=(0, 1.02), xlabel="depth of the layer", ylabel="shared positions")
    axes.legend(fontsize=6.5, loc="upper left", labelspacing=0.2)
