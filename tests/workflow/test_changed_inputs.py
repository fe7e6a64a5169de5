"""A user's own files: their content decides what is made again, and nothing else does."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from cnn_topology.networks.resnet import make_resnet
from cnn_topology.plan.resnets import PHResNets

ROOT = Path(__file__).parents[2]
NETS = {"variant": "ph", "images": "leaves", "widths": [4], "blocks": [1]}
CONFIG = {
    "version": 2,
    "name": "own",
    "images": {"leaves": {"kind": "folder", "path": "leaves", "shape": [8, 8, 3]}},
    "checkpoints": {"mine": {"kind": "files", "files": ["first.npz", "second.npz"]}},
    "clouds": [{"layers": "all", "densities": [{"k": 0.2, "p": 0.5}]}],
    "resnets": {"nets": {**NETS, "networks": 2, "checkpoints": ["a.npz", "b.npz"]}},
    "activation_clouds": {"top": {"population": "nets", "layers": "all", "n_images": 2}},
}
TARGETS = [
    "results/own/parts/images/leaves.safetensors",
    "results/own/snapshots/nets/0000.safetensors",
    "results/own/snapshots/nets/0001.safetensors",
    "results/own/snapshots/mine/0000/00000000.safetensors",
]
IMAGES, RESNETS, IMPORT = "prepare_images", "make_resnet", "import_mine"


def snakemake(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Snakemake on the targets in a folder of a user's own."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "XDG_CACHE_HOME": str(folder)}
    command = ["snakemake", "--snakefile", str(ROOT / "Snakefile"), *arguments, "--configfile", "run.yaml"]
    command += ["--max-jobs-per-timespan", "100/1s"]  # Snakemake waits for that time before it leaves
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment, timeout=300)


def planned(folder: Path) -> list[str]:
    """List the rule of each job that Snakemake would run now."""
    done = snakemake(folder, *TARGETS, "--dry-run", "--quiet", "host")
    assert done.returncode == 0, done.stdout + done.stderr
    return sorted(line.split()[1].rstrip(":") for line in done.stdout.splitlines() if line.startswith("rule "))


def save_resnet(path: Path, seed: int) -> None:
    network = make_resnet(PHResNets(**NETS), 3, 2, seed)
    np.savez(path, **{name: tensor.numpy() for name, tensor in network.state_dict().items()})


def save_kernels(path: Path, seed: int) -> None:
    kernels = np.random.default_rng(seed).normal(size=(6, 5, 3, 3)).astype(np.float32)
    np.savez(path, **{"conv1.weight": kernels})


@pytest.fixture(scope="module")
def made(made_once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """Return the files of a user, whose classes are links, and all that a run makes from them directly."""
    return made_once("own-files", _make)


def _make(folder: Path) -> None:
    random = np.random.default_rng(0)
    for split in ("train", "test"):
        (folder / "leaves" / split).mkdir(parents=True)
        for name in ("ash", "oak"):
            (folder / "elsewhere" / split / name).mkdir(parents=True)
            for number in range(2):
                pixels = random.integers(0, 256, (8, 8, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / "elsewhere" / split / name / f"{number}.png")
            (folder / "leaves" / split / name).symlink_to(Path("../../elsewhere", split, name))
    for seed, name in enumerate(("a", "b")):
        save_resnet(folder / f"{name}.npz", seed)
    for seed, name in enumerate(("first", "second")):
        save_kernels(folder / f"{name}.npz", seed)
    (folder / "run.yaml").write_text(yaml.safe_dump(CONFIG))
    assert planned(folder) == [IMPORT, RESNETS, RESNETS, IMAGES]
    assert not (folder / "results").exists()
    done = snakemake(folder, *TARGETS, "--cores", "2")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def here(made: Path, tmp_path: Path) -> Path:
    """Copy that folder, so that a test may change it."""
    return Path(shutil.copytree(made, tmp_path / "copy", symlinks=True))


def paint_black(folder: Path) -> None:
    Image.fromarray(np.zeros((8, 8, 3), dtype=np.uint8)).save(folder / "elsewhere/train/oak/0.png")


def remove(folder: Path) -> None:
    (folder / "elsewhere/train/oak/1.png").unlink()


def add(folder: Path) -> None:
    shutil.copy(folder / "elsewhere/train/oak/1.png", folder / "elsewhere/train/oak/2.png")


def replace_first(folder: Path) -> None:
    save_resnet(folder / "a.npz", seed=7)
    set_back(folder / "a.npz")


def replace_last(folder: Path) -> None:
    save_resnet(folder / "b.npz", seed=7)
    set_back(folder / "b.npz")


def replace_kernels(folder: Path) -> None:
    save_kernels(folder / "second.npz", seed=7)
    set_back(folder / "second.npz")


def set_back(path: Path) -> None:
    """Leave a file as `cp -p` does: older than what was made of the one before it."""
    os.utime(path, ns=(path.stat().st_mtime_ns - 10**13,) * 2)


@pytest.mark.parametrize(
    ("edit", "rules"),
    [
        (paint_black, [RESNETS, RESNETS, IMAGES]),
        (remove, [RESNETS, RESNETS, IMAGES]),
        (add, [RESNETS, RESNETS, IMAGES]),
        (replace_first, [RESNETS, RESNETS]),  # the second network must not be a copy of the first
        (replace_last, [RESNETS]),
        (replace_kernels, [IMPORT]),
    ],
)
def test_other_content_is_read_again_with_all_that_depends_on_it(here: Path, edit, rules: list[str]) -> None:
    edit(here)
    assert planned(here) == rules


def test_what_changes_no_content_that_is_read_makes_nothing_again(here: Path) -> None:
    leaves = here / "leaves"
    for place in (here / "elsewhere/train/oak", leaves / "train", leaves):
        (place / ".DS_Store").write_bytes(b"Bud1")
    for place in (leaves / "train", leaves):
        (place / "README").write_text("Leaves of two trees.\n")
    for touched in (*here.glob("*.npz"), here / "elsewhere/test/ash/0.png"):
        touched.touch()
    shutil.copytree(here / "elsewhere", here / "copied", copy_function=shutil.copyfile)
    shutil.rmtree(here / "elsewhere")
    (here / "copied").rename(here / "elsewhere")
    # Snakemake itself compares the content of inputs of up to one megabyte; no file may depend on that.
    assert planned(here) == []
    assert _planned_without_checksums(here) == []


def _planned_without_checksums(folder: Path) -> list[str]:
    done = snakemake(folder, *TARGETS, "--dry-run", "--quiet", "host", "--max-checksum-file-size", "0")
    return [line for line in done.stdout.splitlines() if line.startswith("rule ")]


def test_a_run_that_holds_the_prepared_images_keeps_them_while_their_folder_is_away(here: Path) -> None:
    (here / "leaves").rename(here / "unmounted")
    assert planned(here) == []


def test_a_class_folder_that_vanishes_is_refused_by_name_and_costs_nothing(here: Path) -> None:
    (here / "leaves/test/oak").rename(here / "kept")
    prepared = (here / TARGETS[0]).read_bytes()
    assert planned(here) == [RESNETS, RESNETS, IMAGES]
    done = snakemake(here, *TARGETS, "--cores", "1")
    assert done.returncode != 0
    assert "images.leaves: leaves: `train` and `test` must hold the same classes" in done.stderr
    assert (here / TARGETS[0]).read_bytes() == prepared
    (here / "kept").rename(here / "leaves/test/oak")
    assert planned(here) == []


def test_a_note_beside_the_images_is_refused_before_any_job_and_costs_nothing(here: Path) -> None:
    note = here / "elsewhere/train/oak/notes.txt"
    note.write_text("oak, autumn")
    prepared = here / "results/own/parts/images/leaves.safetensors"
    before = prepared.read_bytes()
    done = snakemake(here, *TARGETS, "--cores", "1")
    assert done.returncode != 0
    assert "oak/notes.txt: not an image" in done.stdout + done.stderr
    assert prepared.read_bytes() == before
    note.unlink()
    assert planned(here) == []
