"""Counts of the loop: the order of their numbers, and what reports them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from femtodriver.arrays import Int64Array
from femtodriver.isa import cycles
from femtodriver.isa.limits import GROUP_SIZE
from femtodriver.machine.data_layout import DataLayout
from femtodriver.machine.executor import Executor, InstructionExecutor
from femtodriver.machine.rows import DecodedRow, InstructionRow, MatrixRow

COUNT_FIELDS = (
    *("executions", "started_ahead", "cycles", "saturated", "switches", "live", "stored", "groups", "units"),
    *("products", "dm_read", "dm_write", "messages", "message_words", "host_messages", "host_words"),
    *("wait_message", "wait_dependency"),
)
"""The numbers of ``Counts`` in ``records.hpp``, before those of the banks."""


def empty_counts(rows: int, banks: int) -> Int64Array:
    """Counts of a core, shape (rows, numbers of ``Counts``); ``banks``: for how many the loop has room."""
    return np.zeros((rows, len(COUNT_FIELDS) + 2 * banks), np.int64)


def counting_executors(rows: Sequence[DecodedRow], counts: Int64Array, layout: DataLayout) -> Iterator[Executor]:
    """An executor of each row that was executed, which reports what the loop has counted; none is meant to run.

    ``counts``: as of ``empty_counts``; ``layout``: of the core's data memory.
    """
    for number in np.flatnonzero(counts.any(axis=1)).tolist():
        yield _counted(rows[number], counts[number], layout)


def _counted(row: DecodedRow, numbers: Int64Array, layout: DataLayout) -> Executor:
    executor = InstructionExecutor(row, layout) if isinstance(row, InstructionRow) else Executor(row)
    counts = dict(zip(COUNT_FIELDS, numbers.tolist(), strict=False))
    executor.executions = counts["executions"]
    events = {
        "thread_switch": counts["switches"],
        "cycles": counts["cycles"] + cycles.THREAD_SWITCH * counts["switches"],
        "saturated": counts["saturated"],
        "dm_read": counts["dm_read"],
        "dm_write": counts["dm_write"],
        "message": counts["messages"],
        "message_word": counts["message_words"],
        "host_message": counts["host_messages"],
        "host_word": counts["host_words"],
        "wait_message": counts["wait_message"],
        "wait_dependency": counts["wait_dependency"],
    }
    if isinstance(row, InstructionRow):
        events["cycles"] -= row.ahead * counts["started_ahead"]
    if isinstance(row, MatrixRow):
        events |= {
            "activation_live": counts["live"],
            "matrix_stored": counts["stored"],
            "matrix_executed": counts["products"],
            row.product_event: counts["products"] * row.products,
            "acc_read": counts["groups"] * GROUP_SIZE,
            "acc_write": counts["groups"] * GROUP_SIZE,
            "index_group": counts["units"] if row.masked else 0,
        }
    for name, count in events.items():
        if count:
            executor.add(name, count)
    reads, writes = numbers[len(COUNT_FIELDS) :].reshape(2, -1)[:, : layout.banks]
    executor.extra_bank_reads, executor.extra_bank_writes = reads, writes
    return executor
