"""The page of a run: what was found, a row a layer, the claims, and all figures by the question they answer.

One file that loads nothing: it can be mailed. Figures stand in it as small pictures, each a link to the one beside it.
"""

import base64
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from jinja2 import Environment
from PIL import Image

from cnn_topology.claims.framework import NOT_TESTED
from cnn_topology.claims.rule_changes import EITHER_WAY, RULE_CHANGES
from cnn_topology.claims.words import number_text, short, verdict_text
from cnn_topology.plan.findings import RunFacts
from cnn_topology.statistics.hollowness import ring
from cnn_topology.statistics.significance import LOOPS, NO_LOOP
from cnn_topology.summary.activations import purity_lines
from cnn_topology.summary.graphs import recipe_tables
from cnn_topology.summary.headline import alternatives, headline, headline_clouds, reached_by_noise, stand_ins

# Width of a small picture, pixels, and of the one that is shown large.
THUMBNAIL, LARGE = 360, 1_100
# Of a sparkline.
SPARK_WIDTH, SPARK_HEIGHT = 90, 22
# What is shown large of the first layer with a loop, the first that there is, and how to read it.
LARGE_CAPTIONS = {
    "mapper": "Left: filters that are alike are nodes, nodes that share filters are joined (a picture, not a test); "
    "around them mean filters, coloured by the direction of their edge: on a circle of edges they turn once. Right: "
    "the bars of loops (the test); the grey band is how long noise of the same size makes them.",
    "cloud": "Left: the bars of loops; the grey band is how long noise of the same size makes them. Middle: the "
    "filters that the density filter keeps, in their principal plane, coloured by the direction of the nearest edge. "
    "Right: mean filters around that plane; on a circle of edges they turn once.",
}


@dataclass(frozen=True)
class PageFigure:
    """A figure of the run: its name, the question it answers, caption, picture, and whether it has a page as well."""

    name: str
    question: str
    caption: str
    picture: Path | None
    interactive: bool = False


def run_page(
    run: str,
    facts: RunFacts,
    tables: Mapping[str, pa.Table],
    figures: Sequence[PageFigure],
    notes: Mapping[str, str],
    version: str,
) -> str:
    """Write the page.

    Parameters
    ----------
    run : str
        Name of the run.
    facts : RunFacts
        What its config says of populations and images.
    tables : mapping of str to Table
        Its tables by name; what needs one that it lacks is left out.
    figures : sequence of PageFigure
        In the order of their questions.
    notes : mapping of str to str
        Notes of the tables, combined: seed, and hashes of config, code and data.
    version : str
        Of this software.

    Returns
    -------
    str
        HTML. Names of users are text in it.
    """
    loops = headline_clouds(tables) if "loops" in tables else pd.DataFrame()
    critical = reached_by_noise(tables) if "loops" in tables else {}
    claims = tables["claims"].to_pylist() if "claims" in tables else []
    first = headline(facts, loops, critical) if len(loops) else []
    wanted = [(kind, f"{kind}_{finding.population}_{finding.layer}") for finding in first for kind in LARGE_CAPTIONS]
    large = next(((kind, figure) for kind, name in wanted for figure in figures if figure.name == name), None)
    tested = [_claim(row) for row in claims if row["verdict"] != NOT_TESTED]
    on_others = [_claim(row) for row in claims if row["verdict"] == NOT_TESTED and row["outcome"]]
    environment = Environment(autoescape=True, trim_blocks=True)
    template = environment.from_string(files("cnn_topology.summary").joinpath("page.html").read_text(encoding="utf-8"))
    return str(
        template.render(
            run=run,
            title=first[0].statement if first else f"The run {run}",
            sentences=[
                *(finding.numbers for finding in first[:1]),
                *(f"{finding.statement} {finding.numbers}" for finding in first[1:]),
                *(alternatives(loops, facts.alpha) if len(loops) else []),
            ],
            grey=stand_ins(facts),
            large=_picture(large[1], LARGE) if large else None,
            large_caption=LARGE_CAPTIONS[large[0]] if large else "",
            layers=_layers(loops, critical, tables.get("training"), facts.alpha),
            measures=_measures(tables.get("measure_tests")),
            purity=list(purity_lines(tables["purity"].to_pandas())) if "purity" in tables else [],
            graphs=list(recipe_tables(tables)),
            rule_changes=(len(RULE_CHANGES), len(RULE_CHANGES) - len(EITHER_WAY)),
            counts=Counter(row["verdict"] for row in claims if row["verdict"] != NOT_TESTED),
            claims=tested,
            on_others=on_others,
            untested=[f"{row['claim']}: {row['statement']} ({row['reason']})" for row in claims if not row["outcome"]],
            questions=_by_question(figures),
            method=method(facts, notes, version),
            notes=notes,
        )
    )


