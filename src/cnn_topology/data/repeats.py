"""Images that come twice where they should not: in both splits, or in several classes."""

import hashlib
from collections import defaultdict

from cnn_topology.data.image_set import ImageSet
from cnn_topology.plan.images import SPLITS, ImageSetConfig, OwnImages


def repeats(images: ImageSet, config: ImageSetConfig) -> str:
    """Describe how many test images are training images, and how many images are in several classes.

    Parameters
    ----------
    images : ImageSet
        Images are the same if all of their pixels are, in the shape that the networks see.
    config : ImageSetConfig
        Its section. Sets of others are as published, and a control has exchanged pixels or labels.

    Returns
    -------
    str
        Empty where there are none.
    """
    if not (isinstance(config, OwnImages) and config.labels) or config.control:
        return ""
    digests = {
        split: [hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in images.split(split)[0]]
        for split in SPLITS
    }
    classes = defaultdict(set)
    for split in SPLITS:
        for digest, label in zip(digests[split], images.split(split)[1].tolist(), strict=True):
            classes[digest].add(label)
    trained, found = set(digests["train"]), []
    if both := sum(digest in trained for digest in digests["test"]):
        found.append(
            f"{both} of {len(digests['test'])} test images are training images too, and say nothing about accuracy on "
            "new ones: take them out of one of the splits"
        )
    if several := sum(len(labels) > 1 for labels in classes.values()):
        found.append(f"images in more than one class: {several}; leave each in one")
    return "; ".join(found)
