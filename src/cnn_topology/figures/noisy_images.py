"""Images with Gaussian noise beside the originals, and what the noise does to the accuracy (left part of F-I).

Images with Gaussian noise beside the originals (left part of the paper's figure on noise; layout ours). The noise is
added after normalization, the same draw for an image at every sigma, so that only its strength differs. Right: accuracy
of the networks on the images of their clouds under this noise, over all images (blue) and by class (grey).
"""

from __future__ import annotations

import numpy as np

from cnn_topology.figures import style
from cnn_topology.figures.kinds import Drawing, Notes, Parameters, Plan, Planned, Tables, figure
from cnn_topology.figures.libraries import Axes, pd
from cnn_topology.figures.selection import drawn, provenance, rows
from cnn_topology.tables.units import COUNT

SIDE = 0.72  # inches of an image


def planned(plan: Plan) -> Planned:
    """List one figure for each population that has clouds with noise."""
    clouds = plan.config.activation_clouds.values()
    for population in dict.fromkeys(cloud.population for cloud in clouds if cloud.sigma):
        yield f"noisy_images_{population}", {"population": population}


@figure(
    section="resnets",
    tables=("example_pixels", "resnet_accuracy"),
    planned=planned,
    columns={"networks": ("Networks that the accuracy is the mean of.", COUNT)},
)
def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw example images of `population` by noise, and the accuracy under it."""
    pixels = rows(tables["example_pixels"], population=parameters["population"], panel="image")
    accuracy = rows(tables["resnet_accuracy"], population=parameters["population"])
    means = _means(accuracy)
    sigmas, images = sorted(pixels["sigma"].unique()), list(dict.fromkeys(pixels["image"]))
    footer = provenance(notes, extra="noise N(0, σ²) on images normalized per channel, σ = 1 being their spread")
    figure = style.new_figure(max(SIDE * max(len(sigmas), 1) + 0.3, 2.2), footer)
    grid = figure.add_gridspec(1, 2, width_ratios=[SIDE * max(len(images), 1) + 0.3, 2.3])
    if images:
        pictures = grid[0].subgridspec(len(sigmas), len(images), wspace=0.04, hspace=0.04)
        for line, sigma in enumerate(sigmas):
            for place, image in enumerate(images):
                axes = figure.add_subplot(pictures[line, place])
                shown = pixels[(pixels["sigma"] == sigma) & (pixels["image"] == image)]
                draw_image(axes, shown)
                if not line:
                    axes.set_title(shown["class_name"].iloc[0], fontsize=7, loc="center")
                if not place:
                    axes.set_ylabel(f"σ = {sigma:g}", fontsize=7)
    else:
        style.explain(figure.add_subplot(grid[0]), "no example image is in the table")
    _accuracy(figure.add_subplot(grid[1]), means)
    return figure, drawn(accuracy=means, images=pixels.drop(columns="panel"))


def draw_image(axes: Axes, pixels: pd.DataFrame) -> None:
    """Draw one colour image from its pixels, without axes."""
    axes.set_xticks([])
    axes.set_yticks([])
    if pixels.empty:
        return
    shape = pixels["y"].max() + 1, pixels["x"].max() + 1
    colours = np.zeros((*shape, 3))
    colours[pixels["y"], pixels["x"]] = pixels[["red", "green", "blue"]] / 255
    axes.imshow(colours, interpolation="nearest")


def _means(accuracy: pd.DataFrame) -> pd.DataFrame:
    """Average over networks, by noise and class; clouds of one noise look at the same images or at some of them."""
    largest = accuracy.sort_values("examples").drop_duplicates(["network", "split", "sigma", "class_name"], keep="last")
    grouped = largest.groupby(["split", "sigma", "class_name"])
    return grouped.agg(
        accuracy=("accuracy", "mean"), networks=("network", "nunique"), examples=("examples", "max")
    ).reset_index()


def _accuracy(axes: Axes, means: pd.DataFrame) -> None:
    splits = means.loc[means["sigma"] > 0, "split"].unique()
    means = means[means["split"].isin(splits)]
    if means.empty:
        style.explain(axes, "no accuracy under noise is in the table")
        return
    for name, one in means[means["class_name"] != "all"].groupby("class_name"):
        del name
        axes.plot(one["sigma"], one["accuracy"], color=style.PALE, linewidth=0.6)
    whole = means[means["class_name"] == "all"]
    axes.plot(whole["sigma"], whole["accuracy"], color=style.BLUE, marker="o", markersize=3)
    examples, networks = whole["examples"].max(), whole["networks"].max()
    axes.set_title(
        f"accuracy on {examples:,} {splits[0]} images,\n{networks} network{'s' if networks > 1 else ''}", fontsize=7.5
    )
    axes.set_xlabel("σ")
    axes.set_ylabel("accuracy (blue: all, grey: by class)", fontsize=7)
    axes.set_ylim(0, 1.02)
