"""`cnn-topology checkpoint`: any file of weights becomes the same snapshot, and bad values are named."""

import hashlib
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from job_runs import run_job
from known_shapes import primary_circle
from safetensors.torch import save_file

from cnn_topology.errors import InputError
from cnn_topology.networks import pretrained
from cnn_topology.networks.pretrained import torchvision_file
from cnn_topology.networks.weights import read_weights
from cnn_topology.plan.clouds import DEAD_LAYER, TOO_FEW
from cnn_topology.plan.config import parse_config
from cnn_topology.plan.expand import Plan
from cnn_topology.plan.findings import RunFacts, SummaryParameters
from cnn_topology.plan.parameters import (
    BarcodeParameters,
    CheckpointParameters,
    CloudParameters,
    CollectParameters,
    NullParameters,
)
from cnn_topology.statistics.significance import NO_LOOP
from cnn_topology.storage.manifest import content_digest, renewed, write_manifest
from cnn_topology.storage.tables import read_notes, read_table
from cnn_topology.tables.registry import BARCODE_ROWS
from cnn_topology.topology.patches import noisy
from cnn_topology.topology.persistence import barcode
from cnn_topology.training.snapshots import read_snapshot


def filters(seed: int, side: int = 3) -> np.ndarray:
    """Return a layer (12, 10, side, side) whose kernels lie around the primary circle."""
    points = noisy(primary_circle(120, side), 0.2, np.random.default_rng(seed))
    return points.reshape(12, 10, side, side).astype(np.float32)


def save(path: Path, array: np.ndarray, kind: torch.dtype = torch.float32) -> Path:
    tensors = {"block.1.conv.weight": torch.from_numpy(array).to(kind), "head.bias": torch.zeros(3)}
    if path.suffix == ".npz":
        np.savez(path, **{name: tensor.numpy() for name, tensor in tensors.items()})
    elif path.suffix == ".safetensors":
        save_file(tensors, path)
    else:
        torch.save({"state_dict": tensors} if path.suffix == ".pth" else tensors, path)
    return path


def plan_of(*paths: Path, density: dict[str, float] | None = None, **cloud: Any) -> Plan:
    return Plan(
        parse_config(
            {
                "version": 2,
                "name": "files",
                "checkpoints": {"mine": {"kind": "files", "files": list(map(str, paths))}},
                "clouds": [{"layers": "all", "densities": [density or {"k": 0.05, "p": 0.5}], **cloud}],
                "significance": {"draws": 19, "alpha": 0.05},
            }
        )
    )


