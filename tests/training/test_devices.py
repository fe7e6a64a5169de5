"""Settings of a training job hold inside its block, on either kind of device, and nowhere else."""

import os

import pytest
import torch

from cnn_topology.training.devices import settings


def _now():
    cudnn = torch.backends.cudnn
    return torch.get_num_threads(), torch.get_deterministic_debug_mode(), cudnn.deterministic, cudnn.allow_tf32


@pytest.mark.parametrize(("device", "mode"), [("cpu", 2), ("cuda", 1)])
def test_a_job_is_repeatable_and_leaves_the_process_as_it_was(device, mode, monkeypatch):
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")  # kept, and given back after the test
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG")
    before = _now()
    with settings(torch.device(device), 1):
        threads, found, *cudnn = _now()
        assert (threads, found) == (1, mode)
        # Deterministic, and all digits of float32.
        assert cudnn == ([True, False] if device == "cuda" else list(before[2:]))
    assert _now() == before


def test_what_the_user_says_of_the_workspace_stays(monkeypatch):
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    with settings(torch.device("cuda"), 1):
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":16:8"
