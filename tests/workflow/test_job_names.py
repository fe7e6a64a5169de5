"""Jobs are told apart by their rules and logs, whatever a user calls networks, clouds and ways to make graphs."""

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import yaml

from cnn_topology.runs.jobs import list_jobs

ROOT = Path(__file__).parents[2]
NETS = {"variant": "ph", "images": "digits", "normalization": "set", "widths": [8, 8], "blocks": [1, 1]}


def test_no_names_of_a_config_make_two_jobs_share_a_log_or_two_rules_a_name(tiny, tmp_path):
    # Joined by `-` alone, the parts of `r` and `a-b` are those of `r-a` and `b`.
    tiny["populations"] = dict.fromkeys(("resnet", "resnet-conv1"), tiny["populations"]["a"])
    tiny["generalization"] = None
    tiny["resnets"] = {name: {**NETS, "networks": 2, "recipe": {"batch_size": 32}} for name in ("r", "r-a")}
    clouds = {"a-b": "r", "b": "r-a", "y-z": "r", "z": "r"}
    tiny["activation_clouds"] = {name: {"population": networks, "n_images": 20} for name, networks in clouds.items()}
    tiny["layer_distances"] = {"clouds": ["a-b", "b"], "measures": ["sliced_wasserstein", "linear_cka"]}
    tiny["activation_mapper"] = {"m": {"clouds": ["y-z"]}, "m-y": {"clouds": ["z"]}}
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(tiny))
    jobs = list_jobs(tmp_path / "run.yaml", tmp_path)
    assert {"train_resnet", "make_resnet", "compute_activation_mapper", "compare_layers"} <= {job.rule for job in jobs}
    for said in ("log", "name"):
        shared = [text for text, count in Counter(getattr(job, said) for job in jobs).items() if count > 1]
        assert not shared


def test_every_process_names_the_file_of_a_job_alike(tiny, tmp_path):
    # A job on a cluster finds its file by a name that its own Snakemake works out again.
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(tiny))
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--dry-run"]
    command += ["--printshellcmds", "--cores", "2", "--configfile", "run.yaml"]
    named = []
    for seed in ("1", "2"):  # of the order of sets of text
        environment = {**os.environ, "PYTHONHASHSEED": seed, "XDG_CACHE_HOME": str(tmp_path)}
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        named.append(set(re.findall(r"cnn-topology job (\S+)", done.stdout)))
    assert {path.split("/")[4] for path in named[0]} >= {"figures", "barcodes"}
    assert named[0] == named[1]
