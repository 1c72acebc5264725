"""What every source meter's channel does at its terminals, whatever language it is told in.

Ranges, limits, range compliance, overshoot, off states, readings with their errors, sweeps that run by
themselves. A model's command set asks these methods; errors are its own (see :meth:`SmuChannel.fits`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import numpy as np

from simulated_instruments.list_sweep import RunningSweep
from simulated_instruments.readings import Bools
from simulated_instruments.smu_accuracy import Floats, Quantity, ReadingModel, Specification
from simulated_instruments.smu_off_states import HIGH_IMPEDANCE, at_rest
from simulated_instruments.smu_points import Log, Point, Points
from simulated_instruments.smu_settings import Sense, Source
from simulated_instruments.sources import Mode
from simulated_instruments.world import World

OVERSHOOT_VOLTS: Final = 0.25
LIMITED: Final[Mapping[Quantity, Quantity]] = {"VOLT": "CURR", "CURR": "VOLT"}
_MODES: Final[Mapping[Quantity, Mode]] = {"VOLT": "voltage", "CURR": "current"}
_A_HAIR: Final = 1 + 1e-9
_new = tuple.__new__  # half the price of a named tuple's own


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
    overhead_seconds
        Of each point, beside its settling and its apertures.
    cycle_seconds
        One power line cycle.
    off_share
        Of full scale: the limit of a source at rest (:mod:`simulated_instruments.smu_off_states`).

    Attributes
    ----------
    apertures
        How many integrations a point takes, one after the other.
    settle, delay
        Seconds between a level and its measurement: the source's own, and what is asked for beside.
    measured
        The one function that is measured (``"VOLT"``, ``"CURR"``, ``"RES"``), whose sense settings count
        alone; None where both quantities always are.
    off_state
        A word of :mod:`simulated_instruments.smu_off_states`.
    off_amperes
        The limit of a voltage source at rest where it is a setting of its own; else a share of the range.
    """

    def __init__(
        self,
        world: World,
        name: str,
        specification: Specification,
        seed: int,
        ideal: bool,
        *,
        overhead_seconds: float,
        cycle_seconds: float,
        off_share: float,
    ) -> None:
        self.world = world
        self.name = name
        self.specification = specification
        self.model = ReadingModel(seed, name, ideal, specification)
        self._overhead, self._cycle, self.off_share = overhead_seconds, cycle_seconds, off_share
        self._port = world.add_meter(f"{name}.hi", f"{name}.lo")
        self._lost = False
        world.when_relays_move(self._relays_moved)
        self._log: Log | None = None

    def set_defaults(
        self,
        sources: dict[Quantity, Source],
        senses: dict[str, Sense],
        *,
        settle: float,
        measured: str | None = None,
        off_state: str = HIGH_IMPEDANCE,
    ) -> None:
        """Take settings over, output off, as a reset does; called once before anything else."""
        self.running: RunningSweep | None = None
        self.world.drop_process(self._catch_up)
        self.function: Quantity = "VOLT"
        self.output = False
        self.sources, self.senses, self.measured = sources, senses, measured
        self.protection = math.inf
        self.apertures = 1
        self.settle, self.delay = settle, 0.0
        self.off_state, self.off_amperes = off_state, 0.0
        self.apply()

    # --- the source ------------------------------------------------------------------------

    @property
    def source(self) -> Source:
        """The settings of the present source function."""
        return self.sources[self.function]

    def effective_limit(self) -> float:
        """Return the limit as it is held: a fixed measure range clamps it (range compliance)."""
        limited = LIMITED[self.function]
        if self._lost and limited == "VOLT":
            return min(self.protection, self._most(self.specification.range_for("VOLT", math.inf)))
        sense, limit = self.senses[limited], self.source.limit
        if not sense.auto and self.measured in (None, limited):
            limit = min(limit, self.specification.overrange * sense.range)
        return limit if limited == "CURR" else min(limit, self.protection)

    def apply(self) -> None:
        """Make the world see the present settings."""
        port = self._port
        remote = self.output and self.senses[self.measured or "VOLT"].remote
        self._lost = remote and not self.world.senses(port)
        port.remote = remote and not self._lost
        if self.output:
            level = self._driven_once(self.source.level)
            drive: tuple[Mode, float, float] | None = (_MODES[self.function], level, self.effective_limit())
        else:
            drive = at_rest(self)
        port.on, port.idle = drive is not None, not self.output
        port.mode, port.level, port.limit = drive or (_MODES[self.function], 0.0, 0.0)
        self.world.changed()

    def _driven(self, levels: Floats) -> Floats:
        """Return what the output stage really drives; with a lost sense lead, the end of its range."""
        source = self.source
        actual = self.model.sourced(self.function, source.range, levels)
        if self.function == "CURR":
            return actual
        if self._lost:
            actual = np.where(levels != 0, np.sign(levels) * self._most(source.range), actual)
        return np.clip(actual, -self.protection, self.protection)

    def _driven_once(self, level: float) -> float:
        """Do what :meth:`_driven` does for one level."""
        function = self.function
        source = self.sources[function]
        actual = self.model.sourced_once(function, source.range, level)
        if function == "CURR":
            return actual
        if level and self._lost:
            actual = math.copysign(self._most(source.range), level)
        most = self.protection
        return actual if -most <= actual <= most else math.copysign(most, actual)

    def _relays_moved(self) -> None:
        if self._port.remote or self._lost:
            self.apply()

    def _most(self, full_scale: float) -> float:
        return full_scale * self.specification.overrange

    def fits(self, function: Quantity, level: float) -> bool:
        """Tell whether the source range, or the one that automatic ranging would choose, takes a level."""
        source, sheet = self.sources[function], self.specification
        full_scale = sheet.range_for(function, level) if source.auto else source.range
        return abs(level) <= full_scale * sheet.overrange * _A_HAIR

    def set_level(self, function: Quantity, level: float) -> None:
        """Program a level that fits; on automatic range the range follows it."""
        source = self.sources[function]
        if source.auto:
            self.set_source_range(function, level, keep_auto=True)
        source.level = level
        if not self.output:
            self.apply()
        elif function == self.function:
            self._port.level = self._driven_once(level)
            self.world.level_changed(self._port)

    def set_source_range(self, function: Quantity, value: float, keep_auto: bool = False) -> None:
        """Choose the source range for ``value``; with the output on the output overshoots."""
        source, chosen = self.sources[function], self.specification.range_for(function, value)
        source.auto = keep_auto
        if chosen == source.range:
            return
        source.range = chosen
        if abs(source.level) > self._most(chosen) * _A_HAIR:
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
        return self.senses[self.measured or LIMITED[self.function]].nplc * self._cycle

    def point_seconds(self) -> float:
        """Return the time of one point."""
        return self.delay + self.settle + self.apertures * self.aperture() + self._overhead

    def measure(self) -> Point:
        """Take one point where the source stands, in the time that it needs."""
        world, read = self.world, self.model.read_once
        aperture = self.aperture()
        world.wait(self.delay + self.settle + self.apertures * aperture + self._overhead)
        volts, amperes, limited = world.measure(self._port, aperture)
        volts = 0.0 if self._lost else volts
        full_scale, nplc = self._reading_of("VOLT")
        volts = read("VOLT", full_scale, nplc, volts)
        full_scale, nplc = self._reading_of("CURR")
        amperes = read("CURR", full_scale, nplc, amperes)
        return _new(Point, (self.sources[self.function].level, volts, amperes, world.now_ns(), limited))

    def _reading_of(self, quantity: Quantity) -> tuple[float | None, float]:
        """Return range and aperture of a reading; a range of None is chosen for each.

        What is sourced is measured on the source's own range.
        """
        nplc = self.senses[self.measured or quantity].nplc
        if quantity == self.function:
            return self.sources[quantity].range, nplc
        sense = self.senses[quantity]
        return None if sense.auto or self.measured == "RES" else sense.range, nplc

    # --- sweeps ----------------------------------------------------------------------------

    def start(self, sweep: RunningSweep, log: Log) -> None:
        """Let a sweep run by itself from now on, its points into a log; the output must be on."""
        self._log = log
        self.running = sweep.started(self.world.now_ns())
        self.world.add_process(self._catch_up)

    def stop(self) -> None:
        """Stop a running sweep where it stands."""
        if self.running is not None:
            self._end(stopped=True)

    def _end(self, stopped: bool) -> None:
        assert self._log is not None
        self.running = None
        self.world.drop_process(self._catch_up)
        self._log.finished(stopped)
        self.apply()

    def finish(self) -> None:
        """Wait until a running sweep is over."""
        while self.running is not None:
            self.world.wait(max(self.running.end_ns - self.world.now_ns(), 1) * 1e-9)

    def _catch_up(self, now_ns: int) -> None:
        sweep = self.running
        if sweep is not None and sweep.run_until(self, self.world.now_awaiting_ns(sweep.end_ns)):
            self._end(stopped=False)

    @property
    def log(self) -> Log:
        """Where the running sweep's points go."""
        assert self._log is not None
        return self._log

    def take(self, levels: Floats, times_ns: Floats, dwell: float) -> None:
        """Source ``levels [B]`` for ``dwell`` seconds each, read each, store."""
        volts, amperes, limited = self.world.sweep(self._port, self._driven(levels), self.aperture(), dwell)
        volts = 0.0 * volts if self._lost else volts
        read = self.model.read
        volts = read("VOLT", *self._reading_of("VOLT"), volts)
        amperes = read("CURR", *self._reading_of("CURR"), amperes)
        self.source.level = float(levels[-1])
        self.log.append(Points(levels, volts, amperes, times_ns, limited))

    def limited_by(self, levels: Floats) -> Bools:
        """Tell at which of the levels the limit would hold the source."""
        return self.world.would_limit(self._port, self._driven(levels))
