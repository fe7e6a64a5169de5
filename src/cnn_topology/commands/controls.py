"""`cnn-topology controls`: barcodes of synthetic clouds of known topology, by the code that reads the networks."""

import numpy as np

from cnn_topology.plan.parameters import ControlParameters
from cnn_topology.runs.job_files import Job
from cnn_topology.runs.job_tables import write_rows
from cnn_topology.seeds import derive_seed
from cnn_topology.tables.loops import ControlRow
from cnn_topology.topology.patches import edge_patch, klein_patch, noisy, random_filters, secondary_patch
from cnn_topology.topology.persistence import barcode

# The Klein bottle has two loops over Z/2 and one over Z/3; circles have as many over both.
FIELDS = (2, 3)
# Norm of the isotropic noise that is added to points of the models before they are normalized again.
NOISE = 0.2


def run(job: Job) -> None:
    """Compute the controls."""
    parameters = job.parameters(ControlParameters)
    count = parameters.controls.points

    def generator(control: str) -> np.random.Generator:
        return np.random.default_rng(derive_seed(parameters.run_seed, "control", control, count, NOISE))

    def angles(rng: np.random.Generator, points: int = count) -> np.ndarray:
        return rng.uniform(0, 2 * np.pi, points)

    def three_circles(rng: np.random.Generator) -> np.ndarray:
        third = count // 3
        circles = [edge_patch(angles(rng, count - 2 * third))]
        circles += [secondary_patch(direction, angles(rng, third)) for direction in ("vertical", "horizontal")]
        return np.concatenate(circles)

    models = {
        "primary_circle": lambda rng: edge_patch(angles(rng)),
        "three_circles": three_circles,
        "klein_bottle": lambda rng: klein_patch(angles(rng) / 2, angles(rng)),
    }
    clouds = {name: noisy(model(rng := generator(name)), NOISE, rng) for name, model in models.items()}
    clouds["random_filters"] = random_filters(count, generator("random_filters"))
    tables = []
    for name, points in clouds.items():
        for field in FIELDS:
            bars = barcode(points, field=field)
            tables.append(
                ControlRow.columns(
                    control=name,
                    points=count,
                    noise_sd=NOISE if name in models else 0.0,
                    field=field,
                    dimension=bars.dimension.astype(np.int64),
                    birth=bars.birth,
                    death=bars.death,
                )
            )
            longest = ", ".join(f"{length:.3f}" for length in bars.lengths(1)[:6])
            print(f"{name} over Z/{field}: longest H1 bars {longest}")
    write_rows(job, ControlRow, tables, parameters.notes(), finished=True)
