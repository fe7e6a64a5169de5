"""The record of a run: what it took is added up from the logs, and nothing about the machine is demanded."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from job_runs import write_job

from cnn_topology.clouds.threads import usable_cores
from cnn_topology.commands.provenance import (
    checklist,
    commit_of,
    cost_by_rule,
    total_cost,
    versions,
)
from cnn_topology.commands.status import command_of
from cnn_topology.errors import InputError
from cnn_topology.plan.config import parse_config
from cnn_topology.plan.names import RunFolder
from cnn_topology.plan.parameters import CollectParameters
from cnn_topology.runs.machine import code_line, cost_of, logs_of_other_code, machines, processor
from cnn_topology.runs.starts import last_line

NO_GIT = {"commit": None, "changed_files": None, "git_error": "git is not installed"}


def test_costs_of_rules_add_up_and_jobs_that_did_not_end_well_count_as_nothing(tmp_path):
    for rule, item, said in (
        ("train", "a", "# took 3600.00 s, 1800.00 s of CPU time, 900 MB of memory at most\n"),
        ("train/deep", "b", "epoch 1\n# took 3600.00 s, 1800.00 s of CPU time, 950 MB of memory at most\n# more\n"),
        ("x", "c", "# took 1.00 s, 0.00 s of CPU time, 90 MB of memory at most\n"),
        ("train", "failed", "Killed\n"),
        ("failed", "d", ""),
    ):
        path = tmp_path / "logs" / rule / f"{item}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"cnn-topology {rule}\n# on vm: CPU, 2 cores\n{said}")
    rules = cost_by_rule(RunFolder.at(tmp_path))
    assert rules["train"] == {"jobs": 2, "wall_s": 7200.0, "cpu_s": 3600.0, "peak_mb": 950.0}
    assert set(rules) == {"train", "x"}
    total = total_cost(rules)
    assert (total["jobs"], total["cpu_hours"], total["peak_gb_of_a_job"]) == (3, 1.0, 0.95)


def test_logs_that_an_earlier_config_left_are_not_counted(tmp_path):
    for name in ("here", "gone"):
        said = (
            f"cnn-topology train\n# on vm: CPU of {name}\n# took 9.00 s, 8.00 s of CPU time, 90 MB of memory at most\n"
        )
        log = tmp_path / f"logs/train/{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(said)
    run = RunFolder.at(tmp_path)
    assert cost_by_rule(run)["train"]["jobs"] == 2
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts/logs.txt").write_text("train/here.log\ntrain/not begun.log\n")
    assert cost_by_rule(run)["train"] == {"jobs": 1, "wall_s": 9.0, "cpu_s": 8.0, "peak_mb": 90.0}
    assert machines(run) == {"CPU of here": 1, "unknown": 1}


def test_a_process_knows_what_it_took_itself_and_alone(tmp_path):
    parent = bytearray(500_000_000)  # what `getrusage` may count with a child
    hungry = "held = bytearray(300_000_000); [n * n for n in range(3_000_000)]; time.sleep(0.5)"
    measured = []
    for work in (hungry, "pass"):
        code = f"import time; from cnn_topology.runs.machine import cost_line; {work}; print(cost_line())"
        begun = time.perf_counter()
        said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        log = tmp_path / "job.log"
        log.write_text(f"cnn-topology x\n{said}")
        wall, cpu, memory = cost_of(log)
        assert cpu - 0.05 <= wall <= time.perf_counter() - begun + 0.05
        measured.append((wall, cpu, memory))
    assert measured[0][0] > 0.5 + measured[0][1] / 2
    assert measured[0][1] > 0.02
    # The second is small, whatever the process that started it holds.
    assert measured[0][2] > 300 > 100 > measured[1][2]
    assert len(parent) > 1e6 * measured[0][2]


def test_a_log_ends_with_what_the_job_took_unless_it_failed(tmp_path):
    job = write_job(
        tmp_path / "job.json", CollectParameters(run_seed=7), {"nulls": []}, {"tables": tmp_path / "nulls.parquet"}
    )
    verbs = (["job", str(job)], ["status", "none"])
    said = [subprocess.run(["cnn-topology", *verb], capture_output=True, text=True, check=False) for verb in verbs]
    assert [done.returncode for done in said] == [0, 2]
    assert said[0].stderr.splitlines()[-1].startswith("# took ")
    assert "# took" not in said[1].stderr


def _git(folder, *arguments):
    identity = ("-c", "user.name=n", "-c", "user.email=e@example.org")
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


def _tool(folder, name, script):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)
    return str(folder)


def test_a_clone_without_git_has_no_commit(tmp_path, monkeypatch):
    without = commit_of(tmp_path)
    assert (without["commit"], without["changed_files"]) == (None, None)
    assert "not a git repository" in without["git_error"]
    monkeypatch.setenv("PATH", "")
    assert commit_of(tmp_path)["git_error"] == "git is not installed"


def test_a_package_that_merely_lies_in_a_checkout_does_not_have_its_commit(tmp_path):
    _git(tmp_path, "init")
    (tmp_path / "own.txt").write_text("of another project")
    _git(tmp_path, "add", ".")
    _git(tmp_path, "commit", "-m", "one")
    (tmp_path / "site-packages").mkdir()
    assert len(commit_of(tmp_path)["commit"]) == 40
    installed = commit_of(tmp_path / "site-packages")
    assert (installed["commit"], installed["changed_files"]) == (None, None)
    assert "site-packages" in installed["git_error"]


def test_what_git_refuses_to_tell_is_unknown_with_its_reason(tiny, tmp_path, monkeypatch):
    script = 'case "$3" in status) echo "fatal: index file corrupt" >&2; exit 128;; esac; echo abc'
    monkeypatch.setenv("PATH", _tool(tmp_path / "bin", "git", script) + ":" + os.environ["PATH"])
    commit = commit_of(tmp_path)
    assert commit == {"commit": "abc", "changed_files": None, "git_error": "fatal: index file corrupt"}
    total = {
        "jobs": 3.0,
        "cpu_hours": 1.0,
        "wall_hours_of_all_jobs": 2.0,
        "peak_gb_of_a_job": 0.9,
    }
    answers = checklist(parse_config(tiny), {}, total, commit)
    assert "fatal: index file corrupt" in answers["Code"]


def test_a_log_that_cannot_be_read_is_not_an_empty_one(tmp_path):
    (tmp_path / "a.log").mkdir()
    with pytest.raises(InputError, match=r"a\.log"):
        cost_of(tmp_path / "a.log")
    assert cost_of(tmp_path / "b.log") is None


def test_versions_hold_every_library_the_package_names():
    found = versions()
    assert {"python", "system", "cnn-topology", "torch", "numpy", "snakemake", "matplotlib", "gudhi"} <= set(found)
    assert not {"pytest", "sphinx"} & set(found)  # what only tests and documentation need


def test_jobs_of_edited_code_are_counted_and_told(tmp_path, tiny):
    run = RunFolder.at(tmp_path / "results/t")
    for name, verb in (("old", "barcodes"), ("new", "barcodes"), ("other", "images"), ("drawn", "figures")):
        log = Path(run.log("x", name))
        log.parent.mkdir(parents=True, exist_ok=True)
        modules = ["figures.cloud"] if name == "drawn" else []
        code = f"# code {verb} 0123456789ab" if name == "old" else code_line(verb, *modules)
        log.write_text(f"cnn-topology job a.json\n# on x: y\n{code}\nsaid\n")
    Path(run.log("x", "older")).write_text("cnn-topology job a.json\n# on x: y\nof a version that wrote no such line\n")
    assert logs_of_other_code(run) == [Path(run.log("x", "old"))]
    total = {"jobs": 3.0, "cpu_hours": 1.0, "wall_hours_of_all_jobs": 2.0, "peak_gb_of_a_job": 0.9}
    for edited, told in ((1, True), (0, False)):
        answers = checklist(parse_config(tiny), {}, {**total, "jobs_of_other_code": edited}, NO_GIT)
        assert ("edited during the run: 1 jobs" in answers["Code"]) == told


def test_the_checklist_answers_from_the_run(tiny):
    config = parse_config(tiny)
    sets = {"digits": {"train": 80, "test": 20, "shape": [8, 8, 1], "sha256": "ab" * 32, "repeats": ""}}
    total = {"jobs": 3.0, "cpu_hours": 1.0, "wall_hours_of_all_jobs": 2.0, "peak_gb_of_a_job": 0.9}
    answers = checklist(config, sets, total, NO_GIT)
    assert "80 training and 20 test images" in answers["Data and splits"]
    assert "n = 5" in answers["Number of runs and seeds"]
    assert "19 draws" in answers["Error bars"]
    assert "the program searches none" in answers["Hyperparameters"]
    assert "on training images alone" in answers["Data and splits"]
    assert "`training`" in answers["Number of runs and seeds"]
    assert "git is not installed" in answers["Code"]


def test_weights_that_others_trained_get_no_recipe_and_no_promise_about_test_images(tiny):
    total = {"jobs": 3.0, "cpu_hours": 1.0, "wall_hours_of_all_jobs": 2.0, "peak_gb_of_a_job": 0.9}
    own = {"images": "digits", "variant": "mapper", "normalization": "set", "checkpoints": ["one.pt"]}
    config = parse_config({**{key: tiny[key] for key in ("version", "name", "images")}, "resnets": {"own": own}})
    answers = checklist(config, {}, total, NO_GIT)
    assert answers["Hyperparameters"] == "The weights of own were read from files and not trained here."
    assert "trained" not in answers["Data and splits"]
    assert "What the weights of own have seen" in answers["Data and splits"]
    assert answers["Number of runs and seeds"].startswith("own: n = 1. ")
    assert "table" not in answers["Number of runs and seeds"]
    assert "each draw and subset" in answers["Number of runs and seeds"]
    assert "Loops" not in answers["Error bars"]


def test_modules_without_files_are_told_as_initialized(tiny):
    total = {"jobs": 3.0, "cpu_hours": 1.0, "wall_hours_of_all_jobs": 2.0, "peak_gb_of_a_job": 0.9}
    own = {"images": "digits", "module": "nets:Net", "normalization": "set"}
    config = parse_config({**{key: tiny[key] for key in ("version", "name", "images")}, "modules": {"own": own}})
    answers = checklist(config, {}, total, NO_GIT)
    assert answers["Hyperparameters"] == "The networks of own are as they are initialized, not trained."
    assert answers["Data and splits"] == "No images."
    assert "each network, draw" in answers["Number of runs and seeds"]
    assert "table" not in answers["Number of runs and seeds"]
    assert "Loops" not in answers["Error bars"]


def test_populations_of_a_grid_are_listed_with_their_n(tiny):
    total = {"jobs": 3.0, "cpu_hours": 1.0, "wall_hours_of_all_jobs": 2.0, "peak_gb_of_a_job": 0.9}
    answers = checklist(parse_config(tiny), {}, total, NO_GIT)
    assert "a: n = 5; a-d0: n = 2; a-d0_5: n = 2" in answers["Number of runs and seeds"]


def test_machines_of_jobs_are_counted_from_the_second_lines_of_their_logs(tmp_path):
    (tmp_path / "logs").mkdir()
    for name, host, model in (("a", "n1", "CPU X, 8 cores"), ("b", "n2", "CPU X, 8 cores"), ("c", "g1", "CPU Y")):
        (tmp_path / f"logs/{name}.log").write_text(
            f"cnn-topology train\n# on {host}: {model}\nstep 3\n# on no machine\n"
        )
    (tmp_path / "logs/d.log").write_text("cnn-topology train\n")
    assert machines(RunFolder.at(tmp_path)) == {"CPU X, 8 cores": 2, "CPU Y": 1, "unknown": 1}


def test_a_job_says_its_machine_after_the_command_that_repeats_it(tmp_path):
    log = tmp_path / "results/t/logs/train/a.log"
    log.parent.mkdir(parents=True)
    with log.open("w") as file:
        command = [sys.executable, "-m", "cnn_topology.cli", "status", "none"]
        subprocess.run(command, stderr=file, cwd=tmp_path, check=False)
    assert command_of(log) == "cnn-topology status none"
    assert list(machines(RunFolder.at(tmp_path / "results/t"))) == [f"{processor()}, {usable_cores()} cores"]
    assert last_line(log).startswith("cnn-topology status: none: no such run")
    log.write_text("".join(log.read_text().splitlines(keepends=True)[:2]))
    assert last_line(log) is None
    log.write_text(
        "cnn-topology x\n# on vm: CPU, 2 cores\nsaid this\n# took 1.00 s, 1.00 s of CPU time, 9 MB of memory at most\n"
    )
    assert last_line(log) == "said this"
