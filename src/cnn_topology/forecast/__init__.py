"""What each job will cost, from the sizes in the config: memory and run time that rules ask for, under the job's name.

Nothing heavy is imported here: the Snakefile is parsed in every job of a cluster.
"""

from cnn_topology.forecast.activation_jobs import (
    activation_barcodes as activation_barcodes,
)
from cnn_topology.forecast.activation_jobs import (
    activation_mapper as activation_mapper,
)
from cnn_topology.forecast.activation_jobs import (
    activation_tensor as activation_tensor,
)
from cnn_topology.forecast.activation_jobs import (
    activations as activations,
)
from cnn_topology.forecast.activation_jobs import (
    component_sensitivity as component_sensitivity,
)
from cnn_topology.forecast.activation_jobs import (
    example_images as example_images,
)
from cnn_topology.forecast.activation_jobs import (
    example_pixels as example_pixels,
)
from cnn_topology.forecast.activation_jobs import (
    layer_distances as layer_distances,
)
from cnn_topology.forecast.activation_jobs import (
    masks as masks,
)
from cnn_topology.forecast.activation_jobs import (
    measure_tests as measure_tests,
)
from cnn_topology.forecast.demand import DRAWING, NUMERIC, PLAIN, Demand
from cnn_topology.forecast.filter_jobs import (
    barcodes as barcodes,
)
from cnn_topology.forecast.filter_jobs import (
    clouds as clouds,
)
from cnn_topology.forecast.filter_jobs import (
    dynamics as dynamics,
)
from cnn_topology.forecast.filter_jobs import (
    mapper as mapper,
)
from cnn_topology.forecast.filter_jobs import (
    networks as networks,
)
from cnn_topology.forecast.filter_jobs import (
    nulls as nulls,
)
from cnn_topology.forecast.image_jobs import images as images
from cnn_topology.forecast.training_jobs import checkpoint as checkpoint
from cnn_topology.forecast.training_jobs import train as train
from cnn_topology.forecast.training_jobs import train_resnet as train_resnet

SECONDS_PER_FIGURE = 1.2

collect = Demand(PLAIN[0], 600, 1)
controls = Demand(NUMERIC[0], NUMERIC[1])
summary = cross_accuracy = Demand(1.5, 200)
provenance = Demand(PLAIN[0] + 2, 200)
purity_tests = Demand(60, 800, 1)
improvements = Demand(30, 500, 1)
claims = Demand(60, 3_000, 1)
correlations = Demand(300, 1_000, 1)


def figures(count: int) -> Demand:
    """Forecast the drawing of so many figures by one job."""
    return Demand(DRAWING[0] + SECONDS_PER_FIGURE * count, DRAWING[1], 0.6 * count)
