"""One network at several steps of its training: a look at each file, and the loops of each layer over the steps."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from cnn_topology.clouds.density import densest_points
from cnn_topology.errors import InputError
from cnn_topology.extras import needing_an_extra
from cnn_topology.looks.layers import LayerLook
from cnn_topology.looks.look import Look, look, not_looked_at
from cnn_topology.looks.sources import layers_of_files
from cnn_topology.plan.base import expand_paths
from cnn_topology.statistics.significance import DEAD_LAYER
from cnn_topology.tables.dynamics import LoopTrackRow, OnsetRow
from cnn_topology.tables.look import LookRow
from cnn_topology.tables.loops import LAYER, LoopRow, SignificanceRow
from cnn_topology.tables.row import joined
from cnn_topology.tables.training import TrainingRow

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

# The number of the one network of each step, and one draw of it.
ONE_NETWORK = np.zeros(1, int), np.zeros((1, 1), int)


@dataclass(frozen=True)
class Steps:
    """Looks at the same network, by step; made by `look_at_steps`."""

    looks: dict[int, Look]

    @property
    def last(self) -> Look:
        """The look at the last step."""
        return self.looks[max(self.looks)]

    @property
    def layers(self) -> list[LayerLook]:
        """The layers at all steps."""
        return [layer for one in self.looks.values() for layer in one.layers]

    @property
    def each(self) -> list[LayerLook]:
        """Each layer once, at the last step at which it is looked at, by depth."""
        return sorted({layer.tensor: layer for layer in self.layers}.values(), key=lambda layer: layer.cloud.depth)

    @property
    def others(self) -> list[str]:
        """What is not looked at, a line each, with the steps where it is not so at all."""
        return not_looked_at({f"step {step:,}": look for step, look in self.looks.items()})

    @property
    def onsets(self) -> list[OnsetRow]:
        """When the loop of each layer sets in; of one network there is no interval."""
        from cnn_topology.analysis.loop_dynamics import onset_row

        rows, alpha = [], self.last.settings.significance.alpha
        for layer in self.each:
            tested = {step: row.p for step, row in self._rows(layer).items() if row.p is not None}
            cloud = layer.cloud
            columns = vars(cloud.key(layer.filtering))
            has_loop = [p <= alpha for p in tested.values()]
            key = {name: columns[name] for name in LAYER}
            rows.append(onset_row(key, cloud.networks, list(tested), has_loop, max(self.looks), alpha))
        return rows

    @property
    def tracks(self) -> list[LoopTrackRow]:
        """The loop of each layer at each step, and what became of its filters since the step before, as a run has them.

        Intervals are over networks, and of one there are none.
        """
        import pandas as pd

        from cnn_topology.analysis.loop_dynamics import IDS, around_circle, filters_at, followed

        rows = []
        for layer in self.each:
            frames: list[pd.DataFrame] = []
            before = None
            of_layer = (at for at in self.layers if at.tensor == layer.tensor)
            for at in (at for at in of_layer if at.tables and at.untested != DEAD_LAYER):
                cloud, kept = at.cloud, densest_points(at.distances, at.filtering.p)
                now = filters_at(pd.DataFrame(cloud.ids, columns=IDS), cloud.points, kept)
                columns = followed(frames[-1] if frames else None, frames[0] if frames else None, now, *ONE_NETWORK)
                needed = at.row.needed
                rows.append(
                    LoopTrackRow(
                        **vars(cloud.key(at.filtering)),
                        networks=cloud.networks,
                        kept=len(kept),
                        draws=0,
                        longest=at.longest,
                        longest_low=None,
                        longest_high=None,
                        critical=needed,
                        significant=None if needed is None else at.longest > needed,
                        critical_resampled=None,
                        share_significant=None,
                        previous=before,
                        **around_circle(cloud.points[kept], at.filtering.landmarks, "filter"),
                        **{name: value for name, value in columns.items() if not name.endswith(("_low", "_high"))},
                    )
                )
                frames.append(now)
                before = cloud.step
        return rows

    @needing_an_extra("the page of a look")
    def to_html(self, path: str | Path) -> None:
        """Write a page: that of the last step, with the loops over the steps."""
        from cnn_topology.looks.page import write_page

        write_page(Path(path), self.last, steps=self)

    @property
    def table(self) -> "pd.DataFrame":
        """A row a layer: its longest bar and verdict at each step, and the step from which on it has a loop."""
        import pandas as pd

        rows: list[dict[str, Any]] = []
        for layer, begins in zip(self.each, self.onsets, strict=True):
            row: dict[str, Any] = {
                "layer": layer.name,
                "onset": "none" if begins.onset is None else f"{begins.onset:,}",
            }
            there = self._rows(layer)
            for step in self.looks:
                at = there.get(step)
                told = f"{at.longest:.3f}, {at.verdict or 'not tested yet'}" if at else "not looked at"
                row[f"step {step:,}"] = told
            rows.append(row)
        return pd.DataFrame(rows)

    def plots(self) -> "list[Figure]":
        """Draw the two longest bars of each layer over the steps, with what noise allows, as a run's `evolution`."""
        from cnn_topology.figures import style
        from cnn_topology.figures.evolution import FACETS, draw

        tables = {row.table_name: self._joined(row) for row in (LoopRow, SignificanceRow)}
        tables["training"] = TrainingRow.schema.empty_table()
        drawn = set(tables["loops"]["layer"].to_pylist())
        names = [layer.cloud.layer for layer in self.each if layer.cloud.layer in drawn]
        clouds = [{"population": self.last.source.name, "layer": name} for name in names]
        alpha, figures = self.last.settings.significance.alpha, []
        for start in range(0, len(clouds), FACETS):
            with style.applied():
                figure, _ = draw({"clouds": clouds[start : start + FACETS], "alpha": alpha}, tables, {})
                style.settle(figure)
            figures.append(figure)
        return figures

    def _rows(self, layer: LayerLook) -> dict[int, LookRow]:
        """Return the row of a layer at each step; at some it may be left out, as a copy of another one."""
        return {at.cloud.step: at.row for at in self.layers if at.tensor == layer.tensor}

    def _joined(self, row: type[LoopRow] | type[SignificanceRow]) -> pa.Table:
        return joined([layer.tables[row.table_name] for layer in self.layers if layer.tables], row.schema)


