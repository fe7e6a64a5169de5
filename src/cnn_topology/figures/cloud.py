"""One layer of one population after training: barcode with null band, PCA plane, and mean filters around the loop.

Filters of one layer, pooled over the networks of one population at the last step, centred, normalized and thinned
by the density filter rho(k, p) as in the weights paper. (a) Barcode. The grey band begins at each bar's own birth and
is as long as the longest H1 bar that the null models reach at the level of the test: random filters on the sphere
(sphere) and the layer's own filters with their entries shuffled (permuted), both through the same filter. Bars beyond
every null are coloured. The last lines of the legend hold the longest bar against further nulls that decide nothing
(median of their longest bars, rank p-value). Gaussian filters with the second moments of the layer's own: a small p
says that the loop is longer than these moments explain; a large p says nothing, since this test has little power
against a noisy circle. Gaussian fields as smooth as the layer: a large p does
not exclude that smoothness alone makes them.
Blocks: all filters of an output channel shuffled in one way, as they may be alike. The last one is how often networks
drawn from these with replacement have the same verdict. A cloud with too few filters - fewer than 50 kept, or k above a
tenth of them all - is drawn, but not tested. The nulls and the verdict are ours; the paper reads barcodes by eye. (b)
The plane of the first two principal components. (c) The mean filter of each of 16 sectors of that plane, at the
sector's angle, with the number of filters in grey; empty sectors are left blank. The paper draws means of Mapper nodes
instead.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cnn_topology.figures import selection, style
from cnn_topology.figures.glyphs import bare, draw_filter
from cnn_topology.figures.libraries import Axes, PathCollection, pd
from cnn_topology.figures.planned import facet
from cnn_topology.figures.registry import Drawing, FigureKind, Notes, Parameters, Plan, Planned, Tables

H0_BARS, H1_BARS, SECTORS = 20, 50, 16


def planned(plan: Plan) -> Planned:
    """List one figure for each layer."""
    for clouds in plan.layer_clouds:
        name = f"cloud_{clouds.population}_{clouds.layer.name}"
        yield name, {**facet(clouds), "alpha": plan.config.significance.alpha}


def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw the headline cloud of `population` and `layer` at the step `last`; `alpha` is the level of the null band."""
    where = f"{parameters['population']}, {parameters['layer']}, {selection.when(parameters)}"
    found, cloud = selection.headline_at(tables["loops"], parameters)
    nulls, bars, filters = (selection.of_cloud(tables[name], cloud) for name in ("significance", "barcodes", "filters"))
    bars = bars[bars["field"] == bars["field"].min()]
    footer = selection.provenance(notes, found, nulls["draws"])
    figure = style.new_figure(3.7, footer, selection.cloud_title(cloud, where))
    grid = figure.add_gridspec(2, 3, height_ratios=[1, 3], width_ratios=[1.2, 1, 1.05])
    top, bottom = figure.add_subplot(grid[0, 0]), figure.add_subplot(grid[1, 0])
    top.sharex(bottom)
    components = _components(top, bars)
    loops = draw_loops(bottom, bars, nulls, parameters["alpha"], cloud)
    ends = [axes.dataLim.x1 for axes in (top, bottom) if axes.has_data()]
    bottom.set_xlim(0, 1.02 * max(ends, default=1.0))
    plane, around = figure.add_subplot(grid[:, 1]), figure.add_subplot(grid[:, 2])
    style.letter(plane, "b", "PCA plane of the kept filters")
    style.letter(around, "c", "mean filter by angle in b")
    if filters.empty:
        for axes in (plane, around):
            style.explain(axes, "no filter in the table")
        return figure, selection.drawn(h0=components, h1=loops, null=nulls)
    points, sectors = _plane(plane, filters), _around(around, filters)
    means = {"sectors": sectors.drop(columns="coordinates"), "means": selection.entry_rows(sectors, "angle")}
    return figure, selection.drawn(h0=components, h1=loops, null=nulls, plane=points, **means)


KIND = FigureKind(
    section="clouds",
    tables=("loops", "barcodes", "significance", "filters"),
    planned=planned,
    draw=draw,
)


