"""Figures of residual networks, masks and noise: what is drawn is what the tables hold, and gaps are said."""

import json
from typing import Any

import pyarrow as pa
import pytest

from cnn_topology.figures.drawing import draw
from cnn_topology.figures.registry import FigureSpec, figure_specs
from cnn_topology.plan.config import parse_config
from cnn_topology.plan.expand import Plan
from cnn_topology.tables.registry import TABLES

CONFIG = {
    "version": 2,
    "name": "nets",
    "images": {"cifar10": {"kind": "cifar10"}},
    "resnets": {
        "ph": {"images": "cifar10", "variant": "ph", "networks": 3},
        "mapper": {"images": "cifar10", "variant": "mapper", "recipe": {"selection": "best-on-test"}},
        "theirs": {"images": "cifar10", "variant": "mapper", "checkpoints": ["x.pt"]},
    },
    "activation_clouds": {
        "fg": {"population": "mapper", "sampling": "foreground"},
        "noisy": {"population": "mapper", "sampling": "random", "sigma": 0.5},
    },
}


@pytest.fixture(scope="module")
def specs() -> dict[str, FigureSpec]:
    found = figure_specs(Plan(parse_config(CONFIG)))
    # As a rule hands them over: written as JSON with sorted keys.
    return {
        name: FigureSpec(name, s.kind, json.loads(json.dumps(s.parameters, sort_keys=True)))
        for name, s in found.items()
        if s.declared.section == "resnets"
    }


def table(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=TABLES[name].schema)


def log(population: str, network: int, accuracies: list[float], first: int = 1) -> list[dict[str, Any]]:
    return [
        {"population": population, "network": network, "seed": 1, "epoch": epoch, "step": epoch, "images": "cifar10",
         "train_examples": 9, "train_loss": 0.1, "train_accuracy": 0.9, "test_examples": 10_000, "test_loss": 0.2,
         "test_accuracy": accuracy, "is_kept": accuracy == max(accuracies)}
        for epoch, accuracy in enumerate(accuracies, start=first)
    ]  # fmt: skip


def texts(figure: Any) -> list[str]:
    return [said for axes in figure.axes for said in [*(t.get_text() for t in axes.texts), axes.get_title(loc="left")]]


def test_training_is_drawn_by_epoch_and_a_checkpoint_as_a_level(specs: dict[str, FigureSpec]) -> None:
    rows = [*log("ph", 0, [0.5, 0.9]), *log("ph", 1, [0.6, 0.7]), *log("mapper", 0, [0.4, 0.95, 0.8])]
    rows += log("theirs", 0, [0.92], first=0)
    figure, drawn = draw(specs["resnet_training"], {"resnet_training": table("resnet_training", rows)}, {"seed": "1"})
    curves = drawn.to_pandas().set_index(["population", "epoch"])["mean_accuracy"]
    assert curves["ph"].tolist() == pytest.approx([0.55, 0.8])
    assert curves["theirs", 0] == 0.92
    (axes,) = figure.axes
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    assert names == ["ph", "mapper", "theirs (checkpoint)"]


def pixels(**changed: Any) -> list[dict[str, Any]]:
    plain = {"population": "mapper", "split": "test", "class_name": "cat", "panel": "image", "mode": "", "layer": "",
             "sigma": 0.0, "red": 250.0, "green": 0.0, "blue": 0.0, "value": float("nan")}  # fmt: skip
    return [
        {**plain, "image": image, "y": row, "x": column, **changed}
        for image in (3, 8)
        for row in range(4)
        for column in range(4)
    ]


def test_masks_show_both_modes_of_every_example(specs: dict[str, FigureSpec]) -> None:
    examples = pixels()
    for mode in ("published", "corrected"):
        examples += pixels(panel="foreground", mode=mode, value=1.0)
        examples += pixels(panel="weight", mode=mode, layer="bn1", value=0.5)
    masks = [
        {"population": "mapper", "split": "test", "mode": mode, "image": image, "class_name": "cat", "foreground": 0.5,
         "background": 0.5, "empty_foreground": image == 8, "empty_background": False, "agreement": 0.25}
        for image in (3, 8) for mode in ("published", "corrected")
    ]  # fmt: skip
    modes = [
        {"population": "mapper", "split": "test", "layer": "bn1", "depth": depth, "sampling": side, "top": top,
         "n_images": 2, "empty_published": 0, "empty_corrected": 1, "agreement": 0.3, "standard_error": 0.1,
         "chance": 0.1 * top}
        for depth in (1, 2) for side in ("foreground", "background") for top in (1, 5)
    ]  # fmt: skip
    tables = {"masks": table("masks", masks), "modes": table("modes", modes)}
    figure, drawn = draw(specs["masks_mapper"], {**tables, "example_pixels": table("example_pixels", examples)}, {})
    assert sum(len(axes.images) for axes in figure.axes) == 2 * 5
    assert any("mean 0.25" in text and "1 published, 1 corrected" in text for text in texts(figure))
    assert drawn.to_pandas().query("panel == 'masks'")["image"].tolist() == [3, 8]
    curves = {str(line.get_label()): line for line in figure.axes[-1].lines}
    own = {str(bars.get_label()): bars.lines[0] for bars in figure.axes[-1].containers}
    for top in (1, 5):
        chance = curves[f"chance, top {top}"]
        assert list(chance.get_ydata()) == pytest.approx([0.1 * top] * 2)
        assert chance.get_linestyle() == own[f"foreground, top {top}"].get_linestyle()


def test_noise_is_shown_beside_the_original_with_the_accuracy_under_it(specs: dict[str, FigureSpec]) -> None:
    examples = pixels() + pixels(sigma=0.5, green=99.0)
    accuracy = [
        {"population": "mapper", "network": 0, "seed": 1, "cloud": "x", "split": "test", "sigma": sigma,
         "class_name": name, "examples": 100, "accuracy": 0.9 - sigma}
        for sigma in (0.0, 0.5) for name in ("all", "cat")
    ]  # fmt: skip
    tables = {
        "example_pixels": table("example_pixels", examples),
        "resnet_accuracy": table("resnet_accuracy", accuracy),
    }
    figure, drawn = draw(specs["noisy_images_mapper"], tables, {})
    assert sum(len(axes.images) for axes in figure.axes) == 4
    means = drawn.to_pandas().query("panel == 'accuracy'").set_index("sigma")["accuracy"]
    assert means.to_dict() == pytest.approx({0.0: 0.9, 0.5: 0.4})
    assert [axes.get_ylabel() for axes in figure.axes[::2]] == ["σ = 0\naccuracy 90.0%", "σ = 0.5\naccuracy 40.0%"]


def test_empty_tables_are_said_not_fatal(specs: dict[str, FigureSpec]) -> None:
    for spec in specs.values():
        tables = {name: TABLES[name].schema.empty_table() for name in spec.tables}
        figure, _ = draw(spec, tables, {})
        assert any("in the table" in text for text in texts(figure)), spec.name
