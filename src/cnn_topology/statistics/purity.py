"""The acceptance tests on purity of mapper graphs: deeper layers, foreground, random and background, input noise.

The rules (section 3 of the notes, tests 4 and 5): purity is higher in layer 16 than in layer 4; at
mid layers foreground is at least as pure as random positions and those as background; with input noise purity falls,
no faster than accuracy. Each statistic is positive in the expected direction. Its null is the same statistic on
shuffled labels; its interval comes from the networks where there are three or more, from halves of the images with
the graphs held fixed and from the spread of nodes otherwise.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from cnn_topology.statistics.coefficients import spearman
from cnn_topology.statistics.intervals import jackknife_error, mean_interval
from cnn_topology.statistics.significance import rank_p_value
from cnn_topology.tables.purity import PurityTestRow

# Layers 16 and 4 in the paper's count; where a run lacks one, its deepest and its shallowest are taken.
DEEP, SHALLOW = "layer4.1.bn2", "layer1.1.bn2"
# Networks from which on the interval is that of a mean over them, and standard errors to each side otherwise.
LEAST_AVERAGED, ERRORS = 3, 1.96
ALL_NETWORKS = -1
# Sigmas up to which all their orders are gone through.
MOST_SIGMAS = 7
# Name of a mean over the layers strictly between the first and the last.
MID = "mid"

GRAPH = ["population", "network", "recipe", "cloud", "layer"]
ORDERED = (
    ("foreground_over_random", "foreground", "random"),
    ("random_over_background", "random", "background"),
    ("top_l2_over_random", "top-l2", "random"),
)


@dataclass(frozen=True)
class GraphPurity:
    """Node-wise purity of one graph, or a number made of several.

    Observed, on halves of the images, on shuffled labels; `variance` is that of a mean over so many nodes.
    """

    value: float
    halves: np.ndarray
    shuffled: np.ndarray
    variance: float

    def __sub__(self, other: "GraphPurity") -> "GraphPurity":
        return GraphPurity(
            self.value - other.value,
            self.halves - other.halves,
            self.shuffled - other.shuffled,
            self.variance + other.variance,
        )

    @property
    def error(self) -> float:
        """Standard error: the images, with the graphs held fixed, and the nodes, which another sample would change."""
        return float(np.hypot(jackknife_error(self.halves), np.sqrt(self.variance)))


def mean_of(parts: Sequence[GraphPurity]) -> GraphPurity:
    """Average numbers of several graphs; draws and halves are the same on the same images, so that they go one by one.

    Parameters
    ----------
    parts : sequence of GraphPurity

    Returns
    -------
    GraphPurity
    """
    return GraphPurity(
        float(np.mean([part.value for part in parts])),
        np.mean([part.halves for part in parts], axis=0),
        np.mean([part.shuffled for part in parts], axis=0),
        float(np.sum([part.variance for part in parts])) / len(parts) ** 2,
    )


def purity_tests(purity: pd.DataFrame, draws: pd.DataFrame, accuracy: pd.DataFrame) -> Iterator[PurityTestRow]:
    """Compute the rows of `purity_tests` from the tables `purity`, `purity_draws` and `resnet_accuracy`.

    Parameters
    ----------
    purity, draws, accuracy : DataFrame

    Yields
    ------
    PurityTestRow
        One per network and one over all of them (network -1), for each comparison.
    """
    drawn = {key: found["node_wise"].to_numpy() for key, found in draws.sort_values("draw").groupby([*GRAPH, "kind"])}
    for (population, recipe), rows in purity.groupby(["population", "recipe"], sort=False):
        ids = {"population": population, "recipe": recipe}
        graphs: Graphs = {}
        for row in rows.to_dict("records"):
            key = tuple(row[name] for name in GRAPH)
            graph = GraphPurity(
                row["node_wise"], drawn[*key, "jackknife"], drawn[*key, "shuffled"], row["node_error"] ** 2
            )
            graphs.setdefault((row["cloud"], row["layer"]), {})[row["network"]] = graph
        for found in (_depth(rows, graphs), _sampling(rows, graphs), _noise(rows, graphs)):
            for columns, of_network in found:
                yield from _rows({**ids, **columns}, of_network)
        yield from _trend(ids, rows)
        yield from _against_accuracy(ids, rows, graphs, accuracy)


# By cloud and layer: of each network.
Graphs = dict[tuple[str, str], dict[int, GraphPurity]]
Found = Iterator[tuple[dict[str, Any], dict[int, GraphPurity]]]


def _difference(first: dict[int, GraphPurity], second: dict[int, GraphPurity]) -> dict[int, GraphPurity]:
    return {network: first[network] - second[network] for network in sorted(first.keys() & second.keys())}


def _layers(rows: pd.DataFrame, cloud: str) -> list[str]:
    return list(rows[rows["cloud"] == cloud].sort_values("depth")["layer"].drop_duplicates())


def _depth(rows: pd.DataFrame, graphs: Graphs) -> Found:
    for cloud in rows[rows["sigma"] == 0]["cloud"].drop_duplicates():
        layers = _layers(rows, cloud)
        if len(layers) < 2:
            continue
        deep, shallow = (DEEP, SHALLOW) if {DEEP, SHALLOW} <= set(layers) else (layers[-1], layers[0])
        columns = {"test": "deeper_is_purer", "cloud": cloud, "layer": deep, "other": shallow, "sigma": 0.0}
        yield columns, _difference(graphs[cloud, deep], graphs[cloud, shallow])


def _sampling(rows: pd.DataFrame, graphs: Graphs) -> Found:
    clean = rows[rows["sigma"] == 0].drop_duplicates("cloud")
    for test, first, second in ORDERED:
        for _, a in clean[clean["sampling"] == first].iterrows():
            for _, b in clean[(clean["sampling"] == second) & (clean["split"] == a["split"])].iterrows():
                layers = [layer for layer in _layers(rows, a["cloud"]) if layer in _layers(rows, b["cloud"])]
                pairs = {x: _difference(graphs[a["cloud"], x], graphs[b["cloud"], x]) for x in layers}
                columns = {"test": test, "cloud": a["cloud"], "other": b["cloud"], "sigma": 0.0}
                yield from (({**columns, "layer": layer}, pair) for layer, pair in pairs.items())
                mid = layers[1:-1]
                if mid:
                    networks = set.intersection(*(set(pairs[layer]) for layer in mid))
                    means = {n: mean_of([pairs[layer][n] for layer in mid]) for n in sorted(networks)}
                    yield {**columns, "layer": MID}, means


def _noise(rows: pd.DataFrame, graphs: Graphs) -> Found:
    for noisy in _noisy(rows):
        layer = _layers(rows, noisy["cloud"])[-1]
        pair = _difference(*(graphs.get((name, layer), {}) for name in (noisy["clean"], noisy["cloud"])))
        columns = {"cloud": noisy["cloud"], "other": noisy["clean"], "layer": layer, "sigma": noisy["sigma"]}
        yield {"test": "noise_lowers_purity", **columns}, pair


def _noisy(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return one row for each noisy cloud whose clean one has graphs too, by sigma."""
    found = rows[(rows["sigma"] > 0) & rows["clean"].isin(rows["cloud"])].drop_duplicates("cloud")
    return [dict(row) for _, row in found.sort_values("sigma").iterrows()]


