"""Two processes at the same training: the second is refused, and nothing of one gets into the files of the other."""

import errno
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from cnn_topology.errors import InputError
from cnn_topology.training.alone import alone
from cnn_topology.training.checkpoints import StackFolder

HOLD = "import sys, time; from pathlib import Path; from cnn_topology.training.alone import alone\n"
HOLD += "with alone(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)\n"


@pytest.fixture
def holder(tmp_path):
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path / "0000")], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def test_a_second_process_is_refused_until_the_first_was_killed(holder, tmp_path):
    folder = tmp_path / "0000"
    folder.mkdir()
    refusal = rf"0000: process {holder.pid} on .* wait for it to end, or end it"
    with pytest.raises(InputError, match=refusal), alone(folder):
        pytest.fail("two are at work")
    assert folder.exists(), "the folder of the first was removed"
    os.kill(holder.pid, signal.SIGKILL)
    assert holder.wait() == -signal.SIGKILL
    with alone(folder):
        assert folder.exists()
    assert list(tmp_path.iterdir()) == []


def test_the_folder_stays_after_an_error_and_the_lock_does_not(tmp_path):
    folder = tmp_path / "resume/0000"
    folder.mkdir(parents=True)
    with pytest.raises(InputError, match="of the job"), alone(folder):
        raise InputError("of the job")
    assert [path.name for path in folder.parent.iterdir()] == ["0000"]


def test_a_lock_that_its_holder_removed_at_that_moment_holds_nothing(tmp_path, monkeypatch):
    def flock(file, how):
        (tmp_path / "0000.lock").unlink()

    monkeypatch.setattr("fcntl.flock", flock)
    with pytest.raises(InputError, match="is training the same networks"), alone(tmp_path / "0000"):
        pytest.fail("nothing is held")


def test_a_file_system_without_locks_still_trains(tmp_path, monkeypatch):
    asked = []

    def flock(file, how):
        asked.append(file.name)
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", flock)
    with alone(tmp_path / "0000"):
        (tmp_path / "0000").mkdir()
    assert asked == [str(tmp_path / "0000.lock")]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("other", "step"), [("removed", 5), ("another", 5), ("mine", 0)])
def test_snapshots_that_another_process_replaced_are_never_taken_for_ones_own(other, step, tmp_path):
    mine = StackFolder(tmp_path, "mine")
    for each in (0, 5):
        mine.add(each, {"w": np.zeros(2)}, [{"step": each}])
    mine.flush(None)
    (path,) = tmp_path.iterdir()
    if other == "removed":
        path.unlink()
    else:
        # A second copy of the same job may have had other steps to write when it wrote.
        second = StackFolder(tmp_path / "second", other)
        second.add(5, {"w": np.ones(2)}, [{"step": 5}])
        second.flush(None)
        (tmp_path / "second" / path.name).replace(path)
    with pytest.raises(InputError, match=r"removed or altered while this job was training.* start again"):
        mine.snapshot(step)
