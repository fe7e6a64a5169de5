"""One schema per table of the activations paper; columns that identify a row come first."""

import pyarrow as pa

from cnn_topology.tables.columns import FLAG, INT, REAL, TEXT, schema

# One epoch of one network, or, for weights from a checkpoint, one row with epoch 0 and NaN for what training alone
# knows. `train_*`: mean over the epoch's augmented images; `test_*`: plain images, no flips averaged. `kept`: the
# epoch whose weights the network has.
RESNET_TRAINING = schema(
    population=TEXT,
    network=INT,
    seed=INT,
    epoch=INT,
    step=INT,
    images=TEXT,
    train_examples=INT,
    train_loss=REAL,
    train_accuracy=REAL,
    test_examples=INT,
    test_loss=REAL,
    test_accuracy=REAL,
    kept=FLAG,
)

# One network on the images of a cloud, with its input noise; `class` is a class name or `all`.
RESNET_ACCURACY = pa.schema(
    [
        ("population", TEXT),
        ("network", INT),
        ("seed", INT),
        ("cloud", TEXT),
        ("split", TEXT),
        ("sigma", REAL),
        ("class", TEXT),
        ("examples", INT),
        ("accuracy", REAL),
    ]
)

# One image under one mode of GrabCut: the shares of its pixels in foreground and background, whether none are, and how
# far its foreground agrees with that of the other mode (common pixels among those of either).
MASKS = pa.schema(
    [
        ("population", TEXT),
        ("split", TEXT),
        ("mode", TEXT),
        ("image", INT),
        ("class", TEXT),
        ("foreground", REAL),
        ("background", REAL),
        ("empty_foreground", FLAG),
        ("empty_background", FLAG),
        ("agreement", REAL),
    ]
)

# How far published and corrected positions agree: `shared`, mean share of the `top` positions of an image that both
# modes choose, with its standard error over images; `chance`: top / positions.
MODES = schema(
    population=TEXT,
    split=TEXT,
    layer=TEXT,
    depth=INT,
    sampling=TEXT,
    top=INT,
    images=INT,
    empty_published=INT,
    empty_corrected=INT,
    shared=REAL,
    standard_error=REAL,
    chance=REAL,
)

# One pixel or position of an image that figures show. `panel`: image, foreground (1 or 0) or weight (of a position of
# `layer`, relative to the largest); `sigma`: noise of an image. Colours are 0 to 255; NaN where a panel has none.
EXAMPLE_PIXELS = pa.schema(
    [
        ("population", TEXT),
        ("split", TEXT),
        ("image", INT),
        ("class", TEXT),
        ("panel", TEXT),
        ("mode", TEXT),
        ("layer", TEXT),
        ("sigma", REAL),
        ("row", INT),
        ("column", INT),
        ("red", REAL),
        ("green", REAL),
        ("blue", REAL),
        ("value", REAL),
    ]
)

ACTIVATION_TABLES = {
    "resnet_training": RESNET_TRAINING,
    "resnet_accuracy": RESNET_ACCURACY,
    "masks": MASKS,
    "modes": MODES,
    "example_pixels": EXAMPLE_PIXELS,
}