def _rows(columns: dict[str, Any], of_network: dict[int, GraphPurity]) -> Iterator[PurityTestRow]:
    """Compute the row of each network and that over all."""
    known = {network: part for network, part in of_network.items() if np.isfinite(part.value)}
    if not known:
        return
    values = np.array([part.value for part in known.values()])
    for network, part in [*known.items(), (ALL_NETWORKS, mean_of(list(known.values())))]:
        shuffled = {
            "null_value": float(part.shuffled.mean()),
            "p_value": rank_p_value(part.value, part.shuffled),
            "draws": len(part.shuffled),
        }
        yield _row({**columns, **shuffled}, network, part.value, part.error, values)


def _row(
    columns: dict[str, Any], network: int, value: float, error: float, values: Float[np.ndarray, " networks"]
) -> PurityTestRow:
    """Return the row of one network, or that over all: with enough of them its interval is that of their mean."""
    over_all = network == ALL_NETWORKS
    low, high, unit = value - ERRORS * error, value + ERRORS * error, "images and nodes"
    if over_all and len(values) >= LEAST_AVERAGED:
        low, high, unit = *mean_interval(values), "networks"
    n = len(values) if over_all else 1
    return PurityTestRow(**columns, network=network, statistic=value, low=low, high=high, unit=unit, n=n)


