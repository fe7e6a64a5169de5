"""How often the 95 % interval of an onset holds the typical onset: simulated populations that learn the primary circle.

    python benchmarks/onset.py [--networks 12] [--trials 100]

Each network has 64 filters. They begin at random; 80 % of them turn to an edge of their own with noise of norm 0.6, the
others stay. The networks differ in how fast they do so (a factor of exp(normal / 3)). The onset is told as in a run:
the first snapshot from which on the longest bar of the pooled cloud exceeds the null's at every later one; typical is
the median over populations. Speeds are such that it is an early, a middle and a late snapshot.
"""

import argparse

import numpy as np

from cnn_topology.networks.patches import edge_patch, random_filters, unit
from cnn_topology.plan.clouds import Filtering
from cnn_topology.seeds import derive_seed
from cnn_topology.statistics.dynamics import onset_interval, resampled_longest, resampled_networks, resampled_null
from cnn_topology.statistics.significance import critical_value, onset
from cnn_topology.topology.patches import noisy

STEPS = np.array([50, 100, 150, 200, 250, 300, 400, 500, 700, 1000])
FILTERS, EDGES, NOISE, SPREAD, DRAWS, LEVEL = 64, 0.8, 0.6, 1 / 3, 99, 0.01


def population(networks: int, half: float, rng: np.random.Generator) -> np.ndarray:
    """Draw the filters of a population at every step, (steps, filters, 9); `half` is the step of half the way."""
    start = random_filters(networks * FILTERS, rng)
    edge = noisy(edge_patch(rng.uniform(0, 2 * np.pi, len(start))), NOISE, rng)
    speed = np.repeat(np.exp(SPREAD * rng.standard_normal(networks)), FILTERS)
    learns = rng.random(len(start)) < EDGES
    way = learns / (1 + (half / (STEPS[:, None] * speed)) ** 2)
    return unit((1 - way[..., None]) * start + way[..., None] * edge)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--networks", type=int, default=12)
    parser.add_argument("--trials", type=int, default=100)
    given = parser.parse_args()
    points = given.networks * FILTERS
    place, once = np.repeat(np.arange(given.networks), FILTERS), np.arange(given.networks)[None]
    filtering = Filtering(k=round(points / 32), p=0.3, landmarks=6_000)

    def random_of(*what: str | float) -> np.random.Generator:
        return np.random.default_rng(derive_seed(0, "onset", given.networks, *what))

    def noise(rng: np.random.Generator) -> np.ndarray:
        return random_filters(points, rng)

    drawn = resampled_networks(given.networks, DRAWS, random_of("networks"))
    plain = resampled_null(noise, place, filtering, np.repeat(once, 199, axis=0), random_of("null"))
    alike = resampled_null(noise, place, filtering, drawn, random_of("null", "resampled"))
    limit, limit_resampled = critical_value(plain, LEVEL), critical_value(alike, LEVEL)
    for half in (100.0, 250.0, 600.0):
        onsets, intervals = [], []
        for trial in range(given.trials):
            clouds = population(given.networks, half, random_of(half, trial))
            bars = [resampled_longest(cloud, place, filtering, once)[0] for cloud in clouds]
            onsets.append(onset(STEPS.tolist(), [bool(bar > limit) for bar in bars]) or np.inf)
            longest = np.stack([resampled_longest(cloud, place, filtering, drawn) for cloud in clouds])
            low, high, _ = onset_interval(STEPS.tolist(), longest, np.full(len(STEPS), limit_resampled))
            intervals.append((low or np.inf, high or np.inf))
        typical = np.quantile(onsets, 0.5, method="inverted_cdf")
        ends = np.array(intervals)
        inside = (ends[:, 0] <= typical) & (typical <= ends[:, 1])
        places = np.searchsorted(STEPS, ends)
        print(
            f"{given.networks} networks, half the way at {half:g}: typical onset {typical:g}, of single populations"
            f" {np.min(onsets):g} to {np.max(onsets):g}; in the interval in {inside.sum()} of {given.trials}, before it"
            f" in {(typical < ends[:, 0]).sum()}; an interval spans {np.mean(places[:, 1] - places[:, 0] + 1):.1f}"
            " snapshots",
            flush=True,
        )


if __name__ == "__main__":
    main()
