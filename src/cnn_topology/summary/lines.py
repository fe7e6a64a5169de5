"""All lines of the summary of a run: networks and loops of filters, then activations, then claims."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from cnn_topology.claims.words import number_text, verdict_text
from cnn_topology.summary.activations import accuracy_lines, foreground_lines, measure_lines, purity_lines
from cnn_topology.summary.generalization import correlation_lines, onset_lines, speed_lines
from cnn_topology.summary.weights import weight_lines


def summary_lines(
    tables: Mapping[str, pa.Table], notes: Mapping[str, str], remarks: Sequence[str] = ()
) -> Iterator[str]:
    """Describe what a run found: trained networks and loops of filters, then activations, then claims.

    Parameters
    ----------
    tables : mapping of str to Table
        Tables of the run by name (`cnn_topology.tables.registry`); of one that it lacks nothing is said.
    notes : mapping of str to str
        Their notes, combined.
    remarks : sequence of str
        What the run does otherwise than its config asks, or cannot decide.
    """
    names = ("training", "loops", "significance")
    yield from weight_lines(*(tables[name].to_pandas() if name in tables else None for name in names))
    for name, lines in (
        ("onset", onset_lines),
        ("correlations", correlation_lines),
        ("comparisons", speed_lines),
        ("resnet_training", accuracy_lines),
        ("measure_tests", measure_lines),
        ("activation_graphs", foreground_lines),
        ("purity", purity_lines),
    ):
        if name in tables:
            yield from lines(tables[name].to_pandas())
    yield from (f"note: {remark}" for remark in remarks)
    data = ", ".join(part[:12] for part in notes["data"].split(","))
    yield f"seed {notes['seed']}, config {notes['config']}, data {data}"
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
        said = [row for row in mine if row["outcome"]]
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
