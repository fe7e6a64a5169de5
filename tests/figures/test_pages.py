"""Pages of mapper graphs in a browser: hold, zoom, search, colour, export; names are text, and nothing is loaded."""

import base64
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from browser import Browser, needs_chromium
from PIL import Image

from cnn_topology.figures.pages import PAGE_EDGES, SIZE, graph_page, page_graph

HOSTILE = "<img src=x onerror=alert(1)> $$a_$ 你好 كلب"
ANGLE = {"label": "angle", "column": "angle", "low": 0, "high": 2, "palette": "angle"}
LIMIT = 8_000_000  # bytes of a page of 20,000 nodes


def a_graph(count: int, edges: int, option: str = "600", **more):
    rng = np.random.default_rng(1)
    turn = np.linspace(0, 2 * np.pi, count, endpoint=False)
    nodes = pd.DataFrame({"x": np.cos(turn), "y": np.sin(turn), "node": range(count), "component": 0})
    nodes = nodes.assign(members=1 + np.arange(count) % 60, angle=turn / np.pi)
    ends = rng.integers(0, count, (2, edges))
    links = pd.DataFrame({"a": ends[0], "b": ends[1], "shared": 1 + np.arange(edges) % 5})
    about = {"numbers": {"nodes": str(count)}, "explanation": "", "left_out": "", "recipe": HOSTILE}
    return page_graph(nodes, links, option=option, **about, **more)


def written(path: Path, graphs, **more) -> Path:
    fields = [("points", "members", None), ("angle", "angle", 2)]
    colours = [*([{"label": "classes", "classes": True}] if more.get("classes") else []), ANGLE, SIZE]
    path.write_text(graph_page(HOSTILE, "step", graphs, colours, fields, "note", HOSTILE, **more), encoding="utf-8")
    return path


def show(browser: Browser, page: Path, **size) -> None:
    browser.open(page, **size)
    browser.wait("typeof graph !== 'undefined' && graph && plot.inner_width > 0")
    assert browser.requests == [page.as_uri()]
    assert browser.errors == []


def place(browser: Browser, number: int) -> tuple[float, float]:
    """Return where a node lies in the window."""
    code = f"""(() => {{
      const {{ x: left, y: top }} = byId("graph").getBoundingClientRect(), box = view.frame.bbox;
      const i = graph.nodes.node.indexOf({number}), border = byId("graph").clientLeft;
      return [left + border + box.x0 + box.width * (graph.nodes.x[i] - x.start) / (x.end - x.start),
        top + border + box.y0 + box.height * (y.end - graph.nodes.y[i]) / (y.end - y.start)];
    }})()"""
    left, top = browser.evaluate(code)
    return left, top


def shown(browser: Browser) -> str:
    return str(browser.evaluate("byId('number').textContent"))


@needs_chromium
def test_a_click_holds_a_node_keys_step_and_escape_frees(browser: Browser, tmp_path: Path) -> None:
    filters = np.linspace(-1, 1, 9 * 40).reshape(40, 9).round(3).tolist()
    show(browser, written(tmp_path / "page.html", [a_graph(40, 60, "0"), a_graph(40, 60, filters=filters)]))
    assert HOSTILE in browser.evaluate("document.title")
    assert HOSTILE in browser.evaluate("byId('footer').textContent")
    browser.click(*place(browser, 7))
    browser.wait("held >= 0")
    assert shown(browser) == "node 7"
    browser.send("Input.dispatchMouseEvent", type="mouseMoved", **dict(zip("xy", place(browser, 20), strict=True)))
    assert shown(browser) == "node 7"
    weights = browser.evaluate("[...byId('filter').children].map((cell) => Number(cell.title))")
    assert weights == filters[7]
    assert "0.35" in browser.evaluate("byId('members').textContent")
    browser.press("Escape")
    assert shown(browser) == ""
    browser.send("Input.dispatchMouseEvent", type="mouseMoved", **dict(zip("xy", place(browser, 20), strict=True)))
    browser.wait("byId('number').textContent === 'node 20'")
    browser.press("n")
    browser.press("p")
    assert shown(browser) == "node 20"
    wide = browser.evaluate("x.end - x.start")
    browser.evaluate("byId('in').click()")
    assert browser.evaluate("x.end - x.start") < wide
    browser.press("0")
    assert browser.evaluate("x.end - x.start") == pytest.approx(wide)
    browser.evaluate("(byId('search').value = '31', search())")
    assert shown(browser) == "node 31"
    assert browser.evaluate("byId('matches').textContent") == "1 of 40 nodes"
    browser.evaluate("(byId('option').value = 0, byId('option').dispatchEvent(new Event('change')))")
    assert " 0: " in browser.evaluate("document.title")
    assert browser.errors == []


