"""A run on the data of both papers, tables made by hand, and what is true of every claim."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from cnn_topology.claims.activations import ACTIVATIONS_CLAIMS
from cnn_topology.claims.framework import evaluate
from cnn_topology.claims.weights import WEIGHTS_CLAIMS
from cnn_topology.plan.config import parse_config
from cnn_topology.plan.expand import Plan
from cnn_topology.plan.findings import CLAIM_TABLES, RunFacts
from cnn_topology.tables.registry import TABLES

M = {"convolutions": [64, 32], "dense": [64]}
Rows = dict[str, list[dict[str, Any]]]


def config(kinds: tuple[str, str] = ("mnist", "svhn")) -> dict[str, Any]:
    def population(images: str, **changes: Any) -> dict[str, Any]:
        base = {"images": images, "architecture": M, "networks": 100, "snapshots": {"iterations": [200, 2_000]}}
        return {**base, **changes}

    first, second = kinds
    cifar = {"family": "C", "convolutions": [64, 32], "dense": [64]}
    circle = {**M, "first_layer": {"kind": "fixed_circle"}}
    klein = {**M, "first_layer": {"kind": "fixed_klein"}}
    random = {**M, "first_layer": {"kind": "fixed_random"}}
    angular = {**M, "angular_features": 16}
    analysed = ["first", "wide", "second", "gray", "colour", "vgg16", "vgg19"]
    return {
        "version": 2,
        "name": "claims",
        "images": {
            "one": {"kind": first, "shape": [28, 28, 1]},
            "two": {"kind": second, "shape": [28, 28, 1]},
            "gray": {"kind": "cifar10", "shape": [32, 32, 1]},
            "colour": {"kind": "cifar10"},
        },
        "populations": {
            "first": population("one", cross_test=["two"]),
            "wide": population("one", architecture={"convolutions": [64, 8], "dense": [512]}),
            "second": population("two", cross_test=["one"]),
            "gray": population("gray", architecture=cifar, recipe={"iterations": 60_000}),
            "colour": population("colour", architecture=cifar, recipe={"iterations": 60_000}),
            **{
                f"{name}-{number}": population(images, architecture=architecture, cross_test=[other])
                for number, images, other in ((1, "one", "two"), (2, "two", "one"))
                for name, architecture in (
                    ("plain", M),
                    ("circle", circle),
                    ("klein", klein),
                    ("angular", angular),
                    ("random", random),
                )
            },
        },
        "checkpoints": {name: {"kind": "torchvision", "model": name} for name in ("vgg16", "vgg19")},
        "clouds": [
            {"populations": analysed[:5], "layers": ["conv1"], "densities": [{"k": 200, "p": 0.3}]},
            {"populations": ["colour"], "layers": ["conv1"], "steps": "last", "densities": [{"k": 5, "p": 0.1}]},
            {"populations": ["first"], "layers": ["conv1"], "steps": "last", "centre": "coordinate"},
            {"populations": ["first", "colour"], "layers": ["conv2"], "densities": [{"k": 10, "p": 0.1}]},
            {
                "populations": analysed[5:],
                "layers": "all",
                "densities": [{"k": 100, "p": 0.1}],
            },
        ],
        "improvements": {
            f"g{number}": {
                "baseline": f"plain-{number}",
                "variants": [f"{name}-{number}" for name in ("circle", "klein", "angular")],
                "controls": [f"random-{number}"],
                "target_accuracy": 0.9,
            }
            for number in (1, 2)
        },
        "generalization": {
            "populations": ["first"],
            "grids": {"grid": {"base": "first", "vary": {"dropout": [0, 0.5]}, "networks": 4}},
        },
        "resnets": {
            "ph": {"variant": "ph", "images": "colour", "networks": 100},
            "mapper": {"variant": "mapper", "images": "colour", "networks": 3},
        },
    }


@pytest.fixture(scope="session")
def plan() -> Plan:
    return Plan(parse_config(config()))


@pytest.fixture(scope="session")
def facts(plan: Plan) -> RunFacts:
    return RunFacts.of(plan)


@pytest.fixture(scope="session")
def other_data_facts() -> RunFacts:
    return RunFacts.of(Plan(parse_config(config(("digits", "printed")))))


@pytest.fixture(scope="session")
def copied_facts() -> RunFacts:
    """Return the same run on files of a user's own, said to be copies of the papers' data."""
    copied = config()
    kinds = {"one": "mnist", "two": "svhn", "gray": "cifar10", "colour": "cifar10"}
    for name, kind in kinds.items():
        shape = copied["images"][name].get("shape", [32, 32, 3])
        copied["images"][name] = {"kind": "npz", "path": f"{name}.npz", "shape": shape, "stands_for": kind}
    return RunFacts.of(Plan(parse_config(copied)))


@pytest.fixture(scope="session")
def frames() -> Callable[[Rows], dict[str, pd.DataFrame]]:
    """Return a function that fills the columns of tables; those not named are empty, of the right type."""

    def make(rows: Rows) -> dict[str, pd.DataFrame]:
        made = {}
        for name in CLAIM_TABLES:
            empty = TABLES[name].schema.empty_table().to_pandas()
            given = pd.DataFrame(rows.get(name, []))
            strangers = set(given.columns) - set(empty.columns)
            assert not strangers, f"{name} has no column {', '.join(sorted(strangers))}"
            made[name] = empty if given.empty else given.reindex(columns=empty.columns)
        return made

    return make


Of = Callable[[str, Rows | None, RunFacts], list[dict[str, Any]]]


@pytest.fixture(scope="session")
def of(frames: Callable[[Rows], dict[str, pd.DataFrame]]) -> Of:
    """Return a function that tests one claim by the rows of some tables; None: without any table."""
    papers = {"weights": WEIGHTS_CLAIMS, "activations": ACTIVATIONS_CLAIMS}

    def rows_of(name: str, rows: Rows | None, facts: RunFacts) -> list[dict[str, Any]]:
        found = [(paper, claim) for paper, claims in papers.items() for claim in claims if claim.claim == name]
        ((paper, claim),) = found
        return [vars(row) for row in evaluate(paper, [claim], {} if rows is None else frames(rows), facts)]

    return rows_of


class Checks:
    """What holds of every claim."""

    def __init__(self, of: Of, facts: RunFacts) -> None:
        self.of, self.facts = of, facts

    def follows_its_rule(self, name: str, holding: Rows, failing: Rows) -> None:
        """See that the rule decides: the claim is supported by the first tables and not by the second."""
        for rows, verdict, outcome in ((holding, "supported", "holds"), (failing, "not supported", "fails")):
            # One row, but for A5, which has one for each group of the run.
            row, *_ = self.of(name, rows, self.facts)
            assert (row["verdict"], row["outcome"]) == (verdict, outcome), row
            assert row["n"] > 0
            assert row["populations"]

    def says_what_is_missing(self, name: str, holding: Rows) -> None:
        """See that a claim without rows, tables or populations is not tested, for a reason."""
        for row in self.of(name, {}, self.facts):
            assert (row["verdict"], row["outcome"]) == ("not tested", "")
            assert row["reason"]
        for row in self.of(name, None, self.facts):
            assert row["verdict"] == "not tested"
            assert row["reason"].startswith("no table ")
        kinds = ("images", "populations", "checkpoints", "resnets", "improvements", "grids")
        nothing = self.facts.model_copy(update={kind: {} for kind in kinds})
        (row,) = self.of(name, holding, nothing)
        assert (row["verdict"], row["outcome"], row["populations"]) == ("not tested", "", "")
        assert row["reason"].endswith("in this run") or row["reason"] == "no layer is analysed"


@pytest.fixture(scope="session")
def checks(of: Of, facts: RunFacts) -> Checks:
    """Return what every claim is held to."""
    return Checks(of, facts)
