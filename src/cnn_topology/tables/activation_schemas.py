"""One schema per table of the activations paper; columns that identify a row come first."""

import pyarrow as pa

_TEXT, _INT, _REAL, _FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()


def _schema(**columns: pa.DataType) -> pa.Schema:
    return pa.schema(list(columns.items()))


# One epoch of one network, or, for weights from a checkpoint, one row with epoch 0 and NaN for what training alone
# knows. `train_*`: mean over the epoch's augmented images; `test_*`: plain images, no flips averaged. `kept`: the
# epoch whose weights the network has.
RESNET_TRAINING = _schema(
    population=_TEXT,
    network=_INT,
    seed=_INT,
    epoch=_INT,
    step=_INT,
    images=_TEXT,
    train_examples=_INT,
    train_loss=_REAL,
    train_accuracy=_REAL,
    test_examples=_INT,
    test_loss=_REAL,
    test_accuracy=_REAL,
    kept=_FLAG,
)

# One network on the images of a cloud, with its input noise; `class` is a class name or `all`.
RESNET_ACCURACY = pa.schema(
    [
        ("population", _TEXT),
        ("network", _INT),
        ("seed", _INT),
        ("cloud", _TEXT),
        ("split", _TEXT),
        ("sigma", _REAL),
        ("class", _TEXT),
        ("examples", _INT),
        ("accuracy", _REAL),
    ]
)

# One image under one mode of GrabCut: the shares of its pixels in foreground and background, whether none are, and how
# far its foreground agrees with that of the other mode (common pixels among those of either).
MASKS = pa.schema(
    [
        ("population", _TEXT),
        ("split", _TEXT),
        ("mode", _TEXT),
        ("image", _INT),
        ("class", _TEXT),
        ("foreground", _REAL),
        ("background", _REAL),
        ("empty_foreground", _FLAG),
        ("empty_background", _FLAG),
        ("agreement", _REAL),
    ]
)

# How far published and corrected positions agree: `shared`, mean share of the `top` positions of an image that both
# modes choose, with its standard error over images; `chance`: top / positions.
MODES = _schema(
    population=_TEXT,
    split=_TEXT,
    layer=_TEXT,
    depth=_INT,
    sampling=_TEXT,
    top=_INT,
    images=_INT,
    empty_published=_INT,
    empty_corrected=_INT,
    shared=_REAL,
    standard_error=_REAL,
    chance=_REAL,
)

# One pixel or position of an image that figures show. `panel`: image, foreground (1 or 0) or weight (of a position of
# `layer`, relative to the largest); `sigma`: noise of an image. Colours are 0 to 255; NaN where a panel has none.
EXAMPLE_PIXELS = pa.schema(
    [
        ("population", _TEXT),
        ("split", _TEXT),
        ("image", _INT),
        ("class", _TEXT),
        ("panel", _TEXT),
        ("mode", _TEXT),
        ("layer", _TEXT),
        ("sigma", _REAL),
        ("row", _INT),
        ("column", _INT),
        ("red", _REAL),
        ("green", _REAL),
        ("blue", _REAL),
        ("value", _REAL),
    ]
)

ACTIVATION_TABLES = {
    "resnet_training": RESNET_TRAINING,
    "resnet_accuracy": RESNET_ACCURACY,
    "masks": MASKS,
    "modes": MODES,
    "example_pixels": EXAMPLE_PIXELS,
}
