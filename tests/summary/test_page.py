"""The page of a run: sentences follow from verdicts, and what users named is text."""

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from browser import needs_chromium
from PIL import Image

from cnn_topology.plan.config import parse_config
from cnn_topology.plan.expand import Plan
from cnn_topology.plan.findings import RunFacts, ShownFigure
from cnn_topology.statistics.hollowness import ring
from cnn_topology.statistics.significance import NO_LOOP, ONE_LOOP, TOO_FEW
from cnn_topology.summary.headline import alternatives, headline, headline_clouds, opening
from cnn_topology.summary.page import run_page
from cnn_topology.tables.loops import CloudKey
from cnn_topology.tables.registry import TABLES

HOSTILE = "<img src=x onerror=alert(1)>"
CLOUD = {"depth": 1, "density_k": 24, "density_p": 0.3, "landmarks": 6_000, "headline": True, "networks": 12}


def table(name, rows):
    blank = {pa.float64(): np.nan, pa.string(): "", pa.int64(): 0, pa.bool_(): False}
    schema = TABLES[name].schema
    assert all(set(row) <= set(schema.names) for row in rows)
    full = [{field.name: blank.get(field.type) for field in schema} | row for row in rows]
    return pa.Table.from_pylist(full, schema=schema)


def cloud(population, step, longest, verdict, p_longest, layer="conv1", **more):
    key = {"population": population, "layer": layer, "step": step}
    return CLOUD | key | {"longest": longest, "second": 0.1, "verdict": verdict, "p_longest": p_longest} | more


@pytest.fixture
def tables():
    loops = [
        cloud("noise", 0, 0.28, NO_LOOP, 0.7),
        cloud("noise", 600, 0.3, NO_LOOP, 0.5, power_circle=0.98, power_faint_circle=0.41, power_in_range=True),
        cloud("small", 600, 0.2, TOO_FEW, np.nan),
        cloud("round", 0, 0.29, NO_LOOP, 0.6),
        cloud("round", 600, 0.84, ONE_LOOP, 0.005, p_covariance=0.4, covariance_longest_median=0.7)
        | {"hollowness": 0.31, "hollowness_median": 0.28, "p_hollowness": 0.01}
        | {"p_lowpass": 0.6, "lowpass_longest_median": 0.9, "verdict_stability": 0.7, "stability_draws": 99},
        cloud("round", 600, 0.9, ONE_LOOP, 0.005, layer="conv2", depth=2),
    ]
    key = [{name: row[name] for name in CloudKey.schema.names} for row in loops if row["verdict"] != TOO_FEW]
    reached = [
        row | {"null_name": null, "null_critical": top} for row in key for null, top in (("a", 0.4), ("b", 0.42))
    ]
    claims = [
        {"paper": "weights", "claim": "E1", "verdict": "supported, reduced", "outcome": "holds", "value": 0.84},
        {"paper": "weights", "claim": "E2", "verdict": "not tested", "outcome": "fails", "value": 0.1},
        {"paper": "weights", "claim": "E9", "verdict": "not tested", "reason": "no deep network"},
        {"paper": "weights", "claim": "E11", "verdict": "cannot decide", "reason": "needs at least 8 snapshots"},
    ]
    return {
        name: table(name, rows) for name, rows in {"loops": loops, "significance": reached, "claims": claims}.items()
    }


@pytest.fixture
def facts():
    config = {
        "version": 2,
        "name": "r",
        "images": {"own": {"kind": "mnist_sample"}, "others": {"kind": "digits"}},
        "populations": {
            "round": {
                "images": "own",
                "architecture": {"family": "M", "convolutions": [64, 32], "dense": [64]},
                "recipe": {"iterations": 600},
                "networks": 12,
            }
        },
        "clouds": [{"layers": ["conv1"]}],
    }
    run = RunFacts.of(Plan(parse_config(config)))
    return run.model_copy(update={"images": {"own": run.images["own"], HOSTILE: run.images["others"]}})


def test_a_circle_comes_first_and_each_number_is_that_of_its_row(tables, facts):
    findings = headline(facts, headline_clouds(tables))
    assert [finding.population for finding in findings] == ["round", "noise", "small"]
    first = findings[0]
    assert "12 networks M(64, 32, 64) trained on own" in first.statement
    assert "one loop after 600 steps" in first.statement
    assert re.findall(r"\d+\.\d+", first.numbers) == ["0.84", "0.10", "0.42", "0.005", "0.29"]
    assert "noise" not in findings[2].numbers  # too few filters: nothing was tested


