"""Rows about training: what networks learned, on which images (weights paper, section 2; activations paper, 5.1)."""

from cnn_topology.tables.row import Row, column
from cnn_topology.tables.units import COUNT, ITERATIONS, NATS, SHARE


class TrainingRow(Row, table="training"):
    """One network at one tested step on one image set."""

    population: str = column("Population of the network.")
    network: int = column("Number of the network in its population, from 0.")
    seed: int = column("Seed of the network.")
    step: int = column("Training step at which it was tested.", ITERATIONS)
    epoch: float = column("Epochs of training done.", "epochs")
    images: str = column("Image set it was tested on.")
    own_images: bool = column("Whether that is the set that its population is trained on.")
    split: str = column("Part of that set: train (a fixed sample) or test.")
    examples: int = column("Images it was tested on.", COUNT)
    loss: float = column("Mean cross-entropy; NaN for a failed network.", NATS)
    accuracy: float = column("Share of images classified right; NaN for a failed network.", SHARE)
    failed: bool = column("Whether its loss or weights became infinite or NaN; clouds of such steps leave it out.")


class CrossAccuracyRow(Row, table="cross_accuracy"):
    """Accuracy of a population's networks at the last step on the test images of one set."""

    population: str = column("Population of the networks.")
    trained_on: str = column("Image set they were trained on.")
    tested_on: str = column("Image set they were tested on.")
    step: int = column("Last training step.", ITERATIONS)
    networks: int = column("Networks that did not fail.", COUNT)
    mean: float = column("Mean accuracy over these networks.", SHARE)
    low: float = column("Lower end of the 95 % interval (Student's t); NaN for one network.", SHARE)
    high: float = column("Upper end of that interval.", SHARE)


class ResnetTrainingRow(Row, table="resnet_training"):
    """One epoch of one residual network; weights of a checkpoint, and a module of a user's own, have one row."""

    population: str = column("Population of the network, a key of `resnets` or `modules`.")
    network: int = column("Number of the network in its population, from 0.")
    seed: int = column("Seed of the network.")
    epoch: int = column("Epoch, from 1; 0 for weights of a checkpoint and for modules.", "epochs")
    step: int = column("Training steps done.", ITERATIONS)
    images: str = column("Image set it is trained on.")
    train_examples: int = column("Training images seen in the epoch.", COUNT)
    train_loss: float = column("Mean cross-entropy over the epoch's augmented images; NaN where not trained.", NATS)
    train_accuracy: float = column("Accuracy over the epoch's augmented images; NaN where not trained.", SHARE)
    test_examples: int = column("Test images.", COUNT)
    test_loss: float = column("Mean cross-entropy on plain test images; NaN where not tested.", NATS)
    test_accuracy: float = column("Accuracy on plain test images; NaN where not tested.", SHARE)
    is_kept: bool = column("Whether this is the epoch whose weights the network has.")


class ResnetAccuracyRow(Row, table="resnet_accuracy"):
    """One network on the images of a cloud, with its input noise: one class, or all."""

    population: str = column("Population of the network, a key of `resnets` or `modules`.")
    network: int = column("Number of the network in its population, from 0.")
    seed: int = column("Seed of the network.")
    cloud: str = column("Activation cloud whose images these are.")
    split: str = column("Part of the image set: train or test.")
    sigma: float = column("Standard deviation of the noise added to the images.", "pixel value, 0 to 1")
    class_name: str = column("Name of a class, or `all`.")
    examples: int = column("Images.", COUNT)
    accuracy: float = column("Share of them classified right.", SHARE)
