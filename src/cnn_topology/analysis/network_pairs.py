"""The layers of networks compared with each other by one measure, as rows of a table."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from cnn_topology.activations.cloud_file import ActivationCloud
from cnn_topology.comparison.clouds import sampled, scaled_bars
from cnn_topology.comparison.measures import Measure, compare_all
from cnn_topology.errors import InputError
from cnn_topology.plan.activation_parameters import LayerDistanceParameters
from cnn_topology.tables.layers import NetworkPairRow
from cnn_topology.tables.row import matching


@dataclass(frozen=True, eq=False)
class Layers:
    """What a measure takes of every layer of every network, with the names of the layers, nearest the image first."""

    names: tuple[str, ...]
    depths: tuple[int, ...]
    samples: int
    of_network: dict[int, list[Any]]


def prepared_layers(
    measure: Measure, clouds: Iterable[ActivationCloud], bars: Iterable[pa.Table], parameters: LayerDistanceParameters
) -> Layers:
    """Prepare what a measure takes of the layers of all networks of a block: their clouds or their bars.

    Parameters
    ----------
    measure : Measure
    clouds : iterable of ActivationCloud
        By network and depth.
    bars : iterable of pyarrow.Table
        Rows of `activation_bars`, a table a network.
    parameters : LayerDistanceParameters

    Returns
    -------
    Layers

    Raises
    ------
    InputError
        If clouds have different numbers of points.
    """
    layers = [*(_of_clouds(clouds) if measure.takes == "clouds" else _of_bars(bars, measure))]
    of_network: dict[int, list[Any]] = {}
    for key, layer in layers:
        of_network.setdefault(key["network"], []).append(layer)
    samples = {key["points"] for key, _ in layers}
    if len(samples) > 1:
        raise InputError(
            f"{parameters.population}, cloud {parameters.cloud}: clouds hold {min(samples)} and {max(samples)} points: "
            "a distance between them would compare sizes, not layers; draw all of the same images"
        )
    first = [key for key, _ in layers if key["network"] == parameters.rows[0]]
    names, depths = (tuple(key[name] for key in first) for name in ("layer", "depth"))
    return Layers(names, depths, samples.pop(), of_network)


def _of_clouds(clouds: Iterable[ActivationCloud]) -> Iterator[tuple[dict[str, Any], Any]]:
    for cloud in clouds:
        yield {**cloud.origin.columns, "points": len(cloud.points)}, sampled(cloud)


def _of_bars(tables: Iterable[pa.Table], measure: Measure) -> Iterator[tuple[dict[str, Any], Any]]:
    """Yield what each layer of some tables of bars is, nearest the image first, and its finite H1 bars."""
    names = ["population", "cloud", "network", "layer", "depth", "points", "median_distance"]
    for table in tables:
        loops = matching(table, dimension=1)
        for key in sorted(
            table.group_by(names).aggregate([]).to_pylist(), key=lambda row: (row["network"], row["depth"])
        ):
            found = matching(loops, network=key["network"], depth=key["depth"])
            bars = np.column_stack([found["birth"].to_numpy(), found["death"].to_numpy()])
            if measure.takes == "scaled diagrams":
                bars = scaled_bars(
                    bars, key["median_distance"], f"{key['population']} {key['network']}, {key['layer']}"
                )
            yield key, bars


def network_pairs(measure: Measure, layers: Layers, parameters: LayerDistanceParameters, threads: int = 1) -> pa.Table:
    """Compare all layers of the networks of the rows with those of the columns.

    Returns
    -------
    pyarrow.Table
        Rows of `network_pairs`. Equal sides hold each pair once; a measure that is not symmetric both ways.
    """
    rows, columns = parameters.rows, parameters.columns
    first = [layer for network in rows for layer in layers.of_network[network]]
    if rows == columns:
        values = compare_all(measure.name, first, threads=threads)
        pairs = _blocks(values, rows, columns, len(layers.names))
        if measure.symmetric:
            pairs = {pair: block for pair, block in pairs.items() if pair[0] <= pair[1]}
    else:
        second = [layer for network in columns for layer in layers.of_network[network]]
        pairs = _blocks(compare_all(measure.name, first, second, threads), rows, columns, len(layers.names))
        if not measure.symmetric:
            pairs |= _blocks(compare_all(measure.name, second, first, threads), columns, rows, len(layers.names))
    return NetworkPairRow.table(
        NetworkPairRow(
            population=parameters.population,
            cloud=parameters.cloud,
            measure=measure.name,
            kind=measure.kind,
            samples=layers.samples,
            layers=layers.names,
            depths=layers.depths,
            network_a=a,
            network_b=b,
            values=block.ravel().tolist(),
        )
        for (a, b), block in sorted(pairs.items())
    )


def _blocks(
    values: np.ndarray, rows: tuple[int, ...], columns: tuple[int, ...], layers: int
) -> dict[tuple[int, int], np.ndarray]:
    """Cut the matrix of all layers of all networks into one block per pair of networks."""
    return {
        (a, b): values[i * layers : (i + 1) * layers, j * layers : (j + 1) * layers]
        for i, a in enumerate(rows)
        for j, b in enumerate(columns)
    }
