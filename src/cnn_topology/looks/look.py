"""Look at trained networks: all layers with square kernels, their loops and verdicts, in one process."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cnn_topology.checks import whole
from cnn_topology.clouds.threads import usable_cores
from cnn_topology.errors import InputError, in_words, unknown
from cnn_topology.extras import needing_an_extra
from cnn_topology.forecast import filter_jobs
from cnn_topology.looks import store
from cnn_topology.looks.layers import Layer, LayerLook, Settings, describe, first_look, tested
from cnn_topology.looks.sources import Source, open_source
from cnn_topology.networks.patches import side_of
from cnn_topology.plan.base import as_tuple
from cnn_topology.plan.clouds import Density, Significance
from cnn_topology.plan.config_errors import checked
from cnn_topology.plan.config_file import CONFIG_VERSION
from cnn_topology.statistics.hollowness import ring
from cnn_topology.statistics.significance import LOOPS, ONE_LOOP, ONE_LOOP_RATIO, UNTESTED, q_values
from cnn_topology.storage.weight_forms import Order
from cnn_topology.tables.look import LookRow

if TYPE_CHECKING:
    import pandas as pd

# A layer of more filters is looked at by a sample of so many, unless another number is asked for: it keeps the time of
# a layer below half a minute.
SAMPLE = 4_096


class Look:
    """The layers of networks, looked at; made by `look`.

    Attributes
    ----------
    source : Source
        What was read.
    settings : Settings
    step : int
    layers : list of LayerLook
        By depth.
    """

    def __init__(self, source: Source, settings: Settings, step: int = 0) -> None:
        self.source = source
        self.settings = settings
        self.step = step
        self.layers: list[LayerLook] = []
        self.interrupted = False
        self.threads = 1

    def run(
        self, folder: Path | None = None, report: Callable[[str], None] | None = None, threads: int | None = None
    ) -> None:
        """Find the bars of all layers, then test the layers, longest loops first.

        A layer that is tested is kept in `folder`, so that a look that was stopped goes on where it was.

        Parameters
        ----------
        folder : Path, optional
            Where finished layers are kept.
        report : callable, optional
            Takes a line of progress.
        threads : int, optional
            Draws of nulls made at once; one a core where absent.
        """
        self.threads = usable_cores() if threads is None else whole(threads, "threads", 1)
        say = report or (lambda _: None)
        name, settings, step = self.source.name, self.settings, self.step
        self.layers = [first_look(name, weights, settings, step) for weights in self.source.layers]
        if folder:
            self.layers = [store.load(folder, layer, self.settings) for layer in self.layers]
        open_layers = sorted(
            (n for n, layer in enumerate(self.layers) if not layer.tables), key=lambda n: -self.layers[n].longest
        )
        say(self._beginning(open_layers))
        try:
            self._test(open_layers, folder, say)
        except KeyboardInterrupt:  # what is done is kept and shown
            self.interrupted = True

    def _test(self, numbers: Sequence[int], folder: Path | None, say: Callable[[str], None]) -> None:
        # How many times as long as forecast a layer takes here, from the second on: the first may wait for compilation.
        began, pace = time.monotonic(), 1.0
        for place, number in enumerate(numbers, start=1):
            layer = tested(self.layers[number], self.settings, self.threads)
            self.layers[number] = layer
            if folder and layer.tables:
                store.save(folder, layer, self.settings)
            if place == 1:
                began = time.monotonic()
            elif known := self._expected(numbers[1:place]):
                pace = (time.monotonic() - began) / known
            left = f"   about {in_words(pace * self._expected(numbers[place:]))} left" if place < len(numbers) else ""
            say(f"{describe(layer)}{left}")

    def _expected(self, numbers: Sequence[int]) -> float:
        """Forecast how many seconds the tests of some layers take, with as many cores as threads."""
        layers = (self.layers[number] for number in numbers)
        seconds = sum(
            filter_jobs.look(len(points), side_of(points), layer.filtering, self.settings.significance)
            for layer in layers
            for points in [layer.cloud.points]
        )
        return seconds / self.threads

    def _beginning(self, numbers: Sequence[int]) -> str:
        networks, layers = self.source.networks, len(self.layers)
        known = layers - len(numbers)
        earlier = f", {known} tested before" if known else ""
        what = f"{networks} network{'s' * (networks > 1)}, {layers} layer{'s' * (layers > 1)}{earlier}"
        return f"{self.source.name}: {what}; the tests take about {in_words(self._expected(numbers))}"

    @property
    def tested(self) -> int:
        """Number of layers with a verdict."""
        return sum(layer.row.verdict is not None for layer in self.layers)

    @property
    def finished(self) -> bool:
        """Whether all layers have a verdict."""
        return self.tested == len(self.layers)

    @property
    def rows(self) -> list[LookRow]:
        """A row a layer, by depth; q-values once all layers are tested."""
        rows = [layer.row for layer in self.layers]
        if not self.finished:
            return rows
        q = q_values(np.array([row.p for row in rows], dtype=float))
        return [replace(row, q=None if row.p is None else float(value)) for row, value in zip(rows, q, strict=True)]

    @property
    def table(self) -> "pd.DataFrame":
        """The rows as a pandas data frame; `docs/tables.md` describes its columns."""
        return LookRow.table(self.rows).to_pandas()

    def layer(self, name: str) -> Layer:
        """Return one layer by its name in `table` or in the file.

        Parameters
        ----------
        name : str

        Returns
        -------
        Layer

        Raises
        ------
        InputError
            If there is no such layer.
        """
        for look, row in zip(self.layers, self.rows, strict=True):
            if name in (look.name, look.tensor, look.cloud.layer):
                return Layer(look, row, self.settings.significance.alpha)
        raise unknown("layer", name, (look.name for look in self.layers))

    @property
    def sentences(self) -> list[str]:
        """What was found, in sentences made from the verdicts."""
        verdicts = [layer.row.verdict for layer in self.layers]
        count = {verdict: verdicts.count(verdict) for verdict in dict.fromkeys(verdicts) if verdict}
        known, alpha = sum(count.values()), self.settings.significance.alpha
        loops = sum(count.get(verdict, 0) for verdict in LOOPS)
        of = f"{known} of {len(verdicts)} layers are looked at so far" if known < len(verdicts) else ""
        lines = [of] if of else []
        testable = [layer for layer in self.layers if layer.tables and not layer.untested]
        sides = [ring(vars(layer.row), alpha) for layer in testable]
        hollow, mixtures = sides.count("hollow as a ring"), sides.count("a mixture")
        if testable:
            lines.append(
                f"{loops} of {len(testable)} layer{'s' * (len(testable) > 1)} with enough filters have a loop that "
                f"noise of the same size does not have (p ≤ {alpha:g} each)"
            )
            if loops:
                lines[-1] += (
                    f"; in {count.get(ONE_LOOP, 0)} of them it is one loop, at least {ONE_LOOP_RATIO:g} times as long "
                    "as the next"
                )
            smooth = [layer.row.p_lowpass for layer in testable if layer.row.p_lowpass is not None]
            if smooth:
                longer = sum(p <= alpha for p in smooth)
                lines.append(
                    f"in {longer} of {len(smooth)} the loop is longer than in random fields as smooth as the filters "
                    f"(p ≤ {alpha:g} each); in the other {len(smooth) - longer} smoothness alone may make it"
                )
            lines.append(
                f"all filters of a layer, not the densest alone, lie on a ring in their strongest plane in {hollow} of "
                f"these layers; in {mixtures} they are a mixture of filters in that plane and far from it; in "
                f"{len(testable) - hollow - mixtures} neither is shown (p ≤ {alpha:g} each, against shuffled filters "
                "of the same covariance)"
            )
        for verdict in UNTESTED:
            layers = [layer for layer in self.layers if layer.row.verdict == verdict]
            why = "; ".join(dict.fromkeys(layer.lacking for layer in layers if layer.lacking))
            if layers:
                lines.append(
                    f"{verdict}: {len(layers)} layer{'s' * (len(layers) > 1)}, not tested{why and f' ({why})'}"
                )
        if problem := self.settings.significance.undecidable:
            lines.append(problem)
        return [f"{line[0].upper()}{line[1:]}." for line in lines]

    def names(self, other: "Look") -> tuple[str, str]:
        """Return what tells this look from another one: the names of their networks, if these differ."""
        one, two = self.source.name, other.source.name
        return (one, two) if one != two else ("first", "second")

    def compared(self, other: "Look") -> "pd.DataFrame":
        """Return the layers that two looks share, side by side.

        Parameters
        ----------
        other : Look
            Of another network, or of the same one before training.

        Returns
        -------
        pandas.DataFrame
            A row a layer of both, with `longest`, `needed` and `verdict` of each, by the names of the networks.
        """
        columns = ["layer", "longest", "needed", "verdict"]
        first, second = self.names(other)
        return self.table[columns].merge(other.table[columns], on="layer", suffixes=(f" ({first})", f" ({second})"))

    def config(self) -> dict[str, Any]:
        """Return the config of a run that looks at the same files with the same numbers.

        Returns
        -------
        dict
            For a YAML file, `snakemake --configfile` of which makes all tables and figures of a run.

        Raises
        ------
        InputError
            If no file was looked at.
        """
        source, settings = self.source, self.settings
        if not source.files:
            raise InputError(f"{source.name}: a run reads files; save the weights with torch.save and look at the file")
        checkpoint: dict[str, Any] = {
            "kind": "files",
            "files": [str(Path(file).expanduser().absolute()) for file in source.files],
        }
        checkpoint |= {key: value for key in ("entry", "layout") if (value := getattr(source, key))}
        if source.chosen:
            checkpoint["layers"] = [layer.tensor for layer in source.layers]
        return {
            "version": CONFIG_VERSION,
            "name": source.name,
            "seed": settings.seed,
            "checkpoints": {source.name: checkpoint},
            "clouds": [{"layers": "all", "densities": [settings.density.model_dump()]}],
            "significance": {"draws": settings.significance.draws},
        }

    @needing_an_extra("the table of a look in a notebook")
    def _repr_html_(self) -> str:
        from cnn_topology.looks.page import fragment

        return fragment(self)

    @needing_an_extra("the page of a look")
    def to_html(self, path: str | Path) -> None:
        """Write one page with the table and a picture of each layer; it opens without a network.

        Parameters
        ----------
        path : str or Path
        """
        from cnn_topology.looks.page import write_page

        write_page(Path(path), self)


def look(
    source: Any,
    *,
    layers: str | Sequence[str] = (),
    k: int | float = 0.03125,
    p: float = 0.3,
    draws: int = 199,
    seed: int = 0,
    sample: int = SAMPLE,
    exclude: str | Sequence[str] = (),
    entry: str | None = None,
    layout: Order | None = None,
    name: str | None = None,
    step: int = 0,
    folder: str | Path | None = None,
    report: Callable[[str], None] | None = None,
    threads: int | None = None,
) -> Look:
    """Look at trained networks: find the loops of each layer's filters, and test them against noise.

    Parameters
    ----------
    source : path, sequence of paths, torch.nn.Module, or mapping of str to array
        One network, or the files of several of one architecture, whose filters are pooled. Files are read without
        running code of theirs.
    layers : str or sequence of str
        Names or patterns (``layer3*``); all layers with square kernels of 3x3 to 11x11
        where absent.
    k : int or float
        Neighbour of the density filter: a count, or, as a float between 0 and 1, a share of a layer's filters.
    p : float
        Fraction of the filters that the density filter keeps, in (0, 1].
    draws : int
        Random clouds of each null; the smallest p-value is 1 / (draws + 1).
    seed : int
        Seed of the draws and of the sample.
    sample : int
        Of a layer with more filters, so many are drawn; 0 takes all.
    exclude : str or sequence of str
        Names or patterns of layers to leave out.
    entry : str, optional
        Where in a file with several networks the weights lie, as keys with dots: ``net.state_dict``.
    layout : {'oihw', 'hwio', 'ohwi', 'iohw'}, optional
        Order of the axes of kernels (out, in, height, width), where the file cannot say.
    name : str, optional
        Name of the networks; that of the file or class where absent. It is part of the seed of each draw.
    step : int
        Training step of the networks; part of that seed too.
    folder : str or Path, optional
        Where finished layers are kept, so that a look that was stopped goes on.
    report : callable, optional
        Takes each line of progress, such as `print`.
    threads : int, optional
        Random clouds made at once, one a core where absent; their number changes no result.

    Returns
    -------
    Look
        ``.table`` is a data frame with a row a layer, ``.layer(name).plot()`` draws one, ``.to_html(path)`` writes a
        page.

    Raises
    ------
    InputError
        If the source cannot be read or has no such kernels, no layer fits, or a parameter is out of its range.

    Notes
    -----
    Weights paper, method; the tests are ours. A run with the same file, name, seed and settings gives the same
    numbers: both go through `analysis.filter_cloud.analyse_cloud`.

    Examples
    --------
    A layer of 600 filters, of which a third are noisy edges in all directions:

    >>> import cnn_topology as ct
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x, y = np.tile([-1, 0, 1], 3), np.repeat([-1, 0, 1], 3)
    >>> angle = rng.uniform(0, 2 * np.pi, 200)
    >>> filters = rng.standard_normal((600, 9))
    >>> filters[:200] = np.outer(np.cos(angle), x) + np.outer(np.sin(angle), y) + 0.2 * filters[:200]
    >>> look = ct.look({"conv.weight": filters.reshape(60, 10, 3, 3)})
    >>> look.table[["layer", "points", "verdict", "p"]].values.tolist()
    [['conv', 600, 'one loop', 0.005]]
    """
    density, significance = checked(Density, k=k, p=p), checked(Significance, draws=draws)
    settings = checked(Settings, density=density, significance=significance, seed=seed, sample=sample)
    made = Look(
        open_source(source, name, entry, as_tuple(layers), as_tuple(exclude), layout), settings, whole(step, "step", 0)
    )
    made.run(Path(folder) if folder else None, report, threads)
    return made


def not_looked_at(looks: Mapping[str, Look]) -> list[str]:
    """Return what some looks left out, a line each, with the names of the looks where these are not all.

    Parameters
    ----------
    looks : mapping of str to Look
        By what tells them apart.

    Returns
    -------
    list of str
        ``conv2.weight: 1 of 1,152 values are NaN or infinite (step 100)``.
    """
    places: dict[str, list[str]] = {}
    for name, one in looks.items():
        for other in one.source.others:
            places.setdefault(other, []).append(name)
    return [f"{other} ({', '.join(at)})" if len(at) < len(looks) else other for other, at in places.items()]
