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

import numpy as np

from cnn_topology.figures import style
from cnn_topology.figures.kinds import Drawing, Notes, Parameters, Plan, Planned, Tables, figure
from cnn_topology.figures.libraries import Axes, pd
from cnn_topology.figures.planned import numbered
from cnn_topology.figures.selection import drawn, provenance, rows
from cnn_topology.plan.resnets import MapperResNets, PHResNets, TriangularRecipe
from cnn_topology.tables.units import COUNT, SHARE

LINE = 0.155  # inches of a line of the table


FACETS = 4  # populations side by side


def planned(plan: Plan) -> Planned:
    """List pages of all populations, each with its settings in pairs: a JSON object would lose their order."""
    for name, page in numbered("resnet_training", list(plan.config.resnets.items()), FACETS):
        populations = [{"population": p, "settings": list(_settings(section).items())} for p, section in page]
        yield name, {"populations": populations}


@figure(
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
)
def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw accuracy over epochs above, settings and results of each of `populations` below."""
    populations = parameters["populations"]
    logs = {item["population"]: rows(tables["resnet_training"], population=item["population"]) for item in populations}
    results = [_result(name, log) for name, log in logs.items()]
    columns = {
        item["population"]: {**dict(item["settings"]), **_said(result)}
        for item, result in zip(populations, results, strict=True)
    }
    width = int(style.WIDTH * 0.8 / len(columns) / style.CHARACTER)
    cells = _cells(columns, width)
    heights = [max(text.count("\n") + 1 for text in row) for row in cells.to_numpy()]
    lower = LINE * (sum(heights) + 2)
    footer = provenance(notes, extra="accuracy on plain test images; thin: each network, thick: their mean")
    figure = style.new_figure(1.9 + lower, footer)
    grid = figure.add_gridspec(2, 1, height_ratios=[1.9, lower])
    curves = _curves(figure.add_subplot(grid[0]), logs)
    _table(figure.add_subplot(grid[1]), cells, heights)
    settings = pd.DataFrame(
        [{"population": p, "setting": key, "text": value} for p, said in columns.items() for key, value in said.items()]
    )
    return figure, drawn(results=pd.DataFrame(results), settings=settings, curves=curves)


def _result(population: str, log: pd.DataFrame) -> dict[str, Any]:
    """Summarize the test accuracy of the weights that were kept."""
    accuracy = log.loc[log["is_kept"], "test_accuracy"]
    return {
        "population": population,
        "networks": len(accuracy),
        "test_examples": int(log["test_examples"].max()) if len(log) else 0,
        "accuracy": float(accuracy.mean()),
        "sd": float(accuracy.std()),
        "least": float(accuracy.min()),
        "most": float(accuracy.max()),
    }


def _said(result: Mapping[str, Any]) -> dict[str, str]:
    if not result["networks"] or np.isnan(result["accuracy"]):
        why = "not measured: scores of other classes" if result["networks"] else "no row in the table"
        return {"networks": str(result["networks"]), "test accuracy": why}
    said = f"{100 * result['accuracy']:.2f} %"
    if result["networks"] > 1:
        said += f" (sd {100 * result['sd']:.2f}; {100 * result['least']:.2f} to {100 * result['most']:.2f})"
    return {"networks": str(result["networks"]), "test accuracy": f"{said}, {result['test_examples']:,} images"}


def _cells(columns: Mapping[str, Mapping[str, str]], width: int) -> pd.DataFrame:
    names = list(dict.fromkeys(key for said in columns.values() for key in said))
    return pd.DataFrame(
        {p: ["\n".join(textwrap.wrap(said.get(name, "–"), width)) for name in names] for p, said in columns.items()},
        index=names,
    )


def _curves(axes: Axes, logs: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Draw test accuracy by epoch; weights from checkpoints as a level."""
    parts = []
    for place, (population, log) in enumerate(logs.items()):
        colour = style.SERIES[place % len(style.SERIES)]
        if log.empty:
            continue
        if log["epoch"].max() == 0:
            mean = float(log["test_accuracy"].mean())
            axes.axhline(mean, color=colour, linestyle="--", label=f"{population} (checkpoint)")
            parts.append(pd.DataFrame({"population": [population], "epoch": [0], "mean_accuracy": [mean]}))
            continue
        for _, network in log.groupby("network"):
            axes.plot(network["epoch"], network["test_accuracy"], color=colour, linewidth=0.35, alpha=0.5)
        mean_curve = log.groupby("epoch")["test_accuracy"].mean()
        axes.plot(mean_curve.index, mean_curve, color=colour, label=population)
        parts.append(
            pd.DataFrame({"population": population, "epoch": mean_curve.index, "mean_accuracy": mean_curve.to_numpy()})
        )
    if not parts:
        style.explain(axes, "no network is in the table", characters=80)
        return pd.DataFrame()
    axes.set_ylim(0, 1.02)
    axes.set_xlim(left=0)
    axes.locator_params(axis="x", integer=True)
    axes.set_xlabel("epoch")
    axes.set_ylabel("test accuracy")
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0)
    return pd.concat(parts)


def _table(axes: Axes, cells: pd.DataFrame, heights: list[int]) -> None:
    """Write the settings, one row each, populations side by side."""
    axes.set_axis_off()
    total = sum(heights) + 2
    axes.set_xlim(0, 1)
    axes.set_ylim(total, 0)
    lefts = 0.2 + 0.8 * np.arange(len(cells.columns)) / len(cells.columns)
    for left, name in zip(lefts, cells.columns, strict=True):
        axes.text(left, 0.5, name, va="center", fontweight="bold", fontsize=7.5)
    axes.axhline(1.1, color=style.INK, linewidth=0.8)
    top = 2.0
    for (setting, row), height in zip(cells.iterrows(), heights, strict=True):
        axes.text(0.0, top, str(setting), fontsize=7, color=style.GREY)
        for left, text in zip(lefts, row, strict=True):
            for line, part in enumerate(text.split("\n")):
                axes.text(left, top + line, part, fontsize=7)
        top += height


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
