"""A real SLURM cluster on this machine for tests: munge, a controller, two nodes, and accounting where asked for.

    python tests/cluster/one_machine.py install | start | stop [--accounting]

Needs root, the packages of the tests, no systemd and no cgroups. The configuration must stand in /etc/slurm: inside a
job Snakemake's plugin drops SLURM_CONF from the environment. A configuration that is not this program's own is never
touched. Nodes declare more cores and memory than the machine may have; each has two fake GPUs, which CUDA does not see,
so that training falls back to the CPU.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from processes import descendants, workers

PACKAGES = {"slurmctld": "slurmctld", "slurmd": "slurmd", "srun": "slurm-client", "munged": "munge"}
ACCOUNTING_PACKAGES = {"slurmdbd": "slurmdbd", "mariadbd": "mariadb-server", "mariadb-install-db": "mariadb-server"}
ACCOUNT = "one"
MARK = "# written by tests/cluster/one_machine.py"
SLURM = Path("/etc/slurm")
SOCKET = Path("/run/munge/munge.socket.2")  # another place would not reach every SLURM program
DATABASE_SOCKET = Path("/run/mysqld/mysqld.sock")  # where slurmdbd looks for it
NODES = ("n1", "n2")
TURN = "turn"  # the lock that lets one test at a time have the cluster
SERVICES = (*NODES, "slurmctld", "slurmdbd", "mariadbd", "munged")

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
{accounting}
NodeName=n[1-2] NodeHostname={host} NodeAddr=127.0.0.1 Port=[17001-17002] CPUs=2 RealMemory=8000 Gres=gpu:2
PartitionName=cpu Nodes=ALL Default=YES MaxTime=06:00:00 State=UP
PartitionName=gpu Nodes=ALL MaxTime=06:00:00 State=UP
"""

NO_ACCOUNTING = "AccountingStorageType=accounting_storage/none"
ACCOUNTING = """AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=localhost
AccountingStoragePort=6819
AccountingStorageEnforce=associations
AccountingStorageTRES=gres/gpu
AccountingStoreFlags=job_comment"""
DATABASE_CONFIG = """{mark}
AuthType=auth/munge
AuthInfo=socket={socket}
DbdHost=localhost
DbdPort=6819
SlurmUser=root
LogFile={root}/slurmdbd.log
PidFile={root}/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=root
StorageLoc=slurm_acct_db
"""


