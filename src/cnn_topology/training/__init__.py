"""Training of a population, many networks in one job; every network depends on its own seed and on nothing else."""
