"""The networks in docs/real/e1 can be laid into a run, which has as many and goes on from there."""

import hashlib
import json
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors.numpy import load_file

from cnn_topology.plan.config import read_config
from cnn_topology.plan.expand import Plan
from cnn_topology.plan.names import RunFolder
from cnn_topology.storage.tables import read_table
from cnn_topology.tables.training import TrainingRow
from cnn_topology.training.snapshots import read_snapshot

E1 = Path(__file__).parents[2] / "docs/real/e1"


def test_the_run_finds_every_snapshot_that_it_plans(tmp_path):
    plan = Plan(read_config(E1 / "run.yaml"))
    runpy.run_path(str(E1 / "restore.py"))["main"](E1, tmp_path / "e1")
    run, networks = RunFolder.at(tmp_path / "e1"), json.loads((E1 / "networks.json").read_text())
    (shard,) = plan.shards
    assert shard.count == len(networks)
    for step in plan.steps("mnist"):
        shot = read_snapshot(Path(run.snapshot("mnist", 0, step)))
        assert shot.networks == tuple(range(shard.count))
        assert shot.tensors["conv1.weight"].shape == (shard.count, 64, 1, 3, 3)
    for number, network in networks.items():
        kept = load_file(E1 / f"network-{number}.safetensors")
        for layer in ("conv1.weight", "conv2.weight"):
            np.testing.assert_array_equal(shot.tensors[layer][int(number)], kept[layer].astype(np.float32))
            assert len(network[layer]) == hashlib.sha256().digest_size * 2
    log = read_table(Path(run.part("training", "mnist", 0)), TrainingRow.schema).to_pandas()
    assert set(log["step"]) == set(plan.steps("mnist"))
    pd.testing.assert_series_equal(log["accuracy"], pd.read_csv(E1 / "training.csv")["accuracy"])
