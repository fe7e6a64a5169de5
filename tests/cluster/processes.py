"""Processes below another one, whichever of its threads started them, for tests that kill them."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil


def descendants(pid: int) -> list[psutil.Process]:
    """Return the children of a process, theirs, and so on; none of a process that has ended.

    They are those that have it as a parent. `/proc/<pid>/task/<pid>/children` has the children of the main thread
    alone, and Snakemake starts its jobs from other threads.
    """
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def workers(pid: int) -> list[psutil.Process]:
    """Return the processes below a Snakemake that run a verb of the package, without the shells that started them."""
    return [process for process in descendants(pid) if _program(process) == "cnn-topology"]


def _program(process: psutil.Process) -> str | None:
    """Return the name of the script that a process of an interpreter runs; None once it has ended."""
    try:
        command = process.cmdline()
    except psutil.NoSuchProcess:  # also of a zombie
        return None
    return Path(command[1]).name if len(command) > 1 else None


def ended(process: psutil.Process) -> bool:
    """Whether a process is at work no longer; where nobody waits for it, it may stay in the list of processes."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@contextmanager
def frozen(group: int) -> Iterator[None]:
    """Stop all processes of a group for a while: those that are seen alive then are alive when they are killed."""
    os.killpg(group, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(group, signal.SIGCONT)


def wait_for(condition: Callable[[], Any], seconds: float) -> Any:
    """Wait until a condition holds and return its value."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise TimeoutError(f"what a test waits for did not come within {seconds} s")
        time.sleep(0.05)
    return value
