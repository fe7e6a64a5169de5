"""What the activations half of a run found, in lines of its summary."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from cnn_topology.statistics.significance import LEVEL

MISSING = "–"
# As wide as the longest of these is: -0.03 (-0.10 to -0.01), p = 0.0001.
ESTIMATE = 34


def accuracy_lines(training: Any) -> Iterator[str]:
    """Describe how well the residual networks do.

    Parameters
    ----------
    training : pandas.DataFrame
        The table `resnet_training`; of each network the epoch whose weights it has counts.
    """
    for population, rows in training[training["is_kept"]].groupby("population", sort=False):
        values = rows["test_accuracy"].to_numpy()
        images, last = rows["images"].iloc[0], int(rows["epoch"].max())
        what = f"residual networks on {images}, trained for up to {last} epoch{'s' * (last > 1)}"
        if not last:
            what = f"networks on {images}, not trained in this run"
        if np.isnan(values).any():
            said = "not measured: their classes are not those of the images"
        else:
            spread = f"{values.min():.1%} to {values.max():.1%}, range, " if len(values) > 1 else ""
            said = f"{values.mean():.1%} ({spread}n = {len(values)})"
        yield f"{population}: {what}; test accuracy {said}"


def measure_lines(tests: Any) -> Iterator[str]:
    """Describe how each measure orders layers by depth and how often it finds the same layer in another network.

    Parameters
    ----------
    tests : pandas.DataFrame
        The table `measure_tests`.
    """
    for (population, cloud), rows in tests.groupby(["population", "cloud"], sort=False):
        orders, same = (rows[rows["test"] == test].set_index("measure") for test in ("depth_order", "specificity"))
        wide = max(len("measure"), *rows["measure"].map(len))
        chance = f", chance {same['null_value'].iloc[0]:.3f}" if len(same) else ""
        yield f"{population}, {cloud}: which measure knows depth and layer, n = {orders['n'].max()} networks"
        yield f"  {'measure':{wide}}  {'depth order, null 0':{ESTIMATE}}  same layer nearest{chance}"
        for measure in rows["measure"].drop_duplicates():
            yield f"  {measure:{wide}}  {_estimate(orders, measure):{ESTIMATE}}  {_estimate(same, measure)}"


def _estimate(found: Any, measure: str) -> str:
    """Write the statistic of a test with its interval and p-value, as far as they are there."""
    if measure not in found.index or np.isnan(found.at[measure, "statistic"]):
        return MISSING
    row = found.loc[measure]
    interval = "" if np.isnan(row["low"]) else f" ({row['low']:z.2f} to {row['high']:z.2f})"
    p = "" if np.isnan(row["p_value"]) else f", p = {row['p_value']:.2g}"
    return f"{row['statistic']:z.2f}{interval}{p}"


def foreground_lines(graphs: Any) -> Iterator[str]:
    """Describe of clouds of the foreground or background how many images have none, and so no point.

    Parameters
    ----------
    graphs : pandas.DataFrame
        The table `activation_graphs`.
    """
    masked = graphs[graphs["sampling"].isin(["foreground", "background"])]
    # Several positions of an image are several points; a small layer may have fewer than that.
    masked = masked.assign(there=masked["points"] // masked["top"]).sort_values("there", ascending=False, kind="stable")
    alike = masked.drop_duplicates(["population", "cloud"]).groupby(["population", "sampling", "there", "n_images"])
    for (population, side, there, images), clouds in alike:
        if there < images:
            names = ", ".join(clouds["cloud"])
            yield f"{population}, {names}: {there} of {images} images have a {side}; the others have no point"


def purity_lines(purity: Any) -> Iterator[str]:
    """Describe how pure the nodes of mapper graphs are, by layer, and what labels shuffled over images give.

    Parameters
    ----------
    purity : pandas.DataFrame
        The table `purity`.
    """
    for (population, recipe), rows in purity.groupby(["population", "recipe"], sort=False):
        layers = list(rows.sort_values("depth")["layer"].drop_duplicates())
        wide = max(len("cloud"), *rows["cloud"].map(len))
        cell = max(len("0.00 (0.00)"), *map(len, layers))
        yield (
            f"{population}, {recipe}: node-wise purity of mapper graphs and, in brackets, that of shuffled labels; "
            f"mean over n = {rows['network'].nunique()} networks"
        )
        yield f"  {'cloud':{wide}}  " + "  ".join(f"{layer:{cell}}" for layer in layers).rstrip()
        for cloud, mine in rows.groupby("cloud", sort=False):
            means = mine.groupby("layer")[["node_wise", "chance"]].mean()
            cells = (_pure(means, layer) for layer in layers)
            yield f"  {cloud:{wide}}  " + "  ".join(f"{text:{cell}}" for text in cells).rstrip()
        graphs = rows[rows["node_wise"].notna()]
        yield f"  purer than shuffled labels, p ≤ {LEVEL}: {(graphs['p_value'] <= LEVEL).sum()} of {len(graphs)} graphs"
        if len(graphs) < len(rows):
            yield f"  without a node: {len(rows) - len(graphs)} of {len(rows)} graphs"


def _pure(means: Any, layer: str) -> str:
    if layer not in means.index or np.isnan(means.at[layer, "node_wise"]):
        return MISSING
    return f"{means.at[layer, 'node_wise']:.2f} ({means.at[layer, 'chance']:.2f})"
