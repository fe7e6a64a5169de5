"""`cnn-topology train-resnet`: train one residual network, or take one from a checkpoint or a user's module."""

from pathlib import Path

from cnn_topology.data.image_set import read_image_set
from cnn_topology.plan.activation_parameters import ResNetParameters
from cnn_topology.plan.recorded import ModuleNetworks
from cnn_topology.runs.job import Job
from cnn_topology.seeds import derive_seed
from cnn_topology.storage.atomic import file_checksum
from cnn_topology.storage.manifest import check_unchanged
from cnn_topology.storage.tensors import read_metadata
from cnn_topology.training.resnets import ResNetJob, make_weights


def run(job: Job) -> None:
    """Build the network."""
    parameters = job.parameters(ResNetParameters)
    section = parameters.section
    code = section.recorded.code if isinstance(section, ModuleNetworks) and section.recorded else ()
    images, checkpoint, others = job.input("images"), job.inputs("checkpoint"), job.inputs("others")
    # Names of files stand in the parameters; their content must show in the lineage too. That of a module's code makes
    # weights of other bytes, by which Snakemake draws the clouds again, though a start ended in between.
    files = [*map(Path, code), *checkpoint]
    inputs = [read_metadata(images), *({"config": file_checksum(path)} for path in files if path.is_file())]
    make_weights(
        ResNetJob(
            population=parameters.population,
            network=parameters.network,
            seed=derive_seed(parameters.run_seed, "resnet", parameters.population, parameters.network),
            section=section,
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
    if read := (*map(Path, code), *others, *checkpoint):
        # Of a job that fails, Snakemake keeps no output.
        check_unchanged({str(path): path for path in read}, job.planned)