class Cluster:
    """The cluster; its state lies in one folder.

    Parameters
    ----------
    root : Path
        The folder; short, because sockets have short names.
    accounting : bool
        Keep a database of all jobs, so that `sacct` answers and only registered accounts may submit.
    """

    def __init__(self, root: Path, accounting: bool = False) -> None:
        self.root, self.accounting = root, accounting

    def refusal(self, install: bool) -> str | None:
        """Describe why there can be no such cluster here, or None; packages are installed only where asked for."""
        if os.geteuid() != 0:
            return "a SLURM cluster of one's own needs root"
        if foreign := [conf for conf in self._configs() if conf.exists() and not conf.read_text().startswith(MARK)]:
            return f"{foreign[0]} belongs to another cluster"
        if self.accounting and self._pid("mariadbd") is None and _answers(DATABASE_SOCKET):
            return f"{DATABASE_SOCKET} belongs to another database"
        wanted = {**PACKAGES, **(ACCOUNTING_PACKAGES if self.accounting else {})}
        missing = sorted({package for program, package in wanted.items() if not shutil.which(program)})
        if missing and not install:
            return f"not installed: {', '.join(missing)}; CNN_TOPOLOGY_INSTALL_SLURM=1 lets the test install them"
        if missing and not (_apt("update") and _apt("install", "--no-install-recommends", *missing)):
            return f"the packages {', '.join(missing)} cannot be installed here"
        return None

    def start(self) -> None:
        """Start munge, the database, the controller and both nodes anew, and wait until the nodes are idle.

        What a killed test left is ended and forgotten first: a controller would take up its jobs again, and its nodes
        with them.
        """
        self.stop()
        for left in self.root.iterdir():
            if left.is_dir():
                shutil.rmtree(left)
            elif left.name != TURN:
                left.unlink()
        self._write_config()
        key = self.root / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o600)
        SOCKET.parent.mkdir(parents=True, exist_ok=True)
        munge = ["munged", "--force", "--num-threads=10", f"--key-file={key}", f"--socket={SOCKET}"]
        munge += [f"--{name}-file={self.root}/munged.{name}" for name in ("pid", "log", "seed")]
        subprocess.run(munge, check=True, capture_output=True)
        if self.accounting:
            self._start_accounting()
        subprocess.run(["slurmctld"], check=True, capture_output=True)
        for node in NODES:
            self.start_node(node)
        self.wait(lambda: self.states() == dict.fromkeys(NODES, "idle"), 60, "idle nodes")

    def _start_accounting(self) -> None:
        """Start a database of its own and SLURM's door to it, and register who may submit."""
        data = self._pid_file("mariadbd").parent
        for folder in (data, DATABASE_SOCKET.parent):
            folder.mkdir(parents=True, exist_ok=True)
            shutil.chown(folder, "mysql", "mysql")
        install = ["mariadb-install-db", "--user=mysql", f"--datadir={data}", "--skip-test-db"]
        install.append("--auth-root-authentication-method=normal")
        subprocess.run(install, check=True, capture_output=True)
        server = [
            "setsid",
            "--fork",
            "mariadbd",
            "--no-defaults",
            "--user=mysql",
            f"--datadir={data}",
            "--skip-networking",
        ]
        server += [f"--socket={DATABASE_SOCKET}", f"--pid-file={self._pid_file('mariadbd')}"]
        # SLURM's advice on lock waits; what a power cut would lose is of no interest here.
        server += ["--innodb-lock-wait-timeout=900", "--innodb-flush-log-at-trx-commit=0"]
        with (self.root / "mariadbd.log").open("ab") as log:
            subprocess.run(server, stdout=log, stderr=log, check=True)
        asked = ["mariadb", "--no-defaults", f"--socket={DATABASE_SOCKET}", "--execute=select 1"]
        self.wait(lambda: _succeeds(*asked), 60, "database")
        subprocess.run(["slurmdbd"], check=True, capture_output=True)
        self.wait(lambda: _succeeds("sacctmgr", "--noheader", "show", "cluster"), 60, "slurmdbd")
        for entry in (
            ["cluster", "one"],
            ["account", ACCOUNT, "Cluster=one", "Description=tests", "Organization=tests"],
            ["user", "root", f"Account={ACCOUNT}", f"DefaultAccount={ACCOUNT}"],
        ):
            subprocess.run(["sacctmgr", "--immediate", "--quiet", "add", *entry], check=True, capture_output=True)

    def start_node(self, node: str) -> None:
        """Start one node."""
        subprocess.run(["slurmd", "-N", node], check=True, capture_output=True)

    def kill_node(self, node: str) -> list[psutil.Process]:
        """Let a node die with all it runs, and return what died; the controller calls it down after ten seconds."""
        jobs = _output("squeue", "--noheader", f"--nodelist={node}", "--format=%A").split()
        steps = [step for job in jobs for step in _steps(job)]
        killed = [process for step in steps for process in (psutil.Process(step), *descendants(step))]
        _kill(self._pid(node))
        for process in killed:  # the steps first, which would report to the controller that their programs died
            _kill(process.pid)
        return killed

    def workers(self, job: str) -> list[psutil.Process]:
        """List the processes of a job that run a verb of the package."""
        return [worker for step in _steps(job) for worker in workers(step)]

    def states(self) -> dict[str, str]:
        """Return the state of each node as sinfo has it."""
        lines = _output("sinfo", "--noheader", "--Node", "--partition=cpu", "--format=%N %T").splitlines()
        return dict(line.split() for line in lines)

    def jobs(self) -> list[list[str]]:
        """List running jobs: id, node, comment (the rule and its wildcards)."""
        lines = _output("squeue", "--noheader", "--states=RUNNING", "--format=%A %N %k").splitlines()
        return [line.split(maxsplit=2) for line in lines]

    def state(self, job: str) -> str:
        """Return the state of a job, running or ended, as the controller has it."""
        return re.search(r"JobState=(\S+)", _output("scontrol", "--oneliner", "show", "job", job))[1]

    def over_memory(self, job: str) -> bool:
        """Whether a node killed a job that took more memory than it asked for; its state is that of any failed one."""
        logs = "".join((self.root / f"{node}.log").read_text() for node in NODES)
        return re.search(rf"StepId={job}\.\S+ exceeded memory limit .*being killed", logs) is not None

    def accounted(self, said: str) -> list[str]:
        """List what the database has of the states of the jobs that a Snakemake submitted, by what it said."""
        name = re.search(r"SLURM run ID: (\S+)", said)[1]
        return _output("sacct", "-X", "--noheader", "--parsable2", f"--name={name}", "--format=State").split()

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
        if (conf := SLURM / "slurm.conf").exists() and conf.read_text().startswith(MARK):
            if self._pid("slurmctld") is not None:
                subprocess.run(["scancel", "--user=root"], check=False, capture_output=True, timeout=20)
            for path in (*self._configs(), SLURM / "gres.conf", SLURM / "cgroup.conf"):
                path.unlink(missing_ok=True)
        for name in SERVICES:
            pid = self._pid(name)
            _kill(pid, signal.SIGTERM)
            end = time.monotonic() + 10
            while self._pid(name) is not None and time.monotonic() < end:
                time.sleep(0.05)
            _kill(self._pid(name))

    def _configs(self) -> tuple[Path, ...]:
        return (SLURM / "slurm.conf", *((SLURM / "slurmdbd.conf",) if self.accounting else ()))

    def _pid_file(self, name: str) -> Path:
        """Return where a service writes its process id; the database has a user and a folder of its own."""
        return self.root / "database/mariadbd.pid" if name == "mariadbd" else self.root / f"{name}.pid"

    def _pid(self, name: str) -> int | None:
        return _pid_of(self._pid_file(name), "slurmd" if name in NODES else name)

    def _write_config(self) -> None:
        for folder in (self.root / "state", SLURM, *(self.root / f"spool-{node}" for node in NODES)):
            folder.mkdir(parents=True, exist_ok=True)
        for number in range(2):  # twins of /dev/null: SLURM wants a device, CUDA finds none
            gpu = self.root / f"gpu{number}"
            if not gpu.exists():
                os.mknod(gpu, 0o20666, os.makedev(1, 3))
        host = os.uname().nodename.split(".")[0]
        accounting = ACCOUNTING if self.accounting else NO_ACCOUNTING
        where = {"mark": MARK, "root": self.root, "socket": SOCKET}
        (SLURM / "slurm.conf").write_text(CONFIG.format(**where, host=host, accounting=accounting))
        if self.accounting:
            (SLURM / "slurmdbd.conf").touch(mode=0o600)
            (SLURM / "slurmdbd.conf").write_text(DATABASE_CONFIG.format(**where))
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


