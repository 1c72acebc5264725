"""``labtrain session watch``: rates, last values and a curve of a running session."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from math import isfinite
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from labtrain.cli.options import SessionArgument
from labtrain.cli.outcome import JsonFlag, ending, print_line, shown
from labtrain.cli.strict_json import dumps
from labtrain.clock import Clock, RealClock

if TYPE_CHECKING:
    from labtrain.session import Record, Tail

K = TypeVar("K")
V = TypeVar("V")
_BARS = "▁▂▃▄▅▆▇█"
_SHOWN = 60
_KEPT = 12  # streams and notes: a run may have any number of them
_COUNTED = {"command": "messages", "row": "rows", "exchange": "exchanges", "array": "arrays"}


def watch(
    session: SessionArgument,
    every: Annotated[float, typer.Option("--every", min=0.05, help="Seconds between two looks.")] = 1.0,
    as_json: JsonFlag = False,
) -> None:
    """Follow a session while it is recorded, until it ends; Ctrl-C stops watching, not the run.

    Example: labtrain session watch runs/20261122T101500Z_W12-3-4_train_1.h5
    """
    with ending(as_json) as end:
        from labtrain.session import Tail

        state, clock = Watched(), RealClock()
        with Tail(session) as tail, _shown(as_json) as show:
            for _ in looks(tail, state, every, clock):
                show(state)
        status = (tail.stopped or {}).get("status", "aborted")
        fields = {"session": session, "status": status, "complete": status == "complete", **state.summary()}
        end.with_(fields, f"{shown(session)}: {status}; {state.told()}")


class Watched:
    """What is known of a running session: counts, rates, last rows, a curve of the newest stream.

    Of rows and notes only the newest are kept, so that watching a week costs no more than a minute.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter(dict.fromkeys(_COUNTED.values(), 0))
        self.rates: dict[str, float] = dict.fromkeys(_COUNTED.values(), 0.0)
        self.last: dict[str, dict[str, Any]] = {}
        self.notes: deque[str] = deque(maxlen=_KEPT)
        self._curves: dict[tuple[str, str], deque[float]] = {}
        self._newest: tuple[str, str] | None = None

    def take(self, records: Iterable[Record]) -> None:
        """Add what came."""
        for record in records:
            if record.kind in _COUNTED:
                self.counts[_COUNTED[record.kind]] += 1
            if record.kind == "row":
                self._take_row(record)
            if record.kind == "note":
                self.notes.append(record.content["text"])

    def rate(self, before: Counter[str], seconds: float) -> None:
        """Set the rates from the counts some seconds ago."""
        self.rates = {name: (self.counts[name] - before[name]) / seconds for name in self.rates}

    def curve(self) -> str:
        """Return the newest stream's first measured column as one line of bars."""
        if self._newest is None:
            return ""
        values = self._curves[self._newest]
        low, span = min(values), (max(values) - min(values)) or 1.0
        bars = "".join(_BARS[int((value - low) / span * (len(_BARS) - 1))] for value in values)
        return f"{'/'.join(self._newest)}  {bars}  {values[-1]:.4g}"

    def summary(self) -> dict[str, Any]:
        """Return counts, rates (per second), last rows and notes as plain data."""
        told = {"counts": dict(self.counts), "rates": self.rates}
        return {**told, "last": self.last, "notes": list(self.notes)}

    def told(self) -> str:
        """Return the counts in words."""
        return ", ".join(f"{count:,} {name}" for name, count in self.counts.items())

    def _take_row(self, record: Record) -> None:
        _put_last(self.last, record.name, record.content)
        floats = [
            name for name, value in record.content.items() if isinstance(value, float) and isfinite(value)
        ]
        if floats:
            self._newest = (record.name, floats[-1])
            curve = self._curves.get(self._newest) or deque(maxlen=_SHOWN)
            curve.append(record.content[floats[-1]])
            _put_last(self._curves, self._newest, curve)


def _put_last(newest: dict[K, V], key: K, value: V) -> None:
    """Keep a value as the newest; the oldest beyond some go."""
    newest.pop(key, None)
    newest[key] = value
    if len(newest) > _KEPT:
        del newest[next(iter(newest))]


def looks(tail: Tail, state: Watched, every: float, clock: Clock) -> Iterator[None]:
    """Bring ``state`` up to date every so many seconds, the last time when the run has ended."""
    written, then = True, clock.now_ns()
    while written:
        written, before = tail.is_written, Counter(state.counts)
        state.take(tail.records())
        now = clock.now_ns()
        state.rate(before, max((now - then) / 1e9, 1e-3))
        then = now
        yield
        if tail.stopped is not None:
            return
        if written:
            clock.sleep(every)


@contextmanager
def _shown(as_json: bool) -> Iterator[Any]:
    """Give a function that shows a state: a JSON line, or a picture that is drawn over."""
    if as_json:
        yield lambda state: print_line(dumps(state.summary()))
        return
    from rich.console import Console
    from rich.live import Live

    with Live(console=Console(stderr=True), auto_refresh=False) as live:
        yield lambda state: live.update(picture(state), refresh=True)


def picture(state: Watched) -> Any:
    """Return a table of counts and rates, the last row of each stream, and the newest curve."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table("", "count", "a second", box=None)
    for name, count in state.counts.items():
        table.add_row(name, f"{count:,}", f"{state.rates[name]:,.0f}")
    rows = [
        Text(
            f"{name}: "
            + ", ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items())
        )
        for name, row in state.last.items()
    ]
    return Group(table, *rows, Text(state.curve()), *[Text(f"note: {text}") for text in state.notes])
