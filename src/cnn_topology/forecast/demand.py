"""What a job asks for: its forecast with margins, and the measured constants that forecasts share.

Seconds are those of one shared core of an AMD EPYC with bfloat16 products or an Intel Xeon, fitted to whole runs and to
`benchmarks/results`; `benchmarks/forecasts.py` compares forecast and outcome of a run. A job asks for several times as
much, and for more at each retry.
"""

import math
from dataclasses import dataclass

# What a job may take beyond its forecast before a cluster stops it, and the least it asks for: two live Snakemakes
# around it take 200 to 330 MB, and times wander by 2.5 on a shared machine.
TIME_MARGIN, LEAST_MINUTES = 4.0, 15
MEMORY_MARGIN, LEAST_MB = 1.3, 1_000
# Start of an interpreter with the libraries of a job, seconds, and what it then holds, MB.
PLAIN, NUMERIC, TORCH, DRAWING = (0.8, 130), (1.4, 260), (4.0, 1_000), (2.0, 380)

# Training on the CPU: seconds per value of a convolution's output, and per product of a forward pass, for one image of
# one iteration of one network (M(64, 8, 64): 9.4 ms an iteration of 128 images; M(64, 32, 64): 23 ms).
SECONDS_PER_VALUE, SECONDS_PER_PRODUCT = 4.4e-10, 3.7e-11
# Ours, not measured: how many such cores one GPU is worth in training.
CORES_PER_GPU = 30.0


@dataclass(frozen=True)
class Demand:
    """The forecast of one job: wall seconds on one core or its GPU, peak memory and lasting files in MB, GPUs."""

    seconds: float
    memory_mb: float
    disk_mb: float = 0.0
    gpus: int = 0

    def limit_mb(self, attempt: int = 1) -> int:
        """Return the memory to ask for, MB."""
        return attempt * max(LEAST_MB, math.ceil(MEMORY_MARGIN * self.memory_mb / 100) * 100)

    def limit_minutes(self, attempt: int = 1) -> int:
        """Return the run time to ask for, minutes."""
        return attempt * max(LEAST_MINUTES, math.ceil(TIME_MARGIN * self.seconds / 60))
