"""Runs: the jobs that Snakemake plans, what each is asked to do, the starts, and the logs."""
