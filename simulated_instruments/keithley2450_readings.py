"""How the virtual Keithley 2450 answers with readings: buffers, elements, formats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np

from simulated_instruments.reading_buffer import ReadingBuffer
from simulated_instruments.scpi_errors import ScpiError
from simulated_instruments.scpi_parameters import Choice, unquote, whole
from simulated_instruments.smu_accuracy import Floats

_ELEMENTS = Choice("SOURce", "READing", "RELative", "SOURSTATus")
_BINARY_ELEMENTS: Final = ("SOUR", "READ", "REL")
_CONTINUOUS = Choice("CONTinuous")
_WORTH_A_KERNEL: Final = 48
"""Numbers in a reply."""

_PATTERNS: Final = [",".join(["%.6E"] * count) for count in range(_WORTH_A_KERNEL)]


def _written(instrument: Any, numbers: Sequence[float] | Floats, names: tuple[str, ...]) -> str | bytes:
    """Write readings as the chosen format has them; binary blocks are ``#0``, as the manual says."""
    form = instrument.format
    if form == "ASC":
        return _as_text(numbers)
    if any(name not in _BINARY_ELEMENTS for name in names):
        raise ScpiError(1133)
    order = "<" if instrument.byte_order == "SWAP" else ">"
    return b"#0" + np.asarray(numbers, dtype=f"{order}f{8 if form == 'REAL' else 4}").tobytes()


def _as_text(numbers: Sequence[float] | Floats) -> str:
    count = len(numbers)
    if count < _WORTH_A_KERNEL:
        return _PATTERNS[count] % tuple(numbers)
    from labtrain.kernels.decimal_text import scientific  # not before it is worth the compiler's import

    return scientific(np.asarray(numbers))


def _elements(arguments: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(_ELEMENTS.read(argument) for argument in arguments) or ("READ",)
    return tuple("SOURSTAT" if name.startswith("SOURSTAT") else name for name in names)


def data(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> Any:
    """Answer ``:TRACe:DATA? start, end, buffer, elements...``."""
    if len(arguments) < 2:
        raise ScpiError(-109)
    start, end = (int(whole(1, 10_000_000, 1).read(a)) for a in arguments[:2])
    name = unquote(arguments[2]) if len(arguments) > 2 else "defbuffer1"
    buffer, names = instrument.buffer(name), _elements(arguments[3:])
    if not 1 <= start <= end <= len(buffer):
        raise ScpiError(-222, f"readings {start} to {end} of {len(buffer)}")
    return _written(instrument, buffer.columns(start, end, names).ravel(), names)


def _last(instrument: Any, buffer: ReadingBuffer, names: tuple[str, ...]) -> str | bytes:
    if not len(buffer):
        raise ScpiError(-221, "the buffer is empty")
    return _written(instrument, buffer.last(names), names)


def _named(arguments: tuple[str, ...]) -> str:
    return unquote(arguments[0]) if arguments else "defbuffer1"


@lru_cache(maxsize=256)
def _asked(arguments: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    return _named(arguments), _elements(arguments[1:])


def read(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> Any:
    """Measure into a buffer and answer the last reading (``:READ?``)."""
    name, names = _asked(arguments)
    return _written(instrument, instrument.read_once(name).last(names), names)


def measure(name: str | None) -> Any:
    """Make ``:MEASure:<function>?``: choose the function, then read."""

    def query(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> Any:
        if name is not None:
            instrument.set_measured(name)
        return read(instrument, suffixes, arguments)

    return query


def fetch(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> Any:
    """Answer the last reading without measuring."""
    return _last(instrument, instrument.buffer(_named(arguments)), _elements(arguments[1:]))


def with_buffer(function: Callable[[ReadingBuffer], Any]) -> Any:
    """Make a handler that acts on the buffer named, or the default one."""

    def handler(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> Any:
        if len(arguments) > 1:
            raise ScpiError(-108, arguments[1][:40])
        return function(instrument.buffer(_named(arguments)))

    return handler


def points(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> None:
    """Set a buffer's capacity."""
    if not arguments:
        raise ScpiError(-109)
    name = unquote(arguments[1]) if len(arguments) > 1 else "defbuffer1"
    instrument.buffer(name).capacity = int(whole(10, 6_875_000, 100_000).read(arguments[0]))


def make(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> None:
    """Make a buffer: name and capacity."""
    if len(arguments) < 2:
        raise ScpiError(-109)
    capacity = int(whole(10, 6_875_000, 100_000).read(arguments[1]))
    instrument.buffers[unquote(arguments[0]).lower()] = ReadingBuffer(capacity)


def delete(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> None:
    """Delete a buffer that was made; -221 for the two that are always there."""
    if len(arguments) != 1:
        raise ScpiError(-109 if not arguments else -108)
    name = unquote(arguments[0]).lower()
    instrument.buffer(name)
    if name in ("defbuffer1", "defbuffer2"):
        raise ScpiError(-221, f"{name} stays")
    del instrument.buffers[name]


def trigger(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> None:
    """Measure into a buffer, without an answer."""
    if len(arguments) > 1:
        raise ScpiError(-108, arguments[1][:40])
    instrument.read_once(_named(arguments))


def fill(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> None:
    """Choose what a full buffer does: here it always goes on, and the oldest readings are lost."""
    if not 1 <= len(arguments) <= 2:
        raise ScpiError(-109 if not arguments else -108)
    _CONTINUOUS.read(arguments[0])
    instrument.buffer(_named(arguments[1:]))


def statistic(function: Callable[[Any], Any]) -> Any:
    """Make a query of one number over a buffer's readings."""

    def of_readings(buffer: ReadingBuffer) -> str:
        if not len(buffer):
            raise ScpiError(-221, "the buffer is empty")
        return f"{float(function(buffer.columns(1, len(buffer), ('READ',)))):.6E}"

    return with_buffer(of_readings)
