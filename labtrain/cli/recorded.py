"""One recorded command: open the bench, open the session, do the steps, seal.

The order on the way out matters: the bench reaches its safe state while the
session can still note it, then the session is sealed, whatever ended the run.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labtrain.cli.files import default_session_path, is_taken
from labtrain.cli.several import noted
from labtrain.cli.steps import Surroundings, carry_out, carry_out_on
from labtrain.errors import UsageError
from labtrain.progress import Progress
from labtrain.session.sink import Sink

if TYPE_CHECKING:
    from labtrain.session import Session
    from labtrain.training.processes import Processes


@dataclass(frozen=True)
class Order:
    """What the command line asks for.

    Attributes
    ----------
    command
        ``"run"``, ``"train"`` or ``"demo"``: what ``labtrain replay`` will say it re-runs.
    steps
        See :mod:`labtrain.cli.steps`.
    bench_file
        A path or a shipped bench's name; None trains on directly simulated arrays.
    """

    command: str
    steps: Sequence[Mapping[str, Any]]
    seed: int
    bench_file: Path | None = None
    mount: str | None = None
    out: Path | None = None
    force: bool = False
    note: str | None = None
    data_dir: Path | None = None


@dataclass(frozen=True)
class Recorded:
    """What came of it."""

    session: Path
    status: str
    results: dict[str, dict[str, Any]]
    bench_seconds: float | None


def record(order: Order, progress: Progress, processes: Processes | None = None) -> Recorded:
    """Carry out an order on a fresh session; seal it whatever happens."""
    from labtrain.bench import bench_bytes, locate_bench, read_plan

    located = None if order.bench_file is None else locate_bench(order.bench_file)
    sample = {} if located is None else read_plan(located).sample
    content = None if located is None else bench_bytes(located)
    start = _start(order, located, sample) | noted(processes)
    with _session(order, sample, start, content) as session:
        if order.note:
            session.note(order.note)
        results, bench_seconds = run_order(order, located, session, progress, processes)
        if any(result.get("status") == "aborted" for result in results.values()):
            session.seal("aborted")  # stopped from a window, or by drift
    return Recorded(session.path, session.status, results, bench_seconds)


def _session(
    order: Order, sample: Mapping[str, Any], start: Mapping[str, Any], bench_file: bytes | None
) -> Session:
    """Begin the session where the order says, or under the next name that is free.

    Another program may take the same name in the same moment: then the next one is free.
    """
    from labtrain.session import Session

    while True:
        path = order.out or default_session_path(order.command, sample)
        try:
            return Session.create(path, start=start, bench_file=bench_file, force=order.force)
        except UsageError:
            if order.out is not None or not is_taken(path):
                raise


def run_order(
    order: Order,
    bench_file: Path | bytes | None,
    sink: Sink,
    progress: Progress,
    processes: Processes | None = None,
) -> tuple[dict[str, dict[str, Any]], float | None]:
    """Do an order's steps on a bench, opened and left safe here, or on directly simulated arrays.

    Parameters
    ----------
    bench_file
        Located, or as it was recorded.
    processes
        Those that train together; without a bench only.

    Returns
    -------
    results
        By the steps' names.
    bench_seconds
        The bench's own time, None without one.
    """
    from labtrain.bench import Bench

    if bench_file is None:
        around = Surroundings(sink, progress, order.seed, None, order.data_dir, processes=processes)
        return carry_out(order.steps, around), None
    with Bench.open(bench_file, sink=sink, mount=order.mount) as bench:
        return carry_out_on(bench, order.steps, sink, progress, order.seed, order.data_dir)


def _start(order: Order, located: Path | None, sample: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "command": order.command,
        "steps": [dict(step) for step in order.steps],
        "seed": order.seed,
        "bench": None if located is None else located.name,
        "sample": dict(sample),
        "argv": sys.argv[1:],
    }


def require_new(path: Path | None, force: bool) -> None:
    """Refuse an existing output before anything is driven.

    Raises
    ------
    UsageError
        Naming the file and ``--force``.
    """
    from labtrain.session.place import is_there

    if path is not None and is_there(path) and not force:
        raise UsageError(f"{path} exists", remedy="choose another --out, or --force to replace it", file=path)
