"""Where each artefact of a run stands: the one place that knows, for the rules and for a person at the shell."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RunFolder:
    """The paths below `results/<run>/`; arguments may be values or Snakemake wildcards such as ``"{population}"``."""

    run: str

    @property
    def root(self) -> str:
        """The run's folder, relative to where snakemake is started."""
        return f"results/{self.run}"

    def images(self, name: str) -> str:
        """Return the path of a prepared image set."""
        return f"{self.root}/images/{name}.safetensors"

    def inputs(self, name: str) -> str:
        """Return the path of the manifest of a user's own files, ``"images/leaves"``; no rule's output."""
        return f"{self.root}/inputs/{name}.json"

    def snapshots(self, population: str, shard: int | str) -> str:
        """Return the folder of a shard's snapshots."""
        return f"{self.root}/snapshots/{population}/{_digits(shard, 4)}"

    def snapshot(self, population: str, shard: int | str, step: int | str) -> str:
        """Return the path of the weights of a shard at one iteration."""
        return f"{self.snapshots(population, shard)}/{_digits(step, 8)}.safetensors"

    def training(self, population: str, shard: int | str) -> str:
        """Return the path of a shard's training log."""
        return f"{self.root}/training/{population}/{_digits(shard, 4)}.parquet"

    def resume(self, population: str, shard: int | str) -> str:
        """Return the folder where a training job keeps what it needs to go on after a stop; no rule's output."""
        return f"{self.root}/resume/{population}/{_digits(shard, 4)}"

    def resnet(self, population: str, network: int | str) -> str:
        """Return the path of the weights of one residual network."""
        return f"{self.root}/resnets/{population}/{_digits(network, 4)}.safetensors"

    def resnet_training(self, population: str, network: int | str) -> str:
        """Return the path of the training log of one residual network."""
        return f"{self.root}/resnet_training/{population}/{_digits(network, 4)}.parquet"

    def activations(self, population: str, network: int | str, layer: str, cloud: str) -> str:
        """Return the path of the cloud of one layer of one residual network."""
        return f"{self.root}/activations/{population}/{_digits(network, 4)}/{layer}/{cloud}.safetensors"

    def masks(self, population: str, images: str) -> str:
        """Return the path of the masks of some images, ``test-1000``."""
        return f"{self.root}/masks/{population}/{images}.safetensors"

    def masks_part(self, table: str, population: str, images: str) -> str:
        """Return the path of one job's part of a table about masks."""
        return f"{self.root}/{table}/{population}/{images}.parquet"

    def example_pixels(self, population: str) -> str:
        """Return the path of the images of a population that figures show."""
        return f"{self.root}/example_pixels/{population}.parquet"

    def accuracy(self, population: str, network: int | str, cloud: str) -> str:
        """Return the path of the accuracy of one residual network on the images of a cloud, with its noise."""
        return f"{self.root}/resnet_accuracy/{population}/{_digits(network, 4)}/{cloud}.parquet"

    def part(self, table: str, population: str, layer: str, block: int | str) -> str:
        """Return the path of one job's part of a table such as `clouds` or `barcodes`."""
        return f"{self.root}/{table}/{population}/{layer}/{_digits(block, 4)}.parquet"

    def graph_part(
        self, table: str, population: str, network: int | str, recipe: str, cloud: str, block: int | str
    ) -> str:
        """Return the path of one job's part of a table about mapper graphs of activations."""
        return f"{self.root}/{table}/{population}/{_digits(network, 4)}/{recipe}/{cloud}/{_digits(block, 4)}.parquet"

    @property
    def network_correlations(self) -> str:
        """What single networks add to the table of correlations."""
        return f"{self.root}/correlations/networks.parquet"

    def null(self, points: int | str) -> str:
        """Return the path of the sphere null for clouds of so many points."""
        return f"{self.root}/nulls/{points}.parquet"

    def table(self, name: str) -> str:
        """Return the path of a whole table."""
        return f"{self.root}/tables/{name}.parquet"

    def name_of_part(self, table: str, path: str) -> str:
        """Return the name that a part of a table has in the folder of the table's parts."""
        return path.removeprefix(f"{self.root}/{table}/")

    def figure(self, name: str, suffix: str) -> str:
        """Return the path of a figure (`pdf`, `png`; mapper graphs also `html`) or of its exact data (`parquet`)."""
        return f"{self.root}/figures/{name}.{suffix}"

    def log(self, rule: str, item: str = "all") -> str:
        """Return the path of a job's log."""
        return f"{self.root}/logs/{rule}/{item}.log"

    @property
    def jobs(self) -> str:
        """The logs of the run's jobs as it was last started as a whole: a job of an earlier config left others."""
        return f"{self.root}/logs/jobs.txt"

    @property
    def summary(self) -> str:
        """What the run found, as text."""
        return f"{self.root}/summary.txt"

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
        return f"{self.root}/provenance.txt"

    @property
    def report(self) -> str:
        """The report: one file that opens without a network."""
        return f"{self.root}/report.html"


def _digits(value: int | str, width: int) -> str:
    return value if isinstance(value, str) else f"{value:0{width}d}"
