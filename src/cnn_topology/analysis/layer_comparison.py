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
from cnn_topology.comparison.sensitivity import BAND, LEAST_STEPS, MONOTONE, detection_fraction, seed_threshold
from cnn_topology.comparison.specificity import Specificity, specificity
from cnn_topology.errors import InputError
from cnn_topology.plan.activation_parameters import MeasureTestParameters
from cnn_topology.seeds import derive_seed
from cnn_topology.statistics.coefficients import spearman
from cnn_topology.statistics.intervals import wilson_interval
from cnn_topology.tables.layers import (
    ComponentSensitivityRow,
    LayerDistanceRow,
    LayerPairRow,
    MeasureAgreementRow,
    MeasureTestRow,
    SpecificityRow,
)
from cnn_topology.tables.registry import MEASURE_ROWS
from cnn_topology.tables.row import Row, joined, matching

KEY = ["population", "cloud", "measure"]


@dataclass(frozen=True, eq=False)
class LayerValues:
    """All values of one measure on one kind of cloud: ``values[i, l, j, m]``, layer l of network i to m of j.

    Attributes
    ----------
    key : dict of str to str
        Population, cloud, measure and its kind: the columns that say what a row is about.
    samples : int
    networks : tuple of int
    layers : tuple of str
    depths : tuple of int
    values : ndarray, shape (networks, layers, networks, layers)
    """

    key: dict[str, Any]
    samples: int
    networks: tuple[int, ...]
    layers: tuple[str, ...]
    depths: tuple[int, ...]
    values: np.ndarray

    @property
    def kind(self) -> Kind:
        """Whether the measure is a distance or a similarity."""
        return cast(Kind, self.key["kind"])

    @property
    def within(self) -> np.ndarray:
        """The values between the layers of each network, shape (networks, layers, layers)."""
        return np.stack([self.values[i, :, i] for i in range(len(self.networks))])

    def pairs(self, times: int = 1) -> dict[str, Any]:
        """Return the columns that name the ordered pairs of layers, row by row, so many times over."""
        count = len(self.layers)
        return {
            "layer_a": np.tile(np.repeat(self.layers, count), times),
            "depth_a": np.tile(np.repeat(self.depths, count), times),
            "layer_b": np.tile(self.layers, count * times),
            "depth_b": np.tile(self.depths, count * times),
        }


def layer_tables(pairs: pa.Table, curves: pa.Table, parameters: MeasureTestParameters) -> dict[str, pa.Table]:
    """Test every measure on every cloud.

    Parameters
    ----------
    pairs : pyarrow.Table
        The values of pairs of networks, rows of `network_pairs`.
    curves : pyarrow.Table
        The sensitivity curves of single networks, rows of `component_curves`.
    parameters : MeasureTestParameters

    Returns
    -------
    dict of str to pyarrow.Table
        One for each of `MEASURE_ROWS`, by name.
    """
    parts: dict[type[Row], list[pa.Table]] = {row: [] for row in MEASURE_ROWS}
    of_cloud: dict[tuple[str, str], list[LayerValues]] = {}
    for item in gathered(pairs):
        of_cloud.setdefault((item.key["population"], item.key["cloud"]), []).append(item)
        seed = derive_seed(parameters.run_seed, "measure tests", *(item.key[name] for name in KEY))
        order = depth_order(item.within, item.kind, parameters.draws, seed)
        found = order.mean, order.low, order.high
        tests = [_test(item, "depth_order", found, len(item.networks), 0.0, order.p_value)]
        parts[LayerDistanceRow].append(_within(item))
        rates = specificity(item.values, item.kind, parameters.draws, seed) if len(item.networks) > 1 else None
        parts[LayerPairRow] += _over_networks(item, rates)
        if rates:
            parts[SpecificityRow].append(_specificity(item, rates))
            found = rates.rate, rates.low, rates.high
            tests.append(_test(item, "specificity", found, len(item.networks), rates.chance, rates.p_value))
        mine = matching(curves, **item.key)
        if len(mine):
            frame = _with_threshold(item, mine.to_pandas())
            columns = {str(name): pa.array(values.to_numpy()) for name, values in frame.items()}
            parts[ComponentSensitivityRow].append(ComponentSensitivityRow.columns(**columns))
            tests += _sensitivity_tests(item, frame)
        parts[MeasureTestRow].append(MeasureTestRow.table(tests))
    for items in of_cloud.values():
        rows = [_agreement(first, second, parameters) for first, second in combinations(items, 2)]
        parts[MeasureAgreementRow].append(MeasureAgreementRow.table(rows))
    return {row.table_name: joined(tables, row.schema) for row, tables in parts.items()}


