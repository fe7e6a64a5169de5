"""What a killed training of a residual network goes on from: one file, replaced as it trains, checked when read."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from cnn_topology.storage.tensors import write_tensors
from cnn_topology.training.checkpoints import read_own

_MODEL, _MOMENTUM, _BEST = "model/", "momentum/", "best/"


@dataclass
class Progress:
    """How far a training has come.

    Attributes
    ----------
    step : int
        Iterations done.
    sums : list of float
        Of the epoch under way: losses, right answers, images.
    rows : list of dict
        Rows of the log, one per finished epoch.
    best : dict of str to ndarray, optional
        Weights of the best epoch, where these are wanted.
    """

    step: int = 0
    sums: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    rows: list[dict[str, Any]] = field(default_factory=list)
    best: dict[str, np.ndarray] | None = None


class ResumeFile:
    """The state of one training in a private folder; a state of another job, or a damaged one, counts as not there.

    Parameters
    ----------
    folder : Path
        Folder of the job.
    identity : str
        Hash of all that its bytes depend on.
    """

    def __init__(self, folder: Path, identity: str) -> None:
        self.path, self.identity = folder / "state.safetensors", identity

    def save(
        self, network: nn.Module, optimizer: torch.optim.Optimizer, scaler: torch.amp.GradScaler, progress: Progress
    ) -> None:
        """Write weights, momenta, the scaler of gradients and the progress, atomically."""
        tensors = {_MODEL + name: tensor.cpu().numpy() for name, tensor in network.state_dict().items()}
        for name, parameter in network.named_parameters():
            if (momentum := optimizer.state[parameter].get("momentum_buffer")) is not None:
                tensors[_MOMENTUM + name] = momentum.cpu().numpy()
        tensors |= {_BEST + name: array for name, array in (progress.best or {}).items()}
        content = {"step": progress.step, "sums": progress.sums, "rows": progress.rows, "scaler": scaler.state_dict()}
        write_tensors(self.path, tensors, {"identity": self.identity, "progress": json.dumps(content)})

    def restore(
        self, network: nn.Module, optimizer: torch.optim.Optimizer, scaler: torch.amp.GradScaler
    ) -> Progress | None:
        """Put a saved state back in place; None if there is none of this job."""
        if (read := read_own(self.path, self.identity)) is None:
            return None
        tensors, metadata = read
        network.load_state_dict(_part(tensors, _MODEL))
        momenta = _part(tensors, _MOMENTUM)
        for name, parameter in network.named_parameters():
            if name in momenta:
                # Laid out as the weights are, or the optimizer would lose its fast path.
                optimizer.state[parameter]["momentum_buffer"] = torch.empty_like(parameter).copy_(momenta[name])
        content = json.loads(metadata["progress"])
        if content["scaler"]:
            scaler.load_state_dict(content["scaler"])
        best = {name: tensor.numpy() for name, tensor in _part(tensors, _BEST).items()}
        return Progress(content["step"], content["sums"], content["rows"], best or None)


def _part(tensors: dict[str, np.ndarray], prefix: str) -> dict[str, torch.Tensor]:
    return {
        name.removeprefix(prefix): torch.from_numpy(array) for name, array in tensors.items() if name.startswith(prefix)
    }
