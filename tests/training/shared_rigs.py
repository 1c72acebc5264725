"""Processes that share batches, as threads of one: their arrays meet at a barrier as real ones do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from labtrain.arrays.batch_rows import BatchRows


class Meeting:
    """Where the threads lay their values down, and take everybody's up."""

    def __init__(self, count: int) -> None:
        self.values: list[Any] = [None] * count
        self.rounds = 0
        self.barrier = threading.Barrier(count, timeout=20)


class ThreadRows(BatchRows):
    """One thread's rows."""

    def __init__(self, meeting: Meeting, rank: int) -> None:
        super().__init__()
        self.rank, self.meeting = rank, meeting

    def of_all(self, values: Any) -> Any:
        meeting = self.meeting
        meeting.values[self.rank] = values
        if meeting.barrier.wait() == 0:
            meeting.rounds += 1
        everybody = np.stack(meeting.values)
        meeting.barrier.wait()
        return everybody


def together(
    sizes: Sequence[int], make: Callable[[BatchRows], Any], work: Callable[[Any, slice], Any]
) -> tuple[list[Any], int]:
    """Run ``work(make(rows), part)`` of each part of a batch; return results, and how often they met."""
    meeting, total = Meeting(len(sizes)), sum(sizes)
    starts = np.cumsum([0, *sizes])

    def one(rank: int) -> Any:
        rows, start, stop = ThreadRows(meeting, rank), int(starts[rank]), int(starts[rank + 1])
        made = make(rows)
        with rows.part(start, stop - start, total - stop):
            return work(made, slice(start, stop))

    with ThreadPoolExecutor(len(sizes)) as pool:
        return list(pool.map(one, range(len(sizes)))), meeting.rounds
