"""How the virtual Keithley 2450 answers with readings: buffers, elements, formats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from simulated_instruments.reading_buffer import ReadingBuffer
from simulated_instruments.scpi_errors import ScpiError
from simulated_instruments.scpi_parameters import Choice, unquote, whole

_ELEMENTS = Choice("SOURce", "READing", "RELative", "SOURSTATus")
_BINARY_ELEMENTS: Final = ("SOUR", "READ", "REL")
_WORTH_A_KERNEL: Final = 48
"""Numbers in a reply."""


def _rows(instrument: Any, buffer: ReadingBuffer, start: int, end: int, names: tuple[str, ...]) -> Any:
    """Write readings as the chosen format has them; binary blocks are ``#0``, as the manual says."""
    if not 1 <= start <= end <= len(buffer):
        raise ScpiError(-222, f"readings {start} to {end} of {len(buffer)}")
    flat = buffer.columns(start, end, names).ravel()
    form = instrument.settings.format
    if form == "ASC":
        return _as_text(flat)
    if any(name not in _BINARY_ELEMENTS for name in names):
        raise ScpiError(1133)
    order = "<" if instrument.settings.byte_order == "SWAP" else ">"
    return b"#0" + flat.astype(f"{order}f{8 if form == 'REAL' else 4}").tobytes()


def _as_text(flat: Any) -> str:
    if len(flat) < _WORTH_A_KERNEL:
        return ",".join(["%.6E"] * len(flat)) % tuple(flat.tolist())
    from labtrain.kernels.decimal_text import scientific  # not before it is worth the compiler's import

    return scientific(flat)


def _elements(arguments: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(_ELEMENTS.read(argument) for argument in arguments) or ("READ",)
    return tuple("SOURSTAT" if name.startswith("SOURSTAT") else name for name in names)


def data(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> Any:
    """Answer ``:TRACe:DATA? start, end, buffer, elements...``."""
    if len(arguments) < 2:
        raise ScpiError(-109)
    start, end = (int(whole(1, 10_000_000, 1).read(a)) for a in arguments[:2])
    name = unquote(arguments[2]) if len(arguments) > 2 else "defbuffer1"
    return _rows(instrument, instrument.buffer(name), start, end, _elements(arguments[3:]))


def _last(instrument: Any, arguments: tuple[str, ...]) -> Any:
    name = unquote(arguments[0]) if arguments else "defbuffer1"
    buffer = instrument.buffer(name)
    if not len(buffer):
        raise ScpiError(-221, "the buffer is empty")
    return _rows(instrument, buffer, len(buffer), len(buffer), _elements(arguments[1:]))


def read(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> Any:
    """Measure into a buffer and answer the last reading (``:READ?``)."""
    _elements(arguments[1:])
    instrument.read_once(unquote(arguments[0]) if arguments else "defbuffer1")
    return _last(instrument, arguments)


def measure(name: str | None) -> Any:
    """Make ``:MEASure:<function>?``: choose the function, then read."""

    def query(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> Any:
        if name is not None:
            set_measured(instrument, name)
        return read(instrument, suffixes, arguments)

    return query


def fetch(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> Any:
    """Answer the last reading without measuring."""
    return _last(instrument, arguments)


def set_measured(instrument: Any, name: str) -> None:
    """Choose what is measured: ``VOLT``, ``CURR`` or ``RES``."""
    instrument.settings.measured = name.partition(":")[0]
    instrument.apply()


def with_buffer(function: Callable[[ReadingBuffer], Any]) -> Any:
    """Make a handler that acts on the buffer named, or the default one."""

    def handler(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> Any:
        if len(arguments) > 1:
            raise ScpiError(-108, arguments[1][:40])
        return function(instrument.buffer(unquote(arguments[0]) if arguments else "defbuffer1"))

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


def statistic(function: Callable[[Any], Any]) -> Any:
    """Make a query of one number over a buffer's readings."""

    def of_readings(buffer: ReadingBuffer) -> str:
        if not len(buffer):
            raise ScpiError(-221, "the buffer is empty")
        return f"{float(function(buffer.columns(1, len(buffer), ('READ',)))):.6E}"

    return with_buffer(of_readings)
