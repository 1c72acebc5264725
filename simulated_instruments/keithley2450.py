"""Virtual Keithley 2450 source meter in its SCPI dialect.

Knows volts, amperes, ranges, limits and lists; knows nothing of what it is wired to.
Behaviour from the 2450 Reference Manual (2450-901-01), sections 3 and 6; where the
manual's revisions differ (the least limit of a measure range) the newer text of the
family is taken. Not modelled: digital I/O, general trigger models, TSP, configuration
lists, and the low resistance of the "normal" output-off state (it is open here).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from labtrain.clock import Clock
from simulated_instruments.keithley2450_commands import COMMANDS
from simulated_instruments.keithley2450_settings import Settings, Source
from simulated_instruments.list_sweep import RunningSweep
from simulated_instruments.reading_buffer import ReadingBuffer
from simulated_instruments.scpi import COMMON, ScpiInstrument
from simulated_instruments.scpi_errors import ScpiError
from simulated_instruments.scpi_tree import CommandTree
from simulated_instruments.smu_accuracy import (
    OVERFLOW,
    OVERRANGE,
    Floats,
    Quantity,
    ReadingModel,
    range_for,
)
from simulated_instruments.sources import Mode
from simulated_instruments.world import Bools, World

LINE_SECONDS: Final = 0.02
POINT_OVERHEAD_SECONDS: Final = 1e-3
SETTLE_SECONDS: Final = 200e-6
OVERSHOOT_VOLTS: Final = 0.25
LEAST_LIMIT_OF_RANGE: Final = 0.106
"""A limit below this share of a fixed measure range is raised (2470 manual, 12-78)."""

_LIMITED: Final[Mapping[Quantity, Quantity]] = {"VOLT": "CURR", "CURR": "VOLT"}
_MODES: Final[Mapping[Quantity, Mode]] = {"VOLT": "voltage", "CURR": "current"}


class VirtualKeithley2450(ScpiInstrument):
    """One source meter with nodes ``<alias>.hi`` and ``<alias>.lo``.

    Options: ``ideal`` (no errors, noise or resolution of its own).
    """

    identity = "KEITHLEY INSTRUMENTS,MODEL 2450"

    def __init__(self, alias: str, world: World, clock: Clock, options: Mapping[str, Any], seed: int) -> None:
        super().__init__(alias, world, clock, options, seed)
        self._port = world.add_meter(f"{alias}.hi", f"{alias}.lo")
        self._model = ReadingModel(seed, alias, bool(options.get("ideal", False)))
        world.add_process(self._catch_up)
        self.reset()

    def reset(self) -> None:
        """Bring the power-on settings back: outputs off."""
        self.sweep: RunningSweep | None = None
        self.planned: RunningSweep | None = None
        self.lists: dict[str, list[float]] = {"VOLT": [], "CURR": []}
        self.buffers = {"defbuffer1": ReadingBuffer(), "defbuffer2": ReadingBuffer()}
        self.settings = Settings()
        self.apply()

    # --- the source ------------------------------------------------------------------------

    @property
    def source(self) -> Source:
        """The settings of the present source function."""
        return self.settings.sources[self.settings.function]

    def effective_limit(self) -> float:
        """Return the limit as it is held: a fixed measure range clamps it (range compliance)."""
        limited = _LIMITED[self.settings.function]
        sense, limit = self.settings.senses[limited], self.source.limit
        if self.settings.measured == limited and not sense.auto:
            limit = min(limit, OVERRANGE * sense.range)
        return limit if limited == "CURR" else min(limit, self.protection_volts())

    def apply(self) -> None:
        """Make the world see the present settings."""
        port, settings = self._port, self.settings
        port.on, port.mode = settings.output, _MODES[settings.function]
        port.level = float(self._driven(np.array([self.source.level]))[0])
        port.limit = self.effective_limit()
        self._world.changed()

    def _driven(self, levels: Floats) -> Floats:
        """Return what the output stage really drives for programmed levels.

        Over-voltage protection holds it. With remote sense on and no sense lead wired it knows nothing
        of its own output and goes to the end of its range.
        """
        settings, source = self.settings, self.source
        actual = self._model.sourced(settings.function, source.range, levels)
        if settings.function == "CURR":
            return actual
        if settings.senses["VOLT" if settings.measured == "RES" else settings.measured].remote:
            lost = not self._world.wired(f"{self.alias}.sense_hi")
            actual = np.where(lost & (levels != 0), np.sign(levels) * source.range * OVERRANGE, actual)
        held = self.protection_volts()
        return np.clip(actual, -held, held)

    def protection_volts(self) -> float:
        """Return the over-voltage protection in V, infinite for NONE."""
        name = self.settings.protection
        return float("inf") if name == "NONE" else float(name.removeprefix("PROT"))

    def set_level(self, function: Quantity, level: float) -> None:
        """Program a level; on auto range the range follows it.

        Raises
        ------
        ScpiError
            -222 beyond a fixed range or beyond the protection.
        """
        source = self.settings.sources[function]
        if not source.auto and abs(level) > source.range * OVERRANGE * (1 + 1e-9):
            raise ScpiError(-222, f"{level:g} on the {source.range:g} range")
        if source.auto:
            self.set_source_range(function, level, keep_auto=True)
        source.level = level
        self.apply()

    def set_source_range(self, function: Quantity, value: float, keep_auto: bool = False) -> None:
        """Choose the source range for ``value``; with the output on the output overshoots."""
        source, chosen = self.settings.sources[function], range_for(function, value)
        source.auto = keep_auto
        if chosen == source.range:
            return
        source.range = chosen
        if abs(source.level) > chosen * OVERRANGE:
            source.level = 0.0
        if function == self.settings.function and self.settings.output:
            self._world.overshoot(self._port, OVERSHOOT_VOLTS)
        self.apply()

    def set_sense_range(self, quantity: str, value: float) -> None:
        """Fix a measure range; it moves a limit that is too small for it, silently, and may overshoot."""
        sense = self.settings.senses[quantity]
        chosen = value if quantity == "RES" else range_for(_quantity(quantity), value)
        changed = chosen != sense.range or sense.auto
        sense.range, sense.auto = chosen, False
        self.move_limits()
        if changed and self.settings.output and quantity == _LIMITED[self.settings.function]:
            self._world.overshoot(self._port, OVERSHOOT_VOLTS)
        self.apply()

    def move_limits(self) -> None:
        """Raise each limit that a fixed measure range makes too small."""
        for function, limited in _LIMITED.items():
            sense, source = self.settings.senses[limited], self.settings.sources[function]
            if not sense.auto:
                source.limit = max(source.limit, LEAST_LIMIT_OF_RANGE * sense.range)

    def set_function(self, function: Quantity) -> None:
        """Choose what is sourced; a change turns the output off."""
        if function != self.settings.function:
            self.settings.output = False
        self.settings.function = function
        self.apply()

    def set_output(self, on: bool) -> None:
        """Switch the output; off ends a running sweep."""
        if not on:
            self.abort()
        self.settings.output = on
        self.apply()

    def tripped(self, function: Quantity) -> bool:
        """Tell whether the present function's limit holds the source now."""
        return function == self.settings.function and self._world.limited(self._port)

    # --- measuring -------------------------------------------------------------------------

    def aperture(self) -> float:
        """Return the integration time in seconds."""
        return self.settings.senses[self.settings.measured].nplc * LINE_SECONDS

    def settle(self) -> float:
        """Return the time between a level and its measurement, in seconds."""
        return SETTLE_SECONDS if self.source.delay_auto else self.source.delay

    def read_once(self, buffer: str) -> None:
        """Take the readings that ``:SENS:COUN`` asks for into a buffer; takes its time.

        Raises
        ------
        ScpiError
            -221 while a sweep runs.
        """
        if self.sweep is not None:
            raise ScpiError(-221, "a sweep is running")
        for _ in range(self.settings.count):
            self._wait(self.settle() + self.aperture() + POINT_OVERHEAD_SECONDS)
            truth = self._world.measure(self._port, self.aperture())
            level = np.array([self.source.level])
            self._store(level, truth, self.buffer(buffer), np.array([self._world.now_ns()]))

    def take(self, levels: Floats, buffer: ReadingBuffer, times_ns: Floats, dwell: float) -> None:
        """Source ``levels [B]`` for ``dwell`` each, read each, store."""
        truth = self._world.sweep(self._port, self._driven(levels), self.aperture(), dwell)
        self._store(levels, truth, buffer, times_ns)

    def _store(
        self, levels: Floats, read: tuple[Floats, Floats, Bools], buffer: ReadingBuffer, times_ns: Floats
    ) -> None:
        function, source = self.settings.function, self.source
        truth = {"VOLT": read[0], "CURR": read[1]}
        readings = self._readings(truth)
        if source.readback:
            nplc = self.settings.senses[self.settings.measured].nplc
            levels = self._model.read(function, source.range, nplc, truth[function])
        buffer.append(levels, readings, times_ns, read[2])

    def _readings(self, truth: Mapping[str, Floats]) -> Floats:
        measured = self.settings.measured
        sense = self.settings.senses[measured]
        if measured != "RES":
            full_scale = None if sense.auto else sense.range
            return self._model.read(_quantity(measured), full_scale, sense.nplc, truth[measured])
        volts = self._model.read("VOLT", None, sense.nplc, truth["VOLT"])
        amperes = self._model.read("CURR", None, sense.nplc, truth["CURR"])
        still = amperes == 0.0
        return np.where(still, OVERFLOW, volts / np.where(still, 1.0, amperes))

    def buffer(self, name: str) -> ReadingBuffer:
        """Return a reading buffer; -224 for one that does not exist."""
        if name.lower() not in self.buffers:
            raise ScpiError(-224, f"buffer {name}")
        return self.buffers[name.lower()]

    def limited_by(self, levels: Floats) -> Bools:
        """Tell at which of the levels the limit would hold the source."""
        return self._world.would_limit(self._port, self._driven(levels))

    # --- sweeps ----------------------------------------------------------------------------

    def initiate(self) -> None:
        """Start the planned sweep, or take one reading where none is planned; returns at once."""
        if self.sweep is not None:
            raise ScpiError(-211, "already running")
        if self.planned is None:
            self.read_once("defbuffer1")
            return
        self.sweep = self.planned.started(self._world.now_ns(), self.settings.output)
        if not self.settings.output:
            self.set_output_for_sweep()

    def set_output_for_sweep(self) -> None:
        """Turn the output on, as a sweep's first step does."""
        self.settings.output = True
        self.apply()

    def _catch_up(self, now_ns: int) -> None:
        sweep = self.sweep
        if sweep is not None and sweep.run_until(self, now_ns):
            self.sweep = None
            if not sweep.was_on:
                self.settings.output = False
            self.apply()

    def abort(self) -> None:
        """Stop a running sweep where it stands."""
        if self.sweep is not None:
            self.sweep = None
            self.apply()

    def complete(self) -> None:
        """Wait until what was started is over."""
        while self.sweep is not None:
            self._wait(max(self.sweep.end_ns - self._world.now_ns(), 1) * 1e-9)

    def trigger(self) -> None:
        """Fire what waits for a manual trigger."""
        self.initiate()

    tree = CommandTree((*COMMON, *COMMANDS))

    def state_dict(self) -> dict[str, Any]:
        """The reading counter: its noise goes on where it was."""
        return {"readings": self._model.readings}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take :meth:`state_dict`'s result back."""
        self._model.readings = int(state["readings"])


def _quantity(name: str) -> Quantity:
    return "VOLT" if name == "VOLT" else "CURR"