def test_sides_of_the_ring_follow_from_the_p_value():
    row = {"hollowness": 0.31, "hollowness_median": 0.28, "p_hollowness": 0.01}
    assert ring(row, 0.01) == "a mixture"
    assert ring(row | {"hollowness": 0.2}, 0.01) == "hollow as a ring"
    assert ring(row | {"p_hollowness": 0.02}, 0.01) == "undecided"
    assert ring(row | {"p_hollowness": np.nan}, 0.01) == ""


@pytest.mark.parametrize(
    ("p_lowpass", "p_covariance", "longer", "open_"),
    [
        (0.005, 0.02, ["random fields as smooth"], ["own covariance"]),
        (0.5, 0.005, ["own covariance"], ["random fields as smooth"]),
        (0.5, 0.5, [], ["random fields as smooth", "own covariance"]),
        (np.nan, 0.5, [], ["own covariance"]),
    ],
)
def test_one_sentence_says_which_alternatives_a_loop_is_longer_than(p_lowpass, p_covariance, longer, open_):
    about = {"p_covariance": p_covariance, "covariance_longest_median": 0.7, "p_lowpass": p_lowpass}
    about |= {"lowpass_longest_median": 0.5, "hollowness": 0.3, "hollowness_median": 0.2, "p_hollowness": 0.01}
    (line,) = alternatives(pd.DataFrame([cloud("round", 600, 0.84, ONE_LOOP, 0.005, **about)]), 0.01)
    excluded, _, others = line.rpartition("is not shown to be longer")
    assert [what for what in ("random fields as smooth", "own covariance") if what in excluded] == longer
    assert [what for what in ("random fields as smooth", "own covariance") if what in others] == open_
    assert "a mixture (p = 0.01)" in others


def test_the_opening_counts_claims_and_names_what_stands_in(tables, facts):
    lines = opening(facts, tables)
    assert any(
        "1 supported, reduced; 1 cannot decide; 1 on stand-in data alone" in line and "1 not in this run" in line
        for line in lines
    )
    assert any(HOSTILE in line for line in lines)
    assert any("600 of 40,000 iterations" in line for line in lines)
    assert len(lines) <= 8