def analysed(plan: Plan, folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Run the jobs from the files to the rows of the tables of bars."""
    (layer,) = plan.layer_clouds
    snapshot, clouds, null = (str(folder / name) for name in ("s.safetensors", "clouds.parquet", "null.parquet"))
    assert run_job(CheckpointParameters.of(plan, "mine"), {}, {"snapshot": snapshot}) == 0
    assert run_job(CloudParameters.of(plan, layer, (0,)), {"snapshots": [snapshot]}, {"clouds": clouds}) == 0
    assert run_job(NullParameters.of(plan, layer.points, layer.layer.side), {}, {"nulls": null}) == 0
    outputs = {row.table_name: folder / f"{row.table_name}.parquet" for row in BARCODE_ROWS}
    assert run_job(BarcodeParameters.of(plan, layer, (0,)), {"clouds": clouds, "null": null}, outputs) == 0
    return {row.table_name: read_table(outputs[row.table_name], row.schema).to_pylist() for row in BARCODE_ROWS}


def test_every_form_of_file_gives_the_same_networks(tmp_path: Path) -> None:
    paths = [
        save(tmp_path / f"net{i}{suffix}", filters(i)) for i, suffix in enumerate((".npz", ".safetensors", ".pth"))
    ]
    snapshot = tmp_path / "s.safetensors"
    assert import_files(tmp_path, *paths) == 0
    found = read_snapshot(snapshot)
    assert found.tensors.keys() == {"block-1.weight"}
    np.testing.assert_array_equal(found.tensors["block-1.weight"], np.stack([filters(i) for i in range(3)]))
    assert (found.networks, found.step, found.failed) == ((0, 1, 2), 0, (False,) * 3)
    assert set(found.metadata["data"].split(",")) == {hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
    before = found.metadata["config"]
    save(paths[0], filters(9))
    assert import_files(tmp_path, *paths) == 0
    assert read_snapshot(snapshot).metadata["config"] != before


def test_a_file_of_other_content_than_was_planned_is_refused_and_no_snapshot_is_written(tmp_path: Path, capsys) -> None:
    paths = [save(tmp_path / name, filters(seed)) for seed, name in enumerate(("a.npz", "b.npz"))]
    known = renewed({str(path): path for path in paths}, {})
    write_manifest(tmp_path / "manifest.json", known)
    snapshot = tmp_path / "snapshot.safetensors"
    planned = [str(tmp_path / "manifest.json"), content_digest(known)]
    parameters = CheckpointParameters.of(plan_of(*paths), "mine")
    assert run_job(parameters, {}, {"snapshot": snapshot}, planned=planned) == 0
    snapshot.unlink()
    save(paths[1], filters(9))
    assert run_job(parameters, {}, {"snapshot": snapshot}, planned=planned) == 2
    assert f"checkpoints.mine: {paths[1]}: changed after" in capsys.readouterr().err
    assert not snapshot.exists()


def test_a_network_that_is_listed_twice_is_refused_whatever_its_files_are_called(tmp_path: Path, capsys) -> None:
    paths = [save(tmp_path / name, filters(seed)) for name, seed in (("a.npz", 0), ("b.npz", 1), ("c.pth", 0))]
    assert import_files(tmp_path, *paths) == 2
    assert f"checkpoints.mine.files: {paths[0]} and {paths[2]} hold the same kernels" in capsys.readouterr().err


@pytest.mark.parametrize("change", ["float16", "bfloat16", "float8", "scale", "channels", "8 bits"])
def test_a_copy_in_other_precision_or_scale_is_no_second_network(change: str, tmp_path: Path, capsys) -> None:
    array = filters(0)
    kind = torch.float16 if change == "float16" else torch.bfloat16 if change == "bfloat16" else torch.float32
    if change == "scale":
        array = array * np.float32(0.37)
    elif change == "channels":  # as folding batch norm into the weights does
        array = array * np.random.default_rng(1).uniform(0.1, 9, (12, 1, 1, 1)).astype(np.float32)
    elif change == "float8":
        array = torch.from_numpy(array).to(torch.float8_e4m3fn).float().numpy()
    elif change == "8 bits":
        step = np.abs(array).max() / 127
        array = np.rint(array / step) * step
    paths = [save(tmp_path / "a.pt", filters(0)), save(tmp_path / "b.pt", filters(1)), tmp_path / "c.pt"]
    save(paths[2], array, kind)
    assert import_files(tmp_path, *paths) == 2
    assert f"checkpoints.mine.files: {paths[0]} and {paths[2]} hold the same kernels" in capsys.readouterr().err
    near = filters(0) + 0.05 * np.random.default_rng(2).normal(size=array.shape).astype(np.float32)
    save(paths[2], near)
    assert import_files(tmp_path, *paths) == 0


def resnet_like(seed: int) -> list[np.ndarray]:
    """Return four layers of a network in which one channel in twenty is weak, as in a trained ResNet-20."""
    draw = np.random.default_rng(seed)
    layers = [draw.normal(0, 0.1, (40, 16, 3, 3)).astype(np.float32) for _ in range(4)]
    for layer in layers:
        layer[::20] *= 0.01
    return layers


def save_layers(path: Path, layers: list[np.ndarray]) -> Path:
    torch.save({f"layer{i}.weight": torch.from_numpy(layer) for i, layer in enumerate(layers)}, path)
    return path


def rounded(layer: np.ndarray) -> np.ndarray:
    step = np.abs(layer).max() / np.float32(127)
    return np.rint(layer / step) * step


def noisy_copy(layer: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(5).normal(size=layer.shape).astype(np.float32)
    return layer + noise * np.float32(0.03) * np.linalg.norm(layer) / np.linalg.norm(noise)


@pytest.mark.parametrize("change", [rounded, noisy_copy])
def test_weak_channels_do_not_make_a_copy_a_second_network(change: Callable, tmp_path: Path, capsys) -> None:
    paths = [save_layers(tmp_path / "a.pt", resnet_like(0))]
    paths.append(save_layers(tmp_path / "b.pt", [change(layer) for layer in resnet_like(0)]))
    assert import_files(tmp_path, *paths) == 2
    said = capsys.readouterr().err
    assert f"checkpoints.mine.files: {paths[0]} and {paths[1]} hold the same kernels" in said
    assert "10%" in said


def test_networks_that_share_layers_are_two(tmp_path: Path) -> None:
    ours, theirs = resnet_like(0), resnet_like(1)
    path = save_layers(tmp_path / "a.pt", ours)
    for shared in (0, 1, 2):
        assert import_files(tmp_path, path, save_layers(tmp_path / "b.pt", ours[:shared] + theirs[shared:])) == 0


def import_files(folder: Path, *paths: Path) -> int:
    parameters = CheckpointParameters.of(plan_of(*paths), "mine")
    return run_job(parameters, {}, {"snapshot": folder / "s.safetensors"})


def test_two_layers_with_the_same_kernels_are_refused_by_name(tmp_path: Path, capsys) -> None:
    shared = torch.from_numpy(filters(0))
    torch.save(
        {"one.weight": shared, "two.weight": torch.from_numpy(filters(1)), "three.weight": shared}, tmp_path / "n.pt"
    )
    assert import_files(tmp_path, tmp_path / "n.pt") == 2
    said = capsys.readouterr().err
    assert "n.pt: one.weight and three.weight hold the same kernels" in said
    assert "`exclude`" in said


def test_fixed_filters_under_the_name_of_a_weight_are_refused(tmp_path: Path, capsys) -> None:
    blur = torch.outer(*[torch.tensor([1.0, 2, 1])] * 2).repeat(16, 1, 1, 1)
    torch.save({"one.weight": torch.from_numpy(filters(0)), "blur.weight": blur}, tmp_path / "n.pt")
    assert import_files(tmp_path, tmp_path / "n.pt") == 2
    assert "n.pt: the filters of blur.weight are copies" in capsys.readouterr().err
    # Filters of zeros are what pruning leaves.
    pruned = filters(0)
    pruned[:, 3:] = 0
    assert import_files(tmp_path, save(tmp_path / "pruned.pt", pruned)) == 0


def test_half_precision_is_read_as_the_numbers_it_holds(tmp_path: Path) -> None:
    for kind, suffix in ((torch.bfloat16, ".safetensors"), (torch.float16, ".pt"), (torch.bfloat16, ".pt")):
        path = save(tmp_path / f"half{suffix}", filters(0), kind)
        found = read_weights(path, {"block.1.conv.weight": (12, 10, 3, 3)})["block.1.conv.weight"]
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, torch.from_numpy(filters(0)).to(kind).to(torch.float32).numpy())


@pytest.mark.parametrize("suffix", [".npz", ".safetensors", ".pt"])
def test_values_that_are_no_numbers_are_counted_and_their_tensor_named(suffix, tmp_path, capsys) -> None:
    bad = filters(0)
    bad[0, 0, 0, 0], bad[3, 2, 1] = np.inf, np.nan
    assert import_files(tmp_path, save(tmp_path / f"bad{suffix}", bad)) == 2
    said = capsys.readouterr().err
    assert "checkpoints.mine" in said
    assert "block.1.conv.weight: 4 of 1,080 values are NaN or infinite" in said
    assert "exclude: [block.1.conv]" in said
    assert "Traceback" not in said


def test_a_file_that_changed_after_the_plan_was_made_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "net.npz", filters(0))
    with pytest.raises(InputError, match=r"has the shape \(12, 10, 3, 3\), expected \(6, 10, 3, 3\)"):
        read_weights(path, {"block.1.conv.weight": (6, 10, 3, 3)})
    with pytest.raises(InputError, match=r"'block.2.conv.weight' .did you mean 'block.1.conv.weight'"):
        read_weights(path, {"block.2.conv.weight": (12, 10, 3, 3)})


class Evil:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple:
        return os.system, (f"touch {self.marker}",)


def test_a_pickle_put_in_place_of_the_weights_runs_nothing(tmp_path: Path, capsys) -> None:
    path, marker = save(tmp_path / "net.pt", filters(0)), tmp_path / "ran"
    parameters = CheckpointParameters.of(plan_of(path), "mine")
    torch.save({"block.1.conv.weight": torch.from_numpy(filters(0)), "x": Evil(marker)}, path)
    assert run_job(parameters, {}, {"snapshot": tmp_path / "s.safetensors"}) == 2
    assert "nothing of it was executed" in capsys.readouterr().err
    assert not marker.exists()
    # Nor when the reader of headers were fooled: the weights themselves are read with code forbidden.
    with pytest.raises(Exception, match=r"[Ww]eights.only"):
        torch.load(path, weights_only=True)
    assert not marker.exists()
    torch.load(path, weights_only=False)  # where code is allowed, it runs
    assert marker.exists()


def test_a_torchvision_file_must_have_the_hash_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "vgg16-397923af.pth").write_bytes(b"something else")
    with pytest.raises(InputError, match=r"vgg16-397923af.pth: its SHA-256 is .*, its name says 397923af"):
        torchvision_file("vgg16", tmp_path)


@pytest.fixture
def resnet18(tmp_path_factory, monkeypatch) -> tuple[Path, Callable[[str], None]]:
    """A small file called as torchvision calls such files, with the hash in its name; and where it is to be had."""
    folder = tmp_path_factory.mktemp("server")
    save_file({"conv1.weight": torch.zeros(2, 3, 3, 3)}, folder / "made")
    path = folder / f"resnet18-{hashlib.sha256((folder / 'made').read_bytes()).hexdigest()[:8]}.pth"
    (folder / "made").rename(path)

    def offered_at(address: str) -> None:
        weights = SimpleNamespace(url=f"{address}/{path.name}")
        monkeypatch.setattr(pretrained, "get_model_weights", lambda _: {"IMAGENET1K_V1": weights})

    return path, offered_at


def test_a_torchvision_file_is_downloaded_once(tmp_path: Path, resnet18, serving) -> None:
    path, offered_at = resnet18
    with serving(path.parent) as address:
        offered_at(address)
        found = torchvision_file("resnet18", tmp_path / "data")
    assert found == tmp_path / "data" / path.name
    assert found.read_bytes() == path.read_bytes()
    assert torchvision_file("resnet18", tmp_path / "data") == found  # the server is gone
    assert list(found.parent.iterdir()) == [found]


def test_a_torchvision_file_that_breaks_off_or_is_another_leaves_nothing(tmp_path: Path, resnet18, serving) -> None:
    path, offered_at = resnet18
    with serving(path.parent, broken=path.name) as address:
        offered_at(address)
        with pytest.raises(InputError, match=rf"{path.name}: the connection ended after \d+ of \d+ bytes"):
            torchvision_file("resnet18", tmp_path)
    path.write_bytes(b"something else")
    with serving(path.parent) as address:
        offered_at(address)
        with pytest.raises(InputError, match=f"gives another file: its SHA256 is (.|\n)*begins with {path.stem[-8:]}"):
            torchvision_file("resnet18", tmp_path)
        path.rename(path.with_name("away"))
        with pytest.raises(InputError, match="HTTP Error 404"):
            torchvision_file("resnet18", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_without_a_network_a_torchvision_file_can_be_put_by_hand(tmp_path: Path, resnet18) -> None:
    path, offered_at = resnet18
    offered_at("http://127.0.0.1:9")  # the discard port: the connection is refused
    with pytest.raises(InputError, match=rf"{tmp_path / path.name}: cannot be downloaded\n.*refused(.|\n)*by hand"):
        torchvision_file("resnet18", tmp_path)
    shutil.copy(path, tmp_path)
    assert torchvision_file("resnet18", tmp_path) == tmp_path / path.name


@pytest.mark.parametrize(("alive", "verdict"), [(0, DEAD_LAYER), (1, DEAD_LAYER), (2, TOO_FEW), (90, NO_LOOP)])
def test_constant_filters_are_counted_and_a_dead_layer_has_a_verdict(alive: int, verdict: str, tmp_path: Path) -> None:
    weight = np.ones((12, 10, 3, 3), np.float32)
    weight.reshape(120, 9)[:alive] = np.random.default_rng(5).standard_normal((alive, 9))
    # The guard counts what is left: of 120 filters rho(12, 0.6) would be tested.
    plan = plan_of(save(tmp_path / "one.npz", weight), density={"k": 0.1, "p": 0.6})
    rows = analysed(plan, tmp_path)
    (row,) = rows["loops"]
    assert (row["points"], row["constant"], row["verdict"]) == (alive, 120 - alive, verdict)
    assert row["networks"] == 1
    assert (row["p_longest"] is None) is (verdict != NO_LOOP)
    if verdict == DEAD_LAYER:
        assert (row["bars"], row["longest"], row["used"]) == (0, 0, 0)
        assert rows["filters"] == rows["circles"] == rows["barcodes"] == []
    text = tmp_path / "summary.txt"
    summary = SummaryParameters(run_seed=7, facts=RunFacts.of(plan), remarks=())
    tables = [tmp_path / "loops.parquet", tmp_path / "significance.parquet"]
    assert run_job(summary, {"tables": tables}, {"summary": text}) == 0
    line = rf"^  mine +block-1 +{verdict} .* 1 +\d+ of {alive} +{120 - alive} "
    assert re.search(line, text.read_text(encoding="utf-8"), re.M)


@pytest.mark.parametrize("landmarks", [30, 6_000])
def test_the_barcode_of_all_points_stands_beside_that_of_landmarks_where_it_is_asked_for(landmarks, tmp_path):
    path = save(tmp_path / "one.npz", filters(0))
    density = {"k": 0.1, "p": 0.9}
    asked, not_asked = (
        analysed(plan_of(path, density=density, landmarks=landmarks, exact=exact), tmp_path) for exact in (True, False)
    )
    (row,), (other,) = asked["loops"], not_asked["loops"]
    assert (row["kept"], row["used"]) == (108, min(landmarks, 108))
    kept = np.array([one["coordinates"] for one in asked["filters"]])
    longest, second, *_ = barcode(kept).lengths(1)
    assert (row["exact_longest"], row["exact_second"]) == pytest.approx((longest, second), abs=1e-6)
    assert (row["exact_longest"] == row["longest"]) == (landmarks > 108)
    assert (other["exact_longest"], other["exact_second"]) == (None, None)
    # It decides nothing.
    columns = [name for name in row if not name.startswith("exact_")]
    assert [row[name] for name in columns] == [other[name] for name in columns]


@pytest.mark.parametrize("side", [3, 5])
def test_downstream_finds_the_circle_of_a_checkpoint(side: int, tmp_path: Path) -> None:
    plan = plan_of(save(tmp_path / "one.npz", filters(0, side)), save(tmp_path / "two.safetensors", filters(1, side)))
    tables = analysed(plan, tmp_path)
    (row,) = tables["loops"]
    assert row["kernel_side"] == side
    assert {len(kept["coordinates"]) for kept in tables["filters"]} == {side**2}
    assert {circle["shape"] for circle in tables["circles"]} == {"primary circle"}
    # How often such a layer is found was simulated for 3x3 kernels alone.
    assert (row["power_circle"] is None) is (side != 3)
    assert (row["layer"], row["depth"], row["points"], row["networks"]) == ("block-1", 1, 240, 2)
    assert row["verdict"] == "one loop"
    assert len(read_notes(tmp_path / "loops.parquet")["data"].split(",")) == 2
    text = tmp_path / "summary.txt"
    training = tmp_path / "training.parquet"
    assert run_job(CollectParameters(run_seed=7), {"training": []}, {"tables": training}) == 0
    tables = [training, *(tmp_path / f"{name}.parquet" for name in ("loops", "significance"))]
    remarks = ("mine: kernels other than 3x3, stem (7x7)",)
    summed = SummaryParameters(run_seed=7, facts=RunFacts.of(plan), remarks=remarks)
    assert run_job(summed, {"tables": tables}, {"summary": text}) == 0
    said = text.read_text()
    assert re.search(r"^  mine +block-1 +one loop .* 2 +", said, re.M)
    assert "note: mine: kernels other than 3x3, stem (7x7)" in said
