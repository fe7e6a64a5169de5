"""Forecasts of the jobs on whole tables, by the names of the jobs."""

from cnn_topology.forecast.demand import DRAWING, NUMERIC, PLAIN, Demand

SECONDS_PER_FIGURE = 1.2

collect = Demand(PLAIN[0], 600, 1)
controls = Demand(NUMERIC[0], NUMERIC[1])
summary = cross_accuracy = Demand(1.2, 200)
page = Demand(5, 400)
provenance = Demand(1.2, 200)
purity_tests = Demand(2, 800, 1)
improvements = Demand(3, 500, 1)
claims = Demand(3, 3_000, 1)


def figures(count: int) -> Demand:
    """Forecast the drawing of so many figures by one job."""
    return Demand(DRAWING[0] + SECONDS_PER_FIGURE * count, DRAWING[1], 0.6 * count)
