"""Learning speed and accuracy of populations against a plain one and controls (weights paper, E14 to E16)."""

from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa

from cnn_topology.plan.populations import Improvement
from cnn_topology.seeds import derive_seed
from cnn_topology.statistics.comparisons import (
    area_under_curve,
    bootstrap_interval,
    holm,
    iterations_to,
    mean_difference,
    mean_difference_interval,
    permutation_p,
    pooled_ranks,
    speed_ratio,
)
from cnn_topology.statistics.intervals import mean_interval
from cnn_topology.tables.findings import ComparisonRow, ImprovementRow
from cnn_topology.tables.training import CrossAccuracyRow

SPEED, AREA, ACCURACY, CROSS_ACCURACY = "iterations_to_target", "area_under_curve", "accuracy", "cross_accuracy"


def roles(group: Improvement) -> dict[str, str]:
    """Return the role of each population of a group.

    Parameters
    ----------
    group : Improvement

    Returns
    -------
    dict of str to str
        ``baseline``, ``variant`` or ``control``, by population.
    """
    named = {group.baseline: "baseline", **dict.fromkeys(group.variants, "variant")}
    return named | dict.fromkeys(group.controls, "control")


def measures(training: pd.DataFrame, name: str, group: Improvement, images: str) -> list[ImprovementRow]:
    """Measure every network of a group.

    Parameters
    ----------
    training : DataFrame
        The training table.
    name : str
        Name of the group.
    group : Improvement
        Its populations and target.
    images : str
        The image set they are trained on.

    Returns
    -------
    list of ImprovementRow
        A network that has failed is censored unless it had reached the target before; it has
        no other measure.
    """
    rows: list[ImprovementRow] = []
    tests = training[training["split"] == "test"].sort_values("step", kind="stable")
    for population, role in roles(group).items():
        for (network, seed), log in tests[tests["population"] == population].groupby(["network", "seed"]):
            own = log[log["images"] == images]
            steps, accuracy = own["step"].to_numpy(np.float64), own["accuracy"].to_numpy()
            iterations, censored = iterations_to(steps, accuracy, group.target_accuracy)
            found = [(SPEED, images, iterations), (AREA, images, area_under_curve(steps, accuracy))]
            last = log[log["step"] == steps[-1]]
            found += [
                (ACCURACY if each == images else CROSS_ACCURACY, each, value)
                for each, value in zip(last["images"], last["accuracy"], strict=True)
            ]
            rows += [
                ImprovementRow(
                    group_name=name,
                    population=population,
                    role=role,
                    network=cast(int, network),
                    seed=cast(int, seed),
                    images=on,
                    metric=metric,
                    target=group.target_accuracy,
                    value=value,
                    censored=metric == SPEED and censored,
                )
                for metric, on, value in found
                if np.isfinite(value)
            ]
    return rows


def comparisons(rows: pd.DataFrame, name: str, group: Improvement, run_seed: int) -> list[ComparisonRow]:
    """Compare variants and controls with the baseline, and variants with each control, by every metric.

    Parameters
    ----------
    rows : DataFrame
        The table `improvements` of the group: one row a network and metric.
    name : str
        Of the group.
    group : Improvement
    run_seed : int
        Of bootstrap and permutations.

    Returns
    -------
    list of ComparisonRow
        Pairs in which a population has fewer than two measures are left out.
    """
    role = roles(group)
    pairs = [(population, group.baseline) for population in (*group.variants, *group.controls)]
    pairs += [(variant, control) for variant in group.variants for control in group.controls]
    found: list[dict[str, Any]] = []
    for (metric, images), measured in rows.groupby(["metric", "images"], sort=False):
        values = {population: _values(part) for population, part in measured.groupby("population")}
        for population, against in pairs:
            sample, other = values.get(population, np.empty(0)), values.get(against, np.empty(0))
            if min(len(sample), len(other)) < 2:
                continue
            seed = derive_seed(run_seed, "comparison", name, population, against, str(metric), str(images))
            rng = np.random.default_rng(seed)
            speed = metric == SPEED
            statistic, centre = (speed_ratio, np.median) if speed else (mean_difference, np.mean)
            low, high = (
                bootstrap_interval(statistic, sample, other, rng) if speed else mean_difference_interval(sample, other)
            )
            tested = pooled_ranks(sample, other) if speed else (sample, other)
            found.append(
                {
                    "group_name": name,
                    "population": population,
                    "role": role[population],
                    "against": against,
                    "against_role": role[against],
                    "metric": metric,
                    "images": images,
                    "target": group.target_accuracy,
                    "effect": "ratio of medians" if speed else "difference of means",
                    "n": len(sample),
                    "n_against": len(other),
                    "n_censored": int(np.isinf(sample).sum()),
                    "n_censored_against": int(np.isinf(other).sum()),
                    "average": float(centre(sample)),
                    "average_against": float(centre(other)),
                    "estimate": float(statistic(sample, other)),
                    # A ratio cannot be negative: where the lower end is not known it is at least zero.
                    "low": max(low, 0.0) if speed else low,
                    "high": high,
                    "p_value": permutation_p(*tested, rng),
                }
            )
    adjusted = holm(np.array([row["p_value"] for row in found]))
    return [ComparisonRow(**row, p_holm=p, family=len(found)) for row, p in zip(found, adjusted, strict=True)]


def cross_accuracy(training: pd.DataFrame, trained_on: dict[str, str]) -> pa.Table:
    """Average test accuracy at the last step over the networks that did not fail.

    Parameters
    ----------
    training : DataFrame
        The table `training`.
    trained_on : dict of str to str
        Populations, and the image set of each.

    Returns
    -------
    pyarrow.Table
        Rows of `cross_accuracy`; the population's own test images first.
    """
    rows = []
    for population, own in trained_on.items():
        log = training[(training["population"] == population) & (training["split"] == "test")]
        last = log[(log["step"] == log["step"].max()) & ~log["failed"]]
        for images in sorted(last["images"].unique(), key=lambda name: (name != own, name)):
            accuracy = last.loc[last["images"] == images, "accuracy"].to_numpy()
            low, high = np.clip(mean_interval(accuracy), 0, 1)  # of an accuracy, which its mean is too
            rows.append(
                CrossAccuracyRow(
                    population=population,
                    trained_on=own,
                    tested_on=images,
                    step=last["step"].iloc[0],
                    networks=len(accuracy),
                    mean=accuracy.mean(),
                    low=low,
                    high=high,
                )
            )
    return CrossAccuracyRow.table(rows)


def _values(part: pd.DataFrame) -> np.ndarray:
    """Compute the values of a population; censored ones are infinite."""
    return np.where(part["censored"], np.inf, part["value"])
