"""How often resampled networks have the same verdict: what one pool says of the next (ours)."""

from functools import lru_cache, partial

import numpy as np
from jaxtyping import Float, Int

from cnn_topology.clouds.filters import LayerFilters
from cnn_topology.plan.clouds import Centre, Filtering, Significance
from cnn_topology.seeds import derive_seed
from cnn_topology.statistics.dynamics import resampled_bars, resampled_networks, resampled_null
from cnn_topology.statistics.null_clouds import null_cloud, sphere_null_cloud
from cnn_topology.statistics.nulls import CloudName
from cnn_topology.statistics.significance import verdict


def stability(
    layer: LayerFilters,
    network: Int[np.ndarray, " points"],
    filtering: Filtering,
    reached: str,
    significance: Significance,
    run_seed: int,
    cloud: CloudName,
    threads: int = 1,
) -> float | None:
    """Compute how often networks drawn with replacement, as many as there are, have the same verdict.

    Each draw goes through density filter, barcode and verdict. The nulls are resampled alike, since a draw holds some
    networks several times: its cloud is sparser, which makes `one loop` harder to reach.

    Parameters
    ----------
    layer : LayerFilters
    network : ndarray of int, shape (points,)
        Network of each filter.
    filtering : Filtering
    reached : str
        Verdict on the cloud of all networks, which was tested.
    significance : Significance
        Nulls and level. There are as many draws as p-values of that level need.
    run_seed : int
    cloud : tuple of (str, str, int)
        Population, layer and step, which are part of the seed of the draws.
    threads : int
        Draws made at once; their number changes no result.

    Returns
    -------
    float or None
        Share of the draws; None of a single network.
    """
    names, place = np.unique(network, return_inverse=True)
    if len(names) < 2:
        return None
    draws = significance.least_draws
    population, name, step = cloud
    # Networks and the sphere null are drawn once for all steps of a layer.
    seed = derive_seed(run_seed, "stability", population, name)
    drawn = resampled_networks(len(names), draws, np.random.default_rng(seed))
    nulls = []
    for null in significance.nulls:
        if null == "sphere":
            entries = layer.points.shape[1]
            nulls.append(_sphere(place.tobytes(), len(names), filtering, draws, seed, layer.centre, entries, threads))
        else:
            rng = np.random.default_rng(derive_seed(seed, null, step))
            nulls.append(resampled_null(null_cloud(null, layer), place, filtering, drawn, rng, threads))
    bars = resampled_bars(layer.points, place, filtering, drawn, threads)
    same = [verdict(lengths, nulls, significance.alpha) == reached for lengths in bars]
    return float(np.mean(same))


@lru_cache(maxsize=2)
def _sphere(
    place: bytes, networks: int, filtering: Filtering, draws: int, seed: int, centre: Centre, entries: int, threads: int
) -> Float[np.ndarray, " draws"]:
    """Return the longest bars of the resampled sphere null, which is the same at all steps with the same networks."""
    network = np.frombuffer(place, dtype=np.intp)
    drawn = resampled_networks(networks, draws, np.random.default_rng(seed))
    make = partial(sphere_null_cloud, len(network), centre=centre, entries=entries)
    rng = np.random.default_rng(derive_seed(seed, "sphere"))
    return resampled_null(make, network, filtering, drawn, rng, threads)