@needs_chromium
def test_nodes_at_one_place_are_held_in_turn_the_smallest_first(browser: Browser, tmp_path: Path) -> None:
    graph = a_graph(40, 60)
    for other in (11, 12):  # at the place of node 13; larger the smaller their number is here
        graph["nodes"]["x"][graph["nodes"]["node"].index(other)] = graph["nodes"]["x"][graph["nodes"]["node"].index(13)]
        graph["nodes"]["y"][graph["nodes"]["node"].index(other)] = graph["nodes"]["y"][graph["nodes"]["node"].index(13)]
    show(browser, written(tmp_path / "page.html", [graph]))
    for node in (11, 12, 13, 11):
        browser.click(*place(browser, 13))
        browser.wait(f"byId('number').textContent === 'node {node}'")
    assert browser.evaluate("byId('next').textContent") == "next of 3 nodes here"


@needs_chromium
def test_classes_are_found_coloured_and_exported_as_text(browser: Browser, tmp_path: Path) -> None:
    counts = [[[i % 2, 1 + i % 60]] for i in range(40)]
    graph = a_graph(40, 60, counts=counts, images=[[5]] * 40)
    pixel = io.BytesIO()
    Image.new("L", (1, 1)).save(pixel, "PNG")
    source = f"data:image/png;base64,{base64.b64encode(pixel.getvalue()).decode()}"
    images = {5: [source, HOSTILE, "#332288"]}
    page = written(tmp_path / "page.html", [graph], classes=[(HOSTILE, "#332288"), ("dog", "#CC6677")], images=images)
    show(browser, page)
    assert browser.evaluate("slices.data.x.length") == 40
    assert HOSTILE in browser.evaluate("byId('classes').textContent")
    browser.evaluate("(byId('search').value = '你好', search())")
    assert browser.evaluate("byId('matches').textContent") == "20 of 40 nodes"
    browser.evaluate("hold(0)")
    assert browser.evaluate("byId('examples').querySelector('img').alt") == HOSTILE
    browser.evaluate("(byId('colour').value = 1, colour())")
    assert browser.evaluate("[slices.data.x.length, bar.visible, circles.glyph.fill_color.field]") == [0, True, "angle"]
    browser.evaluate("(window.saved = [], HTMLAnchorElement.prototype.click = function () { saved.push(this) })")
    for kind, start in (("csv", ""), ("svg", "<svg"), ("png", "\ufffdPNG")):
        browser.evaluate(f"save('{kind}')")
        assert browser.evaluate("saved.at(-1).download").endswith(f".{kind}")
        code = f"view.export('{kind}').to_blob().then((blob) => blob.text())"
        if kind != "csv":
            assert browser.evaluate(code).startswith(start)
    assert browser.errors == []


@needs_chromium
def test_on_a_telephone_nothing_is_wider_than_the_page_and_two_fingers_zoom(browser: Browser, tmp_path: Path) -> None:
    show(browser, written(tmp_path / "page.html", [a_graph(40, 60)]), width=390, height=844, touch=True)
    assert browser.evaluate("document.documentElement.scrollWidth") == 390
    wide = browser.evaluate("x.end - x.start")
    left, top = browser.evaluate(
        "(({x, y, width, height}) => [x + width / 2, y + height / 2])(byId('graph').getBoundingClientRect())"
    )
    browser.touch(*[[(left - 20 - d, top), (left + 20 + d, top)] for d in range(0, 80, 10)])
    browser.wait(f"x.end - x.start < {0.9 * wide}")
    browser.press("0")
    browser.touch([place(browser, 7)])
    browser.wait("byId('number').textContent === 'node 7'")
    browser.touch(*[[(left, top - d)] for d in range(0, 160, 20)])
    browser.wait("scrollY > 20")


@needs_chromium
def test_twenty_thousand_nodes_are_drawn_and_one_is_held(browser: Browser, tmp_path: Path) -> None:
    filters = np.random.default_rng(0).normal(size=(20_000, 9)).round(3).tolist()
    page = written(tmp_path / "page.html", [a_graph(20_000, 60_000, filters=filters)])
    assert page.stat().st_size < LIMIT
    show(browser, page)
    assert browser.evaluate("nodes.data.x.length") == 20_000
    assert browser.evaluate("graph.edges.length") == 2 * PAGE_EDGES
    browser.click(*place(browser, 5_000))
    browser.wait("held >= 0 && here.length > 1")


def test_text_of_a_run_cannot_leave_the_data_of_the_page(tmp_path: Path) -> None:
    ending = "</script><script>alert(1)</script>"
    page = graph_page(ending, ending, [], [ANGLE], [], ending, ending)
    assert ending not in page
    assert "default-src 'none'" in page


def test_a_page_is_the_same_bytes_each_time(tmp_path: Path) -> None:
    one, two = (written(tmp_path / name, [a_graph(40, 60)]).read_bytes() for name in ("one", "two"))
    assert one == two
