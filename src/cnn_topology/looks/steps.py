"""One network at several steps of its training: a look at each file, and the loops of each layer over the steps."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from cnn_topology.analysis.loop_dynamics import onset_row
from cnn_topology.errors import InputError
from cnn_topology.looks.layers import LayerLook
from cnn_topology.looks.look import Look, look
from cnn_topology.looks.sources import layers_of_files
from cnn_topology.plan.base import expand_paths
from cnn_topology.tables.dynamics import OnsetRow
from cnn_topology.tables.loops import LoopRow, SignificanceRow
from cnn_topology.tables.row import joined
from cnn_topology.tables.training import TrainingRow

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


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
    def onsets(self) -> list[OnsetRow]:
        """When the loop of each layer sets in; of one network there is no interval."""
        rows, alpha = [], self.last.settings.significance.alpha
        for layer in self.last.layers:
            tested = {step: row["p"] for step, row in self._rows(layer).items() if row["p"] is not None}
            cloud = layer.cloud
            key = {"population": cloud.population, "layer": cloud.layer, "depth": cloud.depth}
            has_loop = [p <= alpha for p in tested.values()]
            key |= layer.filtering.columns
            rows.append(onset_row(key, cloud.networks, list(tested), has_loop, max(self.looks), alpha))
        return rows

    @property
    def table(self) -> "pd.DataFrame":
        """A row a layer: its longest bar and verdict at each step, and the step from which on it has a loop."""
        import pandas as pd

        rows: list[dict[str, Any]] = []
        for layer, begins in zip(self.last.layers, self.onsets, strict=True):
            row: dict[str, Any] = {
                "layer": layer.name,
                "onset": "none" if begins.onset is None else f"{begins.onset:,}",
            }
            for step, at in self._rows(layer).items():
                row[f"step {step:,}"] = f"{at['longest']:.3f}, {at['verdict'] or 'not tested yet'}"
            rows.append(row)
        return pd.DataFrame(rows)

    def plots(self) -> "list[Figure]":
        """Draw the two longest bars of each layer over the steps, with what noise allows, as a run's `evolution`."""
        from cnn_topology.figures import style
        from cnn_topology.figures.evolution import FACETS, draw

        tables = {row.table_name: self._joined(row) for row in (LoopRow, SignificanceRow)}
        tables["training"] = TrainingRow.schema.empty_table()
        clouds = [{"population": layer.cloud.population, "layer": layer.cloud.layer} for layer in self.last.layers]
        alpha, figures = self.last.settings.significance.alpha, []
        for start in range(0, len(clouds), FACETS):
            with style.applied():
                figure, _ = draw({"clouds": clouds[start : start + FACETS], "alpha": alpha}, tables, {})
                style.settle(figure)
            figures.append(figure)
        return figures

    def _rows(self, layer: LayerLook) -> dict[int, dict[str, Any]]:
        """Return the row of a layer at each step; at some it may be left out, as a copy of another one."""
        return {at.cloud.step: at.row for at in self.layers if at.tensor == layer.tensor}

    def _joined(self, row: type[LoopRow] | type[SignificanceRow]) -> pa.Table:
        return joined([layer.tables[row.table_name] for layer in self.layers if layer.tables], row.schema)


def look_at_steps(
    files: Sequence[str], report: Callable[[str], None] | None = None, folder: Path | None = None, **options: Any
) -> Steps:
    """Look at one network at several steps of its training.

    Parameters
    ----------
    files : sequence of str
        A file a step, or patterns; the last number in the name of each is its step.
    report, folder, **options
        As for `look`.

    Returns
    -------
    Steps
        Those before Ctrl-C, if it stopped one.

    Raises
    ------
    InputError
        If a name has no number or two have the same, or the files differ in their layers.
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


def name_of(files: Sequence[str]) -> str:
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
