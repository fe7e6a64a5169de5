"""No command of a job grows with the number of its files."""

import numpy as np
from whole_runs import Run

from cnn_topology.training.snapshots import read_snapshot

FILES = 1_500


def test_1500_checkpoint_files_with_long_names_are_imported(tmp_path):
    """Their names together are longer than what a shell takes as one argument, 128 KiB."""
    paths = [tmp_path / f"{'network-of-a-long-name-' * 8}{number:04d}.npz" for number in range(FILES)]
    assert sum(len(str(path)) for path in paths) > 2 * 128 * 1024
    for number, path in enumerate(paths):
        kernels = np.random.default_rng(number).normal(size=(2, 2, 3, 3)).astype(np.float32)
        np.savez(path, **{"conv1.weight": kernels})
    config = {
        "version": 2,
        "name": "tiny",
        "checkpoints": {"mine": {"kind": "files", "files": list(map(str, paths))}},
        "clouds": [{"layers": "all", "densities": [{"k": 0.05, "p": 0.5}]}],
    }
    run = Run(tmp_path / "run", config)
    status, said = run.make("results/tiny/snapshots/mine/0000/00000000.safetensors")
    assert status == 0, said[-3000:]
    snapshot = read_snapshot(run.results / "snapshots/mine/0000/00000000.safetensors")
    assert snapshot.networks == tuple(range(FILES))
