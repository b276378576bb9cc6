"""Processes of a sweep: one that dies, one that reports an error, and that none is left."""

from __future__ import annotations

import multiprocessing
import os
from multiprocessing.connection import Connection
from typing import Any

import pytest

from femtodriver.errors import MachineFault, WorkerError
from femtodriver.sweep import worker_processes
from femtodriver.sweep.worker_processes import measure_all


def echo(connection: Connection) -> None:
    while True:
        connection.send([connection.recv()])


def die(connection: Connection) -> None:
    connection.recv()
    os._exit(9)


def fail(connection: Connection) -> None:
    connection.recv()
    connection.send(MachineFault("core 0: it went wrong."))
    connection.recv()


def answers(monkeypatch: pytest.MonkeyPatch, life: Any, jobs: list[Any], workers: int) -> list[Any]:
    monkeypatch.setattr(worker_processes, "_serve", life)
    try:
        return measure_all(jobs, workers)
    finally:
        assert multiprocessing.active_children() == []


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 3])
def test_answers_come_in_the_order_of_the_jobs(monkeypatch: pytest.MonkeyPatch, workers: int) -> None:
    jobs = [f"{number} {'x' * 300_000}" for number in range(7)]
    assert answers(monkeypatch, echo, jobs, workers) == [[job] for job in jobs]


@pytest.mark.slow
def test_a_process_that_dies_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WorkerError, match=r"one died, perhaps for want of memory\. Use fewer workers"):
        answers(monkeypatch, die, ["x" * 300_000] * 3, 2)


@pytest.mark.slow
def test_an_error_of_a_job_is_raised_here(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MachineFault, match="it went wrong"):
        answers(monkeypatch, fail, [1, 2, 3], 2)
