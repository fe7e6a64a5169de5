"""`cnn-topology controls`: barcodes of synthetic clouds of known topology, by the code that reads the networks."""

import numpy as np

from cnn_topology.networks.patches import random_filters
from cnn_topology.plan.parameters import ControlParameters
from cnn_topology.runs.job import Job
from cnn_topology.seeds import derive_seed
from cnn_topology.tables.loops import ControlRow
from cnn_topology.topology.models import SHAPES
from cnn_topology.topology.patches import noisy
from cnn_topology.topology.persistence import barcode

# The Klein bottle has two loops over Z/2 and one over Z/3; circles have as many over both.
FIELDS = (2, 3)
# Norm of the isotropic noise that is added to points of the models before they are normalized again.
NOISE = 0.2
# By name of the control: the model that it is drawn from.
CONTROLS = {
    "primary_circle": "primary circle",
    "three_circles": "three circles",
    "klein_bottle": "Klein bottle",
    "random_filters": "noise",
}


def run(job: Job) -> None:
    """Compute the controls."""
    parameters = job.parameters(ControlParameters)
    count = parameters.controls.points
    tables = []
    for name, model in CONTROLS.items():
        noise = NOISE if model in SHAPES else 0.0
        rng = np.random.default_rng(derive_seed(parameters.run_seed, "control", name, count, NOISE))
        points = noisy(SHAPES[model](count, rng), noise, rng) if noise else random_filters(count, rng)
        for field in FIELDS:
            bars = barcode(points, field=field)
            tables.append(
                ControlRow.columns(
                    control=name,
                    points=count,
                    noise_sd=noise,
                    field=field,
                    dimension=bars.dimension,
                    birth=bars.birth,
                    death=bars.death,
                )
            )
    job.write_rows(ControlRow, tables, parameters.notes(), finished=True)
