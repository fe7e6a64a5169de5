"""Figures of a run: one module per kind, each drawing one thing from tables alone."""
