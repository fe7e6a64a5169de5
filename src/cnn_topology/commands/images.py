"""`cnn-topology images`: read, check and reshape one image set."""

import sys

from cnn_topology.data.image_files import image_files
from cnn_topology.data.image_set import write_image_set
from cnn_topology.data.repeats import repeats
from cnn_topology.data.sources import load_image_set
from cnn_topology.plan.parameters import ImagesParameters
from cnn_topology.runs.job import Job
from cnn_topology.storage.manifest import check_unchanged


def run(job: Job) -> None:
    """Prepare the set."""
    parameters = job.parameters(ImagesParameters)
    asked = (parameters.name, parameters.images, parameters.run_seed)
    image_set = load_image_set(*asked)
    check_unchanged(image_files(*asked), job.planned)
    notes = {**parameters.notes(), "data": image_set.sha256}
    if repeated := repeats(image_set, parameters.images):
        notes["repeats"] = repeated
        print(f"images.{parameters.name}: {repeated}", file=sys.stderr)
    write_image_set(job.output("images"), image_set, notes)
    print(f"{len(image_set.train_images)} training and {len(image_set.test_images)} test images")
