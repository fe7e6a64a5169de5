"""One style for all figures, and writing them: vector PDF, 200-dpi PNG and the table drawn, the same bytes each time.

Figures are at most 7 inches wide, the text width of a two-column page, in 8-point type that ships with matplotlib.
Colours are those of Okabe and Ito (2008), which people with any common colour blindness tell apart.
"""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from cnn_topology.figures import fonts
from cnn_topology.figures.libraries import (
    Artist,
    Axes,
    EngFormatter,
    Figure,
    FigureCanvasAgg,
    FigureCanvasPdf,
    FixedLocator,
    LinearSegmentedColormap,
    Normalize,
    NullLocator,
    PathCollection,
    ScaledTranslation,
    SubplotSpec,
    mpl,
    seaborn,
)
from cnn_topology.storage.atomic import atomic_path
from cnn_topology.storage.tables import write_csv, write_table

Options = dict[str, Any]  # of a call of matplotlib
WIDTH = 7.0  # inches
DPI = 200
COMPRESSION = 3  # of PNGs: two thirds of the time of the usual 6, for files of the same size

BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9"
INK, GREY, PALE, BAND = "#222222", "#767676", "#b4b4b4", "#e6e6e6"
SERIES = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, INK)
NULL_LINES: dict[str, Any] = {
    "sphere": "--",
    "permuted": ":",
    "covariance": "-.",
    "lowpass": (0, (5, 1)),
    "block": (0, (1, 1)),
}
# Filters: symmetric about zero, as grey images in the paper.
PATCHES = "gray"

SMALL = 6.5  # points; the least that stays legible in print
FOOTER_LINE = 0.115  # inches
# A character of the footer is about 0.048 inches wide, of a title 0.066, one of 8-point type 0.068.
FOOTER_CHARACTERS_PER_INCH, TITLE_CHARACTERS_PER_INCH = 20, 14
CHARACTER = 0.068

# Drawn tables up to this many rows are also written as CSV.
SMALL_TABLE = 2_000

STYLE: dict[Any, Any] = {
    # Names of users may hold any sign: no text is a formula, and ours say H1, ρ and ℓ₂ in plain letters.
    "text.parse_math": False,
    "font.family": fonts.FONT,
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "figure.titlesize": 9,
    "axes.titlelocation": "left",
    # Titles stand on their panel. To look for tick labels above it, at each drawing, took a tenth of the time.
    "axes.titley": 1.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.size": 1.5,
    "xtick.minor.width": 0.4,
    "lines.linewidth": 1.2,
    "legend.frameon": False,
    "legend.handlelength": 1.6,
    # At this resolution hints for coarse screens only spoil the spacing, and take time.
    "text.hinting": "none",
    "pdf.fonttype": 42,
}


@cache
def cyclic() -> LinearSegmentedColormap:
    """Return the colours of angles: a cyclic map without a colour as pale as the paper."""
    return LinearSegmentedColormap.from_list("angle", [BLUE, GREEN, ORANGE, PURPLE, BLUE])


def angle_colour(angle: float) -> Any:
    """Return the colour of an angle, in radians."""
    return cyclic()(angle / (2 * np.pi))


def angle_bar(axes: Axes, points: PathCollection, label: str) -> None:
    """Fill a panel with the key to points that are coloured by angle."""
    bar = figure_of(axes).colorbar(points, cax=axes, orientation="horizontal")
    bar.set_ticks([0, np.pi, 2 * np.pi], labels=["0", "π", "2π"])
    bar.set_label(label, fontsize=7, labelpad=0)
    bar.outline.set_visible(False)


@contextmanager
def applied() -> Iterator[None]:
    """Draw in this style, whatever a user's matplotlibrc says."""
    with mpl.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # `fonts` reports those letters once
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        yield


