"""What a run found, as tables of text: its page shows them, and its `summary.txt` prints them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from cnn_topology.claims.accuracy_measures import best_predictor
from cnn_topology.claims.words import short
from cnn_topology.plan.activations import published_eps
from cnn_topology.plan.findings import RunFacts
from cnn_topology.plan.resnets import TriangularRecipe
from cnn_topology.statistics.hollowness import ring
from cnn_topology.statistics.significance import LEVEL, LOOPS, NO_LOOP, TOO_FEW
from cnn_topology.summary.headline import frame_of, headline_clouds

Tables = Mapping[str, pa.Table]
LAYERS = "One row a layer"  # the table beside which the page draws the loops over training
# What the columns of the table of layers say.
OF_LAYERS = {
    "longest": "length of the longest loop (H1 bar) at the last step, second: of the next",
    "noise": "the length that noise reaches under every null",
    "p": "how often noise has a loop as long",
    "q": "that, corrected for the number of layers here",
    "power": "how often, of simulated layers of this size (≈: of the nearest simulated), a circle of half of the "
    "filters is found, and one of a fifth",
    "stable": "how often networks drawn from these with replacement have the same verdict",
    "p, smooth": "against random fields as smooth as the filters; a large one does not exclude that smoothness alone "
    "makes the loop",
    "p, blocks": "with all filters of an output channel shuffled in one way, as filters of a channel may be alike",
    "p, covariance": "against random filters with the layer's own covariance; only a small one says something",
    "ring": "whether all filters are hollow as a ring in their strongest plane, against others of that covariance",
    "filters kept": "of all of the layer",
    "filter": "the density filter rho(k, p), which keeps the share p whose k-th neighbour is nearest",
    "landmarks": "points that persistence was computed of, where these are fewer than are kept",
    "of all": "the two longest loops of all points kept, which decide nothing",
}
# Of a population topology and accuracy both follow training, and over a grid both follow width: step and width are held
# fixed where that can be tested.
HELD_FIXED: dict[Any, str] = {"networks": "step", "grid": "width"}


# Of the table `onset`.
ONSET = ("onset", "low", "high")


class TextTable(NamedTuple):
    """A table to read: what it shows, how to read it, the names of its columns, and its cells as text."""

    title: str
    caption: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]

    @property
    def is_number(self) -> list[bool]:
        """Whether all cells of a column begin with a number, so that they stand at the right."""
        return [all(cell[:1] in "0123456789≈−–" for cell in column) for column in zip(*self.rows, strict=True)]

    def lines(self) -> list[str]:
        """Return the table as lines, each column as wide as its longest cell."""
        cells = [self.columns, *self.rows]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        sides = [">" if is_number else "<" for is_number in self.is_number]
        form = "  ".join(f"{{:{side}{width}}}" for side, width in zip(sides, widths, strict=True))
        return [self.title, *(f"  {form.format(*row)}".rstrip() for row in cells)]


def text_table(title: str, caption: str, rows: Sequence[Mapping[Any, Any]]) -> TextTable:
    """Build a table of rows of named cells, without columns that are empty everywhere."""
    frame = pd.DataFrame(rows, dtype=object).fillna("").astype(str)
    frame = frame.loc[:, (frame != "").any()]
    return TextTable(title, caption, tuple(frame.columns), list(frame.itertuples(index=False, name=None)))


def found_tables(tables: Tables, alpha: float) -> list[TextTable]:
    """Return what a run found: its networks, the loops of filters and what goes with them, its activations.

    Parameters
    ----------
    tables : mapping of str to pyarrow.Table
        Of the run, by name; what they lack is left out.
    alpha : float
        Level of the tests of loops.

    Returns
    -------
    list of TextTable
    """
    made = [_networks(tables), _layers(tables, alpha)]
    made += [table(tables) for table in (_onsets, _predictors, _speeds, _measures, _foregrounds, _purity)]
    return [table for table in made if table.rows]


def recipe_tables(facts: RunFacts, tables: Tables) -> list[TextTable]:
    """Return how residual networks and mapper graphs were made, and what other recipes of graphs give."""
    made = [_trainings(facts), _recipes(tables), _settings(tables), _sweeps(tables)]
    return [table for table in made if table.rows]


def last_clouds(tables: Tables) -> list[pd.DataFrame]:
    """Return the headline clouds of each layer, by step."""
    groups = headline_clouds(tables).groupby(["population", "layer"], sort=False)
    return [clouds.sort_values("step") for _, clouds in groups]


def _number(value: float | None, form: str) -> str:
    return "" if value is None or np.isnan(value) else f"{value:z{form}}".replace("-", "\N{MINUS SIGN}")


def _estimate(value: float, low: float, high: float, p: float = np.nan) -> str:
    """Write a number with its interval and p-value, as far as they are there."""
    if np.isnan(value):
        return "–"
    interval = "" if np.isnan(low) else f" ({short(low)} to {short(high)})"
    return f"{short(value)}{interval}" + ("" if np.isnan(p) else f", p = {p:.2g}")


def _accuracy(values: pd.Series) -> str:
    if values.empty or values.isna().any():
        return "not measured" if len(values) else "none left"
    return f"{values.mean():.1%}" + (f" ({values.min():.1%} to {values.max():.1%})" if len(values) > 1 else "")


def _networks(tables: Tables) -> TextTable:
    rows: list[dict[str, Any]] = []
    tests = frame_of(tables, "training").query("split == 'test'")
    for population, mine in tests.groupby("population", sort=False):
        failed = mine.loc[mine["failed"], "network"].nunique() or ""
        for images, last in mine[mine["step"] == mine["step"].max()].groupby("images", sort=False):
            left = last.loc[~last["failed"], "accuracy"]
            about = {"networks": population, "tested on": images, "trained for": f"{last['step'].iloc[0]:,} steps"}
            rows.append({**about, "test accuracy": _accuracy(left), "n": len(left), "failed": failed})
    kept = frame_of(tables, "resnet_training").query("is_kept")
    for population, mine in kept.groupby("population", sort=False):
        epochs = int(mine["epoch"].max())
        about = {"networks": population, "tested on": mine["images"].iloc[0]}
        about["trained for"] = f"{epochs} epoch{'s' * (epochs > 1)}" if epochs else "not in this run"
        rows.append({**about, "test accuracy": _accuracy(mine["test_accuracy"]), "n": len(mine), "failed": ""})
    return text_table("How well do the networks do?", "Mean over networks, with the least and the greatest.", rows)


def _layers(tables: Tables, alpha: float) -> TextTable:
    rows = []
    for clouds in last_clouds(tables):
        cloud = clouds.iloc[-1].to_dict()
        power = ""
        if cloud["verdict"] == NO_LOOP and not np.isnan(cloud["power_circle"]):
            power = f"{cloud['power_circle']:.0%}, {cloud['power_faint_circle']:.0%}"
        of_null = {"smooth": cloud["p_lowpass"], "blocks": cloud["p_block"], "covariance": cloud["p_covariance"]}
        rows.append(
            {
                "population": cloud["population"],
                "layer": cloud["layer"],
                "verdict": cloud["verdict"],
                "longest": f"{cloud['longest']:.3f}",
                "second": f"{cloud['second']:.3f}",
                "noise": _number(cloud["needed"], ".3f"),
                "p": _number(cloud["p_longest"], ".2g"),
                "q": _number(cloud["q_longest"], ".2g"),
                "power": power if cloud["power_in_range"] or not power else f"≈ {power}",
                "stable": _number(cloud["verdict_stability"], ".0%"),
                **{f"p, {name}": _number(p, ".2g") for name, p in of_null.items() if cloud["verdict"] in LOOPS},
                "ring": ring(cloud, alpha),
                "networks": cloud["networks"],
                "filters kept": f"{cloud['kept']:,} of {cloud['points']:,}",
                "constant": f"{cloud['constant']:,}" if cloud["constant"] else "",
                "filter": f"rho({cloud['density_k']}, {cloud['density_p']:g})",
                "landmarks": f"{cloud['used']:,}" if cloud["used"] < cloud["kept"] else "",
                "of all": f"{cloud['exact_longest']:.3f}, {cloud['exact_second']:.3f}"
                if pd.notna(cloud["exact_longest"])
                else "",
                "step": f"{cloud['step']:,}" if cloud["step"] else "",
            }
        )
    table = text_table(LAYERS, "", rows)
    words = (f"{name}: {meaning}" for name, meaning in OF_LAYERS.items() if name in table.columns)
    return table._replace(caption=f"{'; '.join(words)}.")


def _onsets(tables: Tables) -> TextTable:
    rows = []
    for row in frame_of(tables, "onset").to_dict("records"):
        about = {"population": row["population"], "layer": row["layer"]}
        if not row["snapshots"]:
            rows.append({**about, "a loop from step": TOO_FEW, "95% interval": "", "in draws": "", "n": ""})
            continue
        onset, *ends = (f"after {row['last']:.0f}" if np.isnan(row[name]) else f"{row[name]:.0f}" for name in ONSET)
        about["a loop from step"] = "never" if np.isnan(row["onset"]) else onset
        about["95% interval"] = " to ".join(ends)
        rows.append({**about, "in draws": f"{row['lasting']:.0%} of {row['draws']}", "n": row["networks"]})
    caption = (
        "The first step from which on a layer has a loop, over draws of its networks; in how many draws one lasts."
    )
    return text_table("When does a loop set in?", caption, rows)


def _predictors(tables: Tables) -> TextTable:
    """Return of each grid and population which topological predictor of test accuracy is the best, and how good."""
    rows = []
    tested = frame_of(tables, "correlations")
    tested = tested[tested["scope"].isin(HELD_FIXED)]
    for (group, scope), mine in tested.groupby(["group_name", "scope"], sort=False):
        ways = {HELD_FIXED[scope]: "partial_spearman", "": "spearman"}
        tries = ((given, best_predictor(mine[mine["given"] == given], "test_accuracy", ways[given])) for given in ways)
        given, best = next(((given, best) for given, best in tries if best is not None), ("", None))
        row = {"networks": group, "best predictor": "none was tested"}
        if best is not None:
            row["best predictor"] = f"{best['predictor'].replace('_', ' ')} of {best['layer']}"
            row["given"] = given
            row["rank correlation"] = _estimate(best["statistic"], best["low"], best["high"], best["p_adjusted"])
            row["reliability"] = _number(best["reliability"], ".2f")
            row["n"] = f"{best['networks']} ({best['exchanged']})"
        rows.append(row)
    caption = "p: adjusted for all predictors and layers; reliability: of halves of the networks."
    return text_table("Which topological quantity goes best with test accuracy?", caption, rows)


def _speeds(tables: Tables) -> TextTable:
    rows = []
    compared = frame_of(tables, "comparisons").query("metric == 'iterations_to_target' and against_role == 'baseline'")
    for row in compared.to_dict("records"):
        never = (row["n_censored"], row["n_censored_against"])
        rows.append(
            {
                "group": row["group_name"],
                "networks": row["population"] + (" (control)" if row["role"] == "control" else ""),
                "against": row["against"],
                "accuracy": f"{row['target']:.4g} on {row['images']}",
                "times as fast": "most of both never reach it"
                if np.isnan(row["estimate"])
                else _estimate(row["estimate"], row["low"], row["high"], row["p_holm"]),
                "n": f"{row['n']} and {row['n_against']}",
                "tests": row["family"],
                "never reach it": f"{never[0]} and {never[1]}" if any(never) else "",
            }
        )
    caption = "Median iterations of the baseline to the accuracy over those of each: 95% interval, Holm's p."
    return text_table("Who learns faster?", caption, rows)


def _measures(tables: Tables) -> TextTable:
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in frame_of(tables, "measure_tests").query("test in ('specificity', 'depth_order')").to_dict("records"):
        about = {"networks, cloud": f"{row['population']}, {row['cloud']}", "measure": row["measure"].replace("_", " ")}
        columns = dict.fromkeys(("same layer is nearest", "by chance", "order of depth (0 by chance)"), "")
        cells = rows.setdefault((row["population"], row["cloud"], row["measure"]), {**about, **columns, "n": row["n"]})
        estimate = _estimate(row["statistic"], row["low"], row["high"], row["p_value"])
        if row["test"] == "specificity":
            cells |= {"same layer is nearest": estimate, "by chance": short(row["null_value"])}
        else:
            cells["order of depth (0 by chance)"] = estimate
    return text_table("Does a measure find the same layer in another network?", "n: networks.", list(rows.values()))


def _foregrounds(tables: Tables) -> TextTable:
    """Return the clouds of the foreground or background that some images have none of, and so no point in."""
    graphs = frame_of(tables, "activation_graphs").query("sampling in ('foreground', 'background')")
    # Several positions of an image are several points; a small layer may have fewer than that.
    graphs = graphs.assign(there=graphs["points"] // graphs["top"]).sort_values("there", ascending=False, kind="stable")
    graphs = graphs.drop_duplicates(["population", "cloud"]).query("there < n_images")
    rows = [
        {
            "networks, cloud": f"{row['population']}, {row['cloud']}",
            "sampled": row["sampling"],
            "images with a point": f"{row['there']:,} of {row['n_images']:,}",
        }
        for row in graphs.to_dict("records")
    ]
    return text_table("Which images have no foreground or background?", "Their classes have fewer points.", rows)


def _purity(tables: Tables) -> TextTable:
    rows = []
    graphs = frame_of(tables, "purity").sort_values("depth", kind="stable")
    keys = ["population", "recipe", "cloud", "layer"]
    for (population, recipe, cloud, layer), mine in graphs.groupby(keys, sort=False):
        empty = int(mine["node_wise"].isna().sum())
        mine = mine[mine["node_wise"].notna()]
        means = mine[["node_wise", "chance"]].mean()
        rows.append(
            {
                "networks, recipe": f"{population}, {recipe}",
                "cloud": cloud,
                "layer": layer,
                "purity": _number(means["node_wise"], ".2f") or "no node",
                "labels shuffled": _number(means["chance"], ".2f"),
                f"graphs with p ≤ {LEVEL}": f"{(mine['p_value'] <= LEVEL).sum()} of {len(mine)}",
                "without a node": f"{empty}" if empty else "",
            }
        )
    caption = (
        "Mean purity of the nodes (1 over the number of classes in a node) over networks, and that of the same graphs "
        "with labels shuffled over images."
    )
    return text_table("Are nodes of mapper graphs purer in class than with shuffled labels?", caption, rows)


def _trainings(facts: RunFacts) -> TextTable:
    rows = []
    for population, networks in facts.resnets.items():
        recipe = networks.recipe
        row: dict[str, Any] = {
            "population": population,
            "variant": networks.variant,
            "images": networks.images,
            "widths": ", ".join(map(str, networks.widths)),
            "blocks": ", ".join(map(str, networks.blocks)),
            "shortcuts": {"pad": "zero padding", "projection": "1×1 projection"}[networks.shortcut],
        }
        if recipe is None:
            rows.append({**row, "weights": "from checkpoints"})
            continue
        if isinstance(recipe, TriangularRecipe):
            rate, kept = f"0 to {recipe.learning_rate:g} at epoch {recipe.peak_epoch:g} to 0", "last epoch"
        else:
            steps = ", ".join(map(str, recipe.milestones))
            rate = f"{recipe.learning_rate:g}, × {recipe.decay_factor:g} at {steps}"
            kept = {"last": "last epoch", "best-on-test": "best epoch on the test set"}[recipe.selection]
        changes = [f"shift ±{recipe.translate}"] if recipe.translate else []
        changes += ["flip"] * recipe.flip + ([f"cutout {recipe.cutout}"] if recipe.cutout else [])
        row |= {"weights": kept, "epochs": recipe.epochs, "batch": recipe.batch_size, "learning rate": rate}
        row |= {"momentum, decay": f"{recipe.momentum:g}, {recipe.weight_decay:g}"}
        rows.append({**row, "augmentation": ", ".join(changes) or "none"})
    caption = (
        "Layout and recipe of each population: the paper's table of training details, whose numbers we do not know."
    )
    return text_table("How the residual networks were trained (T-D)", caption, rows)


def _recipes(tables: Tables) -> TextTable:
    sweep = frame_of(tables, "mapper_sweep")
    last = sweep[sweep["step"] == sweep.groupby(["population", "layer"])["step"].transform("max")]
    names = {"population": "population", "layer": "layer", "change": "recipe", "nodes": "nodes"}
    names |= {"components": "components", "loops": "loops", "filled_loops": "unfilled loops"}
    rows = last[list(names)].rename(columns=names)
    counts = rows.select_dtypes("number").columns
    rows[counts] = rows[counts].map("{:,}".format)
    caption = (
        "The filters of a layer at its last step, made into a mapper graph in other ways: each row changes what it "
        "names and keeps the rest. Unfilled: loops of the graph that no cliques fill. Loops of a graph are a "
        "picture; the barcode is the test."
    )
    return text_table("Graphs of filters by other recipes", caption, rows.to_dict("records"))


def _sweeps(tables: Tables) -> TextTable:
    sweep, rows = frame_of(tables, "activation_sweep"), []
    deepest = sweep[sweep["depth"] == sweep.groupby(["population", "recipe", "cloud"])["depth"].transform("max")]
    first = deepest[deepest["network"] == deepest.groupby("population")["network"].transform("min")]
    for row in first.to_dict("records"):
        settings = {
            "none": "as it is",
            "eps": f"eps × {row['eps_factor']:g}",
            "overlap": f"overlap {row['overlap']:.0%}",
            "intervals": f"{row['intervals']} intervals",
        }
        rows.append(
            {
                **{name: row[name] for name in ("population", "recipe", "cloud", "layer")},
                "setting": settings[row["varied"]],
                "Rand index": _number(row["stability"], ".2f"),
                "purity": _number(row["node_wise"], ".2f"),
                "coverage": f"{row['coverage']:.2f}",
                "branch ends": f"{row['leaves']:,}",
            }
        )
    caption = (
        "Graphs of the deepest layer with one setting changed. Rand index: adjusted, between the components of that "
        "graph and those of the graph itself, as partitions of the points: 1 is the same, 0 unrelated."
    )
    return text_table("Graphs of activations by other settings", caption, rows)


def _settings(tables: Tables) -> TextTable:
    graphs, rows = frame_of(tables, "activation_graphs"), []
    first = graphs[graphs["network"] == graphs.groupby("population")["network"].transform("min")]
    for row in first.to_dict("records"):
        published = None if row["sigma"] else published_eps(row["sampling"], row["top"], row["layer"])
        rows.append(
            {
                **{name: row[name] for name in ("population", "recipe", "cloud", "layer")},
                "points": f"{row['used']:,}",
                "intervals": row["intervals"],
                "overlap": f"{row['overlap']:.0%}",
                "eps": f"{row['eps']:.4g}",
                "eps from": row["eps_from"],
                "published eps": _number(published, "g"),
                "nodes": f"{row['nodes']:,}",
                "edges": f"{row['edges']:,}",
                "coverage": f"{row['coverage']:.3f}",
            }
        )
    caption = (
        "Of the first network of each population: intervals and overlap of the cover, radius eps of DBSCAN and where "
        "it is from, beside the radius that the follow-up's released code names for such a cloud and layer, which "
        "belongs to the scale of other weights."
    )
    return text_table("Settings of the graphs of activations", caption, rows)
