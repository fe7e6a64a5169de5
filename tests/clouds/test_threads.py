"""Work on several threads: at once, in order, and stopped at the first error."""

import signal
import threading

import pytest

from cnn_topology.clouds.threads import mapped
from cnn_topology.errors import InputError


def test_items_are_worked_on_at_once_and_returned_in_order():
    together = threading.Barrier(3)

    def work(item):
        together.wait(timeout=60)  # broken unless three are here at once
        return item, threading.current_thread().name

    items, names = zip(*mapped(work, range(3), 3), strict=True)
    assert items == (0, 1, 2)
    assert len(set(names)) == 3


@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_is_passed_on_and_ends_the_work(threads):
    begun: list[int] = []

    def work(item):
        begun.append(item)
        threading.Event().wait(0.01)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        mapped(work, range(2_000), threads)
    assert len(begun) < 1_000


def test_ctrl_c_begins_no_other_item():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # processes of a parallel pytest ignore Ctrl-C
    begun: list[int] = []

    def work(item):
        begun.append(item)
        if item == 1:
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        threading.Event().wait(0.01)

    try:
        with pytest.raises(KeyboardInterrupt):
            mapped(work, range(2_000), 2)
    finally:
        signal.signal(signal.SIGINT, before)
    assert 1 in begun
    assert len(begun) < 1_000


@pytest.mark.parametrize("threads", [0, 1.5])
def test_no_number_of_threads_is_refused(threads):
    with pytest.raises(InputError, match="threads"):
        mapped(str, [], threads)
