"""Which kinds of figures there are, and which figures a run has.

The Snakefile asks while it is parsed, in every job of a cluster: no drawing library is imported.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from cnn_topology import figures
from cnn_topology.errors import InputError, check_known, unknown
from cnn_topology.figures.kinds import KINDS, SECTIONS, FigureKind, FigureSpec
from cnn_topology.figures.planned import numbered
from cnn_topology.plan.expand import Plan
from cnn_topology.plan.parameters import Parameters

# Drawn by one job at most: a minute's work.
JOB_FIGURES = 40


class FigureParameters(Parameters):
    """For `cnn-topology figures`: some figures of one section."""

    verb = "figures"
    specs: tuple[FigureSpec, ...]

    @classmethod
    def of(cls, plan: Plan, specs: Sequence[FigureSpec]) -> "FigureParameters":
        """Return the block of some figures."""
        return cls(run_seed=plan.config.seed, specs=tuple(specs))


def load_kind(name: str) -> FigureKind:
    """Return a kind by its name, without loading the others.

    Raises
    ------
    InputError
        If there is no such kind.
    """
    if name not in KINDS and name in {module.name for module in iter_modules(figures.__path__)}:
        import_module(f"{figures.__name__}.{name}")
    if name not in KINDS:
        raise unknown("kind of figure", name, kinds())
    return KINDS[name]


@cache
def kinds() -> Mapping[str, FigureKind]:
    """Return the kinds of figures by name: what the modules of this package declare."""
    for module in iter_modules(figures.__path__):
        import_module(f"{figures.__name__}.{module.name}")
    return KINDS


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


def figure_jobs(specs: Iterable[FigureSpec]) -> dict[str, list[FigureSpec]]:
    """Divide figures among jobs: one a section, or several of `JOB_FIGURES` where it has more."""
    of_section: dict[str, list[FigureSpec]] = {section: [] for section in SECTIONS}
    for spec in specs:
        of_section[spec.declared.section].append(spec)
    return {
        name: drawn for section, listed in of_section.items() for name, drawn in numbered(section, listed, JOB_FIGURES)
    }
