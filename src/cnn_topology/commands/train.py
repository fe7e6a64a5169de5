"""`cnn-topology train`: train one shard of a population and keep its snapshots."""

import argparse
import sys
from pathlib import Path

import numpy as np

from cnn_topology.data.image_set import read_image_set
from cnn_topology.errors import InputError
from cnn_topology.networks.first_layer import mean_filter_norm
from cnn_topology.plan.first_layer import FixedFirstLayer
from cnn_topology.plan.parameters import TrainParameters
from cnn_topology.plan.populations import Architecture, Population
from cnn_topology.storage.tensors import read_metadata
from cnn_topology.training.snapshots import read_snapshot
from cnn_topology.training.train import TrainingJob, train_shard


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--parameters", required=True, type=TrainParameters.parse, help="JSON: the shard and its recipe"
    )
    parser.add_argument("--images", required=True, type=Path, help="the prepared training set")
    parser.add_argument("--cross-test", nargs="*", default=[], type=Path, help="prepared sets to test on besides")
    parser.add_argument(
        "--matched",
        nargs="*",
        default=[],
        type=Path,
        help="last snapshots of the population whose filter norm is taken",
    )
    parser.add_argument("--snapshots", required=True, nargs="+", type=Path, help="the snapshots, one file a step")
    parser.add_argument("--log-table", required=True, type=Path, help="the training log (.parquet)")
    parser.add_argument("--resume", required=True, type=Path, help="folder for what a stopped job needs to go on")
    parser.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"], help="where to train")
    parser.add_argument("--threads", default=1, type=int, help="CPU threads")


def run(arguments: argparse.Namespace) -> None:
    """Train the shard."""
    parameters: TrainParameters = arguments.parameters
    inputs = [read_metadata(path) for path in (arguments.images, *arguments.cross_test, *arguments.matched)]
    train_shard(
        TrainingJob(
            population=parameters.population,
            section=Population(
                images=parameters.images,
                architecture=_with_norm(parameters.architecture, arguments.matched),
                recipe=parameters.recipe,
                networks=parameters.first + parameters.count,
                cross_test=parameters.cross_test,
            ),
            shard=parameters.shard,
            first=parameters.first,
            count=parameters.count,
            run_seed=parameters.run_seed,
            steps=parameters.steps,
            test_steps=parameters.test_steps,
            image_set=read_image_set(arguments.images),
            cross_test={
                name: read_image_set(path)
                for name, path in zip(parameters.cross_test, arguments.cross_test, strict=True)
            },
            snapshots_folder=arguments.snapshots[0].parent,
            log_path=arguments.log_table,
            resume_folder=arguments.resume,
            device=arguments.device,
            threads=arguments.threads,
            notes=parameters.notes(inputs),
        )
    )


def _with_norm(architecture: Architecture, matched: list[Path]) -> Architecture:
    """Put the mean norm of a trained population's filters in the place of its name."""
    first = architecture.first_layer
    if not isinstance(first, FixedFirstLayer) or first.matched_to is None:
        return architecture
    snapshots = [read_snapshot(path, ["conv1.weight"]) for path in matched]
    whole = [shot.tensors["conv1.weight"][~np.array(shot.failed)] for shot in snapshots]
    if not any(map(len, whole)):
        raise InputError(
            f"first_layer.matched_to: every network of {first.matched_to} had failed; give `norm` a number"
        )
    norm = mean_filter_norm(np.concatenate(whole))
    print(f"first layer: mean norm {norm:.4f}, as the trained filters of {first.matched_to}", file=sys.stderr)
    return architecture.model_copy(update={"first_layer": FixedFirstLayer(kind=first.kind, norm=norm, bias=first.bias)})
