"""Processes below another one are seen whichever thread started them, and tell when they have ended."""

import subprocess
import sys

import pytest
from processes import descendants, ended, frozen, wait_for, workers

# A thread starts a shell, the shell a program: what Snakemake does with each job.
STARTS = """
import subprocess, sys, threading
thread = threading.Thread(target=lambda: subprocess.run(sys.argv[1:]))
thread.start()
thread.join()
"""


@pytest.fixture
def job(tmp_path):
    """Return a process that has a worker below it, and the process id of that worker."""
    (tmp_path / "bin").mkdir()
    verb = tmp_path / "bin/cnn-topology"
    verb.write_text("import os, time; print(os.getpid(), flush=True); time.sleep(60)")
    shell = ["bash", "-c", f"{sys.executable} {verb} train; true"]
    command = [sys.executable, "-c", STARTS, *shell]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
        pid = int(process.stdout.readline())
        yield process, pid
        for each in descendants(process.pid):
            each.kill()


def test_what_another_thread_started_is_seen(job):
    process, pid = job
    shell, verb = descendants(process.pid)
    assert (shell.name(), verb.pid) == ("bash", pid)
    assert [each.pid for each in workers(process.pid)] == [pid]


def test_a_worker_has_ended_once_it_was_killed_and_not_before(job):
    process, _ = job
    with frozen(process.pid):
        (worker,) = workers(process.pid)
        assert not ended(worker)
        worker.kill()
        wait_for(lambda: ended(worker), 10)  # whether or not its shell has waited for it already
        assert workers(process.pid) == []
    assert process.wait(10) == 0
    assert descendants(process.pid) == []
