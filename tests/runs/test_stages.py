"""A run's progress: stages by the file of their rules, the time left by forecasts, errors in full."""

import io
import logging

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

from cnn_topology.errors import in_words
from cnn_topology.runs.stages import Stages
from snakemake_logger_plugin_stages import LogHandler

JOBS = [(1, "training", 60.0), (2, "training", 60.0), (3, "figures", 30.0), (4, "page", 0.0)]


def test_the_time_left_follows_from_forecasts_at_the_pace_so_far():
    run = Stages()
    run.plan(JOBS)
    assert run.left(5) is None
    run.begin(1)
    run.begin(2)
    assert run.end(1) is None
    # 60 of the 150 forecast seconds took 20: the other 90 take 30.
    assert run.left(20) == pytest.approx(30)
    assert run.line(20) == "1 of 4 jobs, 30 s left: training 1/2"
    assert run.end(2) == "training"
    run.begin(3)
    assert run.line(40) == "2 of 4 jobs, 10 s left: figures 0/1"
    assert run.end(3) == "figures"
    assert run.left(50) == 0


def test_times_are_told_in_the_unit_that_fits():
    assert [in_words(seconds) for seconds in (None, 8, 200, 9_000)] == ["unknown time", "8 s", "3 min", "2.5 h"]


def record(level, message="", **about):
    made = logging.LogRecord("snakemake", level, "", 0, message, None, None)
    vars(made).update(about)
    return made


@pytest.mark.parametrize("terminal", [True, False])
def test_the_handler_writes_finished_stages_and_errors_and_renews_its_line_in_a_terminal_only(
    terminal, capsys, monkeypatch
):
    handler = LogHandler(None, None)
    handler.stages = Stages()
    handler.stages.plan(JOBS)
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal)
    handler.emit(record(logging.INFO, "rule train"))
    for number in (1, 2):
        handler.emit(record(logging.INFO, event=LogEvent.JOB_INFO, jobid=number))
        handler.emit(record(logging.INFO, event=LogEvent.JOB_FINISHED, job_id=number))
    handler.emit(record(logging.ERROR, "disk full"))
    written = capsys.readouterr().err
    assert "rule train" not in written
    assert "training 2/2 after" in written
    assert "disk full" in written
    assert ("\033[K" in written) == terminal
    assert written.count("\n") == 2


def test_a_terminal_that_lacks_a_letter_is_written_its_number(monkeypatch):
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="strict", write_through=True)
    monkeypatch.setattr("sys.stderr", terminal)
    LogHandler(None, None).emit(record(logging.ERROR, "中.yaml — no such file"))
    assert terminal.buffer.getvalue().decode("ascii") == "\\u4e2d.yaml \\u2014 no such file\n"
