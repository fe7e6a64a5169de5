"""How the residual networks learned: test accuracy by epoch (T-D; their settings are a table of the page).

How the residual networks of this run learned: test accuracy by epoch, each network thinly and their mean; a dashed
level stands for weights from a checkpoint. Layout and recipe of each population, the paper's table of training details,
whose printed numbers are not known to us, stand on the page of the run. Accuracy is that of plain test images: the
released code averages each with a "flip" that reverses its colours.
"""

from __future__ import annotations

from cnn_topology.figures import selection, style
from cnn_topology.figures.libraries import pd
from cnn_topology.figures.registry import Drawing, FigureKind, Notes, Parameters, Plan, Planned, Tables
from cnn_topology.tables.units import SHARE


def planned(plan: Plan) -> Planned:
    """List the figure of all populations."""
    return [("resnet_training", {"populations": list(plan.config.resnets)})] if plan.config.resnets else []


def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw test accuracy by epoch of each of `populations`; weights from checkpoints as a level."""
    every = tables["resnet_training"].to_pandas()
    every = every[every["population"].isin(parameters["populations"])]
    if every.empty:
        raise selection.Empty("no network is in the table")
    extra = f"accuracy on {every['test_examples'].max():,} plain test images; thin: each network, thick: their mean"
    figure = style.new_figure(2.4, selection.provenance(notes, extra=extra))
    axes, curves = figure.subplots(), []
    for place, (population, log) in enumerate(every.groupby("population", sort=False)):
        colour, mean = style.colour(place), log.groupby("epoch")["test_accuracy"].mean()
        if log["epoch"].max() == 0:
            axes.axhline(mean.iloc[0], color=colour, linestyle="--", label=f"{population} (checkpoint)")
        else:
            for _, network in log.groupby("network"):
                axes.plot(network["epoch"], network["test_accuracy"], color=colour, linewidth=0.35, alpha=0.5)
            axes.plot(mean.index, mean, color=colour, label=population)
        curves.append(mean.rename("mean_accuracy").reset_index().assign(population=population))
    axes.set(ylim=(0, 1.02), xlabel="epoch", ylabel="test accuracy")
    axes.set_xlim(left=0)
    axes.locator_params(axis="x", integer=True)
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0)
    return figure, selection.drawn(curves=pd.concat(curves))


KIND = FigureKind(
    section="resnets",
    tables=("resnet_training",),
    planned=planned,
    columns={"mean_accuracy": ("Mean test accuracy over networks after the epoch.", SHARE)},
    draw=draw,
)
