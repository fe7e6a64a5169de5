"""Every figure draws from tables, in the same bytes each time, inside its page, and says why where it is empty."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from cnn_topology.figures import depth
from cnn_topology.figures.drawing import draw, empty_figure
from cnn_topology.figures.registry import FigureSpec, figure_specs, kinds
from cnn_topology.figures.style import save
from cnn_topology.plan.expand import Plan
from cnn_topology.storage.tables import read_notes, read_table

Tables = dict[str, pa.Table]
WEIGHTS_KINDS = [name for name, kind in kinds().items() if kind.section in ("filters", "clouds", "filter_graphs")]


def first_of(kind: str, plan: Plan) -> FigureSpec:
    found = [spec for spec in figure_specs(plan).values() if spec.kind == kind]
    assert found, f"figures/{kind}.py plans no figure for the run of these tests"
    return found[0]


def texts(figure: Figure) -> list[Text]:
    return [item for item in figure.findobj(Text) if item.get_visible() and item.get_text().strip()]


def words(figure: Figure) -> str:
    return " ".join(text.get_text().replace("\n", " ").replace("\N{NO-BREAK SPACE}", " ") for text in texts(figure))


def cut_off(figure: Figure) -> list[str]:
    """List what reaches over the edge of the page: panels with their labels and legends, and texts of the page."""
    figure.canvas.draw()
    page = figure.bbox.padded(1)
    parts = [*figure.axes, *figure.texts, *figure.legends]
    boxes = [(part, part.get_tightbbox()) for part in parts]
    return [
        f"{part}: {box}"
        for part, box in boxes
        if box is not None and not (page.x0 <= box.x0 and page.y0 <= box.y0 and box.x1 <= page.x1 and box.y1 <= page.y1)
    ]


def covered_titles(figure: Figure) -> list[str]:
    """List the titles of panels that lie on a label of a tick."""
    found = []
    for axes in figure.axes:
        title = axes.title if axes.title.get_text() else axes._left_title  # type: ignore[attr-defined]
        box = title.get_window_extent()
        names = [name for axis in (axes.xaxis, axes.yaxis) for name in axis.get_ticklabels() if name.get_text()]
        found += [title.get_text() for name in names if name.get_window_extent().overlaps(box)]
    return found


@pytest.mark.parametrize("kind", WEIGHTS_KINDS)
def test_a_figure_is_the_same_bytes_each_time_and_says_where_its_data_come_from(
    kind: str, plan: Plan, tables: Tables, notes: dict[str, str], tmp_path: Path
) -> None:
    spec = first_of(kind, plan)
    written = []
    for folder in ("one", "two"):
        figure, drawn = draw(spec, tables, notes)
        written.append([path.read_bytes() for path in save(figure, tmp_path / folder, spec.name, drawn, notes)])
    assert drawn.num_rows > 0
    assert drawn.column_names[0] == "panel"
    assert written[0] == written[1]
    said = words(figure)
    assert "seed 2018" in said
    assert "config 1f0c9b7a" in said
    assert "printed:0f3a9c" in said
    if kind not in ("training_curves", "controls"):
        assert "networks 16" in said
        assert "→ kept" in said
        assert ("ρ(k = 8–100, p = 0.1–0.3)" if kind == "sensitivity" else "ρ(k = 32, p = 0.3)") in said
    assert "$" not in said  # no label is written as a formula, which would be shown as it stands
    assert cut_off(figure) == []
    assert covered_titles(figure) == []
    parquet = tmp_path / "one" / f"{spec.name}.parquet"
    pd.testing.assert_frame_equal(read_table(parquet).to_pandas(), drawn.to_pandas())
    assert all(field.metadata[b"description"] for field in pq.read_schema(parquet))
    assert read_notes(parquet)["config"] == notes["config"]


def test_a_figure_can_be_plotted_from_its_data_file_alone(
    plan: Plan, tables: Tables, notes: dict[str, str], tmp_path: Path
) -> None:
    spec = figure_specs(plan)["cloud_printed_conv1"]
    figure, drawn = draw(spec, tables, notes)
    save(figure, tmp_path, spec.name, drawn, notes)
    data = pd.read_parquet(tmp_path / "cloud_printed_conv1.parquet")
    bars = data[data["panel"] == "h1"].dropna(axis="columns", how="all")
    axes = bars.plot.scatter("birth", "death")
    (points,) = axes.collections
    assert len(points.get_offsets()) == len(bars) > 0  # type: ignore[arg-type]
    assert (bars["length"] == bars["death"] - bars["birth"]).all()
    sectors = data[data["panel"] == "sectors"].dropna(axis="columns", how="all")
    assert sectors["filters"].sum() == (data["panel"] == "plane").sum()
    assert not set(sectors.columns) & {"birth", "null_name"}


def test_a_column_without_a_meaning_and_one_of_lists_are_refused(
    plan: Plan, tables: Tables, notes: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = figure_specs(plan)["depth_printed"]
    for column, error in ((pa.array(["u"]), KeyError), (pa.array([[1, 2]]), TypeError)):
        table = pa.table({"panel": ["loops"], "unheard_of": column})
        changed = replace(spec.declared, draw=lambda *_, table=table: (empty_figure("", "", ""), table))
        monkeypatch.setattr(depth, "KIND", changed)
        with pytest.raises(error, match="unheard_of"):
            draw(spec, tables, notes)


@pytest.mark.parametrize("kind", WEIGHTS_KINDS)
def test_empty_tables_give_a_figure_that_says_so(
    kind: str, plan: Plan, empty_tables: Tables, notes: dict[str, str], tmp_path: Path
) -> None:
    spec = first_of(kind, plan)
    figure, drawn = draw(spec, empty_tables, notes)
    save(figure, tmp_path, spec.name, drawn)
    assert drawn.num_rows == 0
    assert any(reason in words(figure) for reason in ("every network failed", "no row in the table", "is empty"))


def test_a_cloud_without_a_loop_says_so(plan: Plan, tables: Tables, notes: dict[str, str]) -> None:
    barcodes = tables["barcodes"].filter(pc.equal(tables["barcodes"]["dimension"], 0))
    loops = tables["loops"]
    for name in ("longest", "second", "ratio", "p_longest", "p_ratio", "longest_birth", "longest_death"):
        place = loops.column_names.index(name)
        loops = loops.set_column(place, name, pa.array([float("nan")] * loops.num_rows))
    changed = {**tables, "barcodes": barcodes, "loops": loops}
    for kind in WEIGHTS_KINDS:
        draw(first_of(kind, plan), changed, notes)
    figure, _ = draw(first_of("cloud", plan), changed, notes)
    assert "the cloud has no loop at any scale" in words(figure)


def test_failed_networks_are_counted_and_left_out(plan: Plan, tables: Tables, notes: dict[str, str]) -> None:
    figure, drawn = draw(figure_specs(plan)["training_curves"], tables, notes)
    assert "n = 14; 2 failed, left out" in words(figure)
    printed = drawn.filter(pc.equal(drawn["population"], "printed"))
    assert set(printed["networks"].to_pylist()) == {14}


def test_a_population_whose_networks_all_failed_says_so(plan: Plan, tables: Tables, notes: dict[str, str]) -> None:
    training = tables["training"]
    place = training.column_names.index("failed")
    failed = training.set_column(place, "failed", pa.array([True] * training.num_rows))
    figure, drawn = draw(figure_specs(plan)["training_curves"], {**tables, "training": failed}, notes)
    assert "all 16 networks failed" in words(figure)
    assert drawn.num_rows == 0


def test_bars_longer_than_every_null_are_marked(plan: Plan, tables: Tables, notes: dict[str, str]) -> None:
    figure, drawn = draw(figure_specs(plan)["cloud_printed_conv1"], tables, notes)
    bars = drawn.filter(pc.equal(drawn["panel"], "h1")).to_pandas()
    critical = drawn.filter(pc.equal(drawn["panel"], "null")).to_pandas()["null_critical"].max()
    assert list(bars["longer"].astype(bool)) == list(bars["length"] > critical)
    assert bars["longer"].sum() == 1
    assert "longer than every deciding null: 1" in words(figure)
    right = figure.axes[1].get_xlim()[1]
    assert right >= max(bars["death"].max(), bars["birth"].max() + critical)


def test_no_kept_filter_lies_outside_the_plane_drawn(plan: Plan, tables: Tables, notes: dict[str, str]) -> None:
    filters = tables["filters"]
    place = filters.column_names.index("plane2")
    far = filters.set_column(place, "plane2", pc.multiply(filters["plane2"], 1.4))
    figure, drawn = draw(figure_specs(plan)["cloud_printed_conv1"], {**tables, "filters": far}, notes)
    shown = drawn.filter(pc.equal(drawn["panel"], "plane")).to_pandas()
    (axes,) = [axes for axes in figure.axes if "PCA plane" in axes.get_title(loc="left")]
    assert shown["plane2"].abs().max() > 1.1
    assert shown["plane1"].between(*axes.get_xlim(), inclusive="neither").all()
    assert shown["plane2"].between(*axes.get_ylim(), inclusive="neither").all()


def test_a_set_that_is_tested_more_rarely_is_drawn_without_a_line(
    plan: Plan, tables: Tables, notes: dict[str, str]
) -> None:
    training = tables["training"]
    ends = pc.is_in(training["step"], pa.array([0, 2_000]))
    rare = training.filter(pc.or_(pc.equal(training["split"], "test"), ends))
    figure, _ = draw(figure_specs(plan)["training_curves"], {**tables, "training": rare}, notes)
    for axes in figure.axes:
        lines = {len(line.get_xdata()): line.get_linestyle() for line in axes.lines}  # type: ignore[arg-type]
        assert lines == {2: "None", 7: "-"}


def test_the_grid_of_density_filters_says_how_many_null_draws_its_p_values_are_from(
    plan: Plan, tables: Tables, notes: dict[str, str]
) -> None:
    assert "null draws 199" in words(draw(first_of("sensitivity", plan), tables, notes)[0])


def test_pages_of_a_large_run_fit_on_paper(
    make_plan: Callable[..., Plan], empty_tables: Tables, notes: dict[str, str]
) -> None:
    seen = set()
    for spec in figure_specs(make_plan(populations=30)).values():
        if spec.kind not in seen:
            seen.add(spec.kind)
            figure, _ = draw(spec, empty_tables, notes)
            assert figure.get_figwidth() <= 7
            assert figure.get_figheight() <= 10
