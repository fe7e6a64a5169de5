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

ACTIVATION_TABLES = {"resnet_training": RESNET_TRAINING, "resnet_accuracy": RESNET_ACCURACY}
