"""`cnn-topology summary`: say in a few lines what a run found."""

import argparse
from pathlib import Path
from typing import Any

from cnn_topology.storage.atomic import atomic_path
from cnn_topology.storage.tables import read_notes, read_table
from cnn_topology.tables.schemas import LOOPS, TRAINING


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--loops", required=True, type=Path, help="the table of loops")
    parser.add_argument("--training", required=True, type=Path, help="the training table")
    parser.add_argument("--output", type=Path, help="also write it here (.txt)")


def run(arguments: argparse.Namespace) -> None:
    """Write the summary."""
    loops = read_table(arguments.loops, LOOPS).to_pandas()
    training = read_table(arguments.training, TRAINING).to_pandas()
    text = summarize(loops, training, read_notes(arguments.loops))
    if arguments.output:
        with atomic_path(arguments.output) as temporary:
            temporary.write_text(text)
    print(text, end="")


def summarize(loops: Any, training: Any, notes: dict[str, str]) -> str:
    """Say per population how well it learned and per layer which loops its filters form.

    Parameters
    ----------
    loops, training : pandas.DataFrame
        The tables of these names (`cnn_topology.tables.schemas`); of `loops` the headline clouds count.
    notes : dict
        The notes of the table of loops.
    """
    lines = []
    tests = training[training["split"] == "test"]
    for population, rows in tests.groupby("population", sort=False):
        last = rows[(rows["step"] == rows["step"].max()) & ~rows["failed"]]
        accuracy = "; ".join(
            f"{images} {group['accuracy'].mean():.1%} (n = {len(group)})"
            for images, group in last.groupby("images", sort=False)
        )
        failed = rows.loc[rows["failed"], "network"].nunique()
        lines.append(f"{population}: test accuracy after {rows['step'].max()} iterations: {accuracy or 'none left'}")
        if failed:
            lines.append(
                f"  {failed} of {rows['network'].nunique()} networks failed (loss not finite) and are left out"
            )
        mine = loops[(loops["population"] == population) & loops["headline"]]
        for layer, clouds in mine.groupby("layer", sort=False):
            lines += _layer(str(layer), clouds.sort_values("step"))
    data = ", ".join(part[:12] for part in notes.get("data", "none").split(","))
    lines.append(f"seed {notes.get('seed')}, config {notes.get('config')}, data {data}")
    return "\n".join(lines) + "\n"


def _layer(layer: str, clouds: Any) -> list[str]:
    """Say what the last step of a layer shows, and since when."""
    last = clouds.iloc[-1]
    density = f"rho({last['k']}, {last['p']:g}) keeps {last['kept']} of {last['points']} filters"
    lines = [f"  {layer}: {density}", f"    {_step(last)}"]
    if len(clouds) > 1:
        lines.append(f"    {_step(clouds.iloc[0])}")
    return lines


def _step(cloud: Any) -> str:
    return (
        f"step {cloud['step']:>6}: longest H1 bar {cloud['longest']:.3f}, second {cloud['second']:.3f}, "
        f"p = {cloud['p_longest']:.3g}: {cloud['verdict']}"
    )
