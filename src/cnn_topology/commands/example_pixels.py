"""`cnn-topology example-pixels`: images that figures show, with masks, position weights and noise."""

from cnn_topology.analysis.images import panel_table, panels
from cnn_topology.data.image_set import read_image_set
from cnn_topology.plan.activation_parameters import ExamplePixelParameters
from cnn_topology.runs.job import Job
from cnn_topology.tables.images import ExamplePixelRow


def run(job: Job) -> None:
    """Write the pixels of a few images."""
    parameters = job.parameters(ExamplePixelParameters)
    image_set = read_image_set(job.input("images"))
    parts = [panel_table(parameters, *panel) for panel in panels(parameters, image_set)]
    job.write_rows(ExamplePixelRow, parts, job.notes(parameters))
