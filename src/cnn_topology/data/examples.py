"""Single images of a set as small pictures."""

import io

import numpy as np
import pyarrow as pa
from PIL import Image

from cnn_topology.data.image_set import ImageSet
from cnn_topology.errors import InputError
from cnn_topology.tables.images import ExampleImageRow


def example_images(image_set: ImageSet, name: str, split: str, ids: list[int]) -> pa.Table:
    """Take some images of a split out of an image set.

    Raises
    ------
    InputError
        If the split has fewer images: the activations were of another set.
    """
    images, labels = image_set.split(split)
    if ids and ids[-1] >= len(images):
        raise InputError(f"images.{name} has {len(images)} {split} images, the nodes name number {ids[-1]}")
    return ExampleImageRow.table(
        ExampleImageRow(
            images=name,
            split=split,
            image=number,
            label=int(labels[number]),
            class_name=image_set.classes[labels[number]],
            pixels=png(images[number]),
        )
        for number in ids
    )


def png(pixels: np.ndarray) -> bytes:
    """Write uint8 pixels (height, width, 1 or 3 channels) as a PNG."""
    content = io.BytesIO()
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(content, "PNG")
    return content.getvalue()
