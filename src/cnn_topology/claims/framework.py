"""How a claim is tested: what it is about, what is measured, the rule decided beforehand, and the verdict.

A claim about one set of images is tested by no other: on other data its rule is applied and the outcome reported,
but the verdict stays `not tested`; where networks or images are fewer or smaller than the paper's, or less trained, it
ends with `reduced`. A table or a population that a run lacks is a reason, never an error.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import TypedDict

import numpy as np
import pandas as pd

from cnn_topology.claims.rule_changes import RULE_CHANGES
from cnn_topology.plan.findings import RunFacts
from cnn_topology.tables.findings import ClaimRow

Tables = Mapping[str, pd.DataFrame]

SUPPORTED, NOT_SUPPORTED, NOT_TESTED = "supported", "not supported", "not tested"
# No outcome could support the claim with so few layers or networks: a verdict of its own, and no finding.
CANNOT_DECIDE = "cannot decide"
# Ends a verdict by networks that are fewer, smaller or less trained than the paper's.
REDUCED = ", reduced"
HOLDS, FAILS = "holds", "fails"
# What the two numbers beside a value are. A range: least and greatest of the items that the value sums up. Joined: the
# ratio of two values, from the least to the greatest that ends of their two intervals give, so wider than 95%.
INTERVAL, RANGE, JOINED = "95% interval", "range", "joined 95% intervals"
# Of one network the error of purity is that over its images and nodes.
WITHIN = f"{INTERVAL} over images and nodes"
# Of the specificity of a measure: over networks, or Wilson's with layers as cases, whichever reaches farther.
WILSON = f"{INTERVAL}, at least Wilson's over layers"
SPREADS = (INTERVAL, RANGE, JOINED, WITHIN, WILSON)


class NotTestable(Exception):
    """What a run lacks for a claim, such as networks, a cloud, or filters enough for a test: the reason in its row."""


@dataclass(frozen=True)
class Subject:
    """What a claim is tested on.

    Attributes
    ----------
    populations : tuple of str
        Keys of the tables.
    data : str
        The images and networks in words.
    other_data : bool
        Whether these are not the data or networks that the claim is about.
    reduced : tuple of str
        What of them is smaller than in the paper.
    group : str
        Name of the group of improvements, where it is one: several may compare the same populations.
    """

    populations: tuple[str, ...]
    data: str
    _: KW_ONLY
    other_data: bool = False
    reduced: tuple[str, ...] = ()
    group: str = ""


@dataclass(frozen=True)
class Measured:
    """What was measured. `holds` is None where the tables do not decide, for the `reason` given.

    `n` counts what `unit` names, in the plural; `spread`, one of `SPREADS`, says what `low` and `high` are. A
    `statement` says what of this run was compared, in the place of the claim's own words; `counted` what of it n
    leaves out; `beside` what else is to be known, such as the value of a control. `needs` says how many it takes, where
    so few can decide nothing whatever they show.
    """

    holds: bool | None
    _: KW_ONLY
    value: float = np.nan
    low: float = np.nan
    high: float = np.nan
    p: float = np.nan
    n: int = 0
    null: str = ""
    reason: str = ""
    unit: str = "networks"
    spread: str = INTERVAL
    statement: str = ""
    counted: str = ""
    beside: str = ""
    needs: str = ""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One claim of a paper.

    Attributes
    ----------
    claim, experiment : str
        Its id here, and the experiment in the notes on the papers that it belongs to, where it has another name.
    statement : str
        What is claimed.
    source, certainty : str
        Where it stands, and the tag of how certain that is: F found, F2 found in a re-implementation or summary,
        text in an excerpt of the paper, summary in our notes' summary of it, M recollected (with confidence),
        D derived, P proposed.
    published, published_value : str, float
        The paper's number with its tag, empty and NaN where there is none.
    statistic, rule : str
        What is measured, and when the claim holds; fixed before any run, but for the rules that `rule_changed` names.
    tables : tuple of str
        The tables that `measure` reads.
    subjects : callable
        Returns what there is in a run to test the claim on; the paper's own data go before others.
    measure : callable
        Takes the tables, the facts of the run and a subject.
    """

    claim: str
    experiment: str = ""
    statement: str
    source: str
    certainty: str
    statistic: str
    rule: str
    tables: tuple[str, ...]
    subjects: Callable[[RunFacts], list[Subject]]
    measure: Callable[[Tables, RunFacts, Subject], Measured]
    published: str = ""
    published_value: float = np.nan


Measure = Callable[[Tables, RunFacts, Subject], Measured]


class Interval(TypedDict):
    """A value with the ends of its interval, as `Measured` takes them."""

    value: float
    low: float
    high: float


def interval(row: pd.Series) -> Interval:
    """Return the statistic of a row of a table with its interval."""
    return {"value": float(row["statistic"]), "low": float(row["low"]), "high": float(row["high"])}


def evaluate(paper: str, claims: Iterable[Claim], tables: Tables, facts: RunFacts) -> list[ClaimRow]:
    """Test claims; a row of the table `claims` for each claim and subject.

    Parameters
    ----------
    paper : str
        Short name of the paper.
    claims : iterable of Claim
    tables : mapping of str to DataFrame
        Those that the run has.
    facts : RunFacts
        What the config says.
    """
    rows = []
    for claim in claims:
        try:
            subjects = claim.subjects(facts)
        except NotTestable as lacking:
            rows.append(_row(paper, claim, Subject((), ""), Measured(None, reason=str(lacking))))
        else:
            rows += [_row(paper, claim, subject, _measured(claim, tables, facts, subject)) for subject in subjects]
    return rows


def _measured(claim: Claim, tables: Tables, facts: RunFacts, subject: Subject) -> Measured:
    try:
        if missing := [name for name in claim.tables if name not in tables]:
            raise NotTestable(f"no table {missing[0]} in this run")
        return claim.measure(tables, facts, subject)
    except NotTestable as lacking:
        return Measured(None, reason=str(lacking))


def _row(paper: str, claim: Claim, subject: Subject, found: Measured) -> ClaimRow:
    verdict, reason = NOT_TESTED, found.reason
    if found.holds is not None and subject.other_data:
        reason = f"other data or networks than the paper's: {subject.data}"
    elif found.needs:
        verdict, reason = CANNOT_DECIDE, f"needs {found.needs}"
    elif found.holds is not None:
        verdict = (SUPPORTED if found.holds else NOT_SUPPORTED) + (REDUCED if subject.reduced else "")
    return ClaimRow(
        paper=paper,
        claim=claim.claim,
        experiment=claim.experiment or claim.claim,
        statement=" ".join(filter(None, (found.statement or claim.statement, found.counted, found.beside))),
        source=claim.source,
        certainty=claim.certainty,
        measured=claim.statistic,
        rule=claim.rule,
        rule_changed=RULE_CHANGES.get(claim.claim, ""),
        published=claim.published,
        published_value=claim.published_value,
        populations=(f"{subject.group}: " if subject.group else "") + ", ".join(subject.populations),
        data=subject.data,
        other_data=subject.other_data,
        reduced="" if subject.other_data else "; ".join(subject.reduced),
        n=found.n,
        unit=found.unit if found.n else "",
        value=found.value,
        low=found.low,
        high=found.high,
        spread="" if np.isnan(found.low) and np.isnan(found.high) else found.spread,
        p_value=found.p,
        null_name=found.null,
        outcome="" if found.holds is None else HOLDS if found.holds else FAILS,
        verdict=verdict,
        reason=reason,
    )
