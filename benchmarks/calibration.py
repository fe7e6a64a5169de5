"""How often layers of known shape get which verdict, by number of filters and density filter: power and error.

    python benchmarks/calibration.py [--trials 200] [--kept 50 100 200 400] [--table FILE]
    python benchmarks/calibration.py --figure benchmarks/results/calibration.png
    python benchmarks/calibration.py --shapes benchmarks/results/shapes.csv --trials 40

Layers of each model pass through the whole decision of a run (`trials.py`). A cell is a row of
src/cnn_topology/statistics/power.csv, which runs read and docs/calibration.md shows. It is computed if the table has it
with fewer trials or not at all, and written at once: the command can be stopped and started again. `--shapes` counts
the known shapes alone, whatever the test of the loops says, at the sizes and density filters of the shipped configs.
"""

import argparse
import csv
import time
from pathlib import Path

import numpy as np
from models import SHAPELESS, SHAPES, draw_model
from trials import decisions

from cnn_topology.plan.clouds import Filtering
from cnn_topology.seeds import derive_seed
from cnn_topology.statistics.circles import CircleTest
from cnn_topology.statistics.nulls import filtered_clouds
from cnn_topology.statistics.power import LOOKED_UP, OUTCOMES, TABLE, THREE_CIRCLES_MODEL, Cell, Model, read_cells
from cnn_topology.statistics.shapes import KLEIN_BOTTLE, PRIMARY, THREE_CIRCLES, UNDECIDED, known_shape, on_klein_bottle
from cnn_topology.topology.circles import near_circles

# Of the figure.
COLUMNS = 4
SHAPES_TOLD = (PRIMARY, THREE_CIRCLES, KLEIN_BOTTLE, UNDECIDED)
DENSITIES, SHARES = (0.3, 0.1), (0.03125, 0.0006, 0.1)
SHAPED = (
    *LOOKED_UP,
    Model("primary circle", 1.0),
    Model("three circles", 0.6),
    Model("Klein bottle", 0.2),
    Model("Klein bottle", 0.6),
    Model("torus", 0.2),
)


def cells(kept: list[int]) -> list[tuple[Model, int, float, float]]:
    """List the cells, first those that runs look up: model, kept filters, k as a share, p."""
    grid = [(share, p, n) for share in SHARES for p in DENSITIES for n in kept]
    shaped = [(model, n, share, p) for share, p, n in grid for model in SHAPED]
    noise = [(Model(name), n, SHARES[0], DENSITIES[0]) for n in kept for name in SHAPELESS]
    # Each where it is looked up most: loops by the default density filter, three circles by a local one.
    default = [cell for cell in shaped if cell[0] in LOOKED_UP and cell[2:] == (SHARES[0], DENSITIES[0])]
    local = [cell for cell in shaped if cell[0] == THREE_CIRCLES_MODEL and cell[2:] == (SHARES[1], DENSITIES[1])]
    looked_up = [cell for cell in shaped if cell[0] in LOOKED_UP]
    return list(dict.fromkeys([*local[:3], *default, *looked_up, *noise, *shaped]))


def calibrate(model: Model, kept: int, share: float, p: float, trials: int) -> Cell:
    points = round(kept / p)
    k = max(1, round(share * points))
    found = decisions(model, points, Filtering(k=k, p=p, landmarks=6_000), trials)
    counts = [sum(shape is not None for _, shape in found)]
    counts += [sum(shape == name for _, shape in found) for name in OUTCOMES[1:]]
    return Cell(*model, kept, share, p, points, k, trials, *counts)


# Filters and density filters of E6 and E6b in small.yaml (and the default one) and in weights-paper.yaml.
SHIPPED = [(1_536, k, p) for k, p in ((1, 0.1), (16, 0.14), (48, 0.3))]
SHIPPED += [(19_200, k, p) for k, p in ((15, 0.1), (200, 0.14))]