def look_at_steps(
    files: str | Sequence[str],
    *,
    report: Callable[[str], None] | None = None,
    folder: str | Path | None = None,
    **options: Any,
) -> Steps:
    """Look at one network at several steps of its training: the loops of each layer over the steps.

    Parameters
    ----------
    files : str or sequence of str
        A file a step, or patterns (``epoch_*.pt``); the last number in the name of each is its step.
    report : callable, optional
        Takes each line of progress, such as `print`.
    folder : str or Path, optional
        Where finished layers are kept, so that a look that was stopped goes on.
    **options
        `layers`, `exclude`, `k`, `p`, `draws`, `seed`, `sample`, `entry`, `layout` and `threads` of `look`.

    Returns
    -------
    Steps
        ``.table`` is a data frame with a row a layer: its loop at each step and the step from which on it lasts;
        ``.looks`` has the look at each step, ``.tracks`` what became of the filters, ``.to_html(path)`` writes a page.
        Those before Ctrl-C, if it stopped one.

    Raises
    ------
    InputError
        If a name has no number or two have the same, the files differ in their layers, or as `look`.

    Notes
    -----
    Weights paper, E4: the onset is the first step from which on the longest bar of every later step is longer than that
    of noise. The tests are ours.

    Examples
    --------
    A layer of noise that becomes a circle of edges:

    >>> import cnn_topology as ct
    >>> import numpy as np
    >>> from tempfile import TemporaryDirectory
    >>> rng = np.random.default_rng(0)
    >>> x, y = np.tile([-1, 0, 1], 3), np.repeat([-1, 0, 1], 3)
    >>> angle, noise = rng.uniform(0, 2 * np.pi, 300), rng.standard_normal((300, 9))
    >>> circle = np.outer(np.cos(angle), x) + np.outer(np.sin(angle), y) + 0.2 * noise
    >>> with TemporaryDirectory() as folder:
    ...     for step, filters in ((0, noise), (100, circle)):
    ...         np.savez(f"{folder}/net_{step}.npz", **{"conv.weight": filters.reshape(30, 10, 3, 3)})
    ...     steps = ct.look_at_steps(f"{folder}/net_*.npz", draws=99)
    >>> steps.table[["layer", "onset"]].values.tolist()
    [['conv', '100']]
    """
    paths = steps_of([Path(path) for path in expand_paths(files)])
    chosen = {name: value for name, value in options.items() if name in ("entry", "layout", "layers", "exclude")}
    layers_of_files(list(paths.values()), **chosen)  # what differs is named before anything is tested
    looks: dict[int, Look] = {}
    for step, path in paths.items():
        if report:
            report(f"step {step:,}: {path}")
        looks[step] = look(str(path), name=name_of(files), step=step, folder=folder, report=report, **options)
        if looks[step].interrupted:
            break
    return Steps(looks)


def name_of(files: str | Sequence[str]) -> str:
    """Return what a network is called: the name of its first file without the step."""
    without_step = re.sub(r"\d+(?=\D*$)", "", Path(expand_paths(files)[0]).stem)
    return re.sub(r"[^A-Za-z0-9]+", "-", without_step).strip("-") or "steps"


def steps_of(files: Sequence[Path]) -> dict[int, Path]:
    """Read the step of each file off the last number in its name, in ascending order."""
    steps: dict[int, Path] = {}
    for file in files:
        numbers = re.findall(r"\d+", file.stem)
        if not numbers:
            raise InputError(f"{file}: --steps: its name has no number, which is its step: rename it, as epoch_10.pt")
        if int(numbers[-1]) in steps:
            other = steps[int(numbers[-1])]
            raise InputError(f"{file}: --steps: {other} is step {int(numbers[-1])} too: name each step once")
        steps[int(numbers[-1])] = file
    return dict(sorted(steps.items()))