class Page(HTMLParser):
    """Tags with their attributes, and the text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.words += data


def shown_figure(folder, name, question, caption, *, printed=True):
    """Return a figure of a page, with its files in a folder; one without a print has a page of its own."""
    (folder / f"{name}.txt").write_text(f"{caption}\n", encoding="utf-8")
    if printed:
        Image.new("RGB", (800, 300), "white").save(folder / f"{name}.png")
    return ShownFigure(name=name, question=question, printed=printed, interactive=not printed)


def test_the_page_loads_nothing_and_names_are_text(tables, facts, tmp_path):
    figures = [
        shown_figure(tmp_path, "cloud_round_conv1", "What does it look like?", f"A {HOSTILE} caption."),
        shown_figure(tmp_path, "mapper_round", "What do graphs show?", "Nodes.", printed=False),
    ]
    page = Page(run_page("demo", facts, tables, figures, tmp_path, 7))
    assert HOSTILE in page.words
    loaded = [tag[name] for _, tag in page.tags for name in ("src", "href") if name in tag]
    assert all(re.match(r"data:|#|figures/|tables/|[a-z]+\.(txt|yaml|json)$", target) for target in loaded)
    assert ("a", {"href": "figures/mapper_round.html"}) in page.tags
    made = page.words[page.words.index("How it was made") :]
    for words in ("12 networks M(64, 32, 64) trained on own", "600 iterations", "rho(", "seed 7"):
        assert words in made
    assert page.words.count("E11") == 1
    assert "1 claims that this run cannot test" in page.words
    # The picture of the headline stands large, and again under its question.
    assert sum(tag == "img" for tag, _ in page.tags) == 2
    body = page.words[page.words.index("One row a layer") :]
    for cell in ("round", "conv2", "0.840", "0.420", "a mixture", "one loop", "98%, 41%"):
        assert cell in body
    titles = [attributes.get("content", "") for tag, attributes in page.tags if tag == "meta"]
    assert "width=device-width, initial-scale=1" in titles


def test_a_caption_stands_once_and_further_figures_lead_to_it(tables, facts, tmp_path):
    names = ("cloud_a", "cloud_b")
    figures = [shown_figure(tmp_path, name, "What?", "Bars, then the plane.", printed=False) for name in names]
    page = Page(run_page("demo", facts, tables, figures, tmp_path, 7))
    assert page.words.count("Bars, then the plane.") == 2  # the line that opens, and the caption
    assert ("a", {"href": "#cloud_a"}) in page.tags
    assert ("figure", {"id": "cloud_a"}) in page.tags


def test_a_run_without_weights_or_claims_has_a_page(facts, tmp_path):
    page = Page(run_page("demo", facts, {}, [], tmp_path, 7))
    assert "The run demo" in page.words


def in_order(cell):
    """Return what a cell is sorted by: empty ones first, then numbers, then text."""
    try:
        return bool(cell), float(cell.split()[0].replace(",", "").rstrip("%")), ""
    except (IndexError, ValueError):
        return bool(cell), np.inf, cell


@needs_chromium
@pytest.mark.parametrize("width", [390, 1_440])
def test_in_a_browser_rows_are_sorted_and_filtered_links_lead_and_nothing_is_loaded(
    browser, tables, facts, tmp_path, width
):
    figures = [
        shown_figure(tmp_path, "cloud_round_conv1", "What?", f"A {HOSTILE} caption."),
        shown_figure(tmp_path, "evolution", "When?", "Bars over training."),
    ]
    graph = {"change": "gain 2", "population": "round", "layer": "conv1", "step": 600, "nodes": 1_551}
    tables = {**tables, "mapper_sweep": table("mapper_sweep", [graph])}
    page = tmp_path / "index.html"
    page.write_text(run_page("demo", facts, tables, figures, tmp_path, 7), encoding="utf-8")
    browser.open(page, width=width, touch=width < 500)
    assert browser.requests == [page.as_uri()]
    assert browser.errors == []
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    links = "[...document.querySelectorAll('a[href^=\"#\"]')].map((each) => each.hash.slice(1))"
    assert {"layers", "claims", "figures", "method"} == set(browser.evaluate(links))
    assert browser.evaluate(f"{links}.every((name) => document.getElementById(name))")
    # Each column of each table, by the keyboard: downwards, then upwards, numbers as numbers.
    heads = browser.evaluate("document.querySelectorAll('table.sortable th button').length")
    for number in range(heads):
        head = f"document.querySelectorAll('table.sortable th button')[{number}]"
        cells = (
            f"[...{head}.closest('table').tBodies[0].rows]"
            f".map((row) => row.cells[{head}.closest('th').cellIndex].textContent.trim())"
        )
        for way in (1, -1):
            browser.evaluate(f"{head}.click()")
            values = [in_order(cell) for cell in browser.evaluate(cells)][::way]
            assert values == sorted(values)
    order = browser.evaluate("['conv10', 'conv2', '0.5', '', '0.05', 'conv1'].sort(compare)")
    assert order == ["", "0.05", "0.5", "conv1", "conv2", "conv10"]
    longest = browser.evaluate(
        "[...document.querySelectorAll('#layer-rows tr')].map((row) => row.cells[3].textContent)"
    )
    browser.evaluate(
        "[...document.querySelectorAll('th button')].find((each) => each.textContent === 'longest').click()"
    )
    assert browser.shows("#layer-rows td:nth-child(4)") == sorted(longest, key=float)
    for field, words, rows, left in (
        ("layer-rows", "conv2", "#layer-rows tr td:nth-child(2)", ["conv2"]),
        ("all-claims", "supported", "#all-claims .claim b:first-child", ["E1"]),
        ("all-figures", "over training", "#all-figures figure figcaption > b", ["evolution"]),
    ):
        search = f"document.querySelector('input[data-filter={field}]')"
        browser.evaluate(f"({search}.value = {words!r}, {search}.dispatchEvent(new Event('input')))")
        assert browser.shows(rows) == left
        browser.evaluate(f"({search}.value = '', {search}.dispatchEvent(new Event('input')))")
        assert len(browser.shows(rows)) > len(left) or field == "all-claims"
    assert browser.errors == []
