"""What every source meter's channel does at its terminals, whatever language it is told in.

Ranges, limits, range compliance, overshoot, readings with their errors, sweeps that run by themselves.
A model's command set asks these methods; errors are the caller's own (see :meth:`SmuChannel.fits`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from simulated_instruments.keithley2450_settings import Sense, Source
from simulated_instruments.list_sweep import RunningSweep
from simulated_instruments.smu_accuracy import Floats, Quantity, ReadingModel, Specification
from simulated_instruments.sources import Mode
from simulated_instruments.world import Bools, World

OVERSHOOT_VOLTS: Final = 0.25
LIMITED: Final[Mapping[Quantity, Quantity]] = {"VOLT": "CURR", "CURR": "VOLT"}
_MODES: Final[Mapping[Quantity, Mode]] = {"VOLT": "voltage", "CURR": "current"}


@dataclass(frozen=True, slots=True)
class Points:
    """Points, ``[B]`` each: levels (V or A), readings in V and A, times, and where the limit held."""

    levels: Floats
    volts: Floats
    amperes: Floats
    times_ns: Floats
    limited: Bools


class Log(Protocol):
    """Where a sweep puts its points."""

    def clear(self) -> None:
        """Called once, as the sweep starts."""

    def append(self, points: Points) -> None:
        """Take points, in order."""

    def finished(self) -> None:
        """Called once, as the sweep ends or is stopped; may put the source's level elsewhere."""


