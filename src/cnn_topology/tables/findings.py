"""Rows about populations compared with each other, and the claims of the papers."""

from cnn_topology.tables.row import Row, column
from cnn_topology.tables.units import COUNT, PROBABILITY, SHARE

METRIC = "iterations for iterations_to_target, share otherwise"


class ImprovementRow(Row, table="improvements"):
    """One measure of one network of a compared population (weights paper, E14 to E16)."""

    group_name: str = column("Group of compared populations.")
    population: str = column("Population of the network.")
    role: str = column("Role of the population: baseline, variant or control.")
    network: int = column("Number of the network in its population, from 0.")
    seed: int = column("Seed of the network.")
    images: str = column("Image set of the measure.")
    metric: str = column(
        "iterations_to_target (first time its test accuracy reaches `target`, linear between tests), area_under_curve "
        "(mean of that accuracy over training), accuracy (last step) or cross_accuracy (last step, on `images`)."
    )
    target: float | None = column("Accuracy to reach.", SHARE)
    value: float = column("The measure.", METRIC)
    censored: bool = column("Whether the target was not reached; `value` is then the last step tested.")


class ComparisonRow(Row, table="comparisons"):
    """One population against another by one metric."""

    group_name: str = column("Group of compared populations.")
    population: str = column("Population compared.")
    role: str = column("Its role.")
    against: str = column("Population that it is compared with.")
    against_role: str = column("The role of that one.")
    metric: str = column("Measure of networks, as in `improvements`.")
    images: str = column("Image set of the measure.")
    target: float | None = column("Accuracy to reach.", SHARE)
    effect: str = column("What `estimate` is: ratio of iterations, or difference.")
    n: int = column("Networks.", COUNT)
    n_against: int = column("Networks of the other population.", COUNT)
    n_censored: int = column("Networks that did not reach the target.", COUNT)
    n_censored_against: int = column("The same of the other population.", COUNT)
    average: float = column("Median of iterations (infinite when most did not reach the target), else mean.", METRIC)
    average_against: float = column("The same of the other population.", METRIC)
    estimate: float = column(
        "Of iterations average_against / average, above 1 when faster; else average - average_against."
    )
    low: float = column("Lower end of its 95 % interval over networks: bootstrap for iterations, else Welch.")
    high: float = column("Upper end of that interval.")
    p_value: float = column("Two-sided permutation p-value, of ranks for iterations.", PROBABILITY)
    p_holm: float = column("The same adjusted for the tests of the group.", PROBABILITY)
    family: int = column("Tests of the group.", COUNT)


class ClaimRow(Row, table="claims"):
    """One claim of a paper on one set of populations."""

    paper: str = column("Which paper: weights or activations.")
    claim: str = column("Code of the claim.")
    experiment: str = column("Code of the paper's experiment.")
    statement: str = column("What the paper claims.")
    source: str = column("Where it stands in the paper.")
    certainty: str = column("Tag of the notes on the papers: how sure its wording is.")
    measured: str = column("What is computed; fixed beforehand.")
    rule: str = column("When the claim holds; fixed beforehand.")
    rule_changed: str = column("How the rule was changed after runs had been seen; empty where it was not.")
    published: str = column("The paper's number, with its tag.")
    published_value: float | None = column("The same as a number, where it is one.")
    populations: str = column("Populations of this run, after the name of their group of improvements.")
    data: str = column("Image sets they were trained on.")
    other_data: bool = column("Whether these are not the paper's; then nothing is tested.")
    reduced: str = column("What is smaller than in the paper; the verdict then ends with `, reduced`.")
    n: int = column("Units behind the statistic.", COUNT)
    unit: str = column("What `n` counts.")
    value: float | None = column("The statistic.")
    low: float | None = column("Lower end of its `spread`.")
    high: float | None = column("Upper end of its `spread`.")
    spread: str = column("What `low` and `high` are: 95% interval, range, or joined 95% intervals of a ratio.")
    p_value: float | None = column("p-value against `null_name`.", PROBABILITY)
    null_name: str = column("Null that the statistic is compared with.")
    outcome: str = column("What the rule gives on the data at hand: holds or fails.")
    verdict: str = column(
        "supported, not supported, cannot decide (too few for any outcome to support it), or not tested."
    )
    reason: str = column("Why nothing was tested, or how many it needs.")
