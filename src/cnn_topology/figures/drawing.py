"""Draw a figure from tables, and write its page."""

import pyarrow as pa

from cnn_topology.errors import InputError
from cnn_topology.figures import selection, style
from cnn_topology.figures.libraries import Figure
from cnn_topology.figures.registry import Drawing, FigureKind, FigureSpec, Notes, Tables


def draw(spec: FigureSpec, tables: Tables, notes: Notes) -> Drawing:
    """Draw the print of a figure from tables.

    Parameters
    ----------
    spec : FigureSpec
        One of `cnn_topology.figures.registry.figure_specs` whose kind has a print.
    tables : mapping of str to pyarrow.Table
        At least the tables that its kind reads (`cnn_topology.tables.registry`).
    notes : mapping of str to str
        What the footer says of the run: ``seed``, ``config`` and ``data`` (hashes); each may be missing.

    Returns
    -------
    figure : matplotlib.figure.Figure
        To be written by `cnn_topology.figures.style.save`.
    drawn : pyarrow.Table
        Exactly the data drawn, one tidy table for each `panel`; its columns carry meaning and unit as metadata.

    Raises
    ------
    InputError
        If the kind is unknown or a table it reads is not given. Empty tables are no error: the figure says so.
    """
    kind = _kind(spec, tables)
    assert kind.draw is not None, f"{spec.kind} is a page alone"
    with style.applied():
        try:
            figure, drawn = kind.draw(spec.parameters, tables, notes)
        except selection.Empty as reason:
            figure, drawn = empty_figure(str(reason), selection.provenance(notes), spec.name), selection.drawn()
        style.settle(figure)
    return figure, _described(drawn, kind)


def empty_figure(reason: str, footer: str, title: str) -> Figure:
    """Build a figure that says why it is empty."""
    figure = style.new_figure(1.2, footer, title)
    style.explain(figure.subplots(), reason, characters=80)
    return figure


def _described(drawn: pa.Table, kind: FigureKind) -> pa.Table:
    """Return the table drawn with meaning and unit of each column, as the tables of a run have them."""
    fields = []
    for field in drawn.schema:
        if pa.types.is_nested(field.type):
            raise TypeError(f"{field.name}: a column of the table drawn is nested; write a row for each of its values")
        meaning, unit = kind.column(field.name)
        fields.append(field.with_metadata({"description": meaning, "unit": unit}))
    return drawn.cast(pa.schema(fields))


def page(spec: FigureSpec, tables: Tables, notes: Notes) -> str:
    """Write the interactive page of a figure whose kind has one; parameters and errors are those of `draw`."""
    kind = _kind(spec, tables)
    assert kind.page is not None, f"{spec.kind} has no page"
    return kind.page(spec.parameters, tables, notes)


def _kind(spec: FigureSpec, tables: Tables) -> FigureKind:
    if missing := [name for name in spec.tables if name not in tables]:
        reads = ", ".join(spec.tables)
        raise InputError(f"figure {spec.name} reads the tables {reads}; {', '.join(missing)} was not given")
    return spec.declared