class SmuChannel:
    """One output of a source meter.

    Parameters
    ----------
    world
        What it is wired to.
    name
        Its nodes are ``<name>.hi`` and ``<name>.lo``; draws its errors too.
    specification
        The model's data sheet.
    seed, ideal
        As for :class:`ReadingModel`.
    settle_seconds, overhead_seconds
        Of each point, beside its apertures.
    cycle_seconds
        One power line cycle.

    Attributes
    ----------
    apertures
        How many integrations a point takes, one after the other.
    delay
        Seconds between a level and its measurement, beside the settling.
    """

    def __init__(
        self,
        world: World,
        name: str,
        specification: Specification,
        seed: int,
        ideal: bool,
        *,
        settle_seconds: float,
        overhead_seconds: float,
        cycle_seconds: float,
    ) -> None:
        self.world = world
        self.name = name
        self.specification = specification
        self.model = ReadingModel(seed, name, ideal, specification)
        self._settle, self._overhead, self._cycle = settle_seconds, overhead_seconds, cycle_seconds
        self._port = world.add_meter(f"{name}.hi", f"{name}.lo")
        world.add_process(self._catch_up)
        self._log: Log | None = None

    def set_defaults(self, sources: dict[Quantity, Source], senses: dict[Quantity, Sense]) -> None:
        """Take settings over, output off, as a reset does; called once before anything else."""
        self.running: RunningSweep | None = None
        self.function: Quantity = "VOLT"
        self.output = False
        self.sources, self.senses = sources, senses
        self.protection = float("inf")
        self.apertures = 1
        self.delay = 0.0
        self.apply()

    # --- the source ------------------------------------------------------------------------

    @property
    def source(self) -> Source:
        """The settings of the present source function."""
        return self.sources[self.function]

    def effective_limit(self) -> float:
        """Return the limit as it is held: a fixed measure range clamps it (range compliance)."""
        limited = LIMITED[self.function]
        sense, limit = self.senses[limited], self.source.limit
        if not sense.auto:
            limit = min(limit, self.specification.overrange * sense.range)
        return limit if limited == "CURR" else min(limit, self.protection)

    def apply(self) -> None:
        """Make the world see the present settings."""
        port = self._port
        port.on, port.mode = self.output, _MODES[self.function]
        port.level = float(self._driven(np.array([self.source.level]))[0])
        port.limit = self.effective_limit()
        self.world.changed()

    def _driven(self, levels: Floats) -> Floats:
        """Return what the output stage really drives; with a lost sense lead, the end of its range."""
        source = self.source
        actual = self.model.sourced(self.function, source.range, levels)
        if self.function == "CURR":
            return actual
        if self.senses["VOLT"].remote and not self.world.wired(f"{self.name}.sense_hi"):
            most = source.range * self.specification.overrange
            actual = np.where(levels != 0, np.sign(levels) * most, actual)
        return np.clip(actual, -self.protection, self.protection)

    def fits(self, function: Quantity, level: float) -> bool:
        """Tell whether the source range, or the one that automatic ranging would choose, takes a level."""
        source = self.sources[function]
        full_scale = self.specification.range_for(function, level) if source.auto else source.range
        return abs(level) <= full_scale * self.specification.overrange * (1 + 1e-9)

    def set_level(self, function: Quantity, level: float) -> None:
        """Program a level that fits; on automatic range the range follows it."""
        source = self.sources[function]
        if source.auto:
            self.set_source_range(function, level, keep_auto=True)
        source.level = level
        self.apply()

    def set_source_range(self, function: Quantity, value: float, keep_auto: bool = False) -> None:
        """Choose the source range for ``value``; with the output on the output overshoots."""
        source, chosen = self.sources[function], self.specification.range_for(function, value)
        source.auto = keep_auto
        if chosen == source.range:
            return
        source.range = chosen
        if abs(source.level) > chosen * self.specification.overrange * (1 + 1e-9):
            source.level = 0.0
        if function == self.function and self.output:
            self.world.overshoot(self._port, OVERSHOOT_VOLTS)
        self.apply()

    def set_source_auto(self, function: Quantity, on: bool) -> None:
        """Switch automatic source ranging."""
        self.sources[function].auto = on
        if on:
            self.set_level(function, self.sources[function].level)

    def set_sense_range(self, quantity: Quantity, value: float) -> None:
        """Fix a measure range; with the output on, that of the limited quantity overshoots."""
        sense, chosen = self.senses[quantity], self.specification.range_for(quantity, value)
        changed = chosen != sense.range or sense.auto
        sense.range, sense.auto = chosen, False
        if changed and self.output and quantity == LIMITED[self.function]:
            self.world.overshoot(self._port, OVERSHOOT_VOLTS)
        self.apply()

    def set_function(self, function: Quantity) -> None:
        """Choose what is sourced."""
        self.function = function
        self.apply()

    def set_output(self, on: bool) -> None:
        """Switch the output; off ends a running sweep."""
        if not on:
            self.stop()
        self.output = on
        self.apply()

    def limited(self) -> bool:
        """Tell whether the limit holds the source now."""
        return self.world.limited(self._port)

    # --- measuring -------------------------------------------------------------------------

    def aperture(self) -> float:
        """Return the time of one integration, in seconds."""
        return self.senses[LIMITED[self.function]].nplc * self._cycle

    def point_seconds(self) -> float:
        """Return the time of one point."""
        return self.delay + self._settle + self.apertures * self.aperture() + self._overhead

    def measure(self) -> Points:
        """Take one point where the source stands, in the time that it needs."""
        self.world.wait(self.point_seconds())
        read = self.world.measure(self._port, self.aperture())
        return self._points(np.array([self.source.level]), read, np.array([float(self.world.now_ns())]))

    def _points(self, levels: Floats, read: tuple[Floats, Floats, Bools], times_ns: Floats) -> Points:
        readings = self._read({"VOLT": read[0], "CURR": read[1]})
        return Points(levels, readings["VOLT"], readings["CURR"], times_ns, read[2])

    def _read(self, truth: Mapping[Quantity, Floats]) -> dict[Quantity, Floats]:
        """Return the instrument's readings of true volts and amperes, each on its range."""
        return {quantity: self._reading(quantity, truth[quantity]) for quantity in truth}

    def _reading(self, quantity: Quantity, truth: Floats) -> Floats:
        """Read one quantity; what is sourced is measured on the source's own range."""
        sense = self.senses[quantity]
        if quantity == self.function:
            full_scale: float | None = self.source.range
        else:
            full_scale = None if sense.auto else sense.range
        return self.model.read(quantity, full_scale, sense.nplc, truth)

    # --- sweeps ----------------------------------------------------------------------------

    def start(self, sweep: RunningSweep, log: Log) -> None:
        """Let a sweep run by itself from now on, its points into a log; the output must be on."""
        self._log = log
        self.running = sweep.started(self.world.now_ns(), self.output)

    def stop(self) -> None:
        """Stop a running sweep where it stands."""
        if self.running is not None:
            self._end()

    def _end(self) -> None:
        assert self._log is not None
        self.running = None
        self._log.finished()
        self.apply()

    def finish(self) -> None:
        """Wait until a running sweep is over."""
        while self.running is not None:
            self.world.wait(max(self.running.end_ns - self.world.now_ns(), 1) * 1e-9)

    def _catch_up(self, now_ns: int) -> None:
        sweep = self.running
        if sweep is not None and sweep.run_until(self, now_ns):
            self._end()

    # what a running sweep asks for

    def buffer(self, name: str) -> Log:
        """Return where the running sweep's points go."""
        assert self._log is not None
        return self._log

    def take(self, levels: Floats, log: Log, times_ns: Floats, dwell: float) -> None:
        """Source ``levels [B]`` for ``dwell`` seconds each, read each, store."""
        read = self.world.sweep(self._port, self._driven(levels), self.aperture(), dwell)
        log.append(self._points(levels, read, times_ns))

    def limited_by(self, levels: Floats) -> Bools:
        """Tell at which of the levels the limit would hold the source."""
        return self.world.would_limit(self._port, self._driven(levels))
