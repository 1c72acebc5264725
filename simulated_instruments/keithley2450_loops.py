"""Trigger models of the virtual Keithley 2450 that only measure: SimpleLoop, DurationLoop, Empty.

2450 Reference Manual (2450-901-01), ``:TRIGger:LOAD``: the loop empties its buffer, then measures at the
present level, ``delay`` apart, so many times or for so long. Other templates and general trigger models are
refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np

from simulated_instruments.list_sweep import RunningSweep
from simulated_instruments.scpi import only
from simulated_instruments.scpi_errors import ScpiError
from simulated_instruments.scpi_parameters import Choice, Number, unquote, whole
from simulated_instruments.scpi_tree import Command
from simulated_instruments.smu_channel import SmuChannel

_TEMPLATE: Final = Choice("EMPTY", "SIMPLELOOP", "DURATIONLOOP", quoted=True)
_COUNT: Final = whole(1, 1_000_000, 1)
_DELAY: Final = Number(0.0, 9999.0, 0.0, "S")
_DURATION: Final = Number(500e-9, 100e3, 1.0, "S")


@dataclass(frozen=True, slots=True)
class Sweep:
    """A planned sweep: it turns the output on.

    Attributes
    ----------
    points
        What is gone through.
    buffer
        Where its readings go.
    """

    sources: ClassVar = True
    points: RunningSweep
    buffer: str

    def ready(self, channel: SmuChannel) -> RunningSweep:
        """Return it as it was planned."""
        return self.points


@dataclass(frozen=True, slots=True)
class Loop:
    """Measurements at the level that stands when they begin; the output stays as it is.

    Attributes
    ----------
    count, duration
        How many there are; or for how long, in s, where ``count`` is 0.
    delay
        In s, before each.
    """

    sources: ClassVar = False
    count: int
    duration: float
    delay: float
    buffer: str

    def ready(self, channel: SmuChannel) -> RunningSweep:
        """Return it as a sweep that stays where it is; -222 for more than a buffer holds."""
        seconds = self.delay + channel.point_seconds()
        count = self.count or max(1, int(self.duration / seconds))
        if count > _COUNT.high:
            raise ScpiError(-222, f"{count} readings")
        return RunningSweep(np.full(count, channel.source.level), seconds, fail_abort=False)


def _load(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> None:
    """``"SimpleLoop", count[, delay[, buffer]]``; ``"DurationLoop", seconds[, ...]``; ``"Empty"``."""
    template = only(arguments[:1], _TEMPLATE)
    if template == "EMPTY":
        only(arguments, _TEMPLATE)
        instrument.planned = None
        return
    if not 2 <= len(arguments) <= 4:
        raise ScpiError(-109 if len(arguments) < 2 else -108)
    delay = _DELAY.read(arguments[2]) if len(arguments) > 2 else 0.0
    buffer = unquote(arguments[3]) if len(arguments) > 3 else "defbuffer1"
    instrument.buffer(buffer)
    simple = template == "SIMPLELOOP"
    count = int(_COUNT.read(arguments[1])) if simple else 0
    instrument.planned = Loop(count, 0.0 if simple else _DURATION.read(arguments[1]), delay, buffer)


LOOPS: Final = (Command(":TRIGger:LOAD", _load),)
