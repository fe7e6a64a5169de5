"""How the module of a figure declares it, which kinds of figures there are, and which figures a run has.

The Snakefile asks while it is parsed, in every job of a cluster: no drawing library is imported.
"""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Literal, get_args

import pyarrow as pa

from cnn_topology import figures
from cnn_topology.errors import InputError, check_known, unknown
from cnn_topology.figures.libraries import Figure
from cnn_topology.plan.expand import Plan
from cnn_topology.plan.parameters import Parameters as JobParameters
from cnn_topology.tables.registry import TABLES
from cnn_topology.tables.units import COUNT, LENGTH, RADIANS

# One job draws the figures of one section, at most so many: what takes longest is to start Python and to read tables.
JOB_FIGURES = 40
Section = Literal[
    "filters", "clouds", "filter_graphs", "generalization", "improvements", "resnets", "layers", "activation_graphs"
]
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

# Meaning and unit of columns that several figures add to those of tables.
COLUMNS = {
    "panel": ("Part of the figure that the row belongs to; columns of other parts are empty.", ""),
    "length": ("Length of the bar: death minus birth.", LENGTH),
    "longer": ("Whether the bar is longer than every deciding null allows.", ""),
    "edge_angle": ("Direction in which the linear part of the nearest Klein patch rises.", RADIANS),
    "entry": ("Number of the entry of a mean filter, row by row, from 0.", ""),
    "weight": ("That entry.", LENGTH),
    "angle": ("Angle of the middle of the sector or arc.", RADIANS),
    "filters": ("Kept filters in the sector or arc.", COUNT),
}

# What a figure shows, plain values that can be written as JSON; the tables it reads; the metadata of these tables.
Parameters = Mapping[str, Any]
Tables = Mapping[str, pa.Table]
Notes = Mapping[str, str]
Drawing = tuple[Figure, pa.Table]
# The figures of a kind that a run has: name and parameters of each.
Planned = Iterable[tuple[str, dict[str, Any]]]


@dataclass(frozen=True)
class FigureKind:
    """A kind of figure, which the module that draws it declares as `KIND`.

    Attributes
    ----------
    section : str
        Its figures are drawn by one job with those of the other kinds of the section.
    tables : tuple of str
        The tables that it reads.
    planned : function
        Lists its figures in a run by name: they are targets of the workflow.
    draw : function, optional
        Draws the print of a figure, and returns it with the table drawn; a kind may be a page alone.
    page : function, optional
        Writes the interactive page of a figure: one HTML text that loads nothing.
    columns : mapping of str to (str, str)
        Meaning and unit of each column of the table drawn that is in none of these tables.
    """

    section: Section
    tables: tuple[str, ...]
    planned: Callable[[Plan], Planned]
    _: KW_ONLY
    draw: Callable[[Parameters, Tables, Notes], Drawing] | None = None
    page: Callable[[Parameters, Tables, Notes], str] | None = None
    columns: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def caption(self) -> str:
        """The docstring of the module, from its second paragraph on."""
        _, _, caption = (sys.modules[self.planned.__module__].__doc__ or "").partition("\n\n")
        return " ".join(caption.split())

    def column(self, name: str) -> tuple[str, str]:
        """Return meaning and unit of a column of the table drawn: its own, or that of the tables it reads.

        Raises
        ------
        KeyError
            If neither says what the column means.
        """
        own = {**COLUMNS, **self.columns}
        if name in own:
            return own[name]
        schemas = [TABLES[table].schema for table in self.tables]
        told = [schema.field(name).metadata for schema in schemas if name in schema.names]
        # A statistic such as `low` means in each table what is said there.
        meanings = dict.fromkeys(metadata[b"description"].decode() for metadata in told)
        if not meanings:
            raise KeyError(f"{name}: say in `columns` of KIND what this column of the table drawn means")
        return " Or: ".join(meanings), told[0][b"unit"].decode()


@dataclass(frozen=True)
class FigureSpec:
    """One figure: its name (a target of the workflow), its kind, and what it shows."""

    name: str
    kind: str
    parameters: Parameters

    @property
    def declared(self) -> FigureKind:
        """What the module of its kind declares.

        Raises
        ------
        InputError
            If there is no such kind.
        """
        try:
            kind: FigureKind = import_module(f"{figures.__name__}.{self.kind}").KIND
        except (ModuleNotFoundError, AttributeError):  # there are modules beside those of kinds
            raise unknown("kind of figure", self.kind, kinds()) from None
        return kind

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that it reads."""
        return self.declared.tables

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The endings of its files: the print, the data drawn, the page, and the caption."""
        printed = ("pdf", "png", "parquet") if self.declared.draw else ()
        return (*printed, *(("html",) if self.declared.page else ()), "txt")


class FigureParameters(JobParameters):
    """For `cnn-topology figures`: some figures of one section."""

    verb = "figures"
    specs: tuple[FigureSpec, ...]

    @classmethod
    def of(cls, plan: Plan, specs: Sequence[FigureSpec]) -> "FigureParameters":
        """Return the block of some figures."""
        return cls(run_seed=plan.config.seed, specs=tuple(specs))


@cache
def kinds() -> Mapping[str, FigureKind]:
    """Return the kinds of figures by name: what the modules of this package declare."""
    modules = {module.name: f"{figures.__name__}.{module.name}" for module in iter_modules(figures.__path__)}
    declared = {name: getattr(import_module(module), "KIND", None) for name, module in modules.items()}
    return {name: kind for name, kind in declared.items() if kind}


def figure_specs(plan: Plan) -> dict[str, FigureSpec]:
    """List the figures of a run by name.

    Parameters
    ----------
    plan : Plan
        The expanded run.

    Returns
    -------
    dict of str to FigureSpec
        Those that `figures` of the config asks for.

    Raises
    ------
    InputError
        If two figures have the same name, or the config asks for a figure that the run does not have.
    """
    specs: dict[str, FigureSpec] = {}
    for kind, declared in kinds().items():
        for name, parameters in declared.planned(plan):
            if name in specs:
                raise InputError(f"two figures would be called {name}: rename a population or checkpoint")
            specs[name] = FigureSpec(name, kind, parameters)
    wanted = plan.config.figures
    if wanted == "all":
        return specs
    for name in wanted:
        check_known("figure in figures", name, specs)
    return {name: spec for name, spec in specs.items() if name in wanted}


def numbered(name: str, facets: Sequence[Any], size: int) -> list[tuple[str, list[Any]]]:
    """Cut facets into pages of a size: name and facets of each, numbered where there are several."""
    pages = [list(facets[start : start + size]) for start in range(0, len(facets), size)]
    return [(name if len(pages) == 1 else f"{name}_{number}", page) for number, page in enumerate(pages, start=1)]


def figure_jobs(specs: Iterable[FigureSpec]) -> dict[str, list[FigureSpec]]:
    """Divide figures among jobs: one a section, or several of `JOB_FIGURES` where it has more."""
    of_section: dict[str, list[FigureSpec]] = {section: [] for section in get_args(Section)}
    for spec in specs:
        of_section[spec.declared.section].append(spec)
    return {
        name: drawn for section, listed in of_section.items() for name, drawn in numbered(section, listed, JOB_FIGURES)
    }
