"""Images with Gaussian noise beside the originals, and the accuracy under it (left part of F-I).

Images with Gaussian noise beside the originals (left part of the paper's figure on noise; layout ours), and the mean
accuracy of the networks on the images of their clouds under this noise. The noise is added after normalization, the
same draw for an image at every sigma, so that only its strength differs.
"""

from __future__ import annotations

import numpy as np

from cnn_topology.figures import selection, style
from cnn_topology.figures.libraries import Axes, pd
from cnn_topology.figures.registry import Drawing, FigureKind, Notes, Parameters, Plan, Planned, Tables

SIDE = 0.72  # inches of an image


def planned(plan: Plan) -> Planned:
    """List one figure for each population that has clouds with noise."""
    clouds = plan.config.activation_clouds.values()
    for population in dict.fromkeys(cloud.population for cloud in clouds if cloud.sigma):
        yield f"noisy_images_{population}", {"population": population}


def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw example images of `population` by noise, with the accuracy under it."""
    pixels = selection.rows(tables["example_pixels"], population=parameters["population"], panel="image")
    if pixels.empty:
        raise selection.Empty("no example image is in the table")
    accuracy = selection.rows(tables["resnet_accuracy"], population=parameters["population"], class_name="all")
    means = accuracy.groupby("sigma")["accuracy"].mean()
    images = list(dict.fromkeys(pixels["image"]))
    extra = "noise N(0, σ²) on images normalized per channel, σ = 1 being their spread"
    rows = pixels["sigma"].nunique()
    figure = style.new_figure(SIDE * rows + 0.3, selection.provenance(notes, extra=extra))
    panels = figure.subplots(rows, len(images), squeeze=False, gridspec_kw={"wspace": 0.04, "hspace": 0.04})
    for (sigma, shown), line in zip(pixels.groupby("sigma"), panels, strict=True):
        for image, axes in zip(images, line, strict=True):
            draw_image(axes, shown[shown["image"] == image])
        told = f"\naccuracy {means[sigma]:.1%}" if sigma in means else ""
        line[0].set_ylabel(f"σ = {sigma:g}{told}", fontsize=7, rotation=0, ha="right", va="center")
    for name, axes in zip(pixels.drop_duplicates("image")["class_name"], panels[0], strict=True):
        axes.set_title(name, fontsize=7, loc="center")
    return figure, selection.drawn(accuracy=means.reset_index(), images=pixels.drop(columns="panel"))


KIND = FigureKind(section="resnets", tables=("example_pixels", "resnet_accuracy"), planned=planned, draw=draw)


def draw_image(axes: Axes, pixels: pd.DataFrame) -> None:
    """Draw one colour image from its pixels, without axes."""
    axes.set(xticks=[], yticks=[])
    if len(pixels):
        colours = np.zeros((pixels["y"].max() + 1, pixels["x"].max() + 1, 3))
        colours[pixels["y"], pixels["x"]] = pixels[["red", "green", "blue"]] / 255
        axes.imshow(colours, interpolation="nearest")
