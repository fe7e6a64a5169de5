"""Lay the networks of this folder into a run's folder as if the run had trained them, so that it goes on from there.

Usage: python docs/real/e1/restore.py docs/real/e1 results/e1

Writes one shard of the population `mnist`: its snapshots, `conv1.weight` at every step and `conv2.weight` at the first
and the last, in float32 from float16, and its training log.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors.numpy import load_file

from cnn_topology.plan.names import RunFolder
from cnn_topology.storage.tables import write_table
from cnn_topology.storage.tensors import write_tensors
from cnn_topology.tables.training import TrainingRow


def main(source: Path, target: Path) -> None:
    """Write the snapshots and the log of the networks that `networks.json` lists."""
    run = RunFolder.at(target)
    networks = json.loads((source / "networks.json").read_text())
    known = next(iter(networks.values()))
    notes = {
        "population": "mnist",
        "shard": "0",
        "networks": json.dumps([int(number) for number in networks]),
        "seeds": json.dumps([int(network["seed"]) for network in networks.values()]),
        "failed": json.dumps([network["failed"] for network in networks.values()]),
        "images": "mnist",
        "config": "docs/real/e1/train.yaml",
        **{key: known[key] for key in ("images_sha256", "precision", "torch")},
        "data": known["images_sha256"],
        "code": known["commit"],
    }
    log = pd.read_csv(source / "training.csv")
    for step in log["step"].unique().tolist():
        tensors = {}
        for layer in ("conv1", "conv2"):
            if (path := source / f"{layer}_{step}.safetensors").exists():
                pooled = load_file(path)[f"{layer}.weight"].astype(np.float32)
                tensors[f"{layer}.weight"] = pooled.reshape(len(networks), -1, *pooled.shape[1:])
        if step == known["step"]:
            files = [load_file(source / f"network-{number}.safetensors") for number in networks]
            tensors["conv2.weight"] = np.stack([file["conv2.weight"] for file in files]).astype(np.float32)
        write_tensors(Path(run.snapshot("mnist", 0, step)), tensors, {**notes, "step": str(step)})
    rows = [TrainingRow(**row, own_images=row["images"] == "mnist") for row in log.to_dict("records")]
    write_table(Path(run.part("training", "mnist", 0)), TrainingRow.table(rows), TrainingRow.schema, notes)
    print(f"{len(networks)} networks")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
