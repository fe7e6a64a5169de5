"""How the module that draws a kind of figure declares it: section, tables, caption, and which figures a run has."""

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal, TypeVar, get_args

import pyarrow as pa

from cnn_topology.figures.libraries import Figure
from cnn_topology.plan.expand import Plan
from cnn_topology.tables.registry import TABLES

# One job draws the figures of one section: what takes longest of a figure is to start Python and to read tables.
Section = Literal[
    "filters", "clouds", "filter_graphs", "generalization", "improvements", "resnets", "layers", "activation_graphs"
]
SECTIONS: tuple[Section, ...] = get_args(Section)
# What the figures of a section answer, in the order in which a reader asks.
QUESTIONS: dict[str, str] = {
    "filters": "Is there a circle, and when does it form?",
    "clouds": "What does it look like, layer by layer?",
    "filter_graphs": "What do mapper graphs of filters show?",
    "generalization": "Does topology go with accuracy, and does it help to learn?",
    "resnets": "How well do the residual networks do, and on what?",
    "layers": "How do layers compare?",
    "activation_graphs": "How are classes organised?",
    "improvements": "Does a first layer that is given the circle help?",
}

# What a figure shows, plain values that can be written as JSON; the tables it reads; the metadata of these tables.
Parameters = Mapping[str, Any]
Tables = Mapping[str, pa.Table]
Notes = Mapping[str, str]
Drawing = tuple[Figure, pa.Table]
Draw = Callable[[Parameters, Tables, Notes], Drawing]
Page = Callable[[Parameters, Tables, Notes], str]
Function = TypeVar("Function", bound=Draw | Page)
# The figures of a kind that a run has: name and parameters of each.
Planned = Iterable[tuple[str, dict[str, Any]]]


@dataclass(frozen=True)
class FigureKind:
    """A kind of figure: `draw` makes the print and the table drawn, `page` the interactive page; one may be missing."""

    section: Section
    tables: tuple[str, ...]
    caption: str
    planned: Callable[[Plan], Planned]
    draw: Draw | None
    page: Page | None
    columns: Mapping[str, tuple[str, str]]

    def column(self, name: str) -> tuple[str, str]:
        """Return meaning and unit of a column of the table drawn: its own, or that of the tables it reads.

        Raises
        ------
        KeyError
            If neither says what the column means.
        """
        if name == "panel":
            return "Part of the figure that the row belongs to; columns of other parts are empty.", ""
        if name in self.columns:
            return self.columns[name]
        schemas = [TABLES[table].schema for table in self.tables]
        told = [schema.field(name).metadata for schema in schemas if name in schema.names]
        # A statistic such as `low` means in each table what is said there.
        meanings = dict.fromkeys(metadata[b"description"].decode() for metadata in told)
        if not meanings:
            raise KeyError(f"{name}: say in `columns` of @figure what this column of the table drawn means")
        return " Or: ".join(meanings), told[0][b"unit"].decode()


# By the name of the module, which declares its kind while it is imported; `registry.kinds` imports all of them.
KINDS: dict[str, FigureKind] = {}


def figure(
    *,
    section: Section,
    tables: tuple[str, ...],
    planned: Callable[[Plan], Planned],
    page: Page | None = None,
    columns: Mapping[str, tuple[str, str]] | None = None,
) -> Callable[[Function], Function]:
    """Declare a kind of figure by the function `draw`, or, of one that is a page alone, `page`.

    The caption of its figures is the docstring of the function's module, from its second paragraph on.

    Parameters
    ----------
    section : str
        Its figures are drawn by one job with those of the other kinds of the section.
    tables : tuple of str
        The tables that it reads.
    planned : function
        Lists its figures in a run by name: they are targets of the workflow.
    page : function, optional
        Writes the interactive page of a figure: one HTML text that loads nothing.
    columns : mapping of str to (str, str), optional
        Meaning and unit of each column of the table drawn that is in none of these tables.
    """

    def declare(function: Function) -> Function:
        module = sys.modules[function.__module__]
        functions: dict[str, Any] = {"draw": None, "page": page, function.__name__: function}
        kind = FigureKind(section, tables, caption_of(module), planned, columns=columns or {}, **functions)
        KINDS[module.__name__.rpartition(".")[2]] = kind
        return function

    return declare


def caption_of(module: ModuleType) -> str:
    """Return the caption of what a module draws: its docstring from the second paragraph on."""
    _, _, caption = (module.__doc__ or "").partition("\n\n")
    return " ".join(caption.split())


@dataclass(frozen=True)
class FigureSpec:
    """One figure: its name (a target of the workflow), its kind, and what it shows."""

    name: str
    kind: str
    parameters: Parameters

    @property
    def declared(self) -> FigureKind:
        """What the module of its kind declares."""
        return KINDS[self.kind]

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that it reads."""
        return self.declared.tables

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The endings of its files: the print, the data drawn, the page, and the caption."""
        printed = ("pdf", "png", "parquet") if self.declared.draw else ()
        return (*printed, *(("html",) if self.declared.page else ()), "txt")
