"""`cnn-topology activation-tensor`: the activation tensor of one image, from a cloud of all positions."""

from cnn_topology.activations.cloud_file import read_cloud
from cnn_topology.analysis.images import tensor_of
from cnn_topology.plan.activation_parameters import ActivationTensorParameters
from cnn_topology.runs.job import Job
from cnn_topology.tables.images import ActivationTensorRow


def run(job: Job) -> None:
    """Write the tensor of the first image that has all positions."""
    table = tensor_of(read_cloud(job.input("cloud")))
    job.write_rows(ActivationTensorRow, table, job.notes(job.parameters(ActivationTensorParameters)))
