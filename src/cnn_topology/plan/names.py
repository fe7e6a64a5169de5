"""Where each file of a run lies: the one place that knows, for the rules, the commands and a person at the shell."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RunFolder:
    """The paths below `results/<run>/`; arguments may be values or Snakemake wildcards such as ``"{population}"``.

    What a reader looks for lies at the top: tables, figures, summary, page, config and provenance. Networks are under
    `snapshots`, point clouds of activations under `activations`, logs under `logs`, all else under `parts`.

    Attributes
    ----------
    run : str
        The run's name.
    results : str or Path
        The folder of all runs; by default as seen from where snakemake is started.
    """

    run: str
    results: str | Path = "results"

    @classmethod
    def at(cls, folder: Path) -> "RunFolder":
        """Return the paths below a folder that holds a run, under whatever name."""
        return cls(folder.name, folder.parent)

    @property
    def root(self) -> str:
        """The run's folder."""
        return f"{self.results}/{self.run}"

    @property
    def parts(self) -> str:
        """The folder of the parts of tables and of all that no reader looks for."""
        return f"{self.root}/parts"

    @property
    def logs(self) -> str:
        """The folder of the jobs' logs."""
        return f"{self.root}/logs"

    def images(self, name: str) -> str:
        """Return the path of a prepared image set."""
        return f"{self.parts}/images/{name}.safetensors"

    def inputs(self, name: str) -> str:
        """Return the path of the manifest of a user's own files, ``"images/leaves"``; no rule's output."""
        return f"{self.parts}/inputs/{name}.json"

    def snapshots(self, population: str, shard: int | str) -> str:
        """Return the folder of a shard's snapshots."""
        return f"{self.root}/snapshots/{population}/{_digits(shard, 4)}"

    def snapshot(self, population: str, shard: int | str, step: int | str) -> str:
        """Return the path of the weights of a shard at one iteration."""
        return f"{self.snapshots(population, shard)}/{_digits(step, 8)}.safetensors"

    @property
    def resumes(self) -> str:
        """The folder of the states from which stopped training jobs go on."""
        return f"{self.parts}/resume"

    def resume(self, population: str, shard: int | str) -> str:
        """Return the folder where a training job keeps what it needs to go on after a stop; no rule's output."""
        return f"{self.resumes}/{population}/{_digits(shard, 4)}"

    def resnet(self, population: str, network: int | str) -> str:
        """Return the path of the weights of one residual network."""
        return f"{self.root}/snapshots/{population}/{_digits(network, 4)}.safetensors"

    def activations(self, population: str, network: int | str, layer: str, cloud: str) -> str:
        """Return the path of the cloud of one layer of one residual network."""
        return f"{self.root}/activations/{population}/{_digits(network, 4)}/{layer}/{cloud}.safetensors"

    def masks(self, population: str, images: str) -> str:
        """Return the path of the masks of some images, ``test-1000``."""
        return f"{self.parts}/masks/{population}/{images}.safetensors"

    def part(self, table: str, *keys: int | str) -> str:
        """Return the path of one job's part of a table, by what it is of, as population, layer and block."""
        return f"{self.parts}/{table}/{'/'.join(_digits(key, 4) for key in keys)}.parquet"

    def table(self, name: str) -> str:
        """Return the path of a whole table."""
        return f"{self.root}/tables/{name}.parquet"

    def figure(self, name: str, suffix: str) -> str:
        """Return the path of a figure: `pdf`, `png`, of mapper graphs `html`; its data `parquet`, its caption `txt`."""
        return f"{self.root}/figures/{name}.{suffix}"

    def log(self, rule: str, item: str = "all") -> str:
        """Return the path of a job's log."""
        return f"{self.logs}/{rule}/{item}.log"

    def job(self, output: str, digest: str) -> str:
        """Return the path of the file that describes a job, by the first file that the job makes; no rule's output."""
        return f"{self.jobs}/{output.removeprefix(f'{self.root}/').removeprefix('parts/')}.{digest}.json"

    @property
    def jobs(self) -> str:
        """The folder of the files that describe the run's jobs."""
        return f"{self.parts}/jobs"

    @property
    def job_logs(self) -> str:
        """The list of the logs of all jobs, as the run was last started as a whole; earlier configs left other logs."""
        return f"{self.parts}/logs.txt"

    @property
    def start(self) -> str:
        """The record of the last start of the run."""
        return f"{self.parts}/start.json"

    @property
    def summary(self) -> str:
        """What the run found, as text."""
        return f"{self.root}/summary.txt"

    @property
    def page(self) -> str:
        """What the run found, as one page: where a reader begins."""
        return f"{self.root}/index.html"

    @property
    def config(self) -> str:
        """The whole config of the run as it was last started: defaults filled in, a `--configfile` like any other."""
        return f"{self.root}/config.yaml"

    @property
    def provenance(self) -> str:
        """What the run was made by and what it took, for programs."""
        return f"{self.root}/provenance.json"

    @property
    def provenance_page(self) -> str:
        """The same for people: the last section of the report."""
        return f"{self.parts}/provenance.txt"


def _digits(value: int | str, width: int) -> str:
    return value if isinstance(value, str) else f"{value:0{width}d}"
