"""`cnn-topology activations`: draw the point clouds of the layers of networks, residual ones or a user's own."""

from cnn_topology.activations.clouds import draw_clouds, looked_at
from cnn_topology.data.image_set import read_image_set
from cnn_topology.errors import InputError
from cnn_topology.networks.modules import importable
from cnn_topology.plan.activation_parameters import ExtractionParameters
from cnn_topology.runs.job import Job
from cnn_topology.storage.tensors import read_metadata
from cnn_topology.training.devices import choose_device, settings


def run(job: Job) -> None:
    """Draw each cloud from all its layers of each network in one pass over the images."""
    asked = job.parameters(ExtractionParameters)
    image_set, lineage = read_image_set(job.input("images")), read_metadata(job.input("images"))
    device, masks = choose_device("auto"), next(iter(job.inputs("masks")), None)
    clouds, tables = iter(job.outputs("clouds")), iter(job.outputs("accuracy"))
    with settings(device, job.threads, keep_memory=False), importable(asked.clouds[0].layout):
        for parameters in asked.clouds:
            look = looked_at(parameters, image_set, lineage, masks)
            for network, weights in zip(asked.networks, job.inputs("weights"), strict=True):
                paths = {layer.name: next(clouds) for layer in look.layers}
                try:
                    draw_clouds(parameters, network, look, weights, paths, next(tables), device)
                except InputError as error:
                    raise InputError(f"{parameters.population} {network}, cloud {parameters.cloud}: {error}") from error
