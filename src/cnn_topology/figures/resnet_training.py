"""How the residual networks were trained and how well they do: test accuracy by epoch, settings and results (T-D).

How the residual networks of this run were trained and how well they do (the paper's table of training details, whose
printed numbers are not known to us). Above: test accuracy by epoch; a dashed level stands for weights from a
checkpoint. Below: layout, recipe and the test accuracy of the weights that the activations are drawn from. Accuracy is
that of plain test images: the released code averages each with a "flip" that reverses its colours.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

from cnn_topology.figures import selection, style
from cnn_topology.figures.libraries import Axes, pd
from cnn_topology.figures.registry import Drawing, FigureKind, Notes, Parameters, Plan, Planned, Tables, numbered
from cnn_topology.plan.resnets import MapperResNets, PHResNets, TriangularRecipe
from cnn_topology.tables.units import COUNT, SHARE

LINE = 0.155  # inches of a line of the table


FACETS = 4  # populations side by side


def planned(plan: Plan) -> Planned:
    """List pages of all populations, each with its settings in pairs: a JSON object would lose their order."""
    for name, page in numbered("resnet_training", list(plan.config.resnets.items()), FACETS):
        populations = [{"population": p, "settings": list(_settings(section).items())} for p, section in page]
        yield name, {"populations": populations}


def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw accuracy over epochs above, settings and results of each of `populations` below."""
    populations = parameters["populations"]
    every = tables["resnet_training"].to_pandas()
    every = every[every["population"].isin([item["population"] for item in populations])]
    if every.empty:
        raise selection.Empty("no network is in the table")
    kept = every[every["is_kept"]].groupby("population", sort=False)["test_accuracy"]
    results = kept.agg(networks="size", accuracy="mean", sd="std", least="min", most="max").reset_index()
    said = {row["population"]: _said(row) for row in results.to_dict("records")}
    columns = {p: {**dict(item["settings"]), **said.get(p, {})} for item in populations for p in [item["population"]]}
    settings = pd.DataFrame(columns).fillna("–")
    width = int(style.WIDTH * 0.8 / len(columns) / style.CHARACTER)
    cells = settings.map(lambda text: textwrap.fill(text, width))
    heights = cells.map(lambda text: text.count("\n") + 1).max(axis=1)
    lower = LINE * (heights.sum() + 2)
    extra = f"accuracy on {every['test_examples'].max():,} plain test images; thin: each network, thick: their mean"
    figure = style.new_figure(1.9 + lower, selection.provenance(notes, extra=extra))
    above, below = figure.subplots(2, 1, height_ratios=[1.9, lower])
    curves = _curves(above, every)
    _table(below, cells, heights)
    lines = settings.rename_axis("setting").reset_index().melt("setting", var_name="population", value_name="text")
    return figure, selection.drawn(results=results, settings=lines, curves=curves)


KIND = FigureKind(
    section="resnets",
    tables=("resnet_training",),
    planned=planned,
    columns={
        "networks": ("Networks whose weights were kept.", COUNT),
        "accuracy": ("Mean test accuracy of the weights kept.", SHARE),
        "sd": ("Standard deviation of it over networks.", SHARE),
        "least": ("Least accuracy of a network.", SHARE),
        "most": ("Greatest accuracy of a network.", SHARE),
        "setting": ("Name of a line of the table.", ""),
        "text": ("What the line says.", ""),
        "mean_accuracy": ("Mean test accuracy over networks after the epoch.", SHARE),
    },
    draw=draw,
)


def _said(result: Mapping[Any, Any]) -> dict[str, str]:
    """Describe how well the weights that were kept do."""
    if pd.isna(result["accuracy"]):
        text = "not measured: scores of other classes"
    else:
        text = f"{100 * result['accuracy']:.2f} %"
        if result["networks"] > 1:
            text += f" (sd {100 * result['sd']:.2f}; {100 * result['least']:.2f} to {100 * result['most']:.2f})"
    return {"networks": f"{result['networks']}", "test accuracy": text}


def _curves(axes: Axes, every: pd.DataFrame) -> pd.DataFrame:
    """Draw test accuracy by epoch; weights from checkpoints as a level."""
    parts = []
    for place, (population, log) in enumerate(every.groupby("population", sort=False)):
        colour, mean = style.colour(place), log.groupby("epoch")["test_accuracy"].mean()
        if log["epoch"].max() == 0:
            axes.axhline(mean.iloc[0], color=colour, linestyle="--", label=f"{population} (checkpoint)")
        else:
            for _, network in log.groupby("network"):
                axes.plot(network["epoch"], network["test_accuracy"], color=colour, linewidth=0.35, alpha=0.5)
            axes.plot(mean.index, mean, color=colour, label=population)
        parts.append(mean.rename("mean_accuracy").reset_index().assign(population=population))
    axes.set(ylim=(0, 1.02), xlabel="epoch", ylabel="test accuracy")
    axes.set_xlim(left=0)
    axes.locator_params(axis="x", integer=True)
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0)
    return pd.concat(parts)


def _table(axes: Axes, cells: pd.DataFrame, heights: pd.Series) -> None:
    """Write the settings, one row each, populations side by side."""
    axes.set_axis_off()
    axes.set(xlim=(0, 1), ylim=(heights.sum() + 2, 0))
    lefts = [0.2 + 0.8 * place / len(cells.columns) for place in range(len(cells.columns))]
    for left, name in zip(lefts, cells.columns, strict=True):
        axes.text(left, 0.5, name, va="center", fontweight="bold", fontsize=7.5)
    axes.axhline(1.1, color=style.INK, linewidth=0.8)
    tops = 1.4 + heights.cumsum() - heights
    for (setting, row), top in zip(cells.iterrows(), tops, strict=True):
        axes.text(0.0, top, str(setting), fontsize=7, color=style.GREY, va="top")
        for left, text in zip(lefts, row, strict=True):
            axes.text(left, top, text, fontsize=7, va="top")


def _settings(section: PHResNets | MapperResNets) -> dict[str, str]:
    """Describe layout and recipe in a few words each."""
    recipe = section.recipe
    said = {
        "variant": section.variant,
        "widths": ", ".join(map(str, section.widths)),
        "blocks": ", ".join(map(str, section.blocks)),
        "shortcuts": {"pad": "zero padding", "projection": "1×1 projection"}[section.shortcut],
        "images": section.images,
    }
    if section.checkpoints:
        return {**said, "weights": "from checkpoints"}
    if isinstance(recipe, TriangularRecipe):
        rate = f"0 to {recipe.learning_rate:g} at epoch {recipe.peak_epoch:g} to 0"
        kept = "last epoch"
    else:
        rate = f"{recipe.learning_rate:g}, × {recipe.decay_factor:g} at {', '.join(map(str, recipe.milestones))}"
        kept = {"last": "last epoch", "best-on-test": "best epoch on the test set"}[recipe.selection]
    augmentation = [f"shift ±{recipe.translate}"] if recipe.translate else []
    augmentation += ["flip"] if recipe.flip else []
    augmentation += [f"cutout {recipe.cutout}"] if recipe.cutout else []
    return {
        **said,
        "epochs": str(recipe.epochs),
        "batch": str(recipe.batch_size),
        "learning rate": rate,
        "momentum, decay": f"{recipe.momentum:g}, {recipe.weight_decay:g}",
        "augmentation": ", ".join(augmentation) or "none",
        "weights": kept,
    }
