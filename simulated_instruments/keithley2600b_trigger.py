"""The trigger model of one 2600B channel, as far as sweeps by lists and lines need it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from simulated_instruments.keithley2600b_readings import as_buffers, store
from simulated_instruments.list_sweep import RunningSweep
from simulated_instruments.smu_accuracy import Floats, Quantity
from simulated_instruments.smu_channel import SmuChannel
from simulated_instruments.smu_points import Points
from simulated_instruments.tsp_buffers import TspBuffer
from simulated_instruments.tsp_errors import runtime, too_big
from simulated_instruments.tsp_library import flag
from simulated_instruments.tsp_values import Attribute, Table, TspObject, as_number, bounded, remembered

if TYPE_CHECKING:
    from simulated_instruments.keithley2600b_smu import Smu


_SOURCE_COMPLETE = 16.0
"""``smuX.trigger.SOURCE_COMPLETE_EVENT_ID``: a number of its own."""


class TriggerModel:
    """Source action, measure action, counts, what happens at the end; one run at a time."""

    def __init__(self, smu: Smu) -> None:
        self._smu = smu
        self._channel: SmuChannel = smu.channel
        self.reset()
        self.table = self._object()

    def reset(self) -> None:
        """Bring the defaults back."""
        self._levels: Floats | None = None
        self._function: Quantity = "VOLT"
        self._measures: tuple[str, list[TspBuffer]] | None = None
        self._counts = {"count": 1, "arm": 1}
        self._flags = {"source": False, "measure": False, "endpulse": True, "endsweep": False}

    def initiate(self) -> None:
        """Start; returns at once, the sweep runs by itself.

        Raises
        ------
        TspError
            For a list that was not given, is of the other function, or does not fit the source's range;
            while one runs.
        """
        channel, smu = self._channel, self._smu
        if channel.running is not None:
            raise runtime(f"{smu.name} is sweeping")
        levels = np.resize(self._swept(), self._counts["count"] * self._counts["arm"])
        largest = float(np.abs(levels).max())
        if not channel.fits(channel.function, largest):
            raise too_big(f"{largest:g} on the {channel.source.range:g} range")
        if channel.source.auto:
            channel.set_source_range(channel.function, largest, keep_auto=True)
        channel.start(RunningSweep(levels, channel.point_seconds(), False), self._log())

    def _swept(self) -> Floats:
        """Return the levels of one pass."""
        if not self._flags["source"]:
            return np.array([self._channel.source.level])
        if self._levels is None:
            raise runtime(f"{self._smu.name}.trigger.source has no list")
        if self._function != self._channel.function:
            raise runtime(f"the list of {self._smu.name} is not of its source function")
        return self._levels

    def _log(self) -> _SweepLog:
        name, buffers = self._measures if self._measures and self._flags["measure"] else ("", [])
        bias = None if self._flags["endsweep"] else self._channel.source.level
        return _SweepLog(self._channel, name, buffers, bias)

    # --- objects ---------------------------------------------------------------------------

    def _object(self) -> TspObject:
        name = f"{self._smu.name}.trigger"
        return TspObject(
            name,
            {
                "count": self._count("count"),
                "arm": TspObject(f"{name}.arm", {"count": self._count("arm"), "stimulus": _no_stimulus()}),
                "initiate": lambda arguments: _done(self.initiate()),
                "autoclear": remembered({}, "autoclear", 0.0, 0.0, 1.0),
                "SOURCE_COMPLETE_EVENT_ID": _SOURCE_COMPLETE,
                "source": self._source(name),
                "measure": self._measure(name),
                "endpulse": self._end(name, "endpulse"),
                "endsweep": self._end(name, "endsweep"),
            },
        )

    def _source(self, name: str) -> TspObject:
        members: dict[str, Any] = {
            "action": self._flag("source"),
            "stimulus": _no_stimulus(),
            "limitv": Attribute(lambda: 0.0, _only_auto),
            "limiti": Attribute(lambda: 0.0, _only_auto),
        }
        quantities: tuple[tuple[str, Quantity], ...] = (("v", "VOLT"), ("i", "CURR"))
        for letter, quantity in quantities:
            members[f"list{letter}"] = self._list(quantity)
            members[f"linear{letter}"] = self._linear(quantity)
            members[f"log{letter}"] = self._logarithmic(quantity)
        return TspObject(f"{name}.source", members)

    def _measure(self, name: str) -> TspObject:
        members: dict[str, Any] = {"action": self._flag("measure"), "stimulus": _stimulus_of_measuring()}
        for kind in ("v", "i", "r", "p", "iv"):
            members[kind] = self._measurement(kind)
        return TspObject(f"{name}.measure", members)

    def _end(self, name: str, which: str) -> TspObject:
        return TspObject(f"{name}.{which}", {"action": self._flag(which), "stimulus": _no_stimulus()})

    def _flag(self, name: str) -> Attribute:
        def put(value: Any) -> None:
            self._flags[name] = flag(value)

        return Attribute(lambda: float(self._flags[name]), put)

    def _count(self, name: str) -> Attribute:
        def put(value: Any) -> None:
            self._counts[name] = round(bounded(value, 1.0, 60_000.0, f"trigger {name}"))

        return Attribute(lambda: float(self._counts[name]), put)

    def _list(self, quantity: Quantity) -> Callable[[list[Any]], list[Any]]:
        def take(arguments: list[Any]) -> list[Any]:
            if len(arguments) != 1 or not isinstance(arguments[0], Table) or not arguments[0].length():
                raise runtime("a list sweep takes one table of levels")
            self._function, self._levels = quantity, np.array(arguments[0].numbers())
            return []

        return take

    def _linear(self, quantity: Quantity) -> Callable[[list[Any]], list[Any]]:
        def take(arguments: list[Any]) -> list[Any]:
            if len(arguments) != 3:
                raise runtime("a linear sweep takes start, stop and points")
            start, stop = as_number(arguments[0]), as_number(arguments[1])
            points = round(bounded(arguments[2], 2.0, 60_000.0, "points"))
            self._function, self._levels = quantity, np.linspace(start, stop, points)
            return []

        return take

    def _logarithmic(self, quantity: Quantity) -> Callable[[list[Any]], list[Any]]:
        """``(start, stop, points, asymptote)``; the asymptote is 0 here."""

        def take(arguments: list[Any]) -> list[Any]:
            if len(arguments) not in (3, 4) or (len(arguments) == 4 and as_number(arguments[3]) != 0.0):
                raise runtime("a logarithmic sweep takes start, stop, points and an asymptote of 0 here")
            start, stop = as_number(arguments[0]), as_number(arguments[1])
            if not 0.0 < start * stop < math.inf:
                raise runtime("a logarithmic sweep does not pass zero")
            points = round(bounded(arguments[2], 2.0, 60_000.0, "points"))
            self._function, self._levels = quantity, np.geomspace(start, stop, points)
            return []

        return take

    def _measurement(self, kind: str) -> Callable[[list[Any]], list[Any]]:
        def take(arguments: list[Any]) -> list[Any]:
            self._measures = kind, as_buffers(arguments, len(kind))
            return []

        return take


class _SweepLog:
    """Takes a sweep's points into buffers; at the end of an idle sweep the source goes to its bias."""

    def __init__(self, channel: SmuChannel, name: str, buffers: list[TspBuffer], bias: float | None) -> None:
        self._channel, self._name, self._buffers = channel, name, buffers
        self._bias = bias
        self._begun = False

    def clear(self) -> None:
        """Begin."""
        if not self._begun:
            self._begun = True
            for buffer in self._buffers:
                buffer.begin()

    def append(self, points: Points) -> None:
        """Take points."""
        store(self._name, self._buffers, points)

    def finished(self, stopped: bool) -> None:
        """Bring an idle source back to its bias."""
        if self._bias is not None:
            self._channel.source.level = self._bias


def _done(result: None) -> list[Any]:
    return []


def _no_stimulus() -> Attribute:
    """Only 0 (no waiting for an event) is known."""
    return Attribute(lambda: 0.0, _refuse_event)


def _stimulus_of_measuring() -> Attribute:
    """Measuring waits for the source in any case, so that this event may be named."""
    words: dict[str, float] = {}

    def put(value: Any) -> None:
        if as_number(value) not in (0.0, _SOURCE_COMPLETE):
            _refuse_event(value)
        words["id"] = as_number(value)

    return Attribute(lambda: words.get("id", 0.0), put)


def _refuse_event(value: Any) -> None:
    if as_number(value) != 0.0:
        raise runtime("this simulation waits for no trigger events")


def _only_auto(value: Any) -> None:
    """``LIMIT_AUTO``: the source's own limit."""
    if as_number(value) != 0.0:
        raise runtime("this simulation sweeps with the source's own limit (LIMIT_AUTO)")
