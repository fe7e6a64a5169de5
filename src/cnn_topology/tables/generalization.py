"""Rows about topology and generalization (weights paper, E11 to E13)."""

from cnn_topology.tables.row import Row, column
from cnn_topology.tables.units import COEFFICIENT, COUNT, ITERATIONS, LENGTH, NATS, PROBABILITY, RATIO, SHARE

WEIGHT = "weight"


class GeneralizationRow(Row, table="generalization"):
    """One network at one step: the shape and plain statistics of one layer, and what the network has learned.

    Of each population of a grid also its networks pooled, and each half of them.
    """

    group_name: str = column("Its population, or the grid that the population belongs to.")
    is_grid: bool = column("Whether `group_name` is a grid.")
    population: str = column("Population of the network.")
    layer: str = column("Layer.")
    depth: int = column("Depth of the layer, 1 nearest the image.")
    network: int = column("Number of the network in its population, from 0; -1 of a pool.")
    pool: str = column(
        "all, even or odd: networks of a grid's population with these numbers pooled, whose weight statistics and "
        "outcomes are means; empty for a network."
    )
    networks: int = column("Networks pooled; 1 for a network.", COUNT)
    seed: int = column("Seed of the network; -1 of a pool.")
    step: int = column("Training step.", ITERATIONS)
    width: int = column("Filters of the first convolution.", COUNT)
    dropout: float = column("Dropout before the class scores.", SHARE)
    learning_rate: float = column("Learning rate at the start.")
    label_noise: float = column("Share of training labels replaced by another class.", SHARE)
    train_images: int | None = column("Images trained on; null where not known.", COUNT)
    density_k_given: float = column("Neighbour that the density is read from, as configured: count, or share of N.")
    density_p: float = column("Share of the filters that the density filter keeps.", SHARE)
    points: int = column("Filters of the layer.", COUNT)
    kept: int = column("Filters that the density filter keeps.", COUNT)
    bars: int = column("H1 bars of the network's own cloud.", COUNT)
    longest: float = column("Length of the longest.", LENGTH)
    second: float = column("Length of the second longest.", LENGTH)
    ratio: float = column("Longest over second.", RATIO)
    total_persistence: float = column("Sum of the lengths of all H1 bars.", LENGTH)
    coverage: float = column("Share of the primary circle's arcs with a near filter.", SHARE)
    mean_residual: float = column("Mean distance of the kept filters to the Klein bottle.", LENGTH)
    frobenius: float = column("Frobenius norm of the layer's weights.", WEIGHT)
    distance: float = column("Frobenius distance to the weights at step 0.", WEIGHT)
    spectral: float = column("Largest singular value of the weights as a matrix.", WEIGHT)
    mean: float = column("Mean weight.", WEIGHT)
    sd: float = column("Standard deviation of the weights.", WEIGHT)
    kurtosis: float = column("Kurtosis of the weights.")
    minimum: float = column("Least weight.", WEIGHT)
    lower: float = column("Lower quartile of the weights.", WEIGHT)
    median: float = column("Median weight.", WEIGHT)
    upper: float = column("Upper quartile of the weights.", WEIGHT)
    maximum: float = column("Largest weight.", WEIGHT)
    train_loss: float = column("Loss on training images, on the labels trained on.", NATS)
    train_accuracy: float = column("Accuracy on training images, on the labels trained on.", SHARE)
    test_loss: float = column("Loss on test images.", NATS)
    test_accuracy: float = column("Accuracy on test images.", SHARE)
    gap: float = column("Training minus test accuracy.", "share, -1 to 1")
    cross_accuracy: float = column("Mean accuracy on the other image sets; NaN without one.", SHARE)


class CorrelationRow(Row, table="correlations"):
    """One predictor against one outcome, with one coefficient."""

    group_name: str = column("Population or grid.")
    scope: str = column(
        "What is correlated: grid (its populations at their last step, the networks of each pooled), networks (those "
        "of a population at all its steps) or pooled (snapshots of a population, by the bar of its pooled cloud)."
    )
    layer: str = column("Layer.")
    predictor: str = column("Column of `generalization` that predicts.")
    predictor_kind: str = column("topological or baseline.")
    outcome: str = column("Column of `generalization` that is predicted.")
    method: str = column("Coefficient.")
    given: str = column("What a partial correlation holds fixed, by commas; empty for none.")
    statistic: float = column("Value of the coefficient; NaN where it is not defined.", COEFFICIENT)
    low: float = column(
        "Lower end of the 95 % bootstrap interval over networks, of a grid over populations.", COEFFICIENT
    )
    high: float = column("Upper end of that interval.", COEFFICIENT)
    p_value: float = column("Two-sided permutation p-value; NaN where nothing is exchangeable.", PROBABILITY)
    reliability: float = column(
        "Of a grid: rank correlation of the predictor over two halves of the networks of each population, stepped up "
        "to all of them (Spearman and Brown), 0 where the halves disagree. NaN elsewhere.",
        SHARE,
    )
    p_adjusted: float = column("max-T over the predictors of one outcome and method.", PROBABILITY)
    networks: int = column("Networks.", COUNT)
    rows: int = column("Pairs of values correlated.", COUNT)
    draws: int = column("Bootstrap draws.", COUNT)
    permutations: int = column("Permutations.", COUNT)
    exchanged: str = column("What is permuted.")