def new_figure(height: float, footer: str, title: str | None = None) -> Figure:
    """Build a figure with a grey footer that says what the data are.

    Parameters
    ----------
    height : float
        Height of the panels, inches; the footer comes on top of it.
    footer : str
        The provenance, from `selection.provenance`; wrapped to the width.
    title : str, optional
        A line above the panels, for figures that show one cloud.
    """
    lines = textwrap.wrap(footer, int(WIDTH * FOOTER_CHARACTERS_PER_INCH), break_on_hyphens=False)
    below = FOOTER_LINE * (len(lines) + 0.6) if lines else 0.0
    total = height + below
    figure = Figure(figsize=(WIDTH, total), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    engine = figure.get_layout_engine()
    assert engine is not None
    engine.set(rect=(0.0, below / total, 1.0, 1.0 - below / total), w_pad=0.06, h_pad=0.05)  # type: ignore[call-arg]
    for number, line in enumerate(reversed(lines)):
        y = FOOTER_LINE * (number + 0.4) / total
        figure.text(0.06 / WIDTH, y, line, fontsize=SMALL - 0.5, color=GREY, va="bottom", ha="left")
    if title:
        figure.suptitle(as_title(title), x=0.06 / WIDTH, ha="left")
    return figure


def as_title(text: str) -> str:
    """Break each line of the title of a figure where it would leave the figure."""
    lines = (textwrap.wrap(line, int(WIDTH * TITLE_CHARACTERS_PER_INCH)) for line in text.splitlines())
    return "\n".join(part for line in lines for part in line)


def figure_of(axes: Axes) -> Figure:
    """Return the figure that a panel is in."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    return figure


def letter(axes: Axes, text: str, title: str) -> None:
    """Set a panel's letter, and its title after it."""
    axes.set_title(f"({text})  {title}")


def settle(figure: Figure) -> None:
    """Fix the places that the layout found, to a millionth of the page.

    The solver of the layout leaves noise in the last digits that differs from call to call, and with it the PDF.
    """
    engine = figure.get_layout_engine()
    assert engine is not None
    engine.execute(figure)
    # What a panel of fixed proportions needs around it depends on its size, which the first pass finds.
    proportioned = any(axes.get_aspect() != "auto" for axes in figure.axes)
    if fonts.set_missing_letters(figure) or proportioned:
        engine.execute(figure)
    figure.set_layout_engine("none")
    for axes in figure.axes:
        left, bottom, width, height = (round(value, 6) for value in axes.get_position(original=True).bounds)
        axes.set_position((left, bottom, width, height))
    for text in figure.texts:
        x, y = text.get_position()
        text.set_position((round(x, 6), round(y, 6)))


def colour(place: int) -> str:
    """Return the colour of a curve by its place among others."""
    return SERIES[place % len(SERIES)]


def legend_below(axes: Axes, points: float = 30) -> None:
    """Set a panel's legend under it, so many points below the axis line: clear of tick labels and axis label."""
    below = axes.transAxes + ScaledTranslation(0, -points / 72, figure_of(axes).dpi_scale_trans)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0), bbox_transform=below, borderaxespad=0, labelspacing=0.25)