def method(facts: RunFacts, notes: Mapping[str, str], version: str) -> str:
    """Describe how loops were found and tested, in words for a methods section."""
    return (
        "All filters of a layer, pooled over the networks of a population, were centred and normalized; a density "
        "filter kept the fraction p with the smallest distance to the k-th neighbour; persistent homology "
        "(Vietoris-Rips, Z/2) of what is kept. A loop counts if its bar is longer than the longest bar of matched "
        f"noise at level {facts.alpha:g}, under {' and '.join(facts.nulls)} nulls, {facts.draws} draws each. "
        f"cnn-topology {version}, seed {notes.get('seed', '')}, config {notes.get('config', '')[:12]}, code "
        f"{notes.get('code', '')[:12]}. Methods: Gabrielsson and Carlsson, arXiv 1810.03234; Purvine et al., arXiv "
        "2212.00222; the tests are this software's."
    )


def _layers(
    loops: pd.DataFrame, critical: Mapping[tuple[Any, ...], float], training: pa.Table | None, alpha: float
) -> list[dict[str, Any]]:
    """Return a row a layer at its last step: cells as text."""
    if not len(loops):
        return []
    groups = [clouds.sort_values("step") for _, clouds in loops.groupby(["population", "layer"], sort=False)]
    last = [clouds.iloc[-1].to_dict() for clouds in groups]
    accuracy = _accuracy(training)
    rows = []
    for row, clouds in zip(last, groups, strict=True):
        is_tested = pd.notna(row["p_longest"])
        at = (row["population"], row["layer"])
        rows.append(
            {
                "population": row["population"],
                "layer": row["layer"],
                "accuracy": accuracy.get(row["population"], ""),
                "filters": f"{row['kept']:,} of {row['points']:,}",
                "spark": _spark(clouds, critical) if len(clouds) > 1 else None,
                "longest": f"{row['longest']:.3f}",
                "needed": f"{critical[(*at, row['step'])]:.3f}" if (*at, row["step"]) in critical else "",
                "p": f"{row['p_longest']:.2g}" if is_tested else "",
                "q": f"{row['q_longest']:.2g}" if is_tested else "",
                "verdict": row["verdict"],
                "power": _power(row),
                "is_loop": row["verdict"] in LOOPS,
                "lowpass": f"{row['p_lowpass']:.2g}" if pd.notna(row["p_lowpass"]) else "",
                "block": f"{row['p_block']:.2g}" if pd.notna(row["p_block"]) else "",
                "stability": f"{row['verdict_stability']:.0%}" if pd.notna(row["verdict_stability"]) else "",
                "ring": ring(row, alpha),
            }
        )
    return rows


def _power(row: Mapping[Any, Any]) -> str:
    """Write how often circles of half and of a fifth of the filters would have been found, beside `no loop`."""
    if row["verdict"] != NO_LOOP or pd.isna(row["power_circle"]):
        return ""
    nearest = "" if row["power_in_range"] else "≈ "
    return f"{nearest}{row['power_circle']:.0%}, {row['power_faint_circle']:.0%}"


