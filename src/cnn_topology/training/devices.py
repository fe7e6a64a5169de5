"""Which device and arithmetic a job uses, and the process settings that make it fast and repeatable."""

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch.utils import deterministic

from cnn_topology.errors import InputError, check_known

# Processor flags of fast bfloat16 products: x86 with AVX-512 or AMX, and ARM.
_BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}
# glibc's mallopt: keep freed memory (M_TRIM_THRESHOLD) and serve large blocks from it (M_MMAP_THRESHOLD).
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _LARGEST_BLOCK, _NEVER = -1, -3, 1 << 30, 2**31 - 1
# Blocks from this size on go back to the system where freed memory is not kept.
_LARGE_BLOCK = 1 << 20


def choose_device(name: str) -> torch.device:
    """Turn ``auto``, ``cpu`` or ``cuda`` into a device.

    Raises
    ------
    InputError
        If `cuda` is asked for where there is none, or the name is another.
    """
    check_known("device", name, ("auto", "cpu", "cuda"))
    present = name != "cpu" and torch.cuda.is_available()
    if name == "cuda" and not present:
        raise InputError("device = cuda: PyTorch finds no CUDA device here; use `auto` or `cpu`.")
    return torch.device("cuda" if present else "cpu")


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """Turn ``auto``, ``float32`` or ``bfloat16`` into a type; `auto` is bfloat16 where the hardware multiplies it."""
    if name == "auto":
        name = "bfloat16" if _has_bfloat16(device) else "float32"
    return {"float32": torch.float32, "bfloat16": torch.bfloat16}[name]


def _has_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    flags = next((line for line in lines if line.lower().startswith(("flags", "features"))), "")
    return not _BFLOAT16_FLAGS.isdisjoint(flags.split())


@contextmanager
def settings(device: torch.device, threads: int, keep_memory: bool = True) -> Iterator[None]:
    """Set threads and deterministic algorithms for the duration of a block, and make freed memory reusable.

    Without the latter every step gives its activations back to the system and pays for fresh pages (measured: 40 % of
    the time of a step). Extraction does without (`keep_memory`): what it keeps between batches pins the holes, and its
    memory grew by 0.2 MB an image. On CUDA an operation without a deterministic algorithm, such as the gradient of
    overlapping pools, warns in the log: a run with it repeats up to rounding. Convolutions in float32 keep all its
    digits there, where PyTorch would round to the ten bits of TF32: activations are compared with those of a CPU.
    """
    cudnn = torch.backends.cudnn
    before = torch.get_num_threads(), torch.get_deterministic_debug_mode(), cudnn.deterministic, cudnn.allow_tf32
    fill = deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    torch.set_num_threads(threads)
    # What `use_deterministic_algorithms` does, without the compiler that it loads: 150 MB and over a second a job.
    torch.set_deterministic_debug_mode("error" if device.type == "cpu" else "warn")
    deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    if device.type == "cuda":
        cudnn.deterministic, cudnn.allow_tf32 = True, False
        # Read when cuBLAS starts: without it products may differ from run to run.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    elif sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        # Stated either way: glibc raises the threshold by itself, and large blocks then end between small ones.
        libc.mallopt(_MMAP_THRESHOLD, _LARGEST_BLOCK if keep_memory else _LARGE_BLOCK)
        libc.mallopt(_TRIM_THRESHOLD, _NEVER if keep_memory else _LARGE_BLOCK)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.set_deterministic_debug_mode(before[1])
        deterministic.fill_uninitialized_memory = fill  # type: ignore[attr-defined]
        cudnn.deterministic, cudnn.allow_tf32 = before[2:]
