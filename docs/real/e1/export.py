"""Keep what is finished of the population `mnist` of the weights paper at its own size, small enough to commit.

Usage: python docs/real/e1/export.py results/e1 docs/real/e1 COMMIT

Of the finished shards it writes, in float16, `network-000.safetensors` for each network (`conv1.weight` and
`conv2.weight` of the last step), `conv1_100.safetensors` for each snapshot (`conv1.weight` of all networks, one after
the other) and `conv2_0.safetensors` for the first; and the rows of the shards' logs as `training.csv`. `networks.json`
has seed, precision, versions and the SHA-256 of the float32 weights as trained.
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
# A file of PyTorch's order of axes says so: (out, in, 3, 3).
PYTORCH = {"format": "pt"}


def main(run: Path, target: Path, commit: str) -> None:
    """Export every shard whose training log, which is written last, is there."""
    logs = sorted((run / "training/mnist").glob("*.parquet"))
    networks: dict[str, dict[str, object]] = {}
    pooled: dict[tuple[str, int], list[np.ndarray]] = {}
    for log in logs:
        shots = [read_snapshot(path) for path in sorted((run / "snapshots/mnist" / log.stem).glob("*.safetensors"))]
        for layer, shot in [("conv2", shots[0]), *(("conv1", shot) for shot in shots)]:
            pooled.setdefault((layer, shot.step), []).extend(shot.tensors[f"{layer}.weight"])
        last = shots[-1]
        for place, number in enumerate(last.networks):
            weights = {name: np.ascontiguousarray(last.tensors[name][place]) for name in LAYERS}
            halves = {name: weight.astype(np.float16) for name, weight in weights.items()}
            save_file(halves, target / f"network-{number:03d}.safetensors", PYTORCH)
            networks[f"{number:03d}"] = {
                "seed": str(last.seeds[place]),
                "failed": last.failed[place],
                "step": last.step,
                **{name: hashlib.sha256(weight.tobytes()).hexdigest() for name, weight in weights.items()},
                **{key: last.metadata[key] for key in ("precision", "torch", "images_sha256")},
                "commit": commit,
            }
    for (layer, step), weights_at in pooled.items():
        together = np.concatenate(weights_at).astype(np.float16)
        save_file({f"{layer}.weight": together}, target / f"{layer}_{step}.safetensors", PYTORCH)
    training = pd.concat([read_table(log).to_pandas() for log in logs]).sort_values(["network", "step", "split"])
    training.to_csv(target / "training.csv", index=False)
    (target / "networks.json").write_text(json.dumps(networks, indent=1, sort_keys=True) + "\n")
    print(f"{len(networks)} networks")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
