"""`cnn-topology summary`: say in a few lines what a run found."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cnn_topology.claims.words import number_text, verdict_text
from cnn_topology.storage.atomic import atomic_path
from cnn_topology.storage.tables import read_notes, read_table
from cnn_topology.tables.finding_schemas import CLAIMS
from cnn_topology.tables.schemas import LOOPS, SIGNIFICANCE, TRAINING

# From so many layers on a network has a table over depth.
DEEP = 3
CLOUD = ["population", "layer", "step", "k", "p", "landmarks"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--loops", required=True, type=Path, help="the table of loops")
    parser.add_argument("--training", required=True, type=Path, help="the training table")
    parser.add_argument("--significance", type=Path, help="the table of tests: adds the null to tables over depth")
    parser.add_argument("--claims", type=Path, help="the table of claims: adds the verdicts")
    parser.add_argument("--left-out", nargs="*", default=[], help="what was asked for and cannot be analysed, in words")
    parser.add_argument("--output", type=Path, help="also write it here (.txt)")


def run(arguments: argparse.Namespace) -> None:
    """Write the summary."""
    loops = read_table(arguments.loops, LOOPS).to_pandas()
    training = read_table(arguments.training, TRAINING).to_pandas()
    tests = read_table(arguments.significance, SIGNIFICANCE).to_pandas() if arguments.significance else None
    text = summarize(loops, training, read_notes(arguments.loops), tests, arguments.left_out)
    if arguments.claims:
        text += "\n".join(claim_lines(read_table(arguments.claims, CLAIMS).to_pylist())) + "\n"
    if arguments.output:
        with atomic_path(arguments.output) as temporary:
            temporary.write_text(text)
    print(text, end="")


def summarize(
    loops: Any, training: Any, notes: dict[str, str], significance: Any = None, left_out: Sequence[str] = ()
) -> str:
    """Say per population how well it learned and per layer which loops its filters form.

    Parameters
    ----------
    loops, training : pandas.DataFrame
        The tables of these names (`cnn_topology.tables.schemas`); of `loops` the headline clouds count.
    notes : dict
        The notes of the table of loops.
    significance : pandas.DataFrame, optional
        The table of this name.
    left_out : sequence of str
        What cannot be analysed.
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
        if mine["layer"].nunique() >= DEEP:
            lines += depth_table(mine, significance)
    for checkpoint, mine in loops[~loops["population"].isin(tests["population"])].groupby("population", sort=False):
        lines.append(f"{checkpoint}: pretrained, networks: {mine['networks'].max()}")
        lines += depth_table(mine[mine["headline"]], significance)
    lines += [f"left out: {what}" for what in left_out]
    data = ", ".join(part[:12] for part in notes.get("data", "none").split(","))
    lines.append(f"seed {notes.get('seed')}, config {notes.get('config')}, data {data}")
    return "\n".join(lines) + "\n"


def claim_lines(claims: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say what became of the papers' claims: one line for each that the run has something to say about.

    Parameters
    ----------
    claims : sequence of mapping
        Rows of the table `claims`.
    """
    lines = []
    for paper in dict.fromkeys(row["paper"] for row in claims):
        mine = [row for row in claims if row["paper"] == paper]
        said = [row for row in mine if row["outcome"]]
        if said:
            lines.append(f"claims of the {paper} paper ({len(mine) - len(said)} more cannot be tested by this run):")
            lines += [
                f"  {row['claim']:4} {verdict_text(row)}; {number_text(row) or 'no value'}. {row['statement']} "
                f"({row['populations']})"
                for row in said
            ]
    return lines


def depth_table(loops: Any, significance: Any = None) -> list[str]:
    """Write the last headline cloud of each layer of a network as a row, by depth.

    Parameters
    ----------
    loops : pandas.DataFrame
        Rows of `loops` of one population.
    significance : pandas.DataFrame, optional
        With it the column ``null`` says what a bar must exceed under every null.
    """
    last = loops.sort_values("step").groupby("layer", sort=False).tail(1).sort_values("depth")
    if significance is not None:
        critical = significance.groupby(CLOUD)["null_critical"].max().rename("null").reset_index()
        last = last.merge(critical, on=CLOUD, how="left")
    wide = max(5, *(len(layer) for layer in last["layer"])) if len(last) else 5
    lines = [
        f"  depth  {'layer':{wide}}  filters     rho(k, p)   kept   used  longest  second   null      p  "
        "significant  verdict"
    ]
    for row in last.to_dict("records"):
        density = f"{row['k']}, {row['p']:g}"
        null = f"{row['null']:6.3f}" if row.get("null") is not None else "     –"
        lines.append(
            f"  {row['depth']:5}  {row['layer']:{wide}}  {row['points']:7}  {density:>12}  {row['kept']:5}  "
            f"{row['used']:5}  {row['longest']:7.3f}  {row['second']:6.3f} {null}  {row['p_longest']:5.2g}  "
            f"{row['significant_bars']:11}  {row['verdict']}"
        )
    return lines


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