def _trend(ids: dict[str, Any], rows: pd.DataFrame) -> Iterator[PurityTestRow]:
    """Correlate purity with sigma by rank; the p-value is exact, over all orders of the sigmas."""
    from scipy.stats import spearmanr

    noisy = pd.DataFrame(_noisy(rows), columns=[*rows.columns])
    for clean, group in noisy.groupby("clean", sort=False):
        layer = _layers(rows, str(group["cloud"].iloc[0]))[-1]
        here = rows[rows["cloud"].isin([clean, *group["cloud"]]) & (rows["layer"] == layer)]
        for network in [*sorted(here["network"].unique()), ALL_NETWORKS]:
            taken = here if network == ALL_NETWORKS else here[here["network"] == network]
            means = taken.groupby("sigma")["node_wise"].mean().dropna()
            if not 3 <= len(means) <= MOST_SIGMAS or means.nunique() < 2:
                continue
            sigmas, values = means.index.to_numpy(), means.to_numpy()
            fall = -float(spearmanr(sigmas, values).statistic)
            orders = np.array([*permutations(values)])
            falls = -spearman(orders[..., None], np.broadcast_to(sigmas, orders.shape))
            yield PurityTestRow(
                **ids,
                test="purity_falls_with_sigma",
                network=network,
                cloud=str(clean),
                other="",
                layer=layer,
                sigma=float(means.index.max()),
                statistic=fall,
                low=np.nan,
                high=np.nan,
                unit="sigmas",
                n=len(values),
                null_value=0.0,
                p_value=float(np.mean(falls >= fall - 1e-12)),
                draws=len(orders),
            )


def _against_accuracy(
    ids: dict[str, Any], rows: pd.DataFrame, graphs: Graphs, accuracy: pd.DataFrame
) -> Iterator[PurityTestRow]:
    """Compare what is left of purity with what is left of accuracy, as they are and above their chance levels.

    The interval joins the errors of purity and the binomial error of accuracy as if they were independent. A network
    is left out where one of the four is not known, or where without noise none of purity or accuracy is there to lose.
    """
    overall = accuracy[(accuracy["population"] == ids["population"]) & (accuracy["class_name"] == "all")]
    of_cloud = overall.set_index(["cloud", "network"])
    for noisy in _noisy(rows):
        layer = _layers(rows, noisy["cloud"])[-1]
        first, second = (graphs.get((name, layer), {}) for name in (noisy["cloud"], noisy["clean"]))
        columns = {**ids, "cloud": noisy["cloud"], "other": noisy["clean"], "layer": layer, "sigma": noisy["sigma"]}
        columns |= {"null_value": np.nan, "p_value": np.nan, "draws": 0}
        for test, above in (("as_they_are", False), ("above_chance", True)):
            columns |= {"test": f"falls_no_faster_than_accuracy_{test}"}
            known = {}
            for network in sorted(first.keys() & second.keys()):
                if not {(noisy["cloud"], network), (noisy["clean"], network)} <= set(of_cloud.index):
                    continue
                rates = [of_cloud.loc[(noisy[name], network)] for name in ("cloud", "clean")]
                floor = 1 / noisy["classes"] if above else 0.0
                if (left := _left(first[network], second[network], rates, floor, above)) is not None:
                    known[network] = left
            if not known:
                continue
            values, errors = np.array(list(known.values())).T
            # The networks see the same images: their errors are no smaller together than one by one.
            known[ALL_NETWORKS] = (float(values.mean()), float(errors.mean()))
            for network, (value, error) in known.items():
                yield _row(columns, network, value, error, values)


def _left(
    noisy: GraphPurity, clean: GraphPurity, rates: Sequence[pd.Series], floor: float, above: bool
) -> tuple[float, float] | None:
    """Subtract what is left of accuracy from what is left of purity, each above its floor, with a standard error.

    None where a value or its error is not known, or a clean value is not above its floor.
    """
    floors = [part.shuffled.mean() if above else 0.0 for part in (noisy, clean)]
    rate, before = rates[0]["accuracy"], rates[1]["accuracy"] - floor
    scale = clean.value - floors[1]
    # What is not a number is above nothing.
    if not (np.isfinite([noisy.value, rate]).all() and scale > 0 and before > 0):
        return None
    left = (noisy.value - floors[0]) / scale
    halves = (noisy.halves - floors[0]) / (clean.halves - floors[1])
    nodes = np.sqrt(noisy.variance + left**2 * clean.variance) / scale
    binomial = np.sqrt(rate * (1 - rate) / rates[0]["examples"]) / before
    error = float(np.linalg.norm([jackknife_error(halves), nodes, binomial]))
    return (float(left - (rate - floor) / before), error) if np.isfinite(error) else None