def _components(axes: Axes, bars: pd.DataFrame) -> pd.DataFrame:
    found = selection.lengths(bars, 0)
    shown = found.head(H0_BARS)
    style.letter(axes, "a", f"barcode: H0, longest {len(shown)} of {len(found):,}")
    axes.tick_params(labelbottom=False)
    if shown.empty:
        style.explain(axes, "no H0 bar")
        return shown
    end = bars["death"].replace(np.inf, np.nan).max()
    _draw_bars(axes, shown["birth"], shown["death"].clip(upper=1.05 * end), [style.INK] * len(shown))
    return shown


def draw_loops(axes: Axes, bars: pd.DataFrame, nulls: pd.DataFrame, alpha: float, cloud: pd.Series) -> pd.DataFrame:
    """Draw the longest H1 bars by birth; the band shows how long each could be under the null, from its own birth."""
    found = selection.lengths(bars, 1)
    shown = found.head(H1_BARS).sort_values("birth", kind="stable").reset_index(drop=True)
    left_out = f", {len(found) - len(shown):,} shorter left out" if len(found) > len(shown) else ""
    axes.set_title(f"H1: longest {len(shown)}{left_out}")
    axes.set_xlabel("scale")
    if shown.empty:
        style.explain(axes, "no H1 bar: the cloud has no loop at any scale")
        return shown.assign(longer=pd.Series(dtype=bool))
    critical = nulls["null_critical"].max() if len(nulls) else np.nan
    shown["longer"] = shown["length"] > critical
    rows = np.arange(len(shown))
    if np.isfinite(critical):
        edges = np.repeat(np.append(rows, len(rows)), 2)[1:-1] - 0.5
        start = np.repeat(shown["birth"].to_numpy(), 2)
        axes.fill_betweenx(edges, start, start + critical, color=style.BAND, linewidth=0)
        for null in nulls.sort_values("null_name").to_dict("records"):
            line = style.null_line(null["null_name"], alpha)
            line["label"] += f": {null['null_critical']:.2f}"
            axes.plot(start + null["null_critical"], edges, **line)
    colours = [style.VERMILION if longer else style.INK for longer in shown["longer"]]
    _draw_bars(axes, shown["birth"], shown["death"], colours)
    if np.isfinite(critical):
        beyond = int((found["length"] > critical).sum())
        axes.plot([], [], color=style.VERMILION, label=f"longer than every deciding null: {beyond}")
    for label in _told(cloud, found["length"]):
        axes.plot([], [], " ", label=label)
    style.legend_below(axes, 28)
    return shown


def _told(cloud: pd.Series, lengths: pd.Series) -> list[str]:
    """Describe the two longest bars, and the tests that decide nothing."""
    longest, second, *_ = [*map(selection.length, lengths.head(2)), "–"]
    told = [f"not tested: {cloud['verdict']}"] if np.isnan(cloud["p_longest"]) else []
    told.append(f"longest {longest}, second {second}")
    for null, what in (("covariance", "own covariance (little power)"), ("lowpass", "fields as smooth")):
        if np.isfinite(cloud[f"p_{null}"]):
            median = cloud[f"{null}_longest_median"]
            told.append(f"{what}: median {median:.2f}, p = {cloud[f'p_{null}']:.2g}")
    if np.isfinite(cloud["p_block"]):
        told.append(f"channels as blocks: p = {cloud['p_block']:.2g}")
    if np.isfinite(cloud["verdict_stability"]):
        told.append(f"same verdict in {cloud['verdict_stability']:.0%} of draws of networks")
    return told


def _draw_bars(axes: Axes, birth: pd.Series, death: pd.Series, colours: Any) -> None:
    rows = np.arange(len(birth))
    axes.hlines(rows, birth, death, colors=colours, linewidth=max(0.7, min(2.0, 60 / len(rows))))
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)


def _plane(axes: Axes, filters: pd.DataFrame) -> pd.DataFrame:
    shown = filters[["network", "out_channel", "in_channel", "plane1", "plane2"]].copy()
    shown["edge_angle"] = selection.edge_angle(filters)
    points = draw_plane(axes, shown)
    total = selection.entries_of(filters).var(axis=0).sum()
    shares = [shown[name].var(ddof=0) / total if total else np.nan for name in ("plane1", "plane2")]
    axes.set_xlabel(f"PC 1 ({shares[0]:.0%} of variance)")
    axes.set_ylabel(f"PC 2 ({shares[1]:.0%})", labelpad=1)
    # A filter has norm 1 before the mean of all is taken away: it can lie beyond the unit circle.
    reach = 1.04 * max(1.04, float(shown[["plane1", "plane2"]].abs().to_numpy().max()))
    ticks = [-1, 0, 1]
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), xticks=ticks, yticks=ticks, aspect="equal", anchor="N")
    style.angle_bar(axes.inset_axes((0.1, -0.36, 0.8, 0.045)), points, "edge angle of the nearest Klein patch")
    return shown


