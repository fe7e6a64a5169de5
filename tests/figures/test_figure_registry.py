"""Which figures a run has: known while the Snakefile is parsed, without any drawing library."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import pytest

from cnn_topology.errors import InputError
from cnn_topology.figures import evolution, klein_coordinates, training_curves
from cnn_topology.figures.drawing import draw
from cnn_topology.figures.registry import JOB_FIGURES, FigureSpec, figure_jobs, figure_specs, kinds
from cnn_topology.plan.expand import Plan
from cnn_topology.tables.registry import TABLES

WEIGHTS_KINDS = {name for name, kind in kinds().items() if kind.section in ("filters", "clouds", "filter_graphs")}


def test_what_figures_declare_is_read_without_a_drawing_library() -> None:
    heavy = ("matplotlib", "numba", "pandas", "PIL", "scipy", "seaborn", "torch")
    code = f"""
import sys
from cnn_topology.figures.registry import kinds
kinds()
print([name for name in {heavy!r} if name in sys.modules])
"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_a_run_has_each_kind_of_figure_and_one_cloud_figure_per_layer(plan: Plan) -> None:
    specs = figure_specs(plan)
    kinds = {spec.kind for spec in specs.values() if spec.declared.section != "improvements"}
    assert kinds == WEIGHTS_KINDS
    clouds = {name for name in specs if name.startswith("cloud_")}
    assert clouds == {f"cloud_{p}_{layer}" for p in ("digits", "printed") for layer in ("conv1", "conv2", "conv3")}


def test_specs_are_plain_values_and_name_tables_that_exist(plan: Plan) -> None:
    for name, spec in figure_specs(plan).items():
        assert spec.name == name
        assert json.loads(json.dumps(spec.parameters)) == spec.parameters
        assert set(spec.tables) <= set(TABLES)


def test_figures_of_what_the_run_does_not_vary_are_left_out(make_plan: Callable[..., Plan]) -> None:
    config = make_plan().config.model_dump()
    config["mapper"]["sweep"] = []
    config["clouds"] = [{"layers": ["conv1"], "steps": "last", "densities": [{"k": 10, "p": 0.3}, {"k": 20, "p": 0.3}]}]
    kinds = {spec.kind for spec in figure_specs(Plan(type(make_plan().config).model_validate(config))).values()}
    assert WEIGHTS_KINDS - kinds == {
        "evolution",
        "sensitivity",
        "depth",
        "layers",
    }


def test_many_populations_go_to_pages_and_each_facet_stands_on_one(make_plan: Callable[..., Plan]) -> None:
    plan = make_plan(populations=30)
    specs = figure_specs(plan)
    for module, key in ((evolution, "clouds"), (klein_coordinates, "clouds"), (training_curves, "populations")):
        kind = module.__name__.rpartition(".")[2]
        pages = [spec for spec in specs.values() if spec.kind == kind]
        assert [spec.name for spec in pages] == [f"{kind}_{number}" for number in range(1, len(pages) + 1)]
        facets = [tuple(sorted(facet.items())) for spec in pages for facet in spec.parameters[key]]
        assert len(facets) == len(set(facets)) == (30 if key == "populations" else 90)
        assert all(len(spec.parameters[key]) <= module.FACETS for spec in pages)


def test_clouds_of_one_size_share_one_null(plan: Plan) -> None:
    clouds = figure_specs(plan)["nulls"].parameters["clouds"]
    assert [cloud["layer"] for cloud in clouds] == ["conv1", "conv3", "conv1", "conv3", "conv2", "conv2"]


def test_a_table_that_is_not_given_is_named(plan: Plan) -> None:
    with pytest.raises(InputError, match=r"cloud_digits_conv1 reads .* barcodes, significance, filters was not given"):
        draw(figure_specs(plan)["cloud_digits_conv1"], {"loops": None}, {})  # type: ignore[dict-item]


def test_an_unknown_kind_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'evolution'"):
        draw(FigureSpec("evolutoin", "evolutoin", {}), {}, {})


def test_only_the_figures_asked_for_are_drawn_and_an_unknown_one_is_refused(make_plan: Callable[..., Plan]) -> None:
    config = make_plan().config
    wanted = Plan(config.model_copy(update={"figures": ("evolution", "controls")}))
    assert set(figure_specs(wanted)) == {"evolution", "controls"}
    with pytest.raises(InputError, match=r"unknown figure in figures: 'evolutoin' \(did you mean 'evolution'\?\)"):
        figure_specs(Plan(config.model_copy(update={"figures": ("evolutoin",)})))


def test_each_figure_is_drawn_by_one_job_of_its_section(make_plan: Callable[..., Plan]) -> None:
    specs = figure_specs(make_plan(populations=30))
    jobs = figure_jobs(specs.values())
    assert sorted(spec.name for drawn in jobs.values() for spec in drawn) == sorted(specs)
    assert all(len(drawn) <= JOB_FIGURES for drawn in jobs.values())
    assert {spec.kind for spec in jobs["clouds_2"]} == {"cloud"}
    assert {"clouds_1", "filters_1"} <= set(jobs)
    few = figure_jobs([spec for spec in specs.values() if spec.name == "evolution_1"])
    assert list(few) == ["filters"]


def test_two_figures_never_share_a_name(make_plan: Callable[..., Plan]) -> None:
    config = make_plan().config.model_dump()
    (first, *_) = config["populations"].values()
    config["populations"] = {"a": first, "a_conv1": first}
    plan = Plan(type(make_plan().config).model_validate(config))
    twice = replace(plan.layer_clouds[0], population="a", layer=replace(plan.layer_clouds[0].layer, name="conv1_conv2"))
    plan.layer_clouds.append(twice)
    with pytest.raises(InputError, match="two figures would be called cloud_a_conv1_conv2"):
        figure_specs(plan)
