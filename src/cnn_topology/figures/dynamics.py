"""Onset of the loop over training with its interval over networks, and the same loop followed (panels H and I).

When the loop sets in and whether it stays the same (claims E4 and E8). Top: longest H1 bar of the pooled cloud with its
95 % interval over networks, the spread of draws laid about the bar; the grey band reaches to the critical value of the
nulls. The onset is the first snapshot from which on the bar exceeds every null at every later snapshot; it lies after
the snapshot before, and its interval comes from making and testing the cloud anew for each draw of networks. A draw
repeats some networks, so its cloud is sparser; its bars come out shorter, and they are compared with nulls that are
resampled alike. Small numbers: how often the loop of the bar winds around the primary circle (0 or 1). Middle: share of
36 arcs of the primary circle that hold a kept filter, against as many angles thrown evenly and against random filters.
Bottom: circular correlation (Fisher and Lee) of the edge angles of the same filters, kept at both snapshots; with step
0: of the filters kept now with where they began. That loops appear and change is the paper's claim; the statistics are
ours.
"""

from __future__ import annotations

from cnn_topology.figures import selection, style
from cnn_topology.figures.libraries import Axes, pd
from cnn_topology.figures.registry import Drawing, FigureKind, Notes, Parameters, Plan, Planned, Tables, numbered
from cnn_topology.statistics.significance import TOO_FEW

ROWS = ("longest H1 bar", "primary circle\ncovered", "circular correlation\nof edge angles")


FACETS = 3  # on one page


def planned(plan: Plan) -> Planned:
    """List pages of the layers that are followed over training."""
    facets = [{"population": c.population, "layer": c.layer.name} for c in plan.dynamics_clouds]
    return [(name, {"clouds": page}) for name, page in numbered("dynamics", facets, FACETS)]


def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw one column of three panels for each of `clouds`."""
    clouds, lacking = selection.with_rows(tables["loop_tracks"], parameters["clouds"], "")
    tracks = [selection.rows(tables["loop_tracks"], **cloud).sort_values("step") for cloud in clouds]
    onsets = [selection.rows(tables["onset"], **cloud) for cloud in clouds]
    together = pd.concat(tracks)
    footer = (
        "bands: 95% interval over resampled networks; line and shade: onset and its interval; small numbers: how often "
        "the loop of the longest bar winds around the primary circle; "
        f"networks {selection.spread(together['networks'])}; draws {selection.spread(together['draws'])}{lacking}"
    )
    figure = style.new_figure(4.9, selection.provenance(notes, extra=footer))
    panels = figure.subplots(3, len(clouds), squeeze=False, height_ratios=[1.25, 1, 1])
    longest = max([0.1, *together["longest_high"], *together["longest"]])
    for place, (cloud, track, onset) in enumerate(zip(clouds, tracks, onsets, strict=True)):
        bars, coverage, followed = panels[:, place]
        style.facet_title(bars, f"{cloud['population']}, {cloud['layer']}", len(clouds))
        _bars(bars, track, onset.iloc[0] if len(onset) else None)
        bars.set_ylim(0, 1.3 * longest)
        _coverage(coverage, track)
        _followed(followed, track)
        for axes in (bars, coverage, followed):
            style.step_axis(axes, list(track["step"]))
            axes.tick_params(labelbottom=axes is followed)
        followed.set_xlabel("training step")
    for axes, label in zip(panels[:, 0], ROWS, strict=True):
        axes.set_ylabel(label)
    style.shared_legend(figure)
    return figure, selection.drawn(tracks=together, onset=pd.concat(onsets))


KIND = FigureKind(section="generalization", tables=("onset", "loop_tracks"), planned=planned, draw=draw)


def _bars(axes: Axes, track: pd.DataFrame, onset: pd.Series | None) -> None:
    step = track["step"]
    if track["critical"].notna().any():
        axes.fill_between(step, 0, track["critical"], color=style.BAND, linewidth=0, label="within the nulls")
    line: style.Options = {"marker": "o", "markersize": 2.6, "label": "longest bar"}
    style.curve(axes, step, track["longest"], track["longest_low"], track["longest_high"], style.BLUE, **line)
    for row in track[track["degree"].notna()].to_dict("records"):
        height = max(row["longest"], row["longest_high"])
        beside = onset is not None and row["step"] == onset["onset"]  # of the vertical line of the onset
        ha, shift = ("right", -2) if beside else ("center", 0)
        look: style.Options = {"ha": ha, "fontsize": style.SMALL, "color": style.GREY}
        place = row["step"], height
        axes.annotate(f"{row['degree']:.0f}", place, xytext=(shift, 2), textcoords="offset points", **look)
    if onset is not None:
        text = _onset(axes, track, onset)
        axes.text(0.02, 0.99, text, transform=axes.transAxes, va="top", fontsize=7, color=style.VERMILION)


def _onset(axes: Axes, track: pd.DataFrame, onset: pd.Series) -> str:
    """Draw where the loop sets in, with its interval, and describe it in a line."""
    if not onset["snapshots"]:
        return f"not tested: {TOO_FEW}"
    if pd.isna(onset["onset"]):
        return f"no lasting loop ({onset['lasting']:.0%} of draws have one)"
    axes.axvline(onset["onset"], ymax=0.8, color=style.VERMILION, linewidth=0.8)
    text = f"onset {onset['onset']:,.0f}"
    high = "later" if pd.isna(onset["high"]) else f"{onset['high']:,.0f}"
    if pd.notna(onset["low"]):
        last = track["step"].max() if pd.isna(onset["high"]) else onset["high"]
        axes.axvspan(onset["low"], last, color=style.VERMILION, alpha=0.12, linewidth=0)
        text += f" ({onset['low']:,.0f} to {high})"
    return text


def _coverage(axes: Axes, track: pd.DataFrame) -> None:
    axes.plot(track["step"], track["even"], color=style.GREY, linestyle="--", linewidth=0.9, label="as many, evenly")
    axes.plot(track["step"], track["random"], color=style.GREY, linestyle=":", linewidth=0.9, label="random filters")
    axes.plot(track["step"], track["coverage"], color=style.GREEN, marker="o", markersize=2.6, label="covered")
    axes.set(ylim=(0, 1.05), yticks=[0, 0.5, 1])


def _followed(axes: Axes, track: pd.DataFrame) -> None:
    axes.axhline(0, color=style.PALE, linewidth=0.6)
    shown = {
        "correlation": (style.PURPLE, "with the snapshot before"),
        "first_correlation": (style.ORANGE, "with step 0"),
    }
    for name, (colour, label) in shown.items():
        there = track[track[name].notna()]
        low, high = there[f"{name}_low"], there[f"{name}_high"]
        style.curve(axes, there["step"], there[name], low, high, colour, marker="o", markersize=2.6, label=label)
    axes.set(ylim=(-0.35, 1.05), yticks=[0, 0.5, 1])
