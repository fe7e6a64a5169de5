"""Rows of the tables that claims of the weights paper read, as few columns as their rules need."""

import numpy as np

from cnn_topology.statistics.significance import UNTESTED
from cnn_topology.tables.loops import CLOUD


def loop(population, layer="conv1", step=40_000, verdict="one loop", longest=1.0, bars=None, **more):
    bars_of = {"one loop": 1, "one weak loop": 1, "no loop": 0, "several loops": 2}
    significant = {**dict.fromkeys(UNTESTED), **bars_of}[verdict]
    row = {"population": population, "layer": layer, "depth": int(layer[4]), "step": step, "verdict": verdict}
    row |= {
        "density_k": 200,
        "density_p": 0.3,
        "landmarks": 6_000,
        "points": 19_200,
        "kept": 200,
        "networks": 10,
        "headline": True,
        "kernel_side": 3,
    }
    row |= {"longest": longest, "significant_bars": significant if bars is None else bars}
    row |= {"p_longest": None if significant is None else 0.005 if significant else 0.6}
    return {**row, "p_lowpass": row["p_longest"], "p_block": None, "verdict_stability": 0.9, **more}


def compared(population, against, metric, estimate, p=0.001, **more):
    half = 0.1 * abs(estimate) if metric == "iterations_to_target" else 0.01
    row = {"population": population, "against": against, "metric": metric, "estimate": estimate, "p_holm": p}
    row["group_name"] = f"g{population[-1]}"
    images = {"1": "two", "2": "one"}[population[-1]] if metric == "cross_accuracy" else "x"
    row |= {"low": estimate - half, "high": estimate + half, "n": 10, "n_against": 10, "family": 12}
    row |= {"images": images, "role": "variant"}
    return {**row, "against_role": "control" if "random" in against else "baseline", **more}


RNG = np.random.default_rng(0)


def accuracies(population, images, accuracy, step=40_000):
    return [
        {"population": population, "network": n, "step": step, "images": images, "split": "test", "failed": False}
        | {"accuracy": accuracy + RNG.normal(0, 0.005)}
        for n in range(10)
    ]


def over_training(population, verdicts, layer="conv1", longest=(0.2, 0.5, 0.9, 1.0)):
    steps = (0, 200, 2_000, 40_000)
    return [
        loop(population, layer, step, verdict, length)
        for step, verdict, length in zip(steps, verdicts, longest, strict=True)
    ]


# So many layers that all agree are the fewest whose share has an interval above a half.
FOUR = (("first", "conv1"), ("first", "conv2"), ("second", "conv1"), ("gray", "conv1"))


def circles(cloud, near=0.8, lines=0.1, shape="primary circle"):
    """Return the rows of a cloud: how far primary circle and lines are covered, and the share near the former."""
    row = {name: cloud[name] for name in CLOUD} | {"kept": 200, "shape": shape}
    edges = {"circle": "primary", "coverage": 1.0, "p_permuted": 0.01, "nearest": int(200 * near), "degree": 1}
    return [row | edges, row | edges | {"circle": "quadratic", "coverage": lines, "nearest": 3}]


def one_circle(population):
    return {"loops": [loop(population)], "circles": circles(loop(population))}


def against_critical(*clouds, critical=(0.5, 0.5)):
    tests = [
        {name: cloud[name] for name in CLOUD} | {"null_name": null, "null_critical": part * value}
        for cloud, value in zip(clouds, critical, strict=True)
        for null, part in (("sphere", 1.0), ("permuted", 0.8))
    ]
    return {"loops": [*clouds], "significance": tests}


# Convolutions of each block.
BLOCKS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
VGG = {model: [f"conv{b}_{i}" for b, n in enumerate(ns, 1) for i in range(1, n + 1)] for model, ns in BLOCKS.items()}


def vgg(name, shares, verdicts):
    clouds = [
        loop(name, VGG[name][d - 1], 0, verdict, density_k=100, density_p=0.1, depth=d)
        for d, verdict in enumerate(verdicts, start=1)
    ]
    rows = [row for cloud, share in zip(clouds, shares, strict=True) for row in circles(cloud, share)]
    return {"loops": clouds, "circles": rows}


def local(verdict, count):
    sweep = {"headline": False, "verdict": verdict, "bars": count}
    return [
        loop("colour"),
        loop("colour", density_k=15, density_p=0.1, **sweep),
        loop("colour", density_k=15, density_p=0.05, **sweep),
    ]


def onset(population, step, low=100, high=5_000):
    return {"population": population, "layer": "conv1", "onset": step, "low": low, "high": high, "networks": 10}


def pooled(statistic, partial):
    """Return the rows of a bar and accuracy over training: the rank correlation, and what is left given the step."""
    row = {
        "group_name": "first",
        "scope": "pooled",
        "layer": "conv1",
        "predictor": "longest",
        "networks": 10,
        "rows": 8,
    }
    return [
        row
        | {"outcome": "test_accuracy", "method": method, "statistic": value}
        | {"low": value - 0.3, "high": min(1.0, value + 0.3)}
        for method, value in (("spearman", statistic), ("partial_pearson", partial))
    ]


def track(population, longest, critical=0.5):
    row = {"population": population, "layer": "conv1", "step": 40_000, "longest": longest, "significant": True}
    row |= {"critical": critical, "coverage": 0.9, "degree": 1}
    return {**row, "longest_low": longest - 0.05, "longest_high": longest + 0.05, "networks": 10}


def lasting(population, *steps, **more):
    """Return the rows of a first layer whose loop is the primary circle at some steps, and what sets in with them."""
    return [{**track(population, 1.0), "step": step, **more} for step in steps]


def followed(cloud, degree):
    return {**track(cloud["population"], 1.0), **{name: cloud[name] for name in CLOUD}, "degree": degree}


def correlation(method, p, kind="topological", layer="conv1", given=""):
    row = {
        "group_name": "grid",
        "scope": "grid",
        "layer": layer,
        "predictor": "longest",
        "predictor_kind": kind,
        "method": method,
        "given": given,
        "exchanged": "16 populations as blocks",
        "rows": 16,
        "reliability": 0.8,
    }
    return {
        **row,
        "outcome": "test_accuracy",
        "statistic": 0.7,
        "low": 0.3,
        "high": 0.9,
        "p_adjusted": p,
        "networks": 8,
    }


def both(*rows):
    return [*rows, compared("circle-1", "random-1", "cross_accuracy", 0.0, p=1.0)]