def explain(axes: Axes, message: str, characters: int = 34) -> None:
    """Fill an empty panel with the reason why it is empty."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    text = "\n".join(textwrap.wrap(message, characters))
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=GREY, fontsize=7)


def shape(count: int, most: int = 3) -> tuple[int, int]:
    """Return rows and columns for so many panels, at most `most` in a row and as few places left over as can be."""
    rows = -(-count // most)
    return rows, -(-count // rows)


def facets(figure: Figure, count: int, most: int = 3, place: SubplotSpec | None = None) -> list[Axes]:
    """Build `count` panels in the rows and columns of `shape`, in all of the figure or in one place of its grid."""
    rows, columns = shape(count, most)
    grid = place.subgridspec(rows, columns) if place else figure.add_gridspec(rows, columns)
    return [figure.add_subplot(grid[divmod(number, columns)]) for number in range(count)]


def shared_legend(figure: Figure, without: str | None = None) -> None:
    """Set one legend above all panels, with each label once; panels titled `without` keep their own."""
    found: dict[str, Artist] = {}
    for axes in figure.axes:
        if without is None or axes.get_title(loc="left") != without:
            for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
                found.setdefault(label, handle)
    if found:
        columns = min(len(found), 5)
        figure.legend(list(found.values()), list(found), loc="outside upper left", ncols=columns, columnspacing=1.2)


def facet_title(axes: Axes, title: str, columns: int) -> None:
    """Set the title of a panel, in smaller type or over two lines where it is longer than the panel is wide."""
    room = int(WIDTH / columns / CHARACTER) - 4
    size = 8.0 if len(title) <= room else max(SMALL, 8.0 * room / len(title))
    width = int(room * 8.0 / size)
    axes.set_title("\n".join(textwrap.wrap(title, width)), fontsize=size)


def null_line(null: str, alpha: float) -> dict[str, Any]:
    """Return how what a null reaches is drawn, and its label."""
    label = f"{null} null, {1 - alpha:.0%}"
    return {"color": GREY, "linestyle": NULL_LINES[null], "linewidth": 0.9, "label": label}


def row_title(axes: Axes, title: str) -> None:
    """Name a row of panels above the title of its first one, across the row; no panel grows with its length."""
    lines = textwrap.wrap(title, int(WIDTH / CHARACTER))
    axes.set_title("\n" * len(lines) + axes.get_title(loc="left"))
    text, above = "\n".join([*lines, ""]), (0, mpl.rcParams["axes.titlepad"])
    size = mpl.rcParams["axes.titlesize"]
    axes.annotate(text, (0, 1), above, "axes fraction", "offset points", fontsize=size).set_in_layout(False)


def step_axis(axes: Axes, steps: Iterable[int]) -> None:
    """Set a logarithmic axis of training steps that has room for step 0."""
    positive = [step for step in steps if step > 0]
    if not positive:
        return
    least, last = min(positive), max(positive)
    axes.set_xscale("symlog", linthresh=least, linscale=0.5)
    decades = [10**power for power in range(12) if least <= 10**power <= last]
    if len(decades) < 3:  # a short training: 1, 2 and 5 of each decade
        decades = [m * 10**power for power in range(12) for m in (1, 2, 5) if least <= m * 10**power <= last]
    ticks = sorted(decades[::-1][:: -(-len(decades) // 5) or 1]) or sorted({least, last})
    if last > 1.6 * ticks[-1]:
        ticks = [*ticks, last]
    axes.xaxis.set_major_locator(FixedLocator([0, *ticks]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.set_xlim(-0.12 * least, 1.25 * last)


def print_png(figure: Figure, path: Path) -> None:
    """Write a figure as a PNG, the same bytes each time."""
    # Straight to the canvas: `savefig` would draw each once more for a layout that is settled already.
    # No version of the library: it would change the bytes without a change of content.
    FigureCanvasAgg(figure).print_png(path, metadata={"Software": None}, pil_kwargs={"compress_level": COMPRESSION})


def save(
    figure: Figure, folder: Path, name: str, drawn: pa.Table, notes: Mapping[str, str] | None = None
) -> list[Path]:
    """Write a figure and the table drawn, each atomically; the same input gives the same bytes.

    Parameters
    ----------
    figure, drawn
        From `registry.draw`.
    folder : Path
        Where ``<name>.pdf``, ``<name>.png``, ``<name>.parquet`` and, for a small table, ``<name>.csv`` go.
    notes : mapping of str to str, optional
        Metadata of the Parquet file.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    InputError
        If the disk is full or the folder cannot be written.
    """
    pdf, png, parquet, csv = (folder / f"{name}.{suffix}" for suffix in ("pdf", "png", "parquet", "csv"))
    with applied():
        with atomic_path(png) as temporary:
            print_png(figure, temporary)
        with atomic_path(pdf) as temporary:
            FigureCanvasPdf(figure).print_pdf(
                temporary, metadata=dict.fromkeys(("CreationDate", "Producer", "Creator"))
            )
        figure.set_dpi(DPI)  # that canvas counts in points
    write_table(parquet, drawn, drawn.schema, notes)
    if drawn.num_rows > SMALL_TABLE:
        return [pdf, png, parquet]
    write_csv(csv, drawn)
    return [pdf, png, parquet, csv]


# From so many columns on there is no room for numbers in full, nor for names that are written across.
MANY = 10

# From paper to blue: dark enough for white type, light enough for black.
SHADES = ("#ffffff", "#cfe1ef", "#6fa8d2", "#0b4f86")


def heat_table(
    axes: Axes,
    values: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    below: Sequence[Sequence[str]] | None = None,
    *,
    texts: Sequence[Sequence[str]] | None = None,
    colours: Any = None,
    scale: Normalize | None = None,
    digits: int = 2,
) -> None:
    """Draw a table; with `MANY` columns its numbers lose the leading zero and its names stand upright.

    Parameters
    ----------
    axes : Axes
    values : ndarray, shape (rows, columns)
        What cells are coloured by; where NaN there is a dash.
    rows, columns : sequence of str
    below : sequence of sequence of str, optional
        Smaller lines under each number.
    texts : sequence of sequence of str, optional
        What stands in the cells in the place of their numbers.
    colours : Colormap or str, optional
        Shades of blue where absent.
    scale : Normalize, optional
        From 0 to 1 where absent.
    digits : int
        Of the numbers.
    """
    many = len(columns) >= MANY
    if texts is None:
        texts = [[_number(value, digits, many) for value in row] for row in values.tolist()]
    seaborn.heatmap(
        values,
        ax=axes,
        mask=np.isnan(values),
        annot=np.array(texts),
        fmt="",
        cmap=colours or LinearSegmentedColormap.from_list("shades", SHADES),
        norm=scale or Normalize(0, 1),
        # They stand in the scale; seaborn looks for them in the values unless told, and warns where there are none.
        vmin=0,
        vmax=1,
        cbar=False,
        xticklabels=columns,
        yticklabels=rows,
        annot_kws={"fontsize": SMALL if many else 7.5, "va": "bottom" if below else "center"},
    )
    for text in list(axes.texts) if below else []:
        x, y = text.get_position()
        small = below[int(y)][int(x)] if below else ""
        axes.text(x, y, small, ha="center", va="top", color=text.get_color(), fontsize=5.2 if many else 5.6)
    for row, place in np.argwhere(np.isnan(values)):
        axes.text(place + 0.5, row + 0.5, "–", ha="center", va="center", color=GREY)
    axes.tick_params(axis="x", rotation=90 if many and max(map(len, columns)) > 3 else 0)
    if many:
        axes.tick_params(axis="x", labelsize=SMALL)
    axes.tick_params(axis="y", rotation=0)
    axes.tick_params(length=0)


def _number(value: float, digits: int, short: bool) -> str:
    """Write a number of a table, without its leading zero where there are many."""
    text = f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")
    return text.replace("0.", ".", 1) if short and abs(value) < 1 else text


def curve(axes: Axes, x: Any, y: Any, low: Any, high: Any, colour: str, alpha: float = 0.25, **line: Any) -> None:
    """Draw a line with the band of its interval."""
    axes.fill_between(x, low, high, color=colour, alpha=alpha, linewidth=0)
    axes.plot(x, y, color=colour, **line)


def forest(axes: Axes, names: Sequence[str], values: Any, low: Any, high: Any, label: str | None = None) -> np.ndarray:
    """Draw estimates with their intervals one below the other, and return their heights."""
    places = np.arange(len(names))
    axes.hlines(places, low, high, color=BLUE, linewidth=1.4)
    axes.plot(values, places, "o", color=BLUE, markersize=4, label=label)
    axes.set_yticks(places, names)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(names) - 0.5, -0.5)
    return places
