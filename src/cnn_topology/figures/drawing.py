"""The one door to drawing a figure and to writing its page."""

import importlib
from collections.abc import Mapping

import pyarrow as pa
from matplotlib.figure import Figure

from cnn_topology.errors import InputError, unknown
from cnn_topology.figures import style
from cnn_topology.figures.kinds import KINDS, PAGES, FigureSpec


def draw(spec: FigureSpec, tables: Mapping[str, pa.Table], notes: Mapping[str, str]) -> tuple[Figure, pa.Table]:
    """Draw a figure from tables.

    Parameters
    ----------
    spec : FigureSpec
        One of `cnn_topology.figures.registry.figure_specs`.
    tables : mapping of str to pyarrow.Table
        At least the tables that `spec.tables` names (`cnn_topology.tables.registry`).
    notes : mapping of str to str
        What the footer says of the run: ``seed``, ``config`` and ``data`` (hashes); each may be missing.

    Returns
    -------
    figure : matplotlib.figure.Figure
        To be written by `cnn_topology.figures.style.save`.
    drawn : pyarrow.Table
        Exactly the data drawn, one part per `panel`.

    Raises
    ------
    InputError
        If the kind is unknown or a table it reads is not given. Empty tables are no error: the figure says so.
    """
    _check(spec, tables)
    module = importlib.import_module(f"cnn_topology.figures.{spec.kind}")
    with style.applied():
        figure, drawn = module.draw(spec.parameters, tables, notes)
        style.settle(figure)
    return figure, drawn


def page(spec: FigureSpec, tables: Mapping[str, pa.Table], notes: Mapping[str, str]) -> str:
    """Write the interactive page of a figure, for the kinds in `kinds.PAGES`: one HTML text that loads nothing.

    Parameters and errors are those of `draw`.
    """
    _check(spec, tables)
    module = importlib.import_module(f"cnn_topology.figures.{PAGES[spec.kind]}")
    text: str = module.page(spec.parameters, tables, notes)
    return text


def _check(spec: FigureSpec, tables: Mapping[str, pa.Table]) -> None:
    if spec.kind not in KINDS:
        raise unknown("kind of figure", spec.kind, KINDS)
    missing = [name for name in spec.tables if name not in tables]
    if missing:
        raise InputError(
            f"figure {spec.name} reads the tables {', '.join(spec.tables)}; {', '.join(missing)} was not given"
        )
