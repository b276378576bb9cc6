"""Signals that stop a run between two frames, and the handlers that they meet."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from femtodriver.stop_signals import (
    Ended,
    FrameBrokenError,
    Stop,
    breakable,
    end_by_signal,
    ending_signals,
    exiting_signals,
)

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in SIGNALS}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def handlers() -> list[Any]:
    return [signal.getsignal(number) for number in SIGNALS]


def test_the_first_ctrl_c_only_asks_and_the_second_ends_us() -> None:
    stop = Stop()
    before = handlers()
    with stop.on_signals():
        assert not stop.asked
        signal.raise_signal(signal.SIGINT)
        assert (stop.asked, stop.reason, stop.number) == (True, "interrupted", signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert handlers() == before


def test_sigterm_asks_where_it_would_have_raised() -> None:
    stop = Stop()
    with ending_signals():
        with stop.on_signals():
            signal.raise_signal(signal.SIGTERM)
            assert (stop.reason, stop.number) == ("ended by SIGTERM", signal.SIGTERM)
            with pytest.raises(Ended) as ended:
                signal.raise_signal(signal.SIGTERM)
            assert ended.value.signal is signal.SIGTERM
        assert signal.getsignal(signal.SIGTERM) is end_by_signal
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_handlers_of_an_application_stay() -> None:
    seen: list[int] = []
    signal.signal(signal.SIGINT, lambda number, frame: seen.append(number))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    before = handlers()
    stop = Stop()
    with ending_signals(), stop.on_signals():
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGHUP)] == [before[0], before[2]]
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGHUP)
    assert seen == [signal.SIGINT]
    assert not stop.asked


def test_another_thread_touches_no_handler() -> None:
    found: list[Any] = []

    def work() -> None:
        with ending_signals(), Stop().on_signals():
            found.extend(handlers())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == handlers()


def test_the_first_reason_counts() -> None:
    stop = Stop()
    stop.ask("the reader has gone", 13)
    stop.ask("interrupted", 2)
    assert (stop.reason, stop.number) == ("the reader has gone", 13)


def test_signals_that_exit_do_so_until_the_last_has_given_them_back() -> None:
    first, second = exiting_signals(), exiting_signals()
    first()
    first()
    with pytest.raises(SystemExit) as ended:
        os.kill(os.getpid(), signal.SIGTERM)
    assert ended.value.code == 128 + signal.SIGTERM
    second()
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    exiting_signals()()
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN


def test_a_frame_that_may_never_end_is_broken() -> None:
    stop = Stop()
    with stop.on_signals():
        with pytest.raises(FrameBrokenError), breakable():
            signal.raise_signal(signal.SIGINT)
        assert stop.reason == "interrupted"
        with pytest.raises(FrameBrokenError), breakable():  # asked before it began
            pytest.fail("the frame must not begin")
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_outside_of_a_frame_and_of_a_run_nothing_is_broken() -> None:
    stop = Stop()
    with breakable():
        pass
    with stop.on_signals():
        with breakable():
            pass
        signal.raise_signal(signal.SIGINT)
        assert stop.asked
    with breakable(), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_a_frame_in_another_thread_is_never_broken() -> None:
    stop, inside, done = Stop(), threading.Event(), threading.Event()

    def frame() -> None:
        with breakable():
            inside.set()
            assert done.wait(30)

    thread = threading.Thread(target=frame)
    with stop.on_signals():
        thread.start()
        assert inside.wait(30)
        signal.raise_signal(signal.SIGINT)
        done.set()
        thread.join()
    assert stop.asked
