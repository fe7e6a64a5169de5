"""Images with Gaussian noise beside the originals, and what the noise does to the accuracy (left part of F-I).

Images with Gaussian noise beside the originals (left part of the paper's figure on noise; layout ours). The noise is
added after normalization, the same draw for an image at every sigma, so that only its strength differs. Right: accuracy
of the networks on the images of their clouds under this noise, over all images (blue) and by class (grey).
"""

from __future__ import annotations

import numpy as np

from cnn_topology.figures import selection, style
from cnn_topology.figures.libraries import Axes, pd
from cnn_topology.figures.registry import Drawing, FigureKind, Notes, Parameters, Plan, Planned, Tables
from cnn_topology.tables.units import COUNT

SIDE = 0.72  # inches of an image


def planned(plan: Plan) -> Planned:
    """List one figure for each population that has clouds with noise."""
    clouds = plan.config.activation_clouds.values()
    for population in dict.fromkeys(cloud.population for cloud in clouds if cloud.sigma):
        yield f"noisy_images_{population}", {"population": population}


def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw example images of `population` by noise, and the accuracy under it."""
    pixels = selection.rows(tables["example_pixels"], population=parameters["population"], panel="image")
    means = _means(selection.rows(tables["resnet_accuracy"], population=parameters["population"]))
    if pixels.empty or means.empty:
        raise selection.Empty("no example image, or no accuracy under noise, is in the table")
    sigmas, images = sorted(pixels["sigma"].unique()), list(dict.fromkeys(pixels["image"]))
    extra = "noise N(0, σ²) on images normalized per channel, σ = 1 being their spread"
    figure = style.new_figure(max(SIDE * len(sigmas) + 0.3, 2.2), selection.provenance(notes, extra=extra))
    grid = figure.add_gridspec(1, 2, width_ratios=[SIDE * len(images) + 0.3, 2.3])
    pictures = grid[0].subgridspec(len(sigmas), len(images), wspace=0.04, hspace=0.04).subplots(squeeze=False)
    for sigma, line in zip(sigmas, pictures, strict=True):
        for image, axes in zip(images, line, strict=True):
            draw_image(axes, pixels[(pixels["sigma"] == sigma) & (pixels["image"] == image)])
        line[0].set_ylabel(f"σ = {sigma:g}", fontsize=7)
    for name, axes in zip(pixels.drop_duplicates("image")["class_name"], pictures[0], strict=True):
        axes.set_title(name, fontsize=7, loc="center")
    _accuracy(figure.add_subplot(grid[1]), means)
    return figure, selection.drawn(accuracy=means, images=pixels.drop(columns="panel"))


KIND = FigureKind(
    section="resnets",
    tables=("example_pixels", "resnet_accuracy"),
    planned=planned,
    columns={"networks": ("Networks that the accuracy is the mean of.", COUNT)},
    draw=draw,
)


def draw_image(axes: Axes, pixels: pd.DataFrame) -> None:
    """Draw one colour image from its pixels, without axes."""
    axes.set(xticks=[], yticks=[])
    if len(pixels):
        colours = np.zeros((pixels["y"].max() + 1, pixels["x"].max() + 1, 3))
        colours[pixels["y"], pixels["x"]] = pixels[["red", "green", "blue"]] / 255
        axes.imshow(colours, interpolation="nearest")


def _means(accuracy: pd.DataFrame) -> pd.DataFrame:
    """Average over networks, by noise and class; clouds of one noise look at the same images or at some of them."""
    largest = accuracy.sort_values("examples").drop_duplicates(["network", "split", "sigma", "class_name"], keep="last")
    noisy = largest[largest["split"].isin(largest.loc[largest["sigma"] > 0, "split"])]
    grouped = noisy.groupby(["split", "sigma", "class_name"])
    return grouped.agg(
        accuracy=("accuracy", "mean"), networks=("network", "nunique"), examples=("examples", "max")
    ).reset_index()


def _accuracy(axes: Axes, means: pd.DataFrame) -> None:
    for _, one in means[means["class_name"] != "all"].groupby("class_name"):
        axes.plot(one["sigma"], one["accuracy"], color=style.PALE, linewidth=0.6)
    over_all = means[means["class_name"] == "all"]
    axes.plot(over_all["sigma"], over_all["accuracy"], color=style.BLUE, marker="o", markersize=3)
    examples, networks = over_all["examples"].max(), over_all["networks"].max()
    title = (
        f"accuracy on {examples:,} {means['split'].iloc[0]} images,\n{networks} network{'s' if networks > 1 else ''}"
    )
    axes.set_title(title, fontsize=7.5)
    axes.set(xlabel="σ", ylim=(0, 1.02))
    axes.set_ylabel("accuracy (blue: all, grey: by class)", fontsize=7)
