"""A tiny whole run through a real SLURM of one machine, while its config is edited and through faults: the same tables.

Skipped, with the reason, where there is no root or no SLURM. CNN_TOPOLOGY_INSTALL_SLURM=1 lets it install SLURM. The
cluster has an accounting database, as most clusters have, where its packages can be had: the first run then asks
`sacct` how its jobs are, and the runs with faults ask `squeue`, as the profile has it. CNN_TOPOLOGY_SLURM_ACCOUNTING=0
leaves the database out, and all runs ask `squeue`.
"""

import copy
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import one_machine
import pytest
import yaml
from processes import ended, wait_for

from cnn_topology.storage.tables import read_table

ROOT = Path(__file__).parents[2]
# A job here takes eight seconds, mostly Snakemake's starts. After each look that finds none ended the plugin waits ten
# seconds more than before, so the first look shall find one.
FASTER = (
    ("status-checks: 65", "status-checks: 10"),
    ("checks-per-second: 0.2", "checks-per-second: 2"),
    ("latency-wait: 60", "latency-wait: 10"),
)
TABLES = ("training", "barcodes", "loops", "filters", "nulls", "controls")


@pytest.fixture(scope="module")
def cluster():
    """Return the running cluster; processes of a parallel pytest take turns, because there is one /etc/slurm."""
    root = Path(tempfile.gettempdir()) / "cnn-topology-slurm"
    root.mkdir(exist_ok=True)
    with (root / one_machine.TURN).open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        here = one_machine.Cluster(root, accounting=os.environ.get("CNN_TOPOLOGY_SLURM_ACCOUNTING") != "0")
        install = os.environ.get("CNN_TOPOLOGY_INSTALL_SLURM") == "1"
        reason = here.refusal(install)
        if reason and here.accounting:
            print(f"no accounting database: {reason}")
            here = one_machine.Cluster(root)
            reason = here.refusal(install)
        if reason:
            pytest.skip(reason)
        try:
            here.start()
            yield here
        finally:
            here.stop()
            shutil.rmtree(root)


@pytest.fixture(scope="module")
def config(smallest):
    """Return a run of some twenty jobs that still trains, gathers, tests and collects."""
    kept = ("version", "name", "seed", "images", "populations", "significance", "controls")
    config = copy.deepcopy({key: smallest[key] for key in kept})
    config["populations"]["a"]["networks_per_job"] = 3
    jobs = {"steps_per_job": 9, "gpus": 1}
    return {**config, "clouds": smallest["clouds"][:1], "mapper": None, "figures": [], "jobs": jobs}


@pytest.fixture(scope="module")
def expected(config, tmp_path_factory):
    """Return the tables of the same run made without a cluster."""
    folder = tmp_path_factory.mktemp("local")
    command = _command(folder, config, TABLES, "--workflow-profile", str(ROOT / "profiles/default"), "--cores", "2")
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return _tables(folder, TABLES)


def _command(folder, config, names, *arguments):
    (folder / "run.yaml").write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    # The tables alone: what is made of them, page and report of the run, adds nothing to what a cluster can do.
    tables = [f"results/tiny/tables/{name}.parquet" for name in names]
    return [*command, *tables, "--configfile", str(folder / "run.yaml"), *arguments]


def _tables(folder, names):
    return {name: read_table(folder / f"results/tiny/tables/{name}.parquet") for name in names}


