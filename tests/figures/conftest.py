"""Synthetic tables of a small run, in the schemas of the package: circles of patches with noise, real barcodes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from known_shapes import klein_bottle, primary_circle, three_circles

from cnn_topology.analysis.filter_graph import mapper_tables
from cnn_topology.plan.clouds import Filtering
from cnn_topology.plan.config import parse_config
from cnn_topology.plan.expand import Plan
from cnn_topology.plan.mapper import MapperRecipe
from cnn_topology.statistics.circles import circle_test
from cnn_topology.statistics.null_clouds import permuted_null
from cnn_topology.statistics.nulls import null_draws
from cnn_topology.tables.filters import CIRCLE_ARCS
from cnn_topology.tables.loops import CloudKey, filtering_key
from cnn_topology.tables.registry import TABLES
from cnn_topology.topology.circles import CIRCLES
from cnn_topology.topology.patches import noisy, random_filters
from cnn_topology.topology.persistence import barcode

STEPS = [0, 10, 30, 100, 300, 1_000, 2_000]
NULLS = {"sphere": 0.34, "permuted": 0.29}
DRAWS = 199


def run_config(populations: int = 2, networks: int = 16, steps: list[int] = STEPS) -> dict[str, Any]:
    names = ["digits", "printed", *(f"printed_shuffled_labels_{n}" for n in range(2, populations))][:populations]
    densities = [{"k": k, "p": p} for k in (32, 8, 100) for p in (0.3, 0.1, 0.2)]
    return {
        "version": 2,
        "name": "synthetic",
        "images": {"digits": {"kind": "digits"}, "printed": {"kind": "printed"}},
        "populations": {
            name: {
                "images": "digits" if name == "digits" else "printed",
                "architecture": {"convolutions": [64, 8, 8], "dense": [64]},
                "recipe": {"iterations": steps[-1]},
                "networks": networks,
                "snapshots": {"iterations": steps},
                "cross_test": ["printed"] if name == "digits" else ["digits"],
            }
            for name in names
        },
        "clouds": [{"layers": "all", "landmarks": 200, "densities": densities}],
        "significance": {"draws": DRAWS},
        "mapper": {"sweep": [{"resolution": 20}, {"equalized": True}, {"gap_from_zero": True}]},
        "controls": {"points": 200},
    }


def learned(step: int, last: int) -> float:
    """Describe how far training has come, 0 to 1."""
    return float(np.log1p(step) / np.log1p(last))


class Maker:
    """Fills the tables of a plan row by row."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.rng = np.random.default_rng(3)
        self.rows: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}

    def tables(self) -> dict[str, pa.Table]:
        for clouds in self.plan.layer_clouds:
            for step, filterings in clouds.filterings.items():
                for filtering in filterings:
                    self.cloud(clouds, step, filtering, headline=filtering is filterings[0])
        for name in self.plan.config.populations:
            self.training(name)
        self.nulls()
        self.controls()
        for name, rows in self.rows.items():
            strangers = {column for row in rows for column in row} - set(TABLES[name].schema.names)
            assert not strangers, f"{name} has no column {', '.join(sorted(strangers))}"
        return {
            name: pa.Table.from_pylist(rows, schema=TABLES[name].schema) if rows else TABLES[name].schema.empty_table()
            for name, rows in self.rows.items()
        }

    def cloud(self, clouds: Any, step: int, filtering: Filtering, *, headline: bool) -> None:
        done = learned(step, max(clouds.filterings)) * (1.0 if clouds.layer.depth == 1 else 0.35)
        kept = int(filtering.p * clouds.points)
        key = {
            "population": clouds.population,
            "layer": clouds.layer.name,
            "depth": clouds.layer.depth,
            "step": step,
            **vars(filtering_key(filtering, clouds.points)),
        }
        used = min(kept, filtering.landmarks)
        ends = step in (min(clouds.filterings), max(clouds.filterings))
        bars = np.array([[0.3, 0.35 + 0.9 * done * self.rng.uniform(0.8, 1)], [0.4, 0.6 + 0.05 * self.rng.uniform()]])
        if headline and ends:
            bars = self.filters(key, clouds, kept, used, done)
        lengths = np.sort(bars[:, 1] - bars[:, 0])[::-1]
        significant = int((lengths > max(NULLS.values())).sum())
        p_value = 1 / (DRAWS + 1) if significant else 0.4
        for null, critical in NULLS.items():
            wiggle = critical + 0.02 * self.rng.uniform()
            self.rows["significance"].append(
                {
                    **key,
                    "null_name": null,
                    "draws": DRAWS,
                    "null_longest_median": 0.7 * critical,
                    "null_longest_95": 0.9 * critical,
                    "null_critical": wiggle,
                    "p_longest": p_value,
                    "p_ratio": p_value,
                    "significant_bars": significant,
                }
            )
        one = significant == 1 and lengths[0] > 3 * lengths[1]
        self.rows["loops"].append(
            {
                **key,
                "points": clouds.points,
                "constant": 0,
                "kept": kept,
                "used": used,
                "covering_radius": 0.21 if used < kept else 0.0,
                "networks": clouds.points // clouds.layer.filters,
                "headline": headline,
                "kernel_side": 3,
                "engine": "ripser",
                "bars": len(bars),
                "longest": lengths[0],
                "longest_birth": bars[0, 0],
                "longest_death": bars[0, 1],
                "second": lengths[1],
                "ratio": lengths[0] / lengths[1],
                "significant_bars": significant,
                "p_longest": p_value,
                "p_ratio": p_value,
                "p_bobrowski_skraba": p_value,
                "covariance_longest_median": 0.4,
                "p_covariance": 0.35,
                "power_circle": 0.9,
                "power_faint_circle": 0.4,
                "power_in_range": True,
                "lowpass_longest_median": 0.38,
                "p_lowpass": 0.25,
                "block_ratio": 1.5,
                "block_longest_median": 0.31,
                "p_block": 0.15,
                "verdict_stability": 0.8,
                "stability_draws": 99,
                "verdict": "one loop" if one else "several loops" if significant else "no loop",
            }
        )

    def filters(self, key: dict[str, Any], clouds: Any, kept: int, used: int, done: float) -> np.ndarray:
        """Fill the filters and bars of a headline cloud, and return its H1 bars."""
        circle = primary_circle(kept)[self.rng.permutation(kept)]
        patches = noisy(circle * (done > 0), 1.3 - 1.1 * done, self.rng) if done else random_filters(kept, self.rng)
        if key["step"] == max(clouds.filterings):
            made = mapper_tables(CloudKey(**key), patches, np.zeros(len(patches), int), MapperRecipe(resolution=8), 0)
            for name, table in made.items():
                self.rows[name] += table.to_pylist()
            (graph,) = made["mapper_graphs"].to_pylist()
            ways = {"as drawn": 1, "resolution 20": 0, "equalized": 5, "cut at 0.4": 1}
            self.rows["mapper_sweep"] += [{**graph, "filled_loops": n, "change": way} for way, n in ways.items()]
        all_of_them = Filtering(k=1, p=1.0)
        null = null_draws(permuted_null(patches), [all_of_them], range(2), ("circles", kept), [all_of_them])
        test = circle_test(patches, null[all_of_them])
        for number, circle in enumerate(CIRCLES):
            row = {
                "circle": circle,
                "kept": kept,
                "near_distance": 0.5,
                "shuffles": 2,
                "significant_bars": 1,
                "degree": 1,
            }
            row |= {"within": int(test.found.within[number].sum()), "nearest": int(test.found.counts()[number])}
            row |= {"permuted": test.permuted[number], "sphere": test.sphere[number], "p_permuted": 0.01}
            row |= {"coverage": test.found.coverage()[number], "permuted_coverage": test.permuted_coverage[number]}
            row |= dict(zip(CIRCLE_ARCS, test.found.arc_counts()[number].tolist(), strict=True))
            self.rows["circles"].append(
                {
                    **key,
                    **row,
                    "fifth": 0.1,
                    "sixth": 0.08,
                    "near_bottle": 0.9,
                    "off_circles": 0.1,
                    "shape": "primary circle",
                }
            )
        plane = np.linalg.svd(patches - patches.mean(0), full_matrices=False)
        plane12 = (patches - patches.mean(0)) @ plane[2][:2].T
        theta = np.mod(np.arctan2(patches[:, 1] - patches[:, 7], patches[:, 5] - patches[:, 3]), 2 * np.pi)
        theta2 = np.mod(np.pi / 2 + (1.2 - done) * self.rng.normal(size=kept), 2 * np.pi)
        for number in range(kept):
            self.rows["filters"].append(
                {
                    **key,
                    "network": number % 16,
                    "out_channel": number % 64,
                    "in_channel": number // 64,
                    "neighbour_distance": 0.5,
                    "coordinates": patches[number],
                    "plane1": plane12[number, 0],
                    "plane2": plane12[number, 1],
                    "theta1": theta[number],
                    "theta2": theta2[number],
                    "residual": float(np.abs(self.rng.normal(1.0 - 0.8 * done, 0.1))),
                    "model": "primary circle",
                }
            )
        found = barcode(patches[:used], engine="ripser")
        for dimension, birth, death in zip(found.dimension, found.birth, found.death, strict=True):
            bar = {"field": 2, "dimension": int(dimension), "birth": birth, "death": death, "p_value": 1.0}
            self.rows["barcodes"].append({**key, **bar})
        return found.in_dimension(1)

    def training(self, name: str) -> None:
        population = self.plan.populations[name]
        steps = self.plan.steps(name)
        sets = [(population.images, "train", 0.98), (population.images, "test", 0.95)]
        sets += [(other, "test", 0.35) for other in population.cross_test]
        for network in range(population.networks):
            broken = name == "printed" and network in (3, 7)
            for step in steps:
                failed = broken and step > 100
                for images, split, best in sets:
                    accuracy = 0.1 + (best - 0.1) * learned(step, steps[-1]) + self.rng.normal(0, 0.015)
                    self.rows["training"].append(
                        {
                            "population": name,
                            "network": network,
                            "seed": network,
                            "step": step,
                            "epoch": step / 100,
                            "images": images,
                            "split": split,
                            "examples": 1_000,
                            "loss": float("nan") if failed else 1 - accuracy,
                            "accuracy": float("nan") if failed else accuracy,
                            "failed": failed,
                        }
                    )

    def nulls(self) -> None:
        for (points, side), of_size in self.plan.null_sizes.items():
            for centre, filtering in ((centre, of) for centre, filterings in of_size.items() for of in filterings):
                for draw in range(DRAWS):
                    longest = self.rng.gumbel(0.24, 0.025)
                    self.rows["nulls"].append(
                        {
                            "null_name": "sphere",
                            "points": points,
                            "kernel_side": side,
                            **vars(filtering_key(filtering, points)),
                            "centre": centre,
                            "draw": draw,
                            "longest": longest,
                            "second": 0.9 * longest,
                            "largest_ratio": 1.3,
                        }
                    )

    def controls(self) -> None:
        size, noise = self.plan.config.controls.points, 0.1
        clouds = {
            "primary_circle": primary_circle(size),
            "three_circles": three_circles(size // 3),
            "klein_bottle": klein_bottle(14, size // 14),
            "random_filters": random_filters(size, self.rng),
        }
        for control, points in clouds.items():
            for field in (2, 3):
                found = barcode(noisy(points, noise, self.rng), field=field, engine="ripser")
                for dimension, birth, death in zip(found.dimension, found.birth, found.death, strict=True):
                    bar = {"dimension": int(dimension), "birth": birth, "death": death}
                    about = {"control": control, "points": len(points), "noise_sd": noise, "field": field}
                    self.rows["controls"].append({**about, **bar})


@pytest.fixture(scope="session")
def make_plan() -> Callable[..., Plan]:
    return lambda **changes: Plan(parse_config(run_config(**changes)))


@pytest.fixture(scope="session")
def plan(make_plan: Callable[..., Plan]) -> Plan:
    return make_plan()


@pytest.fixture(scope="session")
def tables(plan: Plan) -> dict[str, pa.Table]:
    return Maker(plan).tables()


@pytest.fixture(scope="session")
def empty_tables() -> dict[str, pa.Table]:
    return {name: row.schema.empty_table() for name, row in TABLES.items()}


@pytest.fixture(scope="session")
def notes() -> dict[str, str]:
    return {"seed": "2018", "config": "1f0c9b7a5e21", "data": "printed:0f3a9c,digits:77b1"}
