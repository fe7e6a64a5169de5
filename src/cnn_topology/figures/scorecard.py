"""The claims of one paper on one page: what was measured, the paper's number beside it, and the verdict.

The claims of one paper (ours): for each what was measured, with its p-value and the number of networks, populations,
layers, graphs, curves or noise levels behind it, in brackets its 95% interval, or, where it says so, the range over
these or the ends that two intervals give, the paper's own number with the tag of how certain it is, in grey under the
claim the networks and images that stood in here, and the verdict by a rule that was fixed beforehand, but for 29 that
were changed after small runs were seen or after a review, all but 14 of them to be stricter only: the column
`rule_changed` of the table names them. Filled marks are verdicts on the paper's own data, half filled ones by fewer,
smaller or less trained networks or on fewer images than the paper's (verdict `reduced`, which the table explains);
hollow ones say what the rule gives on other data or networks than the paper's, which is no test of the claim; a dash is
a claim that this run does not test, with the reason. Rules, nulls and the networks behind each row stand in the table
`claims`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

import numpy as np

from cnn_topology.claims.framework import NOT_TESTED
from cnn_topology.claims.rule_changes import EITHER_WAY, RULE_CHANGES
from cnn_topology.claims.words import number_parts, verdict_text
from cnn_topology.figures import style
from cnn_topology.figures.kinds import Drawing, Notes, Parameters, Plan, Planned, Tables, figure
from cnn_topology.figures.libraries import Axes, Figure, FontProperties, Line2D, text_to_path
from cnn_topology.figures.selection import drawn, provenance, rows

# Left edges of the columns and right edge of the last, in inches; the mark stands left of the words of the verdict.
CLAIM, STATEMENT, OURS, PAPER, VERDICT, END = 0.06, 0.40, 2.46, 4.78, 5.56, style.WIDTH - 0.03
BESIDE_MARK, BETWEEN = 0.13, 0.09
LINE, GAP = 0.106, 0.05  # inches: a line of text, and the space between two claims
TEXT = 6.5  # points
TITLES = {"weights": "Claims of the weights paper", "activations": "Claims of the activations paper"}
# Shape and fill say what colour says: round for, cross against; filled on the paper's own data, half at a reduced size.
MARKS: dict[str, tuple[str, str, Literal["full", "left", "none"], str]] = {
    "supported": ("o", style.BLUE, "full", "supported"),
    "not supported": ("X", style.VERMILION, "full", "not supported"),
    "supported, reduced": ("o", style.BLUE, "left", "supported, reduced"),
    "not supported, reduced": ("X", style.VERMILION, "left", "not supported, reduced"),
    "holds": ("o", style.BLUE, "none", "not tested (on other data: holds)"),
    "fails": ("X", style.VERMILION, "none", "not tested (on other data: fails)"),
    "cannot decide": ("D", style.GREY, "none", "cannot decide: too few"),
    "": ("_", style.GREY, "full", "not tested"),
}
HEADINGS = {
    CLAIM: "claim, and the networks here",
    OURS: "ours: value, interval, statistic",
    PAPER: "the paper's",
    VERDICT: "verdict",
}
KEYS = 4  # marks explained in a line
FOOTER = (
    "in brackets 95% intervals unless said; joined: of a ratio, by the ends of both intervals · "
    "[F] found in the source, [F2] in a re-implementation or summary, [text] in an "
    "excerpt of the paper, [summary] in our notes' summary, [M] recollected, [P] proposed, not the paper's · "
    f"rules, fixed beforehand but for {len(RULE_CHANGES)} changed after runs were seen, all but {len(EITHER_WAY)} of "
    "these to be stricter only, nulls, data: table `claims`"
)


def planned(plan: Plan) -> Planned:
    """List one figure for each paper that the run is about."""
    if plan.has_claims and (plan.config.populations or plan.config.checkpoints):
        yield "scorecard_weights", {"paper": "weights"}
    if plan.config.resnets:
        yield "scorecard_activations", {"paper": "activations"}


@figure(section="findings", tables=("claims",), planned=planned)
def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw a row for each claim of `paper` and each population it was tested on."""
    found = rows(tables["claims"], paper=parameters["paper"])
    # A claim that is tested on several populations says on which.
    several = found["claim"].duplicated(keep=False) & (found["populations"] != "")
    found_as = found["statement"] + np.where(several, " — " + found["populations"].str.split(",").str[0], "")
    shown = found.assign(statement=found_as).to_dict("records")
    blocks = [_columns({str(name): value for name, value in row.items()}) for row in shown]
    decided = zip(found["verdict"].astype(str), found["outcome"].astype(str), strict=True)
    marks = [verdict if verdict in MARKS else outcome for verdict, outcome in decided]
    heights = [GAP + LINE * max(len(lines) for lines in block.values()) for block in blocks]
    top = 0.62 + 0.16 * ((len(set(marks)) - 1) // KEYS)
    footer = f"{FOOTER} · {provenance(notes)}"
    figure = style.new_figure(top + max(0.5, sum(heights)), footer)
    if not blocks:
        style.explain(figure.add_subplot(), "no claim was tested: no row in the table", characters=80)
        return figure, drawn(claims=found)
    # The page is a table set by hand, in inches.
    figure.set_layout_engine("none")
    width, height = figure.get_size_inches()
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(0, height))
    axes.axis("off")
    axes.text(CLAIM, height - 0.06, TITLES[parameters["paper"]], fontsize=9, va="top")
    y = height - top
    for x, heading in HEADINGS.items():
        axes.text(x, y + 0.03, heading, fontsize=7, fontweight="bold", va="bottom")
    for block, mark, tall in zip(blocks, marks, heights, strict=True):
        axes.plot([CLAIM, END], [y, y], color=style.BAND, linewidth=0.6)
        _row(axes, block, y - GAP / 2)
        shape, colour, fill, _ = MARKS[mark]
        where = VERDICT + 0.04, y - GAP / 2 - LINE / 2
        axes.plot(*where, shape, color=colour, fillstyle=fill, markerfacecoloralt="white", markersize=5)
        y -= tall
    _legend(figure, marks)
    return figure, drawn(claims=found)