class Submitted:
    """A run through the project's SLURM profile, polled faster than on a cluster that others use."""

    def __init__(self, folder, config, names, *arguments):
        profile = folder / "profile"
        if not profile.exists():
            shutil.copytree(ROOT / "profiles/slurm", profile)
            text = (profile / "config.yaml").read_text()
            for pair in FASTER:
                assert pair[0] in text
                text = text.replace(*pair)
            (profile / "config.yaml").write_text(text)
        environment = {**os.environ, "SBATCH_ACCOUNT": one_machine.ACCOUNT, "OMP_NUM_THREADS": "1"}
        environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
        self.folder, self.said = folder, folder / "said.txt"
        with self.said.open("ab") as said:
            self.process = subprocess.Popen(
                _command(folder, config, names, "--workflow-profile", str(profile), *arguments),
                cwd=folder, env=environment, stdout=said, stderr=said, start_new_session=True,
            )  # fmt: skip

    def finish(self, seconds=300):
        """Wait for the end; a hang is a failure."""
        try:
            status = self.process.wait(seconds)
        finally:
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
        assert status == 0, self.said.read_text()[-6000:]
        return self.said.read_text()

    def job(self, cluster, rule, seconds=120):
        """Wait until a job of a rule runs and give its id and node."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            for number, node, comment in cluster.jobs():
                if rule in comment:
                    return number, node
            time.sleep(0.2)
        raise AssertionError(f"no job of {rule}: {self.said.read_text()[-4000:]}")


def _same(folder, expected, names):
    made = _tables(folder, names)
    assert [name for name in names if not made[name].equals(expected[name])] == []


def test_a_run_through_slurm_uses_both_nodes_and_a_gpu_and_gives_the_same_tables(cluster, config, expected, tmp_path):
    asked = ["--slurm-status-command", "sacct"] if cluster.accounting else []
    run, nodes, gpus = Submitted(tmp_path, config, TABLES, *asked), set(), set()
    # Jobs take the config of their start, though its file is edited while they wait.
    run.job(cluster, "train_a")
    edited = copy.deepcopy(config)
    edited["significance"]["draws"], edited["controls"] = 39, {"points": 90}
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(edited))
    while run.process.poll() is None:
        nodes |= {node for _, node, _ in cluster.jobs()}
        asked = subprocess.run(["squeue", "-h", "-o", "%P %b"], capture_output=True, text=True, check=True).stdout
        gpus |= {line for line in asked.splitlines() if "gpu" in line}
        time.sleep(0.3)
    said = run.finish()
    if cluster.accounting:
        assert set(cluster.accounted(said)) == {"COMPLETED"}
    assert nodes == set(one_machine.NODES)
    assert gpus
    assert all(line.startswith("gpu ") for line in gpus)
    _same(tmp_path, expected, TABLES)


def test_the_profile_asks_no_squeue_that_could_forget_a_job_between_two_looks():
    """The plugin looks every 180 s at last, and asks sacct where MinJobAge is below three times its first interval."""
    profile = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())
    assert profile["slurm-status-command"] == "squeue"
    assert 3 * profile["slurm-init-seconds-before-status-checks"] > 180


@pytest.mark.soak
def test_jobs_that_squeue_forgets_at_once_do_end(cluster, config, expected, tmp_path):
    if not cluster.accounting:
        pytest.skip("without an accounting database nothing knows of jobs that squeue has forgotten")
    conf = one_machine.SLURM / "slurm.conf"
    before = conf.read_text()
    conf.write_text(before.replace("MinJobAge=300", "MinJobAge=5"))
    try:
        subprocess.run(["scontrol", "reconfigure"], check=True)
        said = Submitted(tmp_path, config, ("training",)).finish()
    finally:
        conf.write_text(before)
        subprocess.run(["scontrol", "reconfigure"], check=True)
    assert "MinJobAge=5" in said
    _same(tmp_path, expected, ("training",))


@pytest.mark.soak
def test_a_cancelled_job_and_one_out_of_memory_pass_on_their_retries(cluster, config, expected, tmp_path):
    # Training takes 800 MB: 600 are too little, the retry asks for twice as much.
    tables = ("training", "barcodes")
    run = Submitted(tmp_path, config, tables, "--set-resources", "train_a:mem_mb=600 * attempt")
    training, _ = run.job(cluster, "train_a")
    wait_for(lambda: cluster.over_memory(training), 120)
    barcodes, _ = run.job(cluster, "compute_barcodes", 240)
    subprocess.run(["scancel", barcodes], check=True)
    wait_for(lambda: cluster.state(barcodes) == "CANCELLED", 60)
    said = run.finish()
    assert "Error in rule train_a" in said
    assert "Error in rule compute_barcodes" in said
    _same(tmp_path, expected, tables)


def test_a_node_that_dies_and_a_killed_snakemake_lose_nothing(cluster, config, expected, tmp_path):
    tables = ("training",)
    run = Submitted(tmp_path, config, tables)
    number, _ = run.job(cluster, "train_a")
    os.killpg(run.process.pid, signal.SIGKILL)
    assert run.process.wait() == -signal.SIGKILL
    assert cluster.state(number) == "RUNNING"
    # What a person does: stop what still runs, free the folder, start again.
    subprocess.run(["scancel", "--user=root"], check=True)
    cluster.wait(lambda: not cluster.jobs(), 30, "end of the cancelled jobs")
    unlock = _command(tmp_path, config, tables, "--workflow-profile", str(ROOT / "profiles/default"), "--unlock")
    subprocess.run(unlock, cwd=tmp_path, check=True, capture_output=True)
    run = Submitted(tmp_path, config, tables)
    number, node = run.job(cluster, "train_a")
    (worker,) = wait_for(lambda: cluster.workers(number), 60)
    killed = cluster.kill_node(node)
    assert worker in killed
    wait_for(lambda: all(map(ended, killed)), 30)
    wait_for(lambda: cluster.state(number) == "NODE_FAIL", 60)
    said = run.finish()
    assert "Error in rule train_a" in said
    _same(tmp_path, expected, tables)
    cluster.start_node(node)
    cluster.wait(lambda: cluster.states()[node] == "idle", 60, "revived node")
