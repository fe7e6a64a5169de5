"""`cnn-topology activation-barcodes`: persistent homology of the activation clouds of all layers of a network."""

from cnn_topology.activations.cloud_file import read_network
from cnn_topology.comparison.clouds import median_distance, sampled
from cnn_topology.plan.activation_parameters import ActivationBarcodeParameters
from cnn_topology.runs.job import Job
from cnn_topology.tables.layers import ActivationBarRow
from cnn_topology.topology.persistence import barcode


def run(job: Job) -> None:
    """Compute the bars in dimension 0 and 1 of every layer."""
    parameters = job.parameters(ActivationBarcodeParameters)
    parts = []
    for cloud in read_network(job.inputs("clouds"), parameters.population, parameters.cloud, parameters.network):
        points = sampled(cloud).points
        found = barcode(points, threads=job.threads)
        origin = cloud.origin
        table = ActivationBarRow.columns(
            **origin.columns,
            points=len(points),
            median_distance=median_distance(points),
            dimension=found.dimension,
            birth=found.birth,
            death=found.death,
        )
        parts.append(table)
        print(f"{origin.layer.name}: {len(points)} points, {len(found.lengths(1))} H1 bars", flush=True)
    job.write_rows(ActivationBarRow, parts, job.notes(parameters))