def gathered(pairs: pa.Table) -> Iterator[LayerValues]:
    """Put the values of all pairs of networks into one array per cloud and measure.

    Parameters
    ----------
    pairs : pyarrow.Table
        Rows of `network_pairs`.

    Yields
    ------
    LayerValues

    Raises
    ------
    InputError
        If a pair of networks is missing.
    """
    for key in pairs.group_by(KEY, use_threads=False).aggregate([]).to_pylist():
        mine = matching(pairs, **key)
        where = ", ".join(key.values())
        names, depths, samples = (mine[name][0].as_py() for name in ("layers", "depths", "samples"))
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
            key={**key, "kind": mine["kind"][0].as_py()},
            samples=samples,
            networks=tuple(networks),
            layers=tuple(names),
            depths=tuple(depths),
            values=values,
        )


def _within(item: LayerValues) -> pa.Table:
    networks = np.repeat(item.networks, len(item.layers) ** 2)
    return LayerDistanceRow.columns(
        **item.key,
        samples=item.samples,
        network_a=networks,
        network_b=networks,
        **item.pairs(len(item.networks)),
        value=item.within.ravel(),
    )


def _over_networks(item: LayerValues, rates: Specificity | None) -> Iterator[pa.Table]:
    """Summarize the values of each pair of layers within networks, and across them where there are two."""
    summarized = [("same", item.within, np.full((len(item.layers), len(item.layers)), np.nan))]
    if rates:
        i, j = np.nonzero(~np.eye(len(item.networks), dtype=bool))
        summarized.append(("different", item.values[i, :, j], rates.confusion))
    for between, values, nearest in summarized:
        low, high = np.quantile(values, BAND, axis=0)
        # Of networks, or pairs of them, drawn from the population: n - 1 below.
        sd = values.std(axis=0, ddof=1) if len(values) > 1 else np.full(values.shape[1:], np.nan)
        yield LayerPairRow.columns(
            **item.key,
            samples=item.samples,
            between=between,
            pairs=len(values),
            **item.pairs(),
            mean=values.mean(axis=0).ravel(),
            sd=sd.ravel(),
            low=low.ravel(),
            high=high.ravel(),
            nearest_share=nearest.ravel(),
        )


def _specificity(item: LayerValues, rates: Specificity) -> pa.Table:
    count = len(item.networks)
    return SpecificityRow.columns(
        **item.key,
        samples=item.samples,
        networks=count,
        pairs=count * (count - 1),
        layer=["all", *item.layers],
        depth=[0, *item.depths],
        rate=[rates.rate, *rates.layer_rate],
        low=[rates.low, *rates.layer_low],
        high=[rates.high, *rates.layer_high],
        chance=rates.chance,
        p_value=[rates.p_value, *[np.nan] * len(item.layers)],
    )