def _columns(row: Mapping[str, Any]) -> dict[float, list[tuple[str, bool]]]:
    """Write a row as lines of text by column; each line says whether it is the main one of its column."""
    value, *counts = number_parts(row) or [""]
    # "n = 12 networks" stays on one line.
    number = ", ".join([value, *(part.replace(" ", "\N{NO-BREAK SPACE}") for part in counts)])
    return {
        CLAIM: [(row["claim"], True)],
        STATEMENT: [
            *_lines(row["statement"], STATEMENT, OURS, main=True),
            *_lines(_stood_in(row), STATEMENT, OURS, main=False),
        ],
        OURS: [*_lines(number, OURS, PAPER, main=True), *_lines(row["measured"], OURS, PAPER, main=False)],
        PAPER: _lines(
            row["published"] or f"no number [{row['certainty']}]", PAPER, VERDICT, main=bool(row["published"])
        ),
        VERDICT + BESIDE_MARK: _lines(verdict_text(row), VERDICT + BESIDE_MARK, END, main=True),
    }


def _stood_in(row: Mapping[str, Any]) -> str:
    """Describe on which networks a number or verdict is; of several sets on which images, or which model, each once."""
    if np.isnan(row["value"]) and row["verdict"] == NOT_TESTED and not row["outcome"]:
        return ""
    sets = row["data"].replace(" iterations", " steps").split("; ")
    if len(sets) == 1:
        return f"here: {sets[0]}"
    images = dict.fromkeys(re.split("[:,]", networks)[0] for networks in sets)
    return f"here: {', '.join(images)}"


def _lines(text: str, left: float, right: float, *, main: bool) -> list[tuple[str, bool]]:
    lines: list[str] = []
    for word in text.split(" ") if text else []:
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and _width(longer) <= right - left - BETWEEN:
            lines[-1] = longer
        else:
            lines.append(word)
    return [(line, main) for line in lines]


@lru_cache(maxsize=4_096)
def _width(text: str) -> float:
    """Return the width of a line, inches."""
    wide, _, _ = text_to_path.get_text_width_height_descent(text, FontProperties(size=TEXT), ismath=False)
    return float(wide) / 72


def _row(axes: Axes, block: Mapping[float, list[tuple[str, bool]]], y: float) -> None:
    for x, lines in block.items():
        for number, (line, main) in enumerate(lines):
            weight = "bold" if x == CLAIM else "normal"
            colour = style.INK if main else style.GREY
            axes.text(x, y - LINE * number, line, fontsize=TEXT, fontweight=weight, color=colour, va="top")


def _legend(figure: Figure, marks: list[str]) -> None:
    """Explain the marks, with how often each occurs."""
    handles = []
    for mark, (shape, colour, fill, label) in MARKS.items():
        if mark in marks:
            handle = Line2D(
                [], [], color=colour, marker=shape, fillstyle=fill, markerfacecoloralt="white", linestyle=""
            )
            handle.set_label(f"{label} ({marks.count(mark)})")
            handles.append(handle)
    where = (0.0, 1 - 0.19 / figure.get_figheight())
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=where, ncols=KEYS, columnspacing=1.0, handletextpad=0.2
    )