def _pid_of(path: Path, program: str) -> int | None:
    """Read a process id; None where no process of this program has it (a new start gives old numbers out again)."""
    try:
        pid = int(path.read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes()  # empty for one that has died and was not fetched
    except (OSError, ValueError):  # a service that ends takes the file away; one that starts fills it later
        return None
    return pid if Path(command.split(b"\0")[0].decode()).name == program else None


def _answers(path: Path) -> bool:
    """Return whether a program listens at a socket; the file alone may be what a killed one left."""
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


def _succeeds(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, timeout=20, check=False).returncode == 0


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


def _steps(job: str) -> list[int]:
    """Find the processes of SLURM that watch over the steps of a job."""
    return _processes(f"slurmstepd: [{job}.")


if __name__ == "__main__":
    cluster = Cluster(Path(tempfile.gettempdir()) / "one-machine-slurm", accounting="--accounting" in sys.argv)
    action = sys.argv[1] if len(sys.argv) > 1 else "help"
    if action == "install":
        sys.exit(cluster.refusal(install=True))
    elif action == "start":
        cluster.root.mkdir(parents=True, exist_ok=True)
        sys.exit(cluster.refusal(install=False) or cluster.start())
    elif action == "stop":
        cluster.stop()
    else:
        sys.exit(__doc__)
