"""The table of `cnn-topology look`: a row a layer of networks that others trained."""

from cnn_topology.tables.row import Row, column
from cnn_topology.tables.units import COUNT, LENGTH, PROBABILITY, RATIO, SHARE


class LookRow(Row, table="look"):
    """One layer: its two longest H1 bars and, once it is tested, the verdict. What is not tested is null."""

    layer: str = column("Layer, as named in the file without `.weight` and what wrappers put in front.")
    depth: int = column("Position among the layers that are analysed, from 1.")
    filters: int = column("Filters of the layer, over all networks.", COUNT)
    kernel_side: int = column("Side of the kernels: 3 of 3x3.", COUNT)
    constant: int = column("Filters that are constant, which are left out.", COUNT)
    points: int = column("Filters looked at (N): a seeded sample where the layer has more.", COUNT)
    kept: int | None = column("Filters that the density filter keeps.", COUNT)
    longest: float = column("Length of the longest H1 bar.", LENGTH)
    needed: float | None = column("Length that a bar must exceed at the level of the test, under every null.", LENGTH)
    second: float = column("Length of the second longest H1 bar.", LENGTH)
    p: float | None = column("p-value of the longest bar, the largest over the nulls.", PROBABILITY)
    q: float | None = column(
        "Benjamini-Hochberg q-value over the layers that can be tested; null until all of them are.", PROBABILITY
    )
    verdict: str | None = column("Verdict on the loops of the layer.")
    p_covariance: float | None = column(
        "Two-sided p-value of the longest bar against draws with the layer's own covariance; only a small p says "
        "something.",
        PROBABILITY,
    )
    p_lowpass: float | None = column(
        "p-value of the longest bar against Gaussian fields as smooth as the layer; a large one does not "
        "exclude that smooth filters alone have such loops. Null where no loop is significant.",
        PROBABILITY,
    )
    block_ratio: float | None = column(
        "Mean squared cosine of two filters of one output channel over that of two of different ones; above 1 the "
        "filters depend on each other, and p is too small.",
        RATIO,
    )
    p_block: float | None = column(
        "p-value of the longest bar where all filters of an output channel are shuffled in one way. Null where no loop "
        "is significant, there is one output channel, or each channel has one filter.",
        PROBABILITY,
    )
    verdict_stability: float | None = column("Share of draws of the networks that have the same verdict.", SHARE)
    hollowness: float | None = column(
        "C = Var(r^2) / E(r^2)^2 over the filters, r the length in the plane of the two strongest axes: 0 for a ring.",
        RATIO,
    )
    hollowness_median: float | None = column(
        "Median of C over draws with the layer's own second moments, whitened entries shuffled; below it is the "
        "hollow side, above it a mixture.",
        RATIO,
    )
    p_hollowness: float | None = column("Two-sided p-value of C against these draws.", PROBABILITY)
    circle: str | None = column(
        "The named circle near which most filters lie, compared with shuffled filters; null where there is no loop."
    )
    circle_coverage: float | None = column("Share of the directions of that circle that filters cover.", SHARE)
