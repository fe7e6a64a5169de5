"""What measures say about layers, and the tests of the measures, as rows of tables (activations paper)."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from cnn_topology.comparison.layer_order import agreement, agreement_p_value, depth_order
from cnn_topology.comparison.measures import Kind
from cnn_topology.comparison.sensitivity import BAND, LEAST_STEPS, detection_fraction, seed_threshold
from cnn_topology.comparison.specificity import nearest_shares, specificity
from cnn_topology.errors import InputError
from cnn_topology.plan.layer_parameters import MeasureTestParameters
from cnn_topology.seeds import derive_seed
from cnn_topology.statistics.coefficients import spearman
from cnn_topology.statistics.intervals import wilson_interval
from cnn_topology.tables.registry import MEASURE_ROWS
from cnn_topology.tables.row import Row

# Where a curve passes the threshold, and both ends of its band.
DETECTED = ("detected_at", "detected_low", "detected_high")
# The acceptance test asks for a correlation above this between components removed and the distance.
MONOTONE = 0.9


@dataclass(frozen=True, eq=False)
class LayerValues:
    """All values of one measure on one kind of cloud: ``values[i, l, j, m]``, layer l of network i to m of j."""

    population: str
    cloud: str
    measure: str
    kind: Kind
    samples: int
    networks: tuple[int, ...]
    layers: tuple[str, ...]
    depths: tuple[int, ...]
    values: np.ndarray

    @property
    def which(self) -> dict[str, Any]:
        """The columns that say what a row is about."""
        return {
            "population": self.population,
            "cloud": self.cloud,
            "measure": self.measure,
            "kind": self.kind,
            "samples": self.samples,
        }

    @property
    def within(self) -> np.ndarray:
        """The values between the layers of each network, shape (networks, layers, layers)."""
        return np.stack([self.values[i, :, i] for i in range(len(self.networks))])

    def columns(self) -> dict[str, Any]:
        """Name the ordered pairs of layers, row by row."""
        count = len(self.layers)
        return {
            "layer_a": np.repeat(self.layers, count),
            "depth_a": np.repeat(self.depths, count),
            "layer_b": np.tile(self.layers, count),
            "depth_b": np.tile(self.depths, count),
        }


def layer_tables(pairs: pa.Table, curves: pa.Table, parameters: MeasureTestParameters) -> dict[str, pa.Table]:
    """Compute all tables of `MEASURE_ROWS` from the values of pairs of networks and the curves of single ones."""
    frames: dict[str, list[pd.DataFrame]] = {row.table_name: [] for row in MEASURE_ROWS}
    found: dict[tuple[str, str], list[LayerValues]] = {}
    for item in gathered(pairs):
        found.setdefault((item.population, item.cloud), []).append(item)
        seed = derive_seed(parameters.run_seed, "measure tests", item.population, item.cloud, item.measure)
        frames["layer_distances"].append(_within(item))
        frames["layer_pairs"] += _over_networks(item)
        tests = [_depth_order(item, parameters.draws, seed)]
        if len(item.networks) > 1:
            rates = _specificity(item, parameters.draws, seed)
            frames["specificity"].append(rates)
            tests.append(_specificity_test(rates))
        mine = _curves_of(item, curves)
        if len(mine):
            mine = _with_threshold(item, mine)
            frames["component_sensitivity"].append(mine)
            tests += _sensitivity_tests(item, mine)
        frames["measure_tests"].append(pd.DataFrame([{**item.which, **test} for test in tests]).drop(columns="samples"))
    for items in found.values():
        frames["measure_agreement"] += [_agreement(a, b, parameters) for a, b in combinations(items, 2)]
    return {row.table_name: _table(frames[row.table_name], row) for row in MEASURE_ROWS}


def _table(parts: list[pd.DataFrame], row_type: type[Row]) -> pa.Table:
    """Join frames to a table in which what does not apply is NaN, not null."""
    if not parts:
        return row_type.table([])
    joined = pd.concat(parts)
    return row_type.columns(**{str(name): pa.array(values.to_numpy()) for name, values in joined.items()})


def gathered(pairs: pa.Table) -> Iterator[LayerValues]:
    """Put the values of all pairs of networks into one array per cloud and measure.

    Raises
    ------
    InputError
        If a pair of networks is missing or was compared on other layers or images.
    """
    keys = ["population", "cloud", "measure"]
    for which in pairs.group_by(keys, use_threads=False).aggregate([]).to_pylist():
        mine = pairs
        for key in keys:
            mine = mine.filter(pc.equal(mine[key], which[key]))
        where = ", ".join(which.values())
        same = {(tuple(row["layers"]), row["samples"]) for row in mine.select(["layers", "samples"]).to_pylist()}
        if len(same) > 1:
            raise InputError(
                f"{where}: networks were compared on other layers or images; delete its parts and start again"
            )
        [(names, samples)] = same
        a, b = mine["network_a"].to_pylist(), mine["network_b"].to_pylist()
        networks = sorted({*a, *b})
        place = {network: i for i, network in enumerate(networks)}
        values = np.full((len(networks), len(names), len(networks), len(names)), np.nan)
        blocks = pc.list_flatten(mine["values"]).to_numpy().reshape(-1, len(names), len(names))
        both = set(zip(a, b, strict=True))
        for first, second, block in zip(a, b, blocks, strict=True):
            values[place[first], :, place[second]] = block
            if (second, first) not in both:
                values[place[second], :, place[first]] = block.T
        if np.isnan(values).any():
            raise InputError(f"{where}: a pair of networks is missing among the parts; give the parts of all blocks")
        yield LayerValues(
            **which,
            kind=mine["kind"][0].as_py(),
            samples=samples,
            networks=tuple(networks),
            layers=names,
            depths=tuple(mine["depths"][0].as_py()),
            values=values,
        )


def _within(item: LayerValues) -> pd.DataFrame:
    parts = [
        pd.DataFrame(
            {**item.which, "network_a": network, "network_b": network, **item.columns(), "value": block.ravel()}
        )
        for network, block in zip(item.networks, item.within, strict=True)
    ]
    return pd.concat(parts)


def _over_networks(item: LayerValues) -> list[pd.DataFrame]:
    """Summarize the values of each pair of layers within networks, and across them where there are two."""
    count = len(item.networks)
    samples = {"same": item.within}
    nearest = {"same": np.full((len(item.layers), len(item.layers)), np.nan)}
    if count > 1:
        i, j = np.nonzero(~np.eye(count, dtype=bool))
        samples["different"] = item.values[i, :, j]
        nearest["different"] = nearest_shares(item.values, item.kind).sum(axis=(0, 2)) / (count * (count - 1))
    frames = []
    for between, values in samples.items():
        low, high = np.quantile(values, BAND, axis=0)
        summaries = {
            "mean": values.mean(axis=0),
            # Of networks, or pairs of them, drawn from the population: n - 1 below.
            "sd": values.std(axis=0, ddof=1) if len(values) > 1 else np.full(values.shape[1:], np.nan),
            "low": low,
            "high": high,
            "nearest_share": nearest[between],
        }
        columns = {name: matrix.ravel() for name, matrix in summaries.items()}
        frames.append(
            pd.DataFrame({**item.which, "between": between, "pairs": len(values), **item.columns(), **columns})
        )
    return frames


def _specificity(item: LayerValues, draws: int, seed: int) -> pd.DataFrame:
    found = specificity(item.values, item.kind, draws, seed)
    count = len(item.networks)
    return pd.DataFrame(
        {
            **item.which,
            "networks": count,
            "pairs": count * (count - 1),
            "layer": ["all", *item.layers],
            "depth": [0, *item.depths],
            "rate": [found.rate, *found.layer_rate],
            "low": [found.low, *found.layer_low],
            "high": [found.high, *found.layer_high],
            "chance": found.chance,
            "p_value": [found.p_value, *[float("nan")] * len(item.layers)],
        }
    )


def _specificity_test(rates: pd.DataFrame) -> dict[str, Any]:
    whole = rates.iloc[0]
    return {
        "test": "specificity",
        "statistic": whole["rate"],
        "low": whole["low"],
        "high": whole["high"],
        "n": whole["networks"],
        "null_value": whole["chance"],
        "p_value": whole["p_value"],
    }


def _depth_order(item: LayerValues, draws: int, seed: int) -> dict[str, Any]:
    found = depth_order(item.within, item.kind, draws, seed)
    return {
        "test": "depth_order",
        "statistic": found.mean,
        "low": found.low,
        "high": found.high,
        "n": len(item.networks),
        "null_value": 0.0,
        "p_value": found.p_value,
    }


def _curves_of(item: LayerValues, curves: pa.Table) -> pd.DataFrame:
    for key in ("population", "cloud", "measure"):
        curves = curves.filter(pc.equal(curves[key], getattr(item, key)))
    return curves.to_pandas()


def _with_threshold(item: LayerValues, curves: pd.DataFrame) -> pd.DataFrame:
    """Add to every curve the threshold that the same layer of other networks sets, and where it is passed."""
    parts = []
    for (depth, network, against, _), curve in curves.groupby(
        ["depth", "network", "against_network", "mode"], sort=False
    ):
        place, ascending = item.depths.index(cast(int, depth)), curve.sort_values("removed")
        columns = dict.fromkeys(("threshold", "low", "high", *DETECTED), np.nan) | {"pairs": 0}
        if len(item.networks) > 1:
            found = seed_threshold(item.values[:, place, :, place])
            columns |= {"threshold": found.mean, "low": found.low, "high": found.high, "pairs": found.pairs}
            if network == against:
                fractions, values = ascending["fraction"].to_numpy(), ascending["value"].to_numpy()
                ends = (found.low, found.high) if item.kind == "distance" else (found.high, found.low)
                for name, level in zip(DETECTED, (found.mean, *ends), strict=True):
                    columns[name] = detection_fraction(fractions, values, level, item.kind)
        parts.append(ascending.assign(**columns))
    return pd.concat(parts)


def _sensitivity_tests(item: LayerValues, curves: pd.DataFrame) -> list[dict[str, Any]]:
    """Test that the distance grows with the components removed, to another seed too, and passes its threshold.

    Curves of fewer than `LEAST_STEPS` points, those of the narrowest layers, count neither way.
    """
    tests = []
    steps = curves.groupby(["network", "against_network", "depth", "mode"])["value"].transform("size")
    curves = curves[steps >= LEAST_STEPS]
    own = curves["network"] == curves["against_network"]
    for mode, mine in curves[own].groupby("mode", sort=False):
        by_curve = mine.groupby(["network", "depth"])
        tests.append({"test": f"monotone_{mode}", **_growth(item, by_curve), "null_value": MONOTONE})
        if len(item.networks) > 1:
            detected = by_curve["detected_at"].first().notna()
            low, high = wilson_interval(np.array(detected.mean()), len(detected))
            tests.append(
                {
                    "test": f"detected_{mode}",
                    "statistic": detected.mean(),
                    "low": float(low),
                    "high": float(high),
                    "n": len(detected),
                    "null_value": np.nan,
                    "p_value": np.nan,
                }
            )
    for mode, mine in curves[~own].groupby("mode", sort=False):
        tests.append(
            {"test": f"another_seed_{mode}", **_growth(item, mine.groupby(["network", "depth"])), "null_value": 0.0}
        )
    return tests


def _growth(item: LayerValues, curves: Any) -> dict[str, Any]:
    """Return the correlation of components removed with the distance: median, least and greatest over curves."""
    sign = 1 if item.kind == "distance" else -1
    grows = pd.Series([sign * _correlation(curve["removed"], curve["value"]) for _, curve in curves])
    found = {"statistic": grows.median(), "low": grows.min(), "high": grows.max()}
    return {**found, "n": int(grows.notna().sum()), "p_value": np.nan}


def _correlation(removed: pd.Series, value: pd.Series) -> float:
    """Compute Spearman's correlation; NaN for a measure that gives one value whatever was removed."""
    there = value.notna().to_numpy()
    x, y = removed.to_numpy(float)[there], value.to_numpy(float)[there]
    return float(spearman(x[:, None], y)[0]) if value.nunique() > 1 else float("nan")


def _agreement(first: LayerValues, second: LayerValues, parameters: MeasureTestParameters) -> pd.DataFrame:
    names = first.population, first.cloud, first.measure, second.measure
    seed = derive_seed(parameters.run_seed, "measure agreement", *names)
    found = agreement(first.within, first.kind, second.within, second.kind)
    row = {
        "population": first.population,
        "cloud": first.cloud,
        "measure_a": first.measure,
        "measure_b": second.measure,
        "networks": len(first.networks),
        "samples": first.samples,
        "mean": found.mean(),
        "low": found.min(),
        "high": found.max(),
        "p_value": agreement_p_value(first.within, first.kind, second.within, second.kind, parameters.draws, seed),
    }
    return pd.DataFrame([row])
