"""When loops set in, whether topology predicts accuracy and what improves networks, in lines of a run's summary."""

import math
from collections.abc import Iterator
from typing import Any

from cnn_topology.claims.accuracy_measures import best_predictor
from cnn_topology.statistics.significance import TOO_FEW

# Of a population topology and accuracy both follow training, and over a grid both follow width: step and width are held
# fixed where that can be tested.
PLAIN = ("spearman", "", "rank correlation")
WAYS = {
    "networks": (("partial_spearman", "step", "rank correlation given the step"), PLAIN),
    "grid": (("partial_spearman", "width", "rank correlation given the width"), PLAIN),
}


def onset_lines(onset: Any) -> Iterator[str]:
    """Describe of each layer followed over training from which step on it has a loop.

    Parameters
    ----------
    onset : pandas.DataFrame
        The table `onset`.
    """
    for row in onset.to_dict("records"):
        if not row["snapshots"]:
            yield f"{row['population']}, {row['layer']}: {TOO_FEW} for a test of when a loop sets in"
            continue
        last = int(row["last"])
        said = f"no loop that lasts to step {last}"
        if not math.isnan(row["onset"]):
            ends = (_step(row[end], last) for end in ("low", "high"))
            said = f"a loop that lasts from step {row['onset']:.0f} on (95% interval {' to '.join(ends)})"
        yield (
            f"{row['population']}, {row['layer']}: {said}; in {row['lasting']:.0%} of {row['draws']} draws of "
            f"networks a loop lasts, n = {row['networks']} networks"
        )


def _step(step: float, last: int) -> str:
    return f"after {last}" if math.isnan(step) else f"{step:.0f}"


def correlation_lines(correlations: Any) -> Iterator[str]:
    """Describe of each grid and population which topological predictor of test accuracy is the best, and how good.

    Parameters
    ----------
    correlations : pandas.DataFrame
        The table `correlations`.
    """
    tested = correlations[correlations["scope"].isin(["grid", "networks"])]
    for (group, scope), rows in tested.groupby(["group_name", "scope"], sort=False):
        for method, given, words in WAYS[scope]:
            best = best_predictor(rows[rows["given"] == given], "test_accuracy", method)
            if best is not None:
                predictor = best["predictor"].replace("_", " ")
                known = not math.isnan(best["reliability"])
                reliable = f", split-half reliability {best['reliability']:z.2f}" if known else ""
                yield (
                    f"{group}: best topological predictor of test accuracy: {predictor} of {best['layer']}, {words} "
                    f"{best['statistic']:z.2f} (95% interval {best['low']:z.2f} to {best['high']:z.2f}){reliable}, p = "
                    f"{best['p_adjusted']:.2g} adjusted for all predictors and layers, n = {best['networks']} "
                    f"networks, {best['exchanged']}"
                )
                break
        else:
            yield f"{group}: no test of topological predictors of test accuracy"


def speed_lines(comparisons: Any) -> Iterator[str]:
    """Describe how much faster than its baseline each network of a group of improvements learns.

    Parameters
    ----------
    comparisons : pandas.DataFrame
        The table `comparisons`.
    """
    rows = comparisons[(comparisons["metric"] == "iterations_to_target") & (comparisons["against_role"] == "baseline")]
    for (group, images), mine in rows.groupby(["group_name", "images"], sort=False):
        first = mine.iloc[0]
        yield (
            f"improvements {group}: iterations to accuracy {first['target']:.4g} on {images}, median of "
            f"{first['against']} over that of each (above 1: faster), 95% interval, Holm p of {first['family']} tests"
        )
        names = mine["population"] + mine["role"].map({"control": " (control)"}).fillna("")
        wide = names.map(len).max()
        for name, row in zip(names, mine.to_dict("records"), strict=True):
            yield f"  {name:{wide}}  {_speed(row)}, n = {row['n']} and {row['n_against']} networks{_censored(row)}"


def _speed(row: dict[str, Any]) -> str:
    if math.isnan(row["estimate"]):
        return "no ratio: most networks of both never reach it"
    return f"{row['estimate']:z.2f} ({row['low']:z.2f} to {row['high']:z.2f}), p = {row['p_holm']:.2g}"


def _censored(row: dict[str, Any]) -> str:
    """Describe how many networks never reach the target."""
    never = row["n_censored"], row["n_censored_against"]
    return f", {never[0]} and {never[1]} never reach it" if any(never) else ""