def _accuracy(training: pa.Table | None) -> dict[str, str]:
    """Return the mean test accuracy of each population at its last step, on its own images."""
    if training is None:
        return {}
    frame = training.to_pandas()
    frame = frame[frame["own_images"] & (frame["split"] == "test") & ~frame["failed"]]
    last = frame[frame["step"] == frame.groupby("population")["step"].transform("max")]
    return {str(name): f"{value:.1%}" for name, value in last.groupby("population")["accuracy"].mean().items()}


def _spark(clouds: pd.DataFrame, critical: Mapping[tuple[Any, ...], float]) -> dict[str, str]:
    """Return the points of two lines: the longest loop over the steps, and the length that noise reaches."""
    needed = [critical.get((row["population"], row["layer"], row["step"]), np.nan) for row in clouds.to_dict("records")]
    top = np.nanmax([*clouds["longest"], *needed, 1e-9])
    across = np.linspace(2, SPARK_WIDTH - 2, len(clouds))

    def line(values: Sequence[float]) -> str:
        heights = [SPARK_HEIGHT - 2 - (SPARK_HEIGHT - 4) * value / top for value in values]
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(across, heights, strict=True) if np.isfinite(y))

    steps = ", ".join(f"{step}: {value:.2f}" for step, value in zip(clouds["step"], clouds["longest"], strict=True))
    return {"longest": line(list(clouds["longest"])), "noise": line(needed), "title": f"longest loop by step: {steps}"}


def _measures(tests: pa.Table | None) -> list[dict[str, str]]:
    """Return how often each measure finds the same layer in another network, and how it orders layers by depth."""
    if tests is None:
        return []
    rows: dict[tuple[str, str, str], dict[str, str]] = {}
    for row in tests.to_pandas().to_dict("records"):
        if row["test"] not in ("specificity", "depth_order") or not np.isfinite(row["statistic"]):
            continue
        cells = rows.setdefault((row["population"], row["cloud"], row["measure"]), {})
        interval = f" ({short(row['low'])} to {short(row['high'])})" if np.isfinite(row["low"]) else ""
        p_value = f", p = {row['p_value']:.2g}" if np.isfinite(row["p_value"]) else ""
        cells[row["test"]] = f"{short(row['statistic'])}{interval}{p_value}"
        cells["chance"] = short(row["null_value"]) if row["test"] == "specificity" else cells.get("chance", "")
    return [
        {"of": f"{population}, {cloud}", "measure": measure.replace("_", " "), **cells}
        for (population, cloud, measure), cells in rows.items()
    ]


def _claim(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": row["claim"],
        "statement": row["statement"],
        "verdict": verdict_text(row),
        "number": number_text(row) or "no value",
        "published": row["published"],
        "rule": row["rule"],
        "measured": row["measured"],
        "populations": row["populations"],
        "data": row["data"],
    }


def _by_question(figures: Sequence[PageFigure]) -> list[dict[str, Any]]:
    questions: dict[str, list[dict[str, Any]]] = {}
    for figure in figures:
        questions.setdefault(figure.question, []).append(_picture(figure, THUMBNAIL))
    return [{"question": question, "figures": shown} for question, shown in questions.items()]


def _picture(figure: PageFigure, width: int) -> dict[str, Any]:
    """Return a figure with its picture in a width, as a PNG of 256 colours."""
    shown = {"name": figure.name, "caption": figure.caption, "interactive": figure.interactive}
    if figure.picture is None:
        return shown
    small = io.BytesIO()
    with Image.open(figure.picture) as image:
        height = max(1, round(image.height * width / image.width))
        scaled = image.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
        scaled.quantize(256).save(small, format="PNG", optimize=True)
    return {**shown, "png": base64.b64encode(small.getvalue()).decode(), "width": width, "height": height}
