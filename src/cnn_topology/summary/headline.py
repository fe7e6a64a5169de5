"""What a run's first layers form, in sentences that are made from its tables (weights paper, E1, E2, E4)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd
import pyarrow as pa

from cnn_topology.claims.framework import NOT_TESTED
from cnn_topology.plan.findings import RunFacts
from cnn_topology.statistics.hollowness import ring
from cnn_topology.statistics.power import power_beside
from cnn_topology.statistics.significance import FORMS, LOOPS
from cnn_topology.tables.loops import CLOUD
from cnn_topology.tables.registry import TABLES


class Finding(NamedTuple):
    """What the first layer of a population forms: the statement, its numbers, and where it stands in the tables."""

    statement: str
    numbers: str
    population: str
    layer: str


def opening(facts: RunFacts, tables: Mapping[str, pa.Table]) -> list[str]:
    """Describe in at most some ten lines what a run found: first layers, other explanations, claims, stand-in data.

    Parameters
    ----------
    facts : RunFacts
        What the config says of populations and images.
    tables : mapping of str to Table
        Tables of the run by name.

    Returns
    -------
    list of str
    """
    loops = headline_clouds(tables)
    lines = [f"{finding.statement} {finding.numbers}" for finding in headline(facts, loops)]
    lines += alternatives(loops, facts.alpha)
    if "claims" in tables:
        claims = tables["claims"].to_pylist()
        count = Counter(row["verdict"] for row in claims if row["verdict"] != NOT_TESTED)
        others = sum(row["verdict"] == NOT_TESTED and bool(row["outcome"]) for row in claims)
        said = [f"{number} {verdict}" for verdict, number in count.items()]
        said += [f"{others} on stand-in data alone, which decides none"] if others else []
        said += [f"{len(claims) - sum(count.values()) - others} not in this run"]
        lines.append(f"Claims of the papers: {'; '.join(said)}.")
    return lines + stand_ins(facts)


def frame_of(tables: Mapping[str, pa.Table], name: str) -> pd.DataFrame:
    """Return a table of a run as a data frame, without rows where the run has none of this name."""
    return tables.get(name, TABLES[name].schema.empty_table()).to_pandas()


def headline_clouds(tables: Mapping[str, pa.Table]) -> pd.DataFrame:
    """Return the rows of `loops` that verdicts are quoted from, with `needed`: what noise reaches under every null."""
    loops, tests = frame_of(tables, "loops"), frame_of(tables, "significance")
    needed = tests.groupby(CLOUD)["null_critical"].max().rename("needed").reset_index()
    return loops[loops["headline"]].merge(needed, on=CLOUD, how="left")


def headline(facts: RunFacts, loops: pd.DataFrame) -> list[Finding]:
    """Describe the first layer of each population at its last step.

    Parameters
    ----------
    facts : RunFacts
        What the config says of the populations.
    loops : DataFrame
        From `headline_clouds`.

    Returns
    -------
    list of Finding
        One for each population whose first layer has a cloud: circles first, and then in the order of `FORMS`.
    """
    findings: list[tuple[int, Finding]] = []
    for population, clouds in loops[loops["depth"] == 1].groupby("population", sort=False):
        by_step = clouds.sort_values("step")
        start, last = by_step.iloc[0], by_step.iloc[-1]
        name, layer = str(population), str(last["layer"])
        length = f"Longest loop {last['longest']:.2f}, the next {last['second']:.2f}"
        if pd.notna(last["needed"]):
            length += f"; noise of the same size reaches {last['needed']:.2f} (p = {last['p_longest']:.2g})"
        length += power_beside(last)
        if pd.notna(last["verdict_stability"]):
            length += f"; the same verdict in {last['verdict_stability']:.0%} of {last['stability_draws']:.0f} draws"
        if start["step"] < last["step"]:
            length += f". At step {start['step']:,}: {start['longest']:.2f}, {start['verdict']}"
        after = f" after {last['step']:,} steps" if last["step"] else ""
        statement = (
            f"{networks_of(facts, name, int(last['networks']))}: the filters of {layer} {FORMS[last['verdict']]}"
        )
        finding = Finding(f"{statement}{after}.", f"{length}.", name, layer)
        findings.append((list(FORMS).index(last["verdict"]), finding))
    return [finding for _, finding in sorted(findings, key=lambda ranked: ranked[0])]


def alternatives(loops: pd.DataFrame, alpha: float) -> list[str]:
    """Describe which other explanations of the first layers' loops their tests exclude, and which they do not.

    Parameters
    ----------
    loops : DataFrame
        As for `headline`.
    alpha : float
        Level of the tests.

    Returns
    -------
    list of str
        A sentence for each population with a loop.
    """
    lines = []
    first = loops[(loops["depth"] == 1) & loops["verdict"].isin(LOOPS)]
    last = first.sort_values("step").groupby("population", sort=False).tail(1)
    for row in last.to_dict("records"):
        if pd.isna(row["p_hollowness"]):
            continue
        longer = row["p_covariance"] <= alpha and row["longest"] > row["covariance_longest_median"]
        power = "" if longer else ", a test with little power"
        than = []
        if pd.notna(row["p_lowpass"]):
            smooth = (
                f"random fields as smooth as the filters (median {row['lowpass_longest_median']:.2f}, "
                f"p = {row['p_lowpass']:.2g})"
            )
            than.append((row["p_lowpass"] <= alpha, smooth))
        than.append((longer, f"random filters with the layer's own covariance (p = {row['p_covariance']:.2g}{power})"))
        shape = ring(row, alpha)
        of_all = (
            "Whether the filters of the whole layer are a ring or a mixture is not decided"
            if shape == "undecided"
            else f"The filters of the whole layer are {shape}"
        )
        lines.append(f"{row['population']}: the loop {_compared(than)}. {of_all} (p = {row['p_hollowness']:.2g}).")
    return lines


def _compared(than: Sequence[tuple[bool, str]]) -> str:
    """Write whether a loop is longer than those of some alternatives."""
    longer = [what for is_longer, what in than if is_longer]
    others = [what for is_longer, what in than if not is_longer]
    parts = [f"is longer than those of {' and of '.join(longer)}"] if longer else []
    parts += [f"is not shown to be longer than those of {' or of '.join(others)}"] if others else []
    return ", but ".join(parts)


def stand_ins(facts: RunFacts) -> list[str]:
    """Describe which images are not those of the papers, and what is smaller than there.

    Parameters
    ----------
    facts : RunFacts

    Returns
    -------
    list of str
    """
    lines = []
    foreign = [name for name, images in facts.images.items() if not images.own]
    if foreign:
        lines.append(f"Not the papers' images: {', '.join(foreign)}. What they show counts for no claim of the papers.")
    smaller = dict.fromkeys(what for population in facts.populations.values() for what in population.reduced)
    if smaller:
        lines.append(f"Smaller than in the paper: {'; '.join(smaller)}.")
    return lines


def networks_of(facts: RunFacts, name: str, networks: int) -> str:
    """Write of which networks a population is: ``wide, 12 networks M(64, 32, 64) trained on mnist``."""
    many = f"{networks} network{'s' if networks > 1 else ''}"
    if name in facts.populations:
        population = facts.populations[name]
        return f"{name}, {many} {population.label} trained on {population.images}"
    return f"{name}, {many} that others trained"
