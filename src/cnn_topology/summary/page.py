"""The page of a run: what was found, a row a layer, the claims, and all figures by the question they answer.

One file that loads nothing: it can be mailed. Figures stand in it as small pictures, each a link to the one beside it.
"""

import base64
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from jinja2 import Environment
from PIL import Image

import cnn_topology
from cnn_topology.claims.framework import NOT_TESTED
from cnn_topology.claims.rule_changes import EITHER_WAY, RULE_CHANGES
from cnn_topology.claims.words import is_told, number_text, verdict_text
from cnn_topology.plan.findings import RunFacts, ShownFigure
from cnn_topology.plan.populations import Recipe
from cnn_topology.statistics.significance import LOOPS
from cnn_topology.summary.headline import alternatives, headline, headline_clouds, networks_of, stand_ins
from cnn_topology.summary.tables import LAYERS, found_tables, last_clouds, recipe_tables

# Width of a small picture, pixels, and of the one that is shown large.
THUMBNAIL, LARGE = 360, 1_100
# Populations, and density filters, that the paragraph on methods names.
MOST_NAMED = 4
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


def run_page(
    run: str,
    facts: RunFacts,
    tables: Mapping[str, pa.Table],
    figures: Sequence[ShownFigure],
    folder: Path,
    seed: int,
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
    figures : sequence of ShownFigure
        In the order of their questions.
    folder : Path
        Where their captions and pictures lie.
    seed : int
        Of the run.

    Returns
    -------
    str
        HTML. Names of users are text in it.
    """
    loops = headline_clouds(tables)
    claims = tables["claims"].to_pylist() if "claims" in tables else []
    first = headline(facts, loops)
    wanted = [(kind, f"{kind}_{finding.population}_{finding.layer}") for finding in first for kind in LARGE_CAPTIONS]
    large = next(((kind, figure) for kind, name in wanted for figure in figures if figure.name == name), None)
    environment = Environment(autoescape=True, trim_blocks=True)
    template = environment.from_string(files("cnn_topology.summary").joinpath("page.html").read_text(encoding="utf-8"))
    return str(
        template.render(
            run=run,
            title=first[0].statement if first else f"The run {run}",
            sentences=[
                *(finding.numbers for finding in first[:1]),
                *(f"{finding.statement} {finding.numbers}" for finding in first[1:]),
                *alternatives(loops, facts.alpha),
            ],
            grey=stand_ins(facts),
            large=_picture(large[1], folder, LARGE) if large else None,
            large_caption=LARGE_CAPTIONS[large[0]] if large else "",
            tables=found_tables(tables, facts.alpha),
            sparks=[_spark(clouds) if len(clouds) > 1 else None for clouds in last_clouds(tables)],
            recipes=recipe_tables(facts, tables),
            loop_verdicts=LOOPS,
            layers=LAYERS,
            rule_changes=(len(RULE_CHANGES), len(RULE_CHANGES) - len(EITHER_WAY)),
            counts=Counter(row["verdict"] for row in claims if row["verdict"] != NOT_TESTED),
            claims=[row for row in claims if row["verdict"] != NOT_TESTED],
            on_others=[row for row in claims if row["verdict"] == NOT_TESTED and row["outcome"]],
            verdict_of=verdict_text,
            number_of=number_text,
            untested=[f"{row['claim']}: {row['statement']} ({row['reason']})" for row in claims if not is_told(row)],
            questions=_by_question(figures, folder),
            method=method(facts, loops, seed),
        )
    )


def method(facts: RunFacts, loops: pd.DataFrame, seed: int) -> str:
    """Describe how loops were found and tested, in words for a methods section."""
    made = (
        f"cnn-topology {cnn_topology.__version__}, seed {seed}; hashes of config, code and images, and all versions, "
        "are in provenance.json. Methods: Gabrielsson and Carlsson, arXiv 1810.03234; Purvine et al., arXiv "
        "2212.00222; the tests are this software's."
    )
    if loops.empty:
        return made
    networks = [
        networks_of(facts, str(name), int(clouds["networks"].max()))
        + (f" ({_recipe(facts.populations[str(name)].recipe)})" if name in facts.populations else "")
        for name, clouds in loops.groupby("population", sort=False)
    ]
    filters = [f"rho({k}, {p:g})" for k, p in loops[["density_k", "density_p"]].drop_duplicates().to_numpy(object)]
    named = " or ".join(filters) if len(filters) <= MOST_NAMED else "rho(k, p), of k and p as in the table of layers,"
    return (
        f"Networks: {'; '.join(networks[:MOST_NAMED])}{'; and others' * (len(networks) > MOST_NAMED)}. "
        "All filters of a layer, pooled over the networks of a population, were centred and normalized; the density "
        f"filter {named} kept the fraction p with the smallest distance to the k-th neighbour; persistent homology "
        "(Vietoris-Rips, Z/2) of what is kept. A loop counts if its bar is longer than the longest bar of matched "
        f"noise at level {facts.alpha:g}, under {' and '.join(facts.nulls)} nulls, {facts.draws} draws each. {made}"
    )


def _recipe(recipe: Recipe) -> str:
    optimizer = {"adam": "Adam", "sgd": "SGD"}[recipe.optimizer]
    rate = f"learning rate {recipe.learning_rate:g}"
    return f"{optimizer}, {rate}, batches of {recipe.batch_size}, {recipe.iterations:,} iterations"


def _spark(clouds: pd.DataFrame) -> dict[str, str]:
    """Return the points of two lines: the longest loop over the steps, and the length that noise reaches."""
    top = np.nanmax([*clouds["longest"], *clouds["needed"], 1e-9])
    across = np.linspace(2, SPARK_WIDTH - 2, len(clouds))
    lines = {}
    for name in ("longest", "needed"):
        heights = SPARK_HEIGHT - 2 - (SPARK_HEIGHT - 4) * clouds[name] / top
        points = zip(across, heights, strict=True)
        lines[name] = " ".join(f"{x:.1f},{y:.1f}" for x, y in points if np.isfinite(y))
    steps = ", ".join(f"{step}: {value:.2f}" for step, value in zip(clouds["step"], clouds["longest"], strict=True))
    return {**lines, "title": f"longest loop by step: {steps}"}


def _by_question(figures: Sequence[ShownFigure], folder: Path) -> list[dict[str, Any]]:
    questions: dict[str, list[dict[str, Any]]] = {}
    captioned: dict[str, str] = {}  # a caption stands once, at the first figure that has it
    for figure in figures:
        shown = _picture(figure, folder, THUMBNAIL)
        first = captioned.setdefault(shown["caption"], figure.name)
        shown["read_as"] = "" if first == figure.name else first
        questions.setdefault(figure.question, []).append(shown)
    return [{"question": question, "figures": shown} for question, shown in questions.items()]


def _picture(figure: ShownFigure, folder: Path, width: int) -> dict[str, Any]:
    """Return a figure with its caption and, where it has a print, this in a width, as a PNG of 256 colours."""
    caption = (folder / f"{figure.name}.txt").read_text(encoding="utf-8").strip()
    shown = {"name": figure.name, "caption": caption, "interactive": figure.interactive}
    if not figure.printed:
        return shown
    small = io.BytesIO()
    with Image.open(folder / f"{figure.name}.png") as image:
        height = max(1, round(image.height * width / image.width))
        scaled = image.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
        scaled.quantize(256).save(small, format="PNG", optimize=True)
    return {**shown, "png": base64.b64encode(small.getvalue()).decode(), "width": width, "height": height}
