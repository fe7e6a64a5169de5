"""Rows of the table `claims` in words, for the page and for the summary of a run."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from cnn_topology.claims.framework import CANNOT_DECIDE, HOLDS, INTERVAL, JOINED, NOT_TESTED, RANGE

# Below this nothing that is shown here differs from 0.
ROUNDING = 1e-12
# How what stands in brackets is named there; an interval needs no word.
_SAID = {RANGE: ", range", JOINED: ", joined intervals"}


def is_told(row: Mapping[str, Any]) -> bool:
    """Return whether a run has something to say about a claim: a verdict, or what its rule gave on other data."""
    return row["verdict"] != NOT_TESTED or bool(row["outcome"])


def verdict_text(row: Mapping[str, Any]) -> str:
    """Describe the verdict and what is smaller than in the paper; where not tested why, or what other data give."""
    if row["verdict"] != NOT_TESTED:
        size = f" ({row['reduced']})" if row["reduced"] and row["verdict"] != CANNOT_DECIDE else ""
        return str(row["verdict"]) + size + (f": {row['reason']}" if row["reason"] else "")
    if row["outcome"]:
        return f"rule {'met' if row['outcome'] == HOLDS else 'not met'} on stand-in data (no verdict)"
    return f"{NOT_TESTED}: {row['reason']}"


def number_text(row: Mapping[str, Any]) -> str:
    """Write value with interval, p, and n with its unit, as far as they are there; nothing where there is no value.

    What is in brackets is a 95% interval over what n counts, unless words there say what it is. One item has no range:
    least and greatest of it, which are its value, would look like an interval.
    """
    if np.isnan(row["value"]):
        return ""
    parts = [short(row["value"])]
    if not np.isnan(row["low"]) and not (row["n"] == 1 and row["low"] == row["high"]):
        told = _SAID.get(row["spread"], row["spread"].removeprefix(INTERVAL))
        parts[0] += f" ({short(row['low'])} to {short(row['high'])}{told})"
    parts += [f"p = {row['p_value']:.2g}"] if np.isfinite(row["p_value"]) else []
    parts += [f"n = {row['n']} {row['unit'].removesuffix('s') if row['n'] == 1 else row['unit']}"] if row["n"] else []
    return ", ".join(parts)


def short(value: float) -> str:
    """Write a number with three digits, a whole one with all of them; what rounding leaves of 0 is 0."""
    if np.isinf(value):
        return "∞" if value > 0 else "−∞"
    value = 0.0 if abs(value) < ROUNDING else value
    text = f"{int(value):,}" if float(value).is_integer() else f"{value:.3g}"
    return text.replace("-", "−")