def draw_plane(axes: Axes, filters: pd.DataFrame, scale: float = 1.0) -> PathCollection:
    """Draw filters in their PCA plane, in the unit circle and coloured by `edge_angle`; small panels take scale < 1.

    Returns
    -------
    PathCollection
        The points, for a colour bar.
    """
    turn = np.linspace(0, 2 * np.pi, 200)
    axes.plot(np.cos(turn), np.sin(turn), color=style.PALE, linewidth=0.6, zorder=0)
    return axes.scatter(
        filters["plane1"],
        filters["plane2"],
        c=filters["edge_angle"],
        cmap=style.cyclic(),
        vmin=0,
        vmax=2 * np.pi,
        s=scale * min(6.0, max(0.5, 3_000 / len(filters))),
        linewidths=0,
        rasterized=True,
    )


def _around(axes: Axes, filters: pd.DataFrame) -> pd.DataFrame:
    """Draw the mean filter of each sector of the PCA plane at the sector's own angle."""
    sectors = draw_sectors(axes, filters, SECTORS, 1.0, 0.31, 1.4)
    for row in sectors.to_dict("records"):
        x, y = 0.7 * np.cos(row["angle"]), 0.7 * np.sin(row["angle"])
        axes.text(x, y, _compact(row["filters"]), ha="center", va="center", fontsize=6, color=style.GREY)
    empty = int((sectors["filters"] == 0).sum())
    note = f"{len(filters):,}\nfilters\n{empty} of {SECTORS}\nsectors\nempty"
    axes.text(0, 0, note, ha="center", va="center", fontsize=7, color=style.INK, linespacing=1.2)
    bare(axes, 1.2)
    axes.set_anchor("N")
    return sectors


def draw_sectors(axes: Axes, filters: pd.DataFrame, count: int, ring: float, side: float, frame: float) -> pd.DataFrame:
    """Draw the mean filter of each sector of the PCA plane on a ring, and return the sectors."""
    sectors = sector_means(filters, count)
    limit = float(np.nanmax(np.abs(selection.entries_of(sectors))))
    for row in sectors[sectors["filters"] > 0].to_dict("records"):
        x, y = ring * np.cos(row["angle"]), ring * np.sin(row["angle"])
        draw_filter(axes, row["coordinates"], x, y, side, limit, style.angle_colour(row["edge_angle"]), frame)
    return sectors


def _compact(count: int) -> str:
    return f"{count}" if count < 1_000 else f"{count / 1_000:.3g}k"


def sector_means(filters: pd.DataFrame, sectors: int) -> pd.DataFrame:
    """Average the kept filters in sectors of their PCA plane.

    Parameters
    ----------
    filters : DataFrame
        Rows of the table `filters` of one cloud.
    sectors : int
        Number of equal sectors; sector 0 is centred on the first principal axis.

    Returns
    -------
    DataFrame
        One row per sector: ``angle`` of its middle (radians), number of ``filters``, circular mean ``edge_angle``
        and mean ``coordinates`` (NaN in an empty sector).
    """
    width = 2 * np.pi / sectors
    angle = np.arctan2(filters["plane2"], filters["plane1"])
    sector = np.mod(np.floor(angle / width + 0.5), sectors).astype(int)
    direction = np.exp(1j * selection.edge_angle(filters))
    rows, entries = [], selection.entries_of(filters)
    for number in range(sectors):
        inside = (sector == number).to_numpy()
        mean = entries[inside].mean(axis=0) if inside.any() else np.full(entries.shape[1], np.nan)
        turn = float(np.mod(np.angle(direction[inside].sum()), 2 * np.pi)) if inside.any() else np.nan
        rows.append({"angle": number * width, "filters": int(inside.sum()), "edge_angle": turn, "coordinates": mean})
    return pd.DataFrame(rows)
