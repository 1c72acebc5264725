"""Runs that somebody stops, and all that a session noted of a run: what tests of replay and resume share."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from labtrain.cli.recorded import Order, record
from labtrain.progress import Progress
from labtrain.session import Recording
from labtrain.session.ahead import TAKING_OVER


class Interrupted(Progress):
    """Presses Ctrl-C at the n-th step of the work."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def start(self, label: str, total: int) -> None: ...

    def advance(self, steps: int = 1, note: str = "") -> None:
        self.left -= 1
        if self.left == 0:
            signal.raise_signal(signal.SIGINT)


def interrupted(order: Order, steps: int) -> Path:
    """Carry an order out up to its n-th step; return the session."""
    with pytest.raises(KeyboardInterrupt):
        record(order, Interrupted(steps))
    assert order.out is not None
    return order.out


def everything(path: Path) -> dict[str, Any]:
    """All that a session noted of its run, as comparable data; its times aside."""
    with Recording.open(path) as recording:
        messages = recording.transactions()
        rows = {name: recording.rows(name) for name in recording.stream_names()}
        calls = {name: recording.exchanges(name) for name in recording.exchange_names()}
        return {
            "status": recording.status,
            "messages": list(messages),
            "answers": messages.status.tolist(),
            "rows": {n: {c: list(map(repr, v)) for c, v in r.columns.items()} for n, r in rows.items()},
            "attributes": {n: r.attributes for n, r in rows.items()},
            "arrays": {n: [a.tobytes() for a in recording.arrays(n)] for n in recording.array_names()},
            "units": {n: recording.array_unit(n) for n in recording.array_names()},
            "documents": {n: recording.documents(n) for n in recording.document_names() if n != TAKING_OVER},
            "exchanges": {n: [_call(one) for one in some] for n, some in calls.items()},
        }


def _call(call: Any) -> tuple[Any, ...]:
    sides = [{name: value.tobytes() for name, value in side.items()} for side in (call.inputs, call.outputs)]
    return call.verb, *sides
