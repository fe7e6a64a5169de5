"""What figures compute from tables: Klein coordinates in one square, sector means, onset, intervals, footer."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnn_topology.figures.cloud import sector_means
from cnn_topology.figures.controls import EXPECTED
from cnn_topology.figures.selection import drawn, edge_angle, fundamental, lengths, provenance, spread
from cnn_topology.figures.style import applied, new_figure, row_title, shape
from cnn_topology.figures.training_curves import mean_interval
from cnn_topology.topology.patches import edge_patch, klein_patch

angles = st.floats(-20, 20, allow_nan=False)


@given(angles, angles)
def test_the_fundamental_square_holds_the_same_patch(theta1: float, theta2: float) -> None:
    half, phase = fundamental(pd.DataFrame({"theta1": [theta1], "theta2": [theta2]}))
    rounding = 1e-12
    assert -rounding <= half[0] <= np.pi + rounding
    assert -rounding <= phase[0] <= 2 * np.pi + rounding
    assert np.allclose(klein_patch(half, phase), klein_patch(np.array([theta1]), np.array([theta2])), atol=1e-9)


@given(st.floats(0, 6.28))
def test_the_edge_angle_of_an_edge_is_its_angle(theta: float) -> None:
    for theta1, theta2 in ((theta, np.pi / 2), (theta + np.pi, 3 * np.pi / 2)):
        angle = edge_angle(pd.DataFrame({"theta1": [theta1], "theta2": [theta2]}))
        assert np.allclose(edge_patch(angle), edge_patch(theta), atol=1e-9)


def circle_of_filters(count: int, side: int = 3) -> pd.DataFrame:
    turn = 2 * np.pi * (np.arange(count) + 0.5) / count
    plane = {"plane1": np.cos(turn), "plane2": np.sin(turn), "theta1": turn, "theta2": np.full(count, np.pi / 2)}
    return pd.DataFrame({"coordinates": list(edge_patch(turn, side)), **plane})


@pytest.mark.parametrize("side", [3, 7])
def test_sector_means_of_the_primary_circle_are_edges_at_their_angles(side: int) -> None:
    sectors = sector_means(circle_of_filters(160, side), 16)
    assert list(sectors["filters"]) == [10] * 16
    means = np.stack(sectors["coordinates"])
    expected = edge_patch(sectors["angle"].to_numpy(), side)
    assert np.allclose(means / np.linalg.norm(means, axis=1, keepdims=True), expected, atol=1e-9)


def test_an_empty_sector_has_no_mean() -> None:
    half = circle_of_filters(160).iloc[:80]
    sectors = sector_means(half, 16)
    assert sectors["filters"].sum() == 80
    assert np.isnan(np.stack(sectors.loc[sectors["filters"] == 0, "coordinates"])).all()
    assert (sectors["filters"] == 0).sum() == 7
    assert sectors["filters"][0] == 5


def test_the_interval_of_a_mean_is_students() -> None:
    log = pd.DataFrame({"step": [5, 5, 5], "accuracy": [0.8, 0.9, 1.0]})
    mean = mean_interval(log).iloc[0]
    # t(0.975, 2) = 4.302653, standard deviation 0.1.
    assert np.isclose(mean["accuracy"] - mean["low"], 4.302653 * 0.1 / np.sqrt(3))
    assert np.isnan(mean_interval(log.head(1)).iloc[0]["low"])


def test_the_interval_of_an_accuracy_stays_an_accuracy() -> None:
    mean = mean_interval(pd.DataFrame({"step": [1, 1], "accuracy": [0.2, 0.9]})).iloc[0]
    assert (mean["low"], mean["high"]) == (0.0, 1.0)


def test_lengths_come_longest_first() -> None:
    bars = pd.DataFrame({"dimension": [1, 1, 0, 1], "birth": [0.1, 0.2, 0.0, 0.3], "death": [0.2, 0.9, np.inf, 0.4]})
    assert np.allclose(lengths(bars, 1)["length"], [0.7, 0.1, 0.1])
    assert lengths(bars, 0)["length"][0] == np.inf


def test_the_footer_gives_ranges_and_short_hashes() -> None:
    clouds = pd.DataFrame(
        {
            "networks": [16, 100],
            "points": [1_024, 6_400],
            "kept": [307, 1_920],
            "used": [307, 1_000],
            "covering_radius": [0.0, 0.25],
            "density_k": [32, 200],
            "density_p": [0.3, 0.3],
        }
    )
    seed = "1234567890123"
    footer = provenance({"seed": seed, "config": "a" * 12, "data": "b" * 64 + "," + "c" * 64}, clouds, [199, 199])
    assert footer.replace("\N{NO-BREAK SPACE}", " ") == (
        "networks 16–100 · points N 1,024–6,400 → kept 307–1,920 · landmarks 307–1,000 (covering radius ≤ 0.25) · "
        f"ρ(k = 32–200, p = 0.3) · null draws 199 · seed {seed} · config aaaaaaaa · data bbbbbbbb, cccccccc"
    )


def test_one_value_is_no_range() -> None:
    assert spread(pd.Series([0.3, 0.3])) == "0.3"


def test_the_drawn_table_names_its_panels_and_has_no_metadata() -> None:
    table = drawn(a=pd.DataFrame({"x": [1]}), b=pd.DataFrame({"y": ["u", "v"]}), c=pd.DataFrame())
    assert table.to_pydict() == {"panel": ["a", "b", "b"], "x": [1, None, None], "y": [None, "u", "v"]}
    assert table.schema.metadata is None
    assert drawn().schema == pa.schema([("panel", pa.string())])


def test_text_that_some_rows_or_whole_parts_lack_stays_text_and_is_null() -> None:
    def part(*shapes: str | None) -> pd.DataFrame:
        return pa.table({"shape": pa.array(shapes, pa.string()), "near": [0.5] * len(shapes)}).to_pandas()

    table = drawn(circles=[part(None, None), part("undecided"), part(None, "primary circle")])
    assert table["shape"].to_pylist() == [None, None, "undecided", None, "primary circle"]
    assert table.schema.field("shape").type == pa.string()


@given(st.integers(1, 60), st.integers(1, 6))
def test_panels_have_room_and_leave_less_than_a_row_over(count: int, most: int) -> None:
    rows, columns = shape(count, most)
    assert columns <= most
    assert 0 <= rows * columns - count < rows + columns


def test_the_klein_bottle_has_one_loop_fewer_over_an_odd_field() -> None:
    assert EXPECTED["klein_bottle"] == {2: 2, 3: 1}


def test_no_title_leaves_its_figure() -> None:
    title = "Class-wise purity over chance at depth 17: " + ", ".join(f"+0.{n} (cloud_{n})" for n in range(10, 19))
    with applied():
        figure = new_figure(2.0, "", f"{title}\nnets, elbow")
        figure.canvas.draw()
    (text,) = [text for text in figure.texts if "purity" in text.get_text()]
    assert text.get_text().splitlines()[-1] == "nets, elbow"
    assert text.get_window_extent().x1 <= figure.bbox.x1
    assert " ".join(text.get_text().split()) == f"{title} nets, elbow"


def test_the_title_of_a_row_takes_no_width_from_its_panels() -> None:
    def panels(title: str) -> np.ndarray:
        with applied():
            figure = new_figure(2.0, "")
            left, right = figure.subplots(1, 2, width_ratios=[1, 4])
            for axes in (left, right):
                axes.set_title("bars")
            row_title(left, title)
            figure.canvas.draw()
        return np.array([axes.get_position().bounds for axes in (left, right)])

    assert np.allclose(panels("a"), panels("narrow, conv1, step 600: 16% near the secondary horizontal circle"))
