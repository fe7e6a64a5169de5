"""`snakemake --logger stages`: one renewed line with the time left, a line for each finished stage, and errors.

Snakemake finds logger plugins by the name of their module. Where the output is no terminal there are only the lines
that stay.
"""

import logging
import sys
import time

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from cnn_topology.errors import escape_unprintable, in_words
from cnn_topology.runs.stages import STAGES

CLEAR = "\r\033[K"


class LogHandler(LogHandlerBase):
    """Writes how far the run is to standard error."""

    writes_to_stream = True
    writes_to_file = False
    has_filter = True
    has_formatter = False
    needs_rulegraph = False

    def __post_init__(self) -> None:
        """Start the clock."""
        escape_unprintable()
        self.stages, self.start = STAGES, time.monotonic()

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record: a job that begins or ends, or something to be told."""
        about = vars(record)
        event, lasting, line = about.get("event"), None, ""
        if event == LogEvent.JOB_INFO:
            self.stages.begin(about["jobid"])
            line = self.stages.line(time.monotonic() - self.start)
        elif event == LogEvent.JOB_FINISHED:
            stage, elapsed = self.stages.end(about["job_id"]), time.monotonic() - self.start
            lasting = stage and f"{self.stages.of_stage(stage)} after {in_words(elapsed)}"
            line = self.stages.line(elapsed) if self.stages.running else ""
        elif record.levelno >= logging.WARNING:
            lasting = self.format(record)  # the line comes back with the next job
        else:
            return
        terminal = sys.stderr.isatty()
        if terminal:
            print(CLEAR, end="", file=sys.stderr)
        if lasting:
            print(lasting, file=sys.stderr)
        if terminal:
            print(line, end="", file=sys.stderr)
        sys.stderr.flush()
