"""What the weights half of a run found, in lines of its summary."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from cnn_topology.statistics.power import power_beside
from cnn_topology.statistics.significance import LOOPS
from cnn_topology.tables.loops import CLOUD

# From so many layers on a network has a table over depth.
DEEP = 3


def weight_lines(training: Any = None, loops: Any = None, significance: Any = None) -> Iterator[str]:
    """Describe how well each population learned and which loops its layers form, and the latter of checkpoints.

    Parameters
    ----------
    training, loops, significance : pandas.DataFrame
        The tables of these names (`cnn_topology.tables.registry`), as far as there are any; of `loops` the headline
        clouds count, `significance` adds the null to tables over depth.
    """
    trained: list[str] = []
    if training is not None:
        tests = training[training["split"] == "test"]
        trained = list(tests["population"].drop_duplicates())
    for population in trained:
        yield from accuracy_lines(population, tests[tests["population"] == population])
        if loops is None:
            continue
        mine = loops[(loops["population"] == population) & loops["headline"]]
        for layer, clouds in mine.groupby("layer", sort=False):
            yield from _layer(str(layer), clouds.sort_values("step"))
        if mine["layer"].nunique() >= DEEP:
            yield from depth_table(mine, significance)
    if loops is not None:
        for checkpoint, mine in loops[~loops["population"].isin(trained)].groupby("population", sort=False):
            yield f"{checkpoint}: pretrained, networks: {mine['networks'].max()}"
            yield from depth_table(mine[mine["headline"]], significance)


def accuracy_lines(population: str, tests: Any) -> Iterator[str]:
    """Describe how well the networks of a population do at the last step, and how many failed.

    Parameters
    ----------
    population : str
    tests : pandas.DataFrame
        Its rows of `training` on test images.
    """
    last = tests[(tests["step"] == tests["step"].max()) & ~tests["failed"]]
    accuracy = "; ".join(
        f"{images} {group['accuracy'].mean():.1%} ({_range(group['accuracy'])}n = {len(group)})"
        for images, group in last.groupby("images", sort=False)
    )
    yield f"{population}: test accuracy after {tests['step'].max()} iterations: {accuracy or 'none left'}"
    failed = tests.loc[tests["failed"], "network"].nunique()
    if failed:
        yield f"  {failed} of {tests['network'].nunique()} networks failed (loss not finite) and are left out"


def _range(accuracies: Any) -> str:
    """Describe the least and the greatest of several networks."""
    return f"{accuracies.min():.1%} to {accuracies.max():.1%}, range, " if len(accuracies) > 1 else ""


def depth_table(loops: Any, significance: Any = None) -> list[str]:
    """Write the last headline cloud of each layer of a network as a row, by depth.

    ``own cov.`` is the p-value under the own covariance, where a loop is significant: a large one says nothing, since
    that test has little power. ``smooth`` and ``blocks`` are those under the low-pass and the block null, ``stable`` is
    the share of draws of the networks with the same verdict. A dash stands where nothing was tested.

    Parameters
    ----------
    loops : pandas.DataFrame
        Rows of `loops` of one population.
    significance : pandas.DataFrame, optional
        With it the column ``null`` says what a bar must exceed under every null that decides.
    """
    last = loops.sort_values("step").groupby("layer", sort=False).tail(1).sort_values("depth")
    if significance is not None:
        critical = significance.groupby(CLOUD)["null_critical"].max().rename("null").reset_index()
        last = last.merge(critical, on=CLOUD, how="left")
    wide = max(5, *(len(layer) for layer in last["layer"])) if len(last) else 5
    lines = [
        f"  depth  {'layer':{wide}}  filters     rho(k, p)   kept   used  longest  second   null      p  "
        "own cov.  smooth  blocks  stable  significant  verdict"
    ]
    for row in last.to_dict("records"):
        density = f"{row['density_k']}, {row['density_p']:g}"
        null = f"{row['null']:6.3f}" if pd.notna(row.get("null")) else "     –"
        p_value = f"{row['p_longest']:5.2g}" if pd.notna(row["p_longest"]) else "    –"
        bars = f"{row['significant_bars']:.0f}" if pd.notna(row["significant_bars"]) else "–"
        others = (_number(row["p_covariance"] if _has_covariance(row) else None, 8), _number(row["p_lowpass"], 6))
        beside = "  ".join([*others, _number(row["p_block"], 6), _number(row["verdict_stability"], 6, ".0%")])
        lines.append(
            f"  {row['depth']:5}  {row['layer']:{wide}}  {row['points']:7}  {density:>12}  {row['kept']:5}  "
            f"{row['used']:5}  {row['longest']:7.3f}  {row['second']:6.3f} {null}  {p_value}  "
            f"{beside}  {bars:>11}  {row['verdict']}{power_beside(row)}{_constant(row)}"
        )
    return lines


def _number(value: float | None, width: int, digits: str = ".2g") -> str:
    """Write a number, or a dash where there is none."""
    return f"{'–':>{width}}" if value is None or pd.isna(value) else f"{value:{width}{digits}}"


def _layer(layer: str, clouds: Any) -> list[str]:
    """Describe what the last step of a layer shows, and since when."""
    last = clouds.iloc[-1]
    density = f"rho({last['density_k']}, {last['density_p']:g}) keeps {last['kept']} of {last['points']} filters"
    lines = [f"  {layer}: {density}{_constant(last)}", f"    {_step(last)}"]
    if len(clouds) > 1:
        lines.append(f"    {_step(clouds.iloc[0])}")
    return lines


def _constant(cloud: Any) -> str:
    """Describe how many filters of a layer are constant, where there are any."""
    return f"; {cloud['constant']:,} constant filters left out" if cloud["constant"] else ""


def _step(cloud: Any) -> str:
    p_value = f", p = {cloud['p_longest']:.3g}" if pd.notna(cloud["p_longest"]) else ""
    said = (
        f"step {cloud['step']:>6}: longest H1 bar {cloud['longest']:.3f}, second {cloud['second']:.3f}{p_value}: "
        f"{cloud['verdict']}{power_beside(cloud)}"
    )
    beside = f" (own covariance: p = {cloud['p_covariance']:.3g}, a test with little power)"
    return f"{said}{beside if _has_covariance(cloud) else ''}{_others(cloud)}{_ring(cloud)}"


def _others(cloud: Any) -> str:
    """Describe the low-pass and the block null and how stable the verdict is, where they were computed."""
    said = ""
    if pd.notna(cloud["p_lowpass"]):
        said += f"; fields as smooth: median {cloud['lowpass_longest_median']:.3f}, p = {cloud['p_lowpass']:.3g}"
    if pd.notna(cloud["p_block"]):
        said += f"; channels as blocks (filters {cloud['block_ratio']:.2f} times as alike): p = {cloud['p_block']:.3g}"
    if pd.notna(cloud["verdict_stability"]):
        said += f"; same verdict in {cloud['verdict_stability']:.0%} of {cloud['stability_draws']:.0f} draws"
    return said


def _ring(cloud: Any) -> str:
    """Describe whether all filters of a layer are hollow or a mixture, with the p-value."""
    if pd.isna(cloud["p_hollowness"]):
        return ""
    side = "hollow" if cloud["hollowness"] < cloud["hollowness_median"] else "mixture"
    return (
        f"; all filters: hollowness {cloud['hollowness']:.3f} ± {cloud['hollowness_error']:.3f}, own covariance "
        f"{cloud['hollowness_median']:.3f} (side of a {side}, p = {cloud['p_hollowness']:.2g})"
    )


def _has_covariance(cloud: Any) -> bool:
    """Whether to write the p-value beside; where no loop is significant the further null says nothing more."""
    return cloud["verdict"] in LOOPS and pd.notna(cloud["p_covariance"])
