"""Draw time and memory of the persistence engines by number of points, from the table of `persistence.py`.

python benchmarks/persistence_figure.py results.csv scaling.png
"""

import csv
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

# Okabe and Ito: colour-blind safe.
COLOURS = {"annotations": "#0072B2", "ripser": "#D55E00", "gudhi": "#009E73", "redzed": "#CC79A7"}
NAMES = {"annotations": "this package", "ripser": "Ripser", "gudhi": "GUDHI", "redzed": "RedZeD"}
STYLES = {"circle": ("o", "-"), "klein": ("s", "--"), "sphere": ("^", ":")}


def draw(table: Path, figure: Path) -> None:
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    plot, panels = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
    for panel, column, label in zip(
        panels, ("cpu_s", "peak_mb"), ("CPU time (s)", "peak memory above the start (MB)"), strict=True
    ):
        for engine, colour in COLOURS.items():
            for cloud, (marker, line) in STYLES.items():
                chosen = sorted(
                    (int(r["points"]), float(r[column])) for r in rows if r["engine"] == engine and r["cloud"] == cloud
                )
                if chosen:
                    x, y = zip(*chosen, strict=True)
                    panel.plot(x, [max(v, 1e-3) for v in y], marker + line, color=colour, markersize=4, linewidth=1.2)
        panel.set(xscale="log", yscale="log", xlabel="points in R$^9$", ylabel=label)
        panel.grid(True, which="major", linewidth=0.4, alpha=0.6)
    handles = [plt.Line2D([], [], color=c, label=NAMES[e]) for e, c in COLOURS.items()]
    handles += [
        plt.Line2D([], [], color="0.3", marker=m, linestyle=s, markersize=4, label=cloud)
        for cloud, (m, s) in STYLES.items()
    ]
    panels[0].legend(handles=handles, fontsize=8)
    plot.suptitle(f"Exact H0 and H1, one run each. {rows[0]['hardware']}", fontsize=9)
    plot.savefig(figure, dpi=200)


if __name__ == "__main__":
    draw(Path(sys.argv[1]), Path(sys.argv[2]))
