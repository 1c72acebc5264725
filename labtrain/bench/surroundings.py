"""Field and temperature as instruments say: read at the start, and now and then while the bench runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, final

from labtrain.clock import Clock
from labtrain.roles.sensor import Sensor
from labtrain.session.sink import Column, RowStream, Sink

STREAM = "environment"

_COLUMNS = {
    "bench_seconds": Column("float64", "s", "time since the bench was opened"),
    "name": Column("str", "", "what was read"),
    "value": Column("float64", "", "in SI units: field in T, temperature in K"),
    "source": Column("str", "", "instrument and property"),
}


@final
class Surroundings:
    """Reads what ``[environment]`` names by instrument, and records it in the stream ``environment``.

    Parameters
    ----------
    environment
        ``BenchPlan.environment``; entries with a value of their own are in the bench file already.
    sensor
        Gives an instrument's role by its alias.
    clock
        The bench's; asked only where there is something to read.
    """

    def __init__(
        self,
        environment: Mapping[str, Mapping[str, Any]],
        sensor: Callable[[str], Sensor],
        sink: Sink,
        clock: Clock,
    ) -> None:
        self._entries = {name: one for name, one in environment.items() if "instrument" in one}
        self._sensor, self._sink, self._clock = sensor, sink, clock
        self._stream: RowStream | None = None
        self._started_ns = self._read_ns = 0

    def look(self) -> dict[str, float]:
        """Read what is due; return name -> SI value of what was read.

        Raises
        ------
        InstrumentError
            Where a sensor does not answer, or with no number.
        """
        if not self._entries:
            return {}
        now = self._clock.now_ns()
        if self._stream is None:
            self._stream = self._sink.stream(STREAM, _COLUMNS, {})
            self._started_ns = now
        elif now - self._read_ns < 1e9 * min(one["interval"] for one in self._entries.values()):
            return {}
        self._read_ns = now
        return {name: self._read(name, one) for name, one in self._entries.items()}

    def _read(self, name: str, entry: Mapping[str, Any]) -> float:
        value: float = (
            self._sensor(entry["instrument"]).read(entry["property"]) * entry["factor"] + entry["zero"]
        )
        assert self._stream is not None
        seconds = (self._read_ns - self._started_ns) * 1e-9
        self._stream.append(
            {"bench_seconds": seconds, "name": name, "value": value, "source": entry["source"]}
        )
        return value
