"""The benchmark of a GPU: all its parts run on the CPU, and a number that is not the CPU's is an error."""

import re
import sys
from functools import partial
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import gpu

from cnn_topology.forecast import demand

TINY = gpu.Size([4, 2], [4], 2, 4, (1,), [2, 4, 6, 8], 40, 2, 20, 50)


def test_all_parts_run_without_a_gpu_and_agree_with_the_cpu(capsys):
    report = gpu.run(gpu.CPU, TINY)
    assert report.wrong == []
    assert report.cores.keys() == {"networks", "residual networks", "extraction"}
    assert min(report.cores.values()) > 0
    lines = capsys.readouterr().out
    assert all(name in lines for name in (*gpu.PARTS, *gpu.KINDS))
    assert "float16" in lines


def test_a_number_that_is_not_the_cpus_is_named(monkeypatch, capsys):
    monkeypatch.setattr(gpu, "PARTS", {"weights": gpu.same_weights})
    monkeypatch.setattr(gpu, "KINDS", {"plain": gpu.KINDS["plain"]})
    monkeypatch.setattr(gpu, "SAME_WEIGHTS", -1)
    assert gpu.run(gpu.CPU, TINY).wrong == ["plain"]
    assert "WRONG" in capsys.readouterr().out


def test_steps_as_a_graph_and_one_by_one_are_timed():
    images, labels, *_ = gpu.training.load(None)
    stack = partial(gpu.Stack, gpu.Architecture(convolutions=(4,), dense=(4,)), gpu.Recipe(), images, labels, 10)
    assert re.fullmatch(r"[\d.]+ ms a step of 1 as a graph, [\d.]+ one by one", gpu._both_ways(stack, gpu.CPU, TINY))


def test_it_names_the_constants_of_the_forecasts_and_their_files():
    report = gpu.Report(cores={"networks": 412.3, "residual networks": 380.1, "extraction": 60.0})
    named = re.findall(r"(src/\S+): (\w+) = \S+ becomes (\S+)", "\n".join(gpu.changes(report, torch.device("cuda"))))
    assert named == [("src/cnn_topology/forecast/demand.py", "CORES_PER_GPU", "380")]
    assert Path(demand.__file__).as_posix().endswith(named[0][0])
    assert hasattr(demand, named[0][1])


def test_without_a_gpu_it_says_so(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["gpu.py"])
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit, match="--cpu"):
        gpu.main()
