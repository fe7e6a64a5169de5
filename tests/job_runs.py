"""Run a job in this process, as its rule does: by a file that describes it."""

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cnn_topology.activations.cloud_file import ARRAYS, ActivationCloud, CloudOrigin, cloud_metadata
from cnn_topology.cli import main
from cnn_topology.plan.activations import ActivationClouds
from cnn_topology.plan.parameters import Parameters
from cnn_topology.plan.recorded import RecordedLayer
from cnn_topology.runs.job_files import job_text
from cnn_topology.storage.tensors import write_tensors

Paths = Mapping[str, str | Path | Iterable[str | Path]]


def run_job(parameters: Parameters, inputs: Paths, outputs: Paths, threads: int = 1, **others: Any) -> int:
    """Run a job and return its exit status.

    Parameters
    ----------
    parameters : Parameters
        Of the job.
    inputs, outputs : mapping of str to path or paths
        Its files by the names in its rule.
    threads : int
        CPU threads.
    **others
        What else belongs to the job: `resume`, `planned`.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = write_job(Path(folder) / "job.json", parameters, inputs, outputs, **others)
        return main(["job", str(file), "--threads", str(threads)])


def write_job(path: Path, parameters: Parameters, inputs: Paths, outputs: Paths, **others: Any) -> Path:
    """Write the file of a job, for a process of its own, and return its path."""
    text = job_text(parameters.verb, parameters.model_dump_json(), _named(inputs), _named(outputs), **others)
    path.write_text(text, encoding="utf-8")
    return path


def _named(files: Paths) -> dict[str, str | list[str]]:
    return {name: str(p) if isinstance(p, str | Path) else list(map(str, p)) for name, p in files.items()}


def write_cloud(path: Path, cloud: ActivationCloud, notes: Mapping[str, str]) -> None:
    """Write a cloud of activations as `cnn-topology activations` does."""
    write_tensors(path, {name: getattr(cloud, name) for name in ARRAYS}, cloud_metadata(cloud.origin, notes))


def origin_of(
    layer: str,
    depth: int,
    shape: tuple[int, int, int],
    drawn: Mapping[str, Any],
    population: str = "nets",
    **others: Any,
) -> CloudOrigin:
    """Return where a cloud comes from that was not drawn: height, width and channels of its layer, and its entry."""
    height, width, channels = shape
    named = RecordedLayer(
        name=layer, depth=depth, convolution=layer, norm=layer, channels=channels, height=height, width=width
    )
    usual = {"network": 0, "seed": 1, "weights": "0" * 64, "empty_masks": 0}
    section = ActivationClouds(population=population, **drawn)
    return CloudOrigin(population=population, layer=named, drawn=section, **{**usual, **others})
