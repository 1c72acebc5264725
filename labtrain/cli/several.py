"""Commands that several processes of one launcher (``torchrun``) carry out together.

The first process keeps the record and speaks. The others do the same steps without a word: what they would
note, the first one notes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labtrain.cli.steps import Surroundings, carry_out
from labtrain.errors import ProcessLost, UsageError
from labtrain.progress import SilentProgress
from labtrain.session.sink import NullSink

if TYPE_CHECKING:
    from labtrain.cli.recorded import Order
    from labtrain.session import Recording
    from labtrain.training.processes import Processes

_COUNT, _RANK = "WORLD_SIZE", "RANK"


def process_count() -> int:
    """Return how many processes the launcher has started; 1 without one."""
    return int(os.environ.get(_COUNT, "1")) if _RANK in os.environ else 1


def is_first() -> bool:
    """Whether this process keeps the record and speaks."""
    return process_count() == 1 or int(os.environ[_RANK]) == 0


@contextmanager
def processes_met() -> Iterator[Processes | None]:
    """Meet the other processes for the length of the block; None (and no torch) where there are none."""
    if process_count() == 1:
        yield None
        return
    from labtrain.training.torchrun import joined

    with joined() as processes:
        yield processes


def noted(processes: Processes | None) -> dict[str, Any]:
    """Return what a session's start says of its processes: nothing of one."""
    return {} if processes is None else {"processes": processes.described()}


def follow(order: Order, processes: Processes | None) -> None:
    """Do the steps of an order as one of the processes that keep no record."""
    around = Surroundings(NullSink(), SilentProgress(), order.seed, None, order.data_dir, processes=processes)
    carry_out(order.steps, around)


def follow_replay(order: Order, processes: Processes | None) -> None:
    """As :func:`follow`, until the first process has compared what it has to compare."""
    try:
        follow(order, processes)
    except ProcessLost:
        pass  # a record may end, or differ, anywhere; the first process says which


def require_one_for(bench: Path | None) -> None:
    """Refuse several processes with a bench, before any of them opens it.

    Raises
    ------
    UsageError
        Where there are several.
    """
    if bench is not None and process_count() > 1:
        raise UsageError(
            f"{process_count()} processes cannot train with one bench: it has one master",
            remedy="train with one process, without torchrun; or without --bench",
            key="processes",
        )


def require_as_recorded(recording: Recording) -> None:
    """Accept as many processes as a recorded run had.

    Sums are rounded by how many parts they have, so another number would not meet the record to the bit.

    Raises
    ------
    UsageError
        Naming the command.
    """
    count, here = int(recording.start.get("processes", {"count": 1})["count"]), process_count()
    if count != here:
        launcher = f"torchrun --nproc-per-node {count} -m labtrain" if count > 1 else "labtrain"
        raise UsageError(
            f"this run was made by {count} process{'es' * (count > 1)}, which round their sums otherwise than"
            f" {here}",
            remedy=f"use: {launcher} replay (or resume) {recording.path.name}",
            file=recording.path,
            key="processes",
        )
