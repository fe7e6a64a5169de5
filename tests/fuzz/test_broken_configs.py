"""Thousands of odd configs: each is planned, or refused by one clear error; nothing crashes, hangs or escapes."""

import copy
import os
import random
import string

import pytest
import yaml
from broken_files import ROUNDS, attack, refused_or_read

from cnn_topology.cli import main
from cnn_topology.plan.config import read_config
from cnn_topology.plan.expand import Plan
from cnn_topology.plan.names import RunFolder

ODD = (
    None, True, -1, 0, 1, 3.7, 1e308, float("inf"), float("nan"), 2**70, "", " ", "all", "../..", "/etc/passwd", "a/b",
    "a\0b", "x" * 10_000, "..", "-", "𝔘", [], [[]], [None], {}, {"a": {}}, {"": 1}, {1: 2}, ["conv1"] * 50,
    "2026-01-01", b"bytes",
)  # fmt: skip


def _nodes(tree, path=()):
    yield path
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, node in items:
        yield from _nodes(node, (*path, key))


def _with(tree, path, value):
    tree = copy.deepcopy(tree)
    if not path:
        return value
    node = tree
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return tree


def _plan(path):
    """Read a config as the Snakefile does; every path it names stays in the run's folder."""
    config = read_config(path)
    plan = Plan(config)
    run = RunFolder(config.name)
    names = [run.part("training", shard.population, shard.number) for shard in plan.shards]
    names += [run.part("clouds", c.population, c.layer.name, 0) for c in plan.layer_clouds]
    names += [run.images(name) for name in config.images]
    for name in (run.root, *names):
        assert os.path.normpath(name) == name
        assert name.startswith("results/")
        assert set(name) <= set(string.ascii_letters + string.digits + "_-./")


@pytest.mark.parametrize("values", [2, pytest.param(20, marks=pytest.mark.soak)])
def test_configs_with_odd_values_are_refused_or_stay_inside(values, tiny, folder):
    path = folder / "run.yaml"
    places, rng, count = list(_nodes(tiny)), random.Random(0), 0
    for place in places:
        for value in rng.sample(ODD, min(values * ROUNDS, len(ODD))):
            path.write_text(yaml.dump(_with(tiny, place, value), allow_unicode=True), encoding="utf-8")
            try:
                refused_or_read(_plan, path, named=False)
            except Exception as error:
                raise AssertionError(f"{place} = {value!r}: {error!r}") from error
            count += 1
    assert count >= 50 * values


def test_keys_that_are_odd_or_missing_are_refused_or_stay_inside(tiny, folder):
    path, rng = folder / "run.yaml", random.Random(1)
    for place in [place for place in _nodes(tiny) if place and isinstance(place[-1], str)]:
        for key in rng.sample(("../up", "a b", "", "Ü", "x" * 200, 7), min(6, 2 * ROUNDS)):
            changed = copy.deepcopy(tiny)
            node = changed
            for part in place[:-1]:
                node = node[part]
            value = node.pop(place[-1])
            if rng.random() < 0.8:
                node[key] = value
            path.write_text(yaml.dump(changed, allow_unicode=True), encoding="utf-8")
            try:
                refused_or_read(_plan, path, named=False)
            except Exception as error:
                raise AssertionError(f"{place} renamed to {key!r}: {error!r}") from error


def test_text_that_is_hardly_a_config_is_refused(tiny, folder):
    path = folder / "run.yaml"
    attack(_plan, yaml.safe_dump(tiny).encode(), path, 300, named=False)
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(8)
    )
    for text in (
        bomb,
        "[" * 3000,
        "{" * 3000,
        "&a [*a]",
        "a: &a {b: *a}",
        "!!python/object/apply:os.system ['true']",
        "\ufeff",
        "? [1, 2]\n: 3",
        "--- 1\n--- 2",
    ):
        path.write_text(text, encoding="utf-8")
        assert refused_or_read(_plan, path, named=False), text[:40]


@pytest.mark.parametrize(
    "arguments",
    [
        ["plan", "--configfile", "{}"],
        ["job", "{}"],
    ],
)
def test_the_command_line_answers_in_one_line_with_status_2(arguments, folder, capsys):
    path = folder / "nonsense"
    path.write_bytes(b"\x93 nonsense")
    assert main([argument.format(path) for argument in arguments]) == 2
    said = [
        line
        for line in capsys.readouterr().err.splitlines()
        if not line.startswith((f"cnn-topology {arguments[0]} ", "# on "))
    ]
    assert len(said) == 1
    assert "Traceback" not in said[0]
