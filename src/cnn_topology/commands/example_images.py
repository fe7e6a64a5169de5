"""`cnn-topology example-images`: the images that stand for the nodes of mapper graphs, as small pictures."""

from cnn_topology.data.examples import example_images
from cnn_topology.data.image_set import read_image_set
from cnn_topology.plan.activation_graphs import ExampleImageParameters
from cnn_topology.runs.job import Job
from cnn_topology.tables.activation_graphs import ActivationNodeRow
from cnn_topology.tables.images import ExampleImageRow


def run(job: Job) -> None:
    """Gather each image once."""
    parameters = job.parameters(ExampleImageParameters)
    nodes = job.read_rows(ActivationNodeRow, "nodes").to_pandas()
    sets = {path.stem: read_image_set(path) for path in job.inputs("images")}
    wanted: dict[tuple[str, str], set[int]] = {}
    for (population, split), rows in nodes.groupby(["population", "split"], sort=False):
        key = (parameters.images[str(population)], str(split))
        wanted.setdefault(key, set()).update(*map(set, rows["example_images"]))
    found = [example_images(sets[name], name, split, sorted(ids)) for (name, split), ids in wanted.items()]
    job.write_rows(ExampleImageRow, found, job.notes(parameters, "nodes"))
