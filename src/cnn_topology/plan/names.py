"""Where each file of a run lies: the one place that knows, for the rules, the commands and a person at the shell."""

from pathlib import Path


class RunFolder:
    """The paths below `results/<run>/`; arguments may be values or Snakemake wildcards such as ``"{population}"``.

    What a reader looks for lies at the top: tables, figures, summary, page, config and provenance. Networks are under
    `snapshots`, point clouds of activations under `activations`, logs under `logs`, all else under `parts`.

    Parameters
    ----------
    run : str
        The run's name.
    results : str or Path
        The folder of all runs; by default as seen from where snakemake is started.
    """

    def __init__(self, run: str, results: str | Path = "results") -> None:
        self.root = f"{results}/{run}"
        # What the run found, as text, and as one page: where a reader begins.
        self.summary, self.page = f"{self.root}/summary.txt", f"{self.root}/index.html"
        # The whole config as the run was last started: defaults filled in, a `--configfile` like any other.
        self.config = f"{self.root}/config.yaml"
        # What the run was made by and what it took, for programs.
        self.provenance = f"{self.root}/provenance.json"
        # The logs of the jobs.
        self.logs = f"{self.root}/logs"
        # The parts of tables, and all that no reader looks for.
        self.parts = f"{self.root}/parts"
        # `provenance` for people: the last section of Snakemake's report.
        self.provenance_page = f"{self.parts}/provenance.txt"
        # The files that describe the jobs, and the record of the last start.
        self.jobs, self.start = f"{self.parts}/jobs", f"{self.parts}/start.json"
        # The list of the logs of all jobs, as the run was last started as a whole; earlier configs left other logs.
        self.job_logs = f"{self.parts}/logs.txt"
        # The states from which stopped training jobs go on.
        self.resumes = f"{self.parts}/resume"

    @classmethod
    def at(cls, folder: Path) -> "RunFolder":
        """Return the paths below a folder that holds a run, under whatever name."""
        return cls(folder.name, folder.parent)

    def images(self, name: str) -> str:
        """Return the path of a prepared image set."""
        return f"{self.parts}/images/{name}.safetensors"

    def inputs(self, name: str) -> str:
        """Return the path of the manifest of a user's own files, ``"images/leaves"``; no rule's output."""
        return f"{self.parts}/inputs/{name}.json"

    def snapshot(self, population: str, shard: int | str, step: int | str) -> str:
        """Return the path of the weights of a shard at one iteration."""
        return f"{self.root}/snapshots/{population}/{_digits(shard, 4)}/{_digits(step, 8)}.safetensors"

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


def _digits(value: int | str, width: int) -> str:
    return value if isinstance(value, str) else f"{value:0{width}d}"
