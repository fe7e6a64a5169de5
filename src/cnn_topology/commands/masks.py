"""`cnn-topology masks`: foreground and background of images by GrabCut, published and corrected."""

import numpy as np

from cnn_topology.activations.mask_file import write_masks
from cnn_topology.activations.masks import find_masks
from cnn_topology.activations.positions import choose_images
from cnn_topology.analysis.images import mask_table, mode_rows
from cnn_topology.data.image_set import read_image_set
from cnn_topology.data.statistics import normalization
from cnn_topology.plan.activation_parameters import MaskParameters
from cnn_topology.runs.job import Job
from cnn_topology.seeds import derive_seed
from cnn_topology.tables.images import MaskRow, ModeRow


def run(job: Job) -> None:
    """Find the masks and compare both modes."""
    parameters = job.parameters(MaskParameters)
    image_set = read_image_set(job.input("images"))
    notes = job.notes(parameters)
    pixels, labels = image_set.split(parameters.split)
    identity = (image_set.name, parameters.split)
    key = f"activation_clouds: n_images (population: {parameters.population})"
    ids = choose_images(image_set, parameters.split, parameters.count, parameters.run_seed, key)
    mean, sd = map(np.array, normalization(parameters.layout.normalization, image_set.train_images))
    found = find_masks(pixels[ids], ids, mean, sd, derive_seed(parameters.run_seed, "grabcut", *identity))
    classes = [image_set.classes[label] for label in labels[ids]]
    write_masks(job.output("masks"), found, notes)
    job.write_rows(MaskRow, mask_table(parameters, found, classes), notes, "masks_table")
    rows = mode_rows(parameters, found, image_set.shape, identity)
    job.write_rows(ModeRow, rows, notes, "modes_table")
