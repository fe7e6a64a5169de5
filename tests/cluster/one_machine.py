"""A real SLURM cluster on this machine for tests: munge, a controller, two nodes; no systemd, cgroups or database.

    python tests/cluster/one_machine.py install | start | stop

Needs root. The configuration must stand in /etc/slurm: inside a job Snakemake's plugin drops SLURM_CONF from the
environment. A configuration that is not this program's own is never touched. Nodes declare more cores and memory than
the machine may have; each has two fake GPUs, which CUDA does not see, so that training falls back to the CPU.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PACKAGES = ("slurmctld", "slurmd", "slurm-client", "munge")
MARK = "# written by tests/cluster/one_machine.py"
SLURM = Path("/etc/slurm")
SOCKET = Path("/run/munge/munge.socket.2")  # another place would not reach every SLURM program
NODES = ("n1", "n2")

CONFIG = """{mark}
ClusterName=one
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort=6817
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={socket}
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool-%n
SlurmctldPidFile={root}/slurmctld.pid
SlurmdPidFile={root}/%n.pid
SlurmctldLogFile={root}/slurmctld.log
SlurmdLogFile={root}/%n.log
# No cgroups: processes are followed by /proc, and killed when they take more memory than they asked for.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerParameters=sched_interval=1,bf_interval=1,sched_min_interval=0,batch_sched_delay=0
MpiDefault=none
ReturnToService=2
SlurmctldTimeout=5
SlurmdTimeout=10
KillWait=2
MinJobAge=300
DefMemPerCPU=100
EnforcePartLimits=ALL
GresTypes=gpu
AccountingStorageType=accounting_storage/none
NodeName=n[1-2] NodeHostname={host} NodeAddr=127.0.0.1 Port=[17001-17002] CPUs=2 RealMemory=8000 Gres=gpu:2
PartitionName=cpu Nodes=ALL Default=YES MaxTime=06:00:00 State=UP
PartitionName=gpu Nodes=ALL MaxTime=06:00:00 State=UP
"""


class Cluster:
    """The cluster; its state lies in one folder.

    Parameters
    ----------
    root : Path
        The folder; short, because sockets have short names.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def refusal(self, install: bool) -> str | None:
        """Say why there can be no cluster here, or None; packages are installed only where that is asked for."""
        if os.geteuid() != 0:
            return "a SLURM cluster of one's own needs root"
        if (conf := SLURM / "slurm.conf").exists() and not conf.read_text().startswith(MARK):
            return f"{conf} belongs to another cluster"
        if all(shutil.which(program) for program in ("slurmctld", "slurmd", "srun", "munged")):
            return None
        if not install:
            return "slurmctld, slurmd and munged are missing; CNN_TOPOLOGY_INSTALL_SLURM=1 lets the test install them"
        done = _apt("update") and _apt("install", "--no-install-recommends", *PACKAGES)
        return None if done else f"the packages {', '.join(PACKAGES)} cannot be installed here"

    def start(self) -> None:
        """Start munge, the controller and both nodes, and wait until the nodes are idle."""
        self._write_config()
        key = self.root / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o600)
        SOCKET.parent.mkdir(parents=True, exist_ok=True)
        munge = ["munged", "--force", "--num-threads=10", f"--key-file={key}", f"--socket={SOCKET}"]
        munge += [f"--{name}-file={self.root}/munged.{name}" for name in ("pid", "log", "seed")]
        subprocess.run(munge, check=True, capture_output=True)
        subprocess.run(["slurmctld"], check=True, capture_output=True)
        for node in NODES:
            self.start_node(node)
        self.wait(lambda: self.states() == dict.fromkeys(NODES, "idle"), 30, "idle nodes")

    def start_node(self, node: str) -> None:
        """Start one node."""
        subprocess.run(["slurmd", "-N", node], check=True, capture_output=True)

    def kill_node(self, node: str) -> None:
        """Let a node die with all it runs; the controller calls it down after ten seconds."""
        jobs = _output("squeue", "--noheader", f"--nodelist={node}", "--format=%A").split()
        _kill(self._pid(node))
        for job in jobs:
            for step in _processes(f"slurmstepd: [{job}."):
                for child in _descendants(step):
                    _kill(child)
                _kill(step)

    def states(self) -> dict[str, str]:
        """Give the state of each node as sinfo has it."""
        lines = _output("sinfo", "--noheader", "--Node", "--partition=cpu", "--format=%N %T").splitlines()
        return dict(line.split() for line in lines)

    def jobs(self) -> list[list[str]]:
        """List running jobs: id, node, comment (the rule and its wildcards)."""
        lines = _output("squeue", "--noheader", "--states=RUNNING", "--format=%A %N %k").splitlines()
        return [line.split(maxsplit=2) for line in lines]

    def wait(self, condition, seconds: float, what: str) -> None:
        """Wait for a condition, or fail with the end of every log."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                logs = "".join(f"\n{path}: {path.read_text()[-800:]}" for path in self.root.glob("*.log"))
                raise TimeoutError(f"no {what} within {seconds} s{logs}")
            time.sleep(0.2)

    def stop(self) -> None:
        """Stop all; the configuration goes first, because with one and no controller every snakemake start hangs."""
        conf = SLURM / "slurm.conf"
        if conf.exists() and conf.read_text().startswith(MARK):
            subprocess.run(["scancel", "--user=root"], check=False, capture_output=True, timeout=20)
            for name in ("slurm.conf", "gres.conf", "cgroup.conf"):
                (SLURM / name).unlink(missing_ok=True)
        for name in (*NODES, "slurmctld", "munged"):
            if (pid := self._pid(name)) is not None:
                _kill(pid, signal.SIGTERM)
        end = time.monotonic() + 10
        while any(self._pid(name) for name in (*NODES, "slurmctld", "munged")) and time.monotonic() < end:
            time.sleep(0.1)
        for name in (*NODES, "slurmctld", "munged"):
            _kill(self._pid(name))

    def _pid(self, name: str) -> int | None:
        path = self.root / f"{name}.pid"
        pid = int(path.read_text()) if path.exists() and path.read_text().strip() else None
        return pid if pid is not None and Path(f"/proc/{pid}").exists() else None

    def _write_config(self) -> None:
        for folder in (self.root / "state", SLURM, *(self.root / f"spool-{node}" for node in NODES)):
            folder.mkdir(parents=True, exist_ok=True)
        for number in range(2):  # twins of /dev/null: SLURM wants a device, CUDA finds none
            gpu = self.root / f"gpu{number}"
            if not gpu.exists():
                os.mknod(gpu, 0o20666, os.makedev(1, 3))
        host = os.uname().nodename.split(".")[0]
        (SLURM / "slurm.conf").write_text(CONFIG.format(mark=MARK, host=host, root=self.root, socket=SOCKET))
        (SLURM / "gres.conf").write_text(f"NodeName=n[1-2] Name=gpu File={self.root}/gpu[0-1]\n")
        names = ("CgroupAutomount", "ConstrainCores", "ConstrainRAMSpace", "ConstrainDevices")
        (SLURM / "cgroup.conf").write_text("".join(f"{name}=no\n" for name in names))


def _apt(*arguments: str) -> bool:
    if shutil.which("apt-get") is None:
        return False
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", arguments[0], "-y", "-qq", *arguments[1:]]
    try:
        return subprocess.run(command, capture_output=True, env=environment, timeout=300, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False).stdout


def _kill(pid: int | None, number: int = signal.SIGKILL) -> None:
    if pid is not None:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return


def _processes(beginning: str) -> list[int]:
    """Find processes by how their command line begins."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cmdline").read_bytes().replace(b"\0", b" ").startswith(beginning.encode()):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def _descendants(pid: int) -> list[int]:
    """List the children of a process, theirs, and so on."""
    try:
        children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return [*children, *(leaf for child in children for leaf in _descendants(child))]


if __name__ == "__main__":
    cluster = Cluster(Path(tempfile.gettempdir()) / "one-machine-slurm")
    action = sys.argv[1] if len(sys.argv) == 2 else "help"
    if action == "install":
        sys.exit(cluster.refusal(install=True))
    elif action == "start":
        cluster.root.mkdir(parents=True, exist_ok=True)
        sys.exit(cluster.refusal(install=False) or cluster.start())
    elif action == "stop":
        cluster.stop()
    else:
        sys.exit(__doc__)
