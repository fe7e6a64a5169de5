"""Measures that compare two layers on the same samples, and tests of such measures: specificity and sensitivity."""
