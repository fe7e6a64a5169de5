"""How far a run is, by stage: how many of its jobs are done, and how long the rest will take by the forecasts.

A stage is the file of `workflow/rules/` that a job's rule stands in. The workflow states when it starts which jobs will
run; a logger plugin of Snakemake (`snakemake_logger_plugin_stages`) reports those that begin and end.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from cnn_topology.errors import in_words


@dataclass
class Stages:
    """The jobs of a run.

    Attributes
    ----------
    stages : dict
        Forecast seconds of the jobs of each stage by their number, in the order in which the stages begin.
    running, done : dict and set
        Jobs that have begun, with their stage, and those that have ended.
    """

    stages: dict[str, dict[int, float]] = field(default_factory=dict)
    running: dict[int, str] = field(default_factory=dict)
    done: set[int] = field(default_factory=set)

    def plan(self, jobs: Iterable[tuple[int, str, float]]) -> None:
        """Take the jobs that will run: number, stage and forecast seconds of each."""
        for number, stage, seconds in jobs:
            self.stages.setdefault(stage, {})[number] = seconds

    def begin(self, number: int) -> None:
        """Note that a job has begun."""
        for stage, jobs in self.stages.items():
            if number in jobs:
                self.running[number] = stage

    def end(self, number: int) -> str | None:
        """Note that a job has ended, and return its stage if that is complete now."""
        stage = self.running.pop(number, None)
        self.done.add(number)
        return stage if stage and self.done.issuperset(self.stages[stage]) else None

    def left(self, elapsed: float) -> float | None:
        """Return the seconds that are left: the forecasts of what is not done, at the pace of what is.

        Parameters
        ----------
        elapsed : float
            Seconds since the start.

        Returns
        -------
        float or None
            None before the first job has ended.
        """
        forecasts = {number: seconds for jobs in self.stages.values() for number, seconds in jobs.items()}
        finished = sum(seconds for number, seconds in forecasts.items() if number in self.done)
        return elapsed * (sum(forecasts.values()) - finished) / finished if finished else None

    def of_stage(self, stage: str) -> str:
        """Describe how far a stage is: ``training 1/2``."""
        jobs = self.stages[stage]
        return f"{stage.replace('_', ' ')} {sum(number in self.done for number in jobs)}/{len(jobs)}"

    def line(self, elapsed: float) -> str:
        """Describe what runs and how long the rest will take, in one line."""
        running = " · ".join(map(self.of_stage, dict.fromkeys(self.running.values())))
        total = sum(map(len, self.stages.values()))
        return f"{len(self.done)} of {total} jobs, {in_words(self.left(elapsed))} left" + (
            f": {running}" if running else ""
        )


# Of the run that this process makes.
STAGES = Stages()
