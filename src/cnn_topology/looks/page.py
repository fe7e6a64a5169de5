"""The page of a look: what was found, a row and a picture a layer, and how it was made; one file without a request."""

import base64
import io
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment
from markupsafe import Markup

import cnn_topology
from cnn_topology.looks.layers import size_of
from cnn_topology.looks.look import not_looked_at
from cnn_topology.statistics.hollowness import ring
from cnn_topology.statistics.significance import DEAD_LAYER, LOOPS, ONE_LOOP_RATIO
from cnn_topology.storage.atomic import atomic_path
from cnn_topology.summary.tables import text_table
from cnn_topology.tables.look import LookRow

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from cnn_topology.looks.look import Look
    from cnn_topology.looks.steps import Steps

# Pictures are at most 7 inches wide.
DPI = 120


def fragment(look: "Look") -> str:
    """Return the sentences and the table as HTML, for a notebook."""
    lines = "".join(f"<p>{Markup.escape(line)}</p>" for line in look.sentences)
    return lines + _table(look, set())


def write_page(path: Path, look: "Look", other: "Look | None" = None, steps: "Steps | None" = None) -> None:
    """Write the page of a look, with the layers of another one beside its own, or with the steps that it ends."""
    drawn = [layer for layer in look.layers if layer.tables and layer.untested != DEAD_LAYER]
    longest = max((layer.longest for layer in drawn), default=0)
    pictures = [
        {
            "title": f"{layer.name}: {layer.row.verdict}, longest loop {layer.longest:.3f}",
            "anchor": layer.cloud.layer,
            "png": _as_png(look.layer(layer.name).plot()),
            "open": layer.longest == longest,
        }
        for layer in drawn
    ]
    looks = dict(zip(look.names(other), (look, other), strict=True)) if other else {"": look}
    others = steps.others if steps else not_looked_at(looks)
    page = _template("page.html").render(
        name=look.source.name,
        sentences=look.sentences,
        table=Markup(_table(look, {str(picture["anchor"]) for picture in pictures})),
        pictures=pictures,
        compared=_rows(look.compared(other)) if other else None,
        over_steps=_rows(steps.table) if steps else None,
        evolution=[_as_png(figure) for figure in steps.plots()] if steps else [],
        others=others,
        files=look.source.files,
        method=method(look),
    )
    with atomic_path(path, checksum=False) as temporary:
        temporary.write_text(page, encoding="utf-8", errors="backslashreplace")


def method(look: "Look") -> str:
    """Describe how a look was made, in words for a methods section."""
    density, test = look.settings.density, look.settings.significance
    share = f"{density.k:g} N" if isinstance(density.k, float) else f"{density.k}"
    sampled = [layer for layer in look.layers if len(layer.cloud.points) < layer.filters - layer.cloud.constant]
    drawn = (
        f" Of {len(sampled)} layers a seeded sample of {look.settings.sample:,} filters was taken." if sampled else ""
    )
    networks = f"{look.source.networks} network{'s' * (look.source.networks > 1)}"
    return (
        f"All filters of each of {len(look.layers)} layers of {networks} were "
        f"centred and normalized; the density filter kept the fraction p = {density.p:g} with the smallest distance to "
        f"the k-th neighbour, k = {share} for N filters; persistent homology (Vietoris-Rips, Z/2) of what is kept. A "
        f"loop counts if its bar is longer than the longest bar of matched noise at level {test.alpha:g}, under "
        f"{' and '.join(test.nulls)} nulls, {test.draws} draws each; `one loop` is one such bar, at least "
        f"{ONE_LOOP_RATIO:g} times as long as the second.{drawn} q-values: Benjamini and Hochberg, over layers. "
        f"cnn-topology {cnn_topology.__version__}, seed {look.settings.seed}. Method: Gabrielsson and Carlsson, arXiv "
        "1810.03234; the tests are this software's."
    )


def _template(name: str) -> Any:
    text = files("cnn_topology.looks").joinpath(name).read_text(encoding="utf-8")
    return Environment(autoescape=True, trim_blocks=True).from_string(text)


def _table(look: "Look", anchors: set[str]) -> str:
    alpha = look.settings.significance.alpha
    table = text_table("", "", [_cells(row, alpha) for row in look.rows])
    links = [layer.cloud.layer if layer.cloud.layer in anchors else "" for layer in look.layers]
    return str(_template("table.html").render(alpha=f"{alpha:g}", table=table, links=links, loops=LOOPS))


def _cells(row: LookRow, alpha: float) -> dict[str, str]:
    """Return the cells of a layer by the names of their columns."""

    def number(value: float | None, digits: str) -> str:
        return "" if value is None else f"{value:{digits}}"

    side = ring(vars(row), alpha)
    return {
        "layer": row.layer,
        "verdict": row.verdict or "not tested yet",  # within the width of a phone
        "longest loop": number(row.longest, ".3f"),
        "needed": number(row.needed, ".3f"),
        "p": number(row.p, ".2g"),
        "q": number(row.q, ".2g"),
        "stable": number(row.verdict_stability, ".0%"),
        "p, smooth": number(row.p_lowpass, ".2g"),
        "p, blocks": "" if row.p_block is None else f"{row.p_block:.2g} (ratio {row.block_ratio:.2f})",
        "p, own covariance": number(row.p_covariance, ".2g"),
        "ring?": side and f"{side}, p = {row.p_hollowness:.2g}",
        "nearest circle": f"{row.circle}, {row.circle_coverage:.0%}" if row.circle else "",
        "kernel": f"{row.kernel_side}x{row.kernel_side}",
        "filters": size_of(row).replace(" filters", ""),
    }


def _rows(table: "pd.DataFrame") -> Any:
    return table.round(3).astype(str).to_dict("split")


def _as_png(figure: "Figure") -> str:
    """Return a figure as a small PNG: 256 colours are enough for lines, grey filters and a wheel of hues."""
    from PIL import Image

    from cnn_topology.figures import style

    raw, small = io.BytesIO(), io.BytesIO()
    with style.applied():
        figure.savefig(raw, format="png", dpi=DPI)
    Image.open(raw).convert("RGB").quantize(256).save(small, format="PNG", optimize=True)
    return base64.b64encode(small.getvalue()).decode()
