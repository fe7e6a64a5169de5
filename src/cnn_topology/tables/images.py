"""Rows about images that figures show, their masks, and one activation tensor (activations paper, M1 to M3)."""

from cnn_topology.tables.layers import LayerKey
from cnn_topology.tables.row import Row, column
from cnn_topology.tables.units import ACTIVATION, COUNT, PIXEL, SHARE


class MaskRow(Row, table="masks"):
    """One image under one mode of GrabCut."""

    population: str = column("Population of the networks, a key of `resnets`.")
    split: str = column("Part of the image set: train or test.")
    mode: str = column("published (defects of the released code repeated) or corrected.")
    image: int = column("Number of the image in its split.")
    class_name: str = column("Name of its class.")
    foreground: float = column("Share of its pixels in the foreground.", SHARE)
    background: float = column("Share of its pixels in the background.", SHARE)
    empty_foreground: bool = column("Whether no pixel is in the foreground.")
    empty_background: bool = column("Whether no pixel is in the background.")
    agreement: float = column("Foreground pixels common to both modes among those of either.", SHARE)


class ModeRow(Row, table="modes"):
    """How far published and corrected positions of a layer agree."""

    population: str = column("Population of the networks, a key of `resnets`.")
    split: str = column("Part of the image set: train or test.")
    layer: str = column("Layer.")
    depth: int = column("Depth of the layer, 1 nearest the image; the paper counts from 0.")
    sampling: str = column("foreground or background.")
    top: int = column("Positions an image.", COUNT)
    n_images: int = column("Images with both a foreground and a background in both modes.", COUNT)
    empty_published: int = column("Images whose side is empty in the published mode.", COUNT)
    empty_corrected: int = column("Images whose side is empty in the corrected mode.", COUNT)
    agreement: float = column("Mean share of the positions that both modes choose.", SHARE)
    standard_error: float = column("Its standard error over images.", SHARE)
    chance: float = column("That share by chance: top / positions.", SHARE)


class ExamplePixelRow(Row, table="example_pixels"):
    """One pixel or position of an image that figures show."""

    population: str = column("Population of the networks, a key of `resnets` or `modules`.")
    split: str = column("Part of the image set: train or test.")
    image: int = column("Number of the image in its split.")
    class_name: str = column("Name of its class.")
    panel: str = column("image, foreground (1 or 0) or weight (of a position of `layer`, relative to the largest).")
    mode: str = column("Mode of the mask.")
    layer: str = column("Layer of the positions.")
    sigma: float = column("Standard deviation of the noise added to the image.", "pixel value, 0 to 1")
    y: int = column("Row of the pixel, from the top.")
    x: int = column("Column of the pixel, from the left.")
    red: float = column("Red; NaN where a panel has no colour.", PIXEL)
    green: float = column("Green; NaN where a panel has no colour.", PIXEL)
    blue: float = column("Blue; NaN where a panel has no colour.", PIXEL)
    value: float = column("Value of a foreground or weight; NaN where a panel has none.")


class ExampleImageRow(Row, table="example_images"):
    """One image that is an example of a node of a mapper graph."""

    images: str = column("Image set.")
    split: str = column("Part of the image set: train or test.")
    image: int = column("Number of the image in its split.")
    label: int = column("Label of its class, from 0.")
    class_name: str = column("Name of its class.")
    pixels: bytes = column("The image as a PNG.")


class ActivationTensorRow(LayerKey, table="activation_tensor"):
    """One value of the activation tensor of one image in one layer of one network."""

    tensor: str = column("Tensor of the layer: conv, bn or relu.")
    image: int = column("Number of the image in its split.")
    class_name: str = column("Name of its class.")
    channel: int = column("Channel, from 0.")
    y: int = column("Row of the position, from the top.")
    x: int = column("Column of the position, from the left.")
    value: float = column("The activation.", ACTIVATION)