def _with_threshold(item: LayerValues, curves: pd.DataFrame) -> pd.DataFrame:
    """Add to every curve the threshold that the same layer of other networks sets, and where it is passed."""
    names = ("threshold", "low", "high", "detected_at", "detected_low", "detected_high")
    parts = []
    for (depth, network, against, _), curve in curves.groupby(
        ["depth", "network", "against_network", "mode"], sort=False
    ):
        place, ascending = item.depths.index(cast(int, depth)), curve.sort_values("removed")
        columns = dict.fromkeys(names, np.nan) | {"pairs": 0}
        if len(item.networks) > 1:
            mean, low, high = seed_threshold(item.values[:, place, :, place])
            pairs = len(item.networks) * (len(item.networks) - 1)
            columns |= {"threshold": mean, "low": low, "high": high, "pairs": pairs}
            if network == against:
                fractions, values = ascending["fraction"].to_numpy(), ascending["value"].to_numpy()
                ends = (low, high) if item.kind == "distance" else (high, low)
                for name, threshold in zip(names[3:], (mean, *ends), strict=True):
                    columns[name] = detection_fraction(fractions, values, threshold, item.kind)
        parts.append(ascending.assign(**columns))
    return pd.concat(parts)


def _sensitivity_tests(item: LayerValues, curves: pd.DataFrame) -> Iterator[MeasureTestRow]:
    """Test that the distance grows with the components removed, to another seed too, and passes its threshold.

    Curves of fewer than `LEAST_STEPS` points, those of the narrowest layers, count neither way.
    """
    steps = curves.groupby(["network", "against_network", "depth", "mode"])["value"].transform("size")
    curves = curves[steps >= LEAST_STEPS]
    own = curves["network"] == curves["against_network"]
    for mode, mine in curves[own].groupby("mode", sort=False):
        yield _growth(item, mine, f"monotone_{mode}", MONOTONE)
        if len(item.networks) > 1:
            detected = mine.groupby(["network", "depth"])["detected_at"].first().notna()
            low, high = wilson_interval(np.array(detected.mean()), len(detected))
            yield _test(item, f"detected_{mode}", (detected.mean(), float(low), float(high)), len(detected))
    for mode, mine in curves[~own].groupby("mode", sort=False):
        yield _growth(item, mine, f"another_seed_{mode}", 0.0)


def _test(
    item: LayerValues,
    test: str,
    found: tuple[float, float, float],
    n: int,
    null_value: float = np.nan,
    p_value: float = np.nan,
) -> MeasureTestRow:
    """Return the row of a test whose statistic was found, with the ends of its interval or range."""
    statistic, low, high = found
    return MeasureTestRow(
        **item.key, test=test, statistic=statistic, low=low, high=high, n=n, null_value=null_value, p_value=p_value
    )


def _growth(item: LayerValues, curves: pd.DataFrame, test: str, null_value: float) -> MeasureTestRow:
    """Correlate components removed with the distance: median, least and greatest over curves."""
    sign = 1 if item.kind == "distance" else -1
    each = curves.groupby(["network", "depth"])
    grows = pd.Series([sign * _correlation(curve["removed"], curve["value"]) for _, curve in each])
    return _test(item, test, (grows.median(), grows.min(), grows.max()), int(grows.notna().sum()), null_value)


def _correlation(removed: pd.Series, value: pd.Series) -> float:
    """Compute Spearman's correlation; NaN for a measure that gives one value whatever was removed."""
    there = value.notna().to_numpy()
    x, y = removed.to_numpy(float)[there], value.to_numpy(float)[there]
    return float(spearman(x[:, None], y)[0]) if value.nunique() > 1 else float("nan")


def _agreement(first: LayerValues, second: LayerValues, parameters: MeasureTestParameters) -> MeasureAgreementRow:
    names = (first.key["population"], first.key["cloud"], first.key["measure"], second.key["measure"])
    seed = derive_seed(parameters.run_seed, "measure agreement", *names)
    both = sorted({*first.networks} & {*second.networks})  # measures that match bars have fewer networks
    one, other = (item.within[[item.networks.index(network) for network in both]] for item in (first, second))
    correlations = agreement(one, first.kind, other, second.kind)
    return MeasureAgreementRow(
        population=names[0],
        cloud=names[1],
        measure_a=names[2],
        measure_b=names[3],
        networks=len(both),
        samples=first.samples,
        mean=correlations.mean(),
        low=correlations.min(),
        high=correlations.max(),
        p_value=agreement_p_value(one, first.kind, other, second.kind, parameters.draws, seed),
    )
