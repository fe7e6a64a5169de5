"""A small whole run of the activations paper by Snakemake, with both networks and nothing of the weights paper."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from cnn_topology.storage.tables import read_table
from cnn_topology.tables.registry import ACTIVATION_ROWS

ROOT = Path(__file__).parents[2]
TABLES = {row.table_name: row for row in ACTIVATION_ROWS}
NARROW = {"images": "digits", "widths": [6, 6, 8, 8], "recipe": {"epochs": 1, "batch_size": 100, "flip": False}}
CLOUD = {"population": "b", "split": "train", "n_images": 60, "layers": ["layer1.1.bn2", "layer4.1.bn2"]}
CONFIG = {
    "version": 2,
    "name": "tiny",
    "seed": 7,
    "images": {"digits": {"kind": "digits", "shape": [32, 32, 3], "train": 300, "test": 100}},
    "resnets": {
        "a": {**NARROW, "variant": "ph", "networks": 2, "recipe": {**NARROW["recipe"], "peak_epoch": 0.5}},
        "b": {**NARROW, "variant": "mapper", "recipe": {**NARROW["recipe"], "milestones": []}},
    },
    "modules": {"own": {"images": "digits", "module": "nets:Net", "normalization": "set"}},
    "activation_clouds": {
        "module": {"population": "own", "n_images": 20, "sampling": "random"},
        "top-l2": {"population": "a", "n_images": 60},
        "tensor": {"population": "a", "members": [0], "layers": ["conv1"], "sampling": "full", "n_images": 10},
        "random": {**CLOUD, "sampling": "random"},
        "fg_1": {**CLOUD, "sampling": "foreground", "mode": "published"},
        "fg_1-noise": {**CLOUD, "sampling": "foreground", "mode": "published", "sigma": 0.3},
    },
    "activation_mapper": {
        "elbow": {
            "clouds": ["random", "fg_1", "fg_1-noise"],
            "intervals": 5,
            "label_shuffles": 99,
            "sweep": {"intervals": [4]},
        }
    },
    "layer_distances": {
        "clouds": ["top-l2"],
        "measures": ["sliced_wasserstein", "linear_cka"],
        "components": {"modes": ["corrected"]},
        "draws": 99,
    },
    "jobs": {"clouds_per_job": 4},
}


# A network of a user's own, in the folder of the run.
NETS = """
from torch import nn


class Net(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 6, 3, stride=4))
"""


def run(folder, *arguments):
    """Run a command of this environment in a folder."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "XDG_CACHE_HOME": str(folder),
    }
    done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, env=environment, timeout=900)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    return done.stdout


def snakemake(folder, config, *arguments):
    """Run Snakemake on a config, as a user would who keeps runs apart from the checkout."""
    (folder / "run.yaml").write_text(yaml.safe_dump(config))
    if not (folder / "nets.py").exists():
        (folder / "nets.py").write_text(NETS)
    files = ("--snakefile", str(ROOT / "Snakefile"), "--configfile", "run.yaml")
    files += ("--max-jobs-per-timespan", "100/1s")  # Snakemake waits for that time before it leaves
    return run(folder, "snakemake", *arguments, *files)


@pytest.fixture(scope="module")
def finished(made_once):
    """Return the folder of a whole run."""
    return made_once("activations-run", lambda folder: snakemake(folder, CONFIG, "--cores", "2"))


def test_whole_run_makes_every_table_and_figure(finished):
    made = finished / "results/tiny"
    tables = {path.stem for path in (made / "tables").glob("*.parquet")}
    assert set(TABLES) <= tables
    for name in sorted(set(TABLES) - {"activation_edges", "activation_nodes"}):
        assert read_table(made / f"tables/{name}.parquet", TABLES[name].schema).num_rows > 0, name
    said = (made / "summary.txt").read_text()
    assert re.search(r"^  a +digits +1 epoch ", said, re.M)
    assert re.search(r"^  b, elbow +fg", said, re.M)
    assert "claims of the activations paper" in said
    figures = {path.name.split("_mapper")[0] for path in (made / "figures").glob("*.png")}
    assert {"layer_heatmap_top-l2.png", "layer_specificity_top-l2.png"} <= figures
    assert (made / "figures/purity_b_elbow.png").stat().st_size > 5_000
    assert "default-src 'none'" in (made / "figures/graphs_b_elbow_fg_1.html").read_text()


def test_claims_about_another_data_set_stay_untested(finished):
    claims = read_table(finished / "results/tiny/tables/claims.parquet").to_pandas()
    assert {"weights", "activations"} == set(claims["paper"].str.split().str[0])
    assert (claims.loc[claims["paper"].str.startswith("weights"), "verdict"] == "not tested").all()


def test_finished_run_is_whole_and_has_nothing_left_to_do(finished):
    assert "files are whole" in run(finished, sys.executable, "-m", "cnn_topology.cli", "verify", "tiny")
    assert "Nothing to be done" in snakemake(finished, CONFIG, "--dry-run")


def test_edited_code_of_a_users_network_makes_its_clouds_again_and_no_others(finished, tmp_path):
    here = shutil.copytree(finished, tmp_path / "copy", symlinks=True)
    layers = {path.parent.name for path in (here / "results/tiny/activations/own").rglob("module.safetensors")}
    assert layers == {"0", "2"}
    (here / "nets.py").write_text(f"{NETS}# edited\n")
    planned = snakemake(here, CONFIG, "--dry-run", "--quiet", "host")
    rules = [line.split()[1].rstrip(":") for line in planned.splitlines() if line.startswith("rule ")]
    made = [rule for rule in rules if rule.startswith(("make", "extract"))]
    assert made == ["make_resnet", "extract_module-0000"]


def test_other_intervals_touch_graphs_and_what_is_made_of_them_alone(finished):
    edited = {**CONFIG, "activation_mapper": {"elbow": {**CONFIG["activation_mapper"]["elbow"], "intervals": 6}}}
    planned = snakemake(finished, edited, "--dry-run", "--quiet", "host")
    rules = {line.split()[1].rstrip(":") for line in planned.splitlines() if line.startswith("rule ")}
    assert {"compute_activation_mapper", "collect_graphs", "draw_activation_graphs"} <= rules
    assert not [
        r for r in rules if r.startswith(("train", "make", "extract", "compare", "compute_activation_barcodes"))
    ]
