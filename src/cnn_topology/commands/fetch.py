"""`cnn-topology fetch`: download the data and weights of a run, for machines whose jobs have no network."""

import argparse
from pathlib import Path

from cnn_topology.data.originals import load_original
from cnn_topology.networks.pretrained import torchvision_file
from cnn_topology.plan.checkpoints import TorchvisionCheckpoint
from cnn_topology.plan.config import read_config
from cnn_topology.plan.images import TorchvisionImages


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--configfile", default=Path("config/demo.yaml"), type=Path, help="the run's config")


def run(arguments: argparse.Namespace) -> None:
    """Download what is missing, and check by their checksums all files that a run would read."""
    config = read_config(arguments.configfile)
    fetched = 0
    for name, images in config.images.items():
        if isinstance(images, TorchvisionImages):
            count = len(load_original(name, images).train_labels)
            print(f"images.{name}: {images.kind} is in {images.folder}, {count:,} training images", flush=True)
            fetched += 1
    for name, section in config.checkpoints.items():
        if isinstance(section, TorchvisionCheckpoint):
            print(f"checkpoints.{name}: {torchvision_file(section.model, Path(section.folder))}", flush=True)
            fetched += 1
    if not fetched:
        print(f"{arguments.configfile}: a run of this config downloads nothing")
