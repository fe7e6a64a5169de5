"""Units and ranges of columns, as they stand in the files and in `docs/tables.md`."""

LENGTH = "distance between unit-norm filters"  # 0 to 2
ACTIVATION = "units of the activations"
RADIANS = "radians"
SHARE = "share, 0 to 1"
PROBABILITY = "probability"
ITERATIONS = "iterations"
COUNT = "count"
NATS = "nats"
RATIO = "ratio"
COEFFICIENT = "coefficient, -1 to 1"
PIXEL = "pixel value, 0 to 255"