def count_shapes(path: Path, trials: int) -> None:
    """Count the known shapes of layers of each model; of a loop it is taken that it winds once, by more than chance."""
    unknown, certain = np.full(4, np.nan), np.full(4, 0.01)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["model", "noise", "points", "density_k", "density_p", "trials", *SHAPES_TOLD])
        for points, k, p in SHIPPED:
            some = trials if points < 10_000 else max(1, trials // 5)
            shaped = [Model(name, noise) for name in SHAPES for noise in (0.2, 0.6, 1.0)]
            for model in [*shaped, *map(Model, SHAPELESS)]:
                told = []
                for trial in range(some):
                    rng = np.random.default_rng(derive_seed(0, "shapes", model.name, model.noise, points, trial))
                    layer = draw_model(model.name, points, rng, model.noise)
                    (kept,) = filtered_clouds(layer, [Filtering(k=k, p=p)])
                    test = CircleTest(near_circles(kept), unknown, unknown, unknown, certain, 99)
                    told.append(known_shape(on_klein_bottle(kept), test, 1))
                writer.writerow([*model[:2], points, k, p, some, *map(told.count, SHAPES_TOLD)])
                file.flush()


def write(path: Path, rows: list[Cell]) -> None:
    partial = path.with_suffix(".partial")
    with partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Cell._fields)
        writer.writerows(sorted(rows))
    partial.replace(path)


def draw(path: Path, rows: list[Cell]) -> None:
    import matplotlib.pyplot as plt

    from cnn_topology.statistics.intervals import wilson_interval

    known = {(c.model, c.noise, c.share) for c in rows}
    panels = [(m, of) for m in SHAPED for of in ("loop", m.name) if of in OUTCOMES and m in known]
    height = -(-len(panels) // COLUMNS)
    size = (3 * COLUMNS, 2.4 * height + 0.6)
    figure, axes = plt.subplots(
        height, COLUMNS, figsize=size, sharex=True, sharey=True, squeeze=False, layout="constrained"
    )
    lines: dict[str, object] = {}
    for axis, (model, outcome) in zip(axes.flat, panels, strict=False):
        for share, colour in zip(SHARES, ("#0072B2", "#D55E00", "#009E73"), strict=True):
            for p, line in zip(DENSITIES, ("-", ":"), strict=True):
                mine = sorted(
                    (c.kept, c.count(outcome), c.trials)
                    for c in rows
                    if (c.model, c.noise, c.share) == model and (c.k_share, c.density_p) == (share, p)
                )
                if not mine:
                    continue
                kept, count, trials = np.array(mine).T
                ends = [wilson_interval(np.array(c / t), int(t)) for c, t in zip(count, trials, strict=True)]
                (line_of,) = axis.plot(kept, count / trials, line, color=colour, marker="o", markersize=3)
                lines[f"k / N = {share:g}, p = {p:g}"] = line_of
                low, high = zip(*ends, strict=True)
                axis.fill_between(kept, low, high, color=colour, alpha=0.12, linewidth=0)
        words = model.words.replace(" with", "\nwith").replace(" in ", "\nin ")
        axis.set_title(f"{words}: {'a loop' if outcome == 'loop' else 'told as such'}", fontsize=8)
    for axis in axes.flat[len(panels) :]:
        axis.set_axis_off()
    kept_values = sorted({c.kept for c in rows})
    axes[0, 0].set(xscale="log", ylim=(-0.03, 1.03))
    axes[0, 0].set_xticks(kept_values, [str(value) for value in kept_values], minor=False)
    axes[0, 0].minorticks_off()
    figure.supxlabel("filters that the density filter keeps", fontsize=9)
    figure.supylabel("share of layers, 95 % interval", fontsize=9)
    figure.legend(lines.values(), lines.keys(), loc="outside upper center", ncols=4, fontsize=8)
    figure.savefig(path, dpi=130)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--kept", type=int, nargs="+", default=[50, 100, 200, 400])
    parser.add_argument("--table", type=Path, default=TABLE)
    parser.add_argument("--shapes", type=Path, help="count the known shapes alone, into this file")
    parser.add_argument("--figure", type=Path, help="draw the table as it is, and compute nothing")
    arguments = parser.parse_args()
    if arguments.shapes:
        count_shapes(arguments.shapes, arguments.trials)
        return
    if arguments.figure:
        draw(arguments.figure, read_cells(arguments.table))
        return
    for model, kept, share, p in cells(arguments.kept):
        rows = {(*Model(*row[:3]), row.kept, row.k_share, row.density_p): row for row in read_cells(arguments.table)}
        key = (*model, kept, share, p)
        if key in rows and rows[key].trials >= arguments.trials:
            continue
        before = time.process_time()
        rows[key] = calibrate(model, kept, share, p, arguments.trials)
        write(arguments.table, list(rows.values()))
        print(f"{time.process_time() - before:6.1f} s  {rows[key]}", flush=True)


if __name__ == "__main__":
    main()
