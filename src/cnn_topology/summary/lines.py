"""All lines of the summary of a run: what it found, as tables, then claims."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from cnn_topology.claims.words import is_told, number_text, verdict_text
from cnn_topology.plan.findings import RunFacts
from cnn_topology.summary.headline import opening
from cnn_topology.summary.tables import found_tables


def summary_lines(facts: RunFacts, tables: Mapping[str, pa.Table], remarks: Sequence[str] = ()) -> Iterator[str]:
    """Describe what a run found: in sentences, in tables, and claim by claim.

    Parameters
    ----------
    facts : RunFacts
        What the config says of populations and images.
    tables : mapping of str to Table
        Tables of the run by name (`cnn_topology.tables.registry`); of one that it lacks nothing is said.
    remarks : sequence of str
        What the run does otherwise than its config asks, or cannot decide.
    """
    yield from opening(facts, tables)
    yield ""
    for table in found_tables(tables, facts.alpha):
        yield from [*table.lines(), ""]
    yield from (f"note: {remark}" for remark in remarks)
    yield "seed, versions, and hashes of config, code and images: provenance.json"
    if "claims" in tables:
        yield from claim_lines(tables["claims"].to_pylist())


def claim_lines(claims: Sequence[Mapping[str, Any]]) -> list[str]:
    """Describe what became of the papers' claims: one line for each that the run has something to say about.

    Parameters
    ----------
    claims : sequence of mapping
        Rows of the table `claims`.
    """
    lines = []
    for paper in dict.fromkeys(row["paper"] for row in claims):
        mine = [row for row in claims if row["paper"] == paper]
        said = [row for row in mine if is_told(row)]
        if said:
            lines.append(
                f"claims of the {paper} paper ({len(mine) - len(said)} more cannot be tested by this run); in brackets "
                "95% intervals unless said; what each number is, and each rule: tables/claims.csv"
            )
            lines += [
                f"  {row['claim']:4} {verdict_text(row)}; {number_text(row) or 'no value'}. {row['statement']} "
                f"({row['populations']})"
                for row in said
            ]
    return lines
