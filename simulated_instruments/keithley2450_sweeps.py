"""Lists and sweeps of the virtual Keithley 2450: commands that plan them, and where their points go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from simulated_instruments.keithley2450_loops import Sweep
from simulated_instruments.list_sweep import RunningSweep
from simulated_instruments.reading_buffer import ReadingBuffer
from simulated_instruments.scpi_commands import list_commands, plain
from simulated_instruments.scpi_errors import ScpiError
from simulated_instruments.scpi_parameters import Boolean, Choice, Number, Parameter, unquote, whole
from simulated_instruments.scpi_tree import Command
from simulated_instruments.smu_accuracy import OVERFLOW
from simulated_instruments.smu_points import Points

if TYPE_CHECKING:
    from simulated_instruments.keithley2450 import VirtualKeithley2450

_LEVELS = {"VOLT": Number(-210.0, 210.0, 0.0, "V"), "CURR": Number(-1.05, 1.05, 0.0, "A")}
_LONG: Final = {"VOLT": "VOLTage", "CURR": "CURRent"}
_DELAY = Number(0.0, 9999.0, 0.0, "S")
_ON = Boolean()
_POINTS = whole(2, 100_000, 2)


class BufferedSweep:
    """Takes a sweep's points into a reading buffer; puts the output back to what it was.

    Parameters
    ----------
    was_on
        Whether the output was on before.
    """

    def __init__(self, instrument: VirtualKeithley2450, buffer: ReadingBuffer, was_on: bool) -> None:
        self._instrument, self._buffer, self._was_on = instrument, buffer, was_on
        self._begun = False

    def clear(self) -> None:
        """Empty the buffer, once."""
        if not self._begun:
            self._begun = True
            self._buffer.clear()

    def append(self, points: Points) -> None:
        """Take points as the present settings have them."""
        channel, both = self._instrument.channel, {"VOLT": points.volts, "CURR": points.amperes}
        levels = both[channel.function] if channel.source.readback else points.levels
        if channel.measured == "RES":
            still = points.amperes == 0.0
            readings = np.where(still, OVERFLOW, points.volts / np.where(still, 1.0, points.amperes))
        else:
            readings = both[channel.measured]  # type: ignore[index]
        self._buffer.append(levels, readings, points.times_ns, points.limited)

    def finished(self, stopped: bool) -> None:
        """Turn the output off where it was; a sweep that is stopped leaves it as it stands."""
        if not stopped and not self._was_on:
            self._instrument.channel.output = False


def _argument(arguments: tuple[str, ...], place: int, parameter: Parameter, default: Any) -> Any:
    return parameter.read(arguments[place]) if len(arguments) > place else default


def _sweep_list(name: str) -> Any:
    """``<startIndex>, <delay>, <count>, <failAbort>, <bufferName>``; only the first is needed."""

    def write(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> None:
        values = instrument.lists[name]
        if not values:
            raise ScpiError(-221, "no list")
        start = int(_argument(arguments, 0, whole(1, len(values), 1), 1))
        delay = _argument(arguments, 1, _DELAY, 0.0)
        repeats = int(_argument(arguments, 2, whole(1, 1000, 1), 1))
        abort = _argument(arguments, 3, _ON, True)
        buffer = unquote(arguments[4]) if len(arguments) > 4 else "defbuffer1"
        if len(arguments) > 5:
            raise ScpiError(-108, arguments[5][:40])
        _plan(instrument, name, np.tile(values[start - 1 :], repeats), delay, abort, buffer)

    return write


def _linear(start: float, stop: float, points: str, name: str) -> Any:
    return np.linspace(start, stop, int(_POINTS.read(points)))


def _in_steps(start: float, stop: float, step: str, name: str) -> Any:
    size = abs(_LEVELS[name].read(step))
    if not size:
        raise ScpiError(-222, "a step of 0")
    count = 1 + int(abs(stop - start) / size * (1 + 1e-9))
    if not 2 <= count <= _POINTS.high:
        raise ScpiError(-222, f"{count} points: 2 to {_POINTS.high}")
    return start + np.copysign(size, stop - start) * np.arange(count)


def _logarithmic(start: float, stop: float, points: str, name: str) -> Any:
    if not start * stop > 0:
        raise ScpiError(-222, "a logarithmic sweep does not pass zero")
    return np.geomspace(start, stop, int(_POINTS.read(points)))


def _sweep(name: str, levels_of: Callable[[float, float, str, str], Any]) -> Any:
    """``<start>, <stop>, <points or step>, <delay>, <count>, <range>, <failAbort>, <dual>, <bufferName>``."""

    def write(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> None:
        if not 3 <= len(arguments) <= 9:
            raise ScpiError(-109 if len(arguments) < 3 else -108)
        start, stop = (_LEVELS[name].read(argument) for argument in arguments[:2])
        levels = levels_of(start, stop, arguments[2], name)
        delay = _argument(arguments, 3, Number(-1.0, 9999.0, -1.0, "S"), -1.0)
        repeats = int(_argument(arguments, 4, whole(1, 1000, 1), 1))
        _argument(arguments, 5, Choice("AUTO", "BEST", "FIXed"), "BEST")
        abort = _argument(arguments, 6, _ON, True)
        dual = _argument(arguments, 7, _ON, False)
        buffer = unquote(arguments[8]) if len(arguments) > 8 else "defbuffer1"
        levels = np.concatenate([levels, levels[::-1]]) if dual else levels
        _plan(instrument, name, np.tile(levels, repeats), max(delay, 0.0), abort, buffer)

    return write


def _plan(instrument: Any, name: str, levels: Any, delay: float, abort: bool, buffer: str) -> None:
    channel = instrument.channel
    if channel.function != name:
        raise ScpiError(-221, f"the source function is {channel.function}")
    instrument.buffer(buffer)
    largest = float(np.abs(levels).max())
    if not channel.fits(name, largest):
        raise ScpiError(-222, f"{largest:g} on the {channel.source.range:g} range")
    if channel.source.auto:
        channel.set_source_range(name, largest, keep_auto=True)
    seconds = delay + channel.point_seconds()
    points = RunningSweep(np.asarray(levels, dtype=float), seconds, abort)
    instrument.planned = Sweep(points, buffer)


def _running(instrument: Any) -> str:
    running = instrument.channel.running
    state = "IDLE" if running is None else "RUNNING"
    return f"{state};{state};{0 if running is None else running.done}"


def _commands() -> Iterator[Command]:
    for name, long in _LONG.items():
        yield from list_commands(f":SOURce[1]:LIST:{long}", name, _LEVELS[name], empty="nil")
        yield Command(f":SOURce[1]:SWEep:{long}:LIST", _sweep_list(name))
        yield Command(f":SOURce[1]:SWEep:{long}:LINear", _sweep(name, _linear))
        yield Command(f":SOURce[1]:SWEep:{long}:LINear:STEP", _sweep(name, _in_steps))
        yield Command(f":SOURce[1]:SWEep:{long}:LOGarithmic", _sweep(name, _logarithmic))
    yield Command(":TRIGger:STATe", query=plain(_running))


SWEEPS: Final = tuple(_commands())
