"""`cnn-topology train-resnet`: train one residual network, or take its weights from a checkpoint."""

from cnn_topology.data.image_set import read_image_set
from cnn_topology.plan.activation_parameters import ResNetParameters
from cnn_topology.runs.job import Job
from cnn_topology.seeds import derive_seed
from cnn_topology.storage.atomic import file_checksum
from cnn_topology.storage.manifest import check_unchanged
from cnn_topology.storage.tensors import read_metadata
from cnn_topology.training.resnets import ResNetJob, make_weights


def run(job: Job) -> None:
    """Build the network."""
    parameters = job.parameters(ResNetParameters)
    images, checkpoint, others = job.input("images"), job.inputs("checkpoint"), job.inputs("others")
    # The name of a checkpoint stands in the parameters; its content must show in the lineage too.
    inputs = [read_metadata(images), *({"config": file_checksum(path)} for path in checkpoint if path.is_file())]
    make_weights(
        ResNetJob(
            population=parameters.population,
            network=parameters.network,
            seed=derive_seed(parameters.run_seed, "resnet", parameters.population, parameters.network),
            section=parameters.section,
            image_set=read_image_set(images),
            weights_path=job.output("weights"),
            log_path=job.output("log_table"),
            resume_folder=job.resume,
            checkpoint=next(iter(checkpoint), None),
            others=others,
            threads=job.threads,
            notes=parameters.notes(inputs),
        )
    )
    if checkpoint:
        # Of a job that fails, Snakemake keeps no output.
        check_unchanged({str(path): path for path in (*others, *checkpoint)}, job.planned)
