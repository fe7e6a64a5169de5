"""`cnn-topology train-resnet`: train one residual network, or take its weights from a checkpoint."""

import argparse
from pathlib import Path

from cnn_topology.data.image_set import read_image_set
from cnn_topology.plan.activation_parameters import ResNetParameters
from cnn_topology.seeds import derive_seed
from cnn_topology.storage.atomic import file_checksum
from cnn_topology.storage.manifest import check_unchanged
from cnn_topology.storage.tensors import read_metadata
from cnn_topology.training.resnets import ResNetJob, make_weights


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--parameters", required=True, type=ResNetParameters.parse, help="JSON: the network, its layout and recipe"
    )
    parser.add_argument("--images", required=True, type=Path, help="the prepared training set")
    parser.add_argument("--checkpoint", type=Path, help="weights to take in place of training")
    parser.add_argument("--others", nargs="*", default=[], type=Path, help="weights it must not be a copy of")
    parser.add_argument("--planned", nargs=2, metavar=("MANIFEST", "DIGEST"), help="these weights as they were planned")
    parser.add_argument("--weights", required=True, type=Path, help="the weights (.safetensors)")
    parser.add_argument("--log-table", required=True, type=Path, help="the training log (.parquet)")
    parser.add_argument("--resume", required=True, type=Path, help="folder for what a stopped job needs to go on")
    parser.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"], help="where to train")
    parser.add_argument("--threads", default=1, type=int, help="CPU threads")


def run(arguments: argparse.Namespace) -> None:
    """Build the network."""
    parameters: ResNetParameters = arguments.parameters
    inputs = [read_metadata(arguments.images)]
    if arguments.checkpoint is not None and arguments.checkpoint.is_file():
        # Its name stands in the parameters; its content must show in the lineage too.
        inputs.append({"config": file_checksum(arguments.checkpoint)})
    make_weights(
        ResNetJob(
            population=parameters.population,
            network=parameters.network,
            seed=derive_seed(parameters.run_seed, "resnet", parameters.population, parameters.network),
            section=parameters.section,
            image_set=read_image_set(arguments.images),
            weights_path=arguments.weights,
            log_path=arguments.log_table,
            resume_folder=arguments.resume,
            checkpoint=arguments.checkpoint,
            others=arguments.others,
            device=arguments.device,
            threads=arguments.threads,
            notes=parameters.notes(inputs),
        )
    )
    if arguments.checkpoint is not None:
        # Of a job that fails, Snakemake keeps no output.
        read = [*arguments.others, arguments.checkpoint]
        check_unchanged({str(path): path for path in read}, arguments.planned)
