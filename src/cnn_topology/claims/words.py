"""Rows of the table `claims` in words, for the scorecard and for the summary of a run."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from cnn_topology.claims.framework import NOT_TESTED


def verdict_text(row: Mapping[str, Any]) -> str:
    """Say the verdict; where a claim is not tested, why, and what the rule gives on stand-in data."""
    if row["verdict"] != NOT_TESTED:
        return str(row["verdict"]) + (f": {row['reason']}" if row["reason"] else "")
    if row["outcome"]:
        return f"{NOT_TESTED} (stand-in: {row['outcome']})"
    return f"{NOT_TESTED}: {row['reason']}"


def number_text(row: Mapping[str, Any]) -> str:
    """Write value, interval, p and n, as far as they are there; nothing where there is no value.

    One item has no range: least and greatest of it, which are its value, would look like an interval.
    """
    if np.isnan(row["value"]):
        return ""
    parts = [short(row["value"])]
    if not np.isnan(row["low"]) and not (row["n"] == 1 and row["low"] == row["high"]):
        parts[0] += f" ({short(row['low'])} to {short(row['high'])})"
    parts += [f"p = {row['p']:.2g}"] if np.isfinite(row["p"]) else []
    parts += [f"n = {row['n']}"] if row["n"] else []
    return ", ".join(parts)


def short(value: float) -> str:
    """Write a number with three digits, a whole one with all of them."""
    if np.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{int(value):,}" if float(value).is_integer() else f"{value:.3g}"
    return text.replace("-", "−")
