"""Keep what is finished of the population `mnist` of the weights paper at its own size, small enough to commit.

Usage: python docs/real/e1/export.py results/e1 docs/real/e1 COMMIT

Writes for each network of the finished shards `network-000.safetensors` (`conv1.weight` and `conv2.weight` of the last
step, float16), `steps-000.safetensors` (`conv1.weight` of every snapshot), and the rows of the shards' logs into
`training.csv`; `networks.json` has seed, precision, versions and the SHA-256 of the float32 weights as trained.
"""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors.numpy import save_file

from cnn_topology.storage.tables import read_table
from cnn_topology.training.snapshots import read_snapshot

LAYERS = ("conv1.weight", "conv2.weight")


def main(run: Path, target: Path, commit: str) -> None:
    """Export every shard whose training log, which is written last, is there."""
    logs = sorted((run / "training/mnist").glob("*.parquet"))
    networks: dict[str, dict[str, object]] = {}
    for log in logs:
        shots = [read_snapshot(path) for path in sorted((run / "snapshots/mnist" / log.stem).glob("*.safetensors"))]
        last = shots[-1]
        for place, number in enumerate(last.networks):
            weights = {name: np.ascontiguousarray(last.tensors[name][place]) for name in LAYERS}
            steps = {f"{shot.step:08d}": shot.tensors["conv1.weight"][place].astype(np.float16) for shot in shots}
            halves = {name: weight.astype(np.float16) for name, weight in weights.items()}
            # A file of PyTorch's order of axes says so: (out, in, 3, 3).
            save_file(halves, target / f"network-{number:03d}.safetensors", {"format": "pt"})
            save_file(steps, target / f"steps-{number:03d}.safetensors", {"format": "pt"})
            networks[f"{number:03d}"] = {
                "seed": str(last.seeds[place]),
                "failed": last.failed[place],
                "step": last.step,
                **{name: hashlib.sha256(weight.tobytes()).hexdigest() for name, weight in weights.items()},
                **{key: last.metadata[key] for key in ("precision", "torch", "images_sha256")},
                "commit": commit,
            }
    training = pd.concat([read_table(log).to_pandas() for log in logs]).sort_values(["network", "step", "split"])
    training.to_csv(target / "training.csv", index=False)
    (target / "networks.json").write_text(json.dumps(networks, indent=1, sort_keys=True) + "\n")
    print(f"{len(networks)} networks")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
