"""Virtual Keithley 2450 source meter in its SCPI dialect.

Knows functions, buffers and lists; knows nothing of what it is wired to. Behaviour from the 2450 Reference
Manual (2450-901-01), sections 3 and 6; where the manual's revisions differ (the least limit of a measure
range) the newer text of the family is taken. What bites:

* after ``*RST`` the output-off state is "normal": a closed relay and 0 V across the device;
* a fixed measure range raises a limit that is too small for it, silently;
* remote sense with no lead wired drives the output to the end of its range.

Not modelled: digital I/O, general trigger models, TSP, configuration lists.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, cast

from labtrain.clock import Clock
from simulated_instruments.keithley2450_commands import COMMANDS
from simulated_instruments.keithley2450_loops import LOOPS, Loop, Sweep
from simulated_instruments.keithley2450_panel import PANEL
from simulated_instruments.keithley2450_sweeps import SWEEPS, BufferedSweep
from simulated_instruments.reading_buffer import ReadingBuffer
from simulated_instruments.scpi import COMMON, ScpiInstrument
from simulated_instruments.scpi_errors import ScpiError
from simulated_instruments.scpi_tree import CommandTree
from simulated_instruments.smu_accuracy import KEITHLEY_2450, OVERFLOW, Quantity
from simulated_instruments.smu_channel import LIMITED, SmuChannel
from simulated_instruments.smu_settings import Sense, Source
from simulated_instruments.world import World

LINE_SECONDS: Final = 0.02
POINT_OVERHEAD_SECONDS: Final = 1e-3
SETTLE_SECONDS: Final = 200e-6
LEAST_LIMIT_OF_RANGE: Final = 0.106
"""A limit below this share of a fixed measure range is raised (2470 manual, 12-78)."""

OFF_SHARE: Final = 0.1
"""Limit of the normal output-off state, of full scale (manual, 6-31)."""


class VirtualKeithley2450(ScpiInstrument):
    """One source meter with nodes ``<alias>.hi`` and ``<alias>.lo``.

    Options: ``ideal`` (no errors, noise or resolution of its own).
    """

    identity = "KEITHLEY INSTRUMENTS,MODEL 2450"
    tree = CommandTree((*COMMON, *PANEL, *COMMANDS, *SWEEPS, *LOOPS))

    def __init__(self, alias: str, world: World, clock: Clock, options: Mapping[str, Any], seed: int) -> None:
        super().__init__(alias, world, clock, options, seed)
        self.channel = SmuChannel(
            world,
            alias,
            KEITHLEY_2450,
            seed,
            bool(options.get("ideal", False)),
            overhead_seconds=POINT_OVERHEAD_SECONDS,
            cycle_seconds=LINE_SECONDS,
            off_share=OFF_SHARE,
        )
        self.reset()

    def reset(self) -> None:
        """Bring the power-on settings back: output off, in the normal off state."""
        self.planned: Sweep | Loop | None = None
        self.lists: dict[str, list[float]] = {"VOLT": [], "CURR": []}
        self.buffers = {"defbuffer1": ReadingBuffer(), "defbuffer2": ReadingBuffer()}
        self.protection, self.terminals = "NONE", "FRON"
        self.format, self.byte_order, self.count = "ASC", "SWAP", 1
        self.channel.set_defaults(
            {"VOLT": Source(105e-6, 0.02), "CURR": Source(21.0, 10e-9)},
            {"VOLT": Sense(0.02), "CURR": Sense(100e-6), "RES": Sense(200e3)},
            settle=SETTLE_SECONDS,
            measured="CURR",
            off_state="NORM",
        )

    # --- the source ------------------------------------------------------------------------

    def set_level(self, function: Quantity, level: float) -> None:
        """Program a level; -222 beyond a fixed range."""
        if not self.channel.fits(function, level):
            raise ScpiError(-222, f"{level:g} on the {self.channel.sources[function].range:g} range")
        self.channel.set_level(function, level)

    def set_limit(self, function: Quantity, limit: float) -> None:
        """Set the limit of a source function; a fixed measure range may raise it."""
        self.channel.sources[function].limit = limit
        self.refresh()

    def set_sense_range(self, name: str, value: float) -> None:
        """Fix a measure range; it moves a limit that is too small for it, silently, and may overshoot."""
        if name == "RES":
            self.channel.senses[name].range, self.channel.senses[name].auto = value, False
            return
        quantity = cast(Quantity, name)
        self._raise_limit(LIMITED[quantity], self.channel.specification.range_for(quantity, value))
        self.channel.set_sense_range(quantity, value)

    def refresh(self) -> None:
        """Raise each limit that a fixed measure range makes too small; let the world see it all."""
        for function, limited in LIMITED.items():
            sense = self.channel.senses[limited]
            if not sense.auto:
                self._raise_limit(function, sense.range)
        self.channel.apply()

    def _raise_limit(self, function: Quantity, full_scale: float) -> None:
        source = self.channel.sources[function]
        source.limit = max(source.limit, LEAST_LIMIT_OF_RANGE * full_scale)

    def set_protection(self, name: str) -> None:
        """Choose the over-voltage protection: ``NONE`` or ``PROT<volts>``."""
        self.protection = name
        self.channel.protection = math.inf if name == "NONE" else float(name.removeprefix("PROT"))
        self.channel.apply()

    def set_function(self, function: Quantity) -> None:
        """Choose what is sourced; a change turns the output off."""
        if function != self.channel.function:
            self.channel.set_output(False)
        self.channel.function = function
        self.follow()

    def follow(self) -> None:
        """Take over what belongs to the present source function: settle time and output-off state."""
        source = self.channel.source
        self.channel.settle = SETTLE_SECONDS if source.delay_auto else source.delay
        self.channel.off_state = source.off_state
        self.channel.apply()

    def set_output(self, on: bool) -> None:
        """Switch the output; off ends a running sweep."""
        self.channel.set_output(on)

    def set_measured(self, name: str) -> None:
        """Choose what is measured: ``VOLT``, ``CURR`` or ``RES``."""
        self.channel.measured = name.partition(":")[0]
        self.channel.apply()

    @property
    def protected(self) -> bool:
        """Whether over-voltage protection holds the source below its level now."""
        channel = self.channel
        return (
            channel.output and channel.function == "VOLT" and abs(channel.source.level) > channel.protection
        )

    def tripped(self, function: Quantity) -> bool:
        """Tell whether the present function's limit holds the source now."""
        return function == self.channel.function and self.channel.limited()

    # --- measuring -------------------------------------------------------------------------

    def read_once(self, buffer: str) -> ReadingBuffer:
        """Take the readings that ``:SENS:COUN`` asks for into a buffer; takes its time.

        Raises
        ------
        ScpiError
            -221 while a sweep runs, -224 for a buffer that does not exist.
        """
        channel, kept = self.channel, self.buffer(buffer)
        if channel.running is not None:
            raise ScpiError(-221, "a sweep is running")
        for _ in range(self.count):
            level, volts, amperes, time_ns, limited = channel.measure()
            if channel.sources[channel.function].readback:
                level = volts if channel.function == "VOLT" else amperes
            kept.append_one(level, self.reading(volts, amperes), time_ns, limited)
        return kept

    def reading(self, volts: float, amperes: float) -> float:
        """Return the measured function's reading."""
        if self.channel.measured == "VOLT":
            return volts
        if self.channel.measured == "CURR":
            return amperes
        return volts / amperes if amperes else OVERFLOW

    def buffer(self, name: str) -> ReadingBuffer:
        """Return a reading buffer; -224 for one that does not exist."""
        found = self.buffers.get(name)
        if found is None:
            found = self.buffers.get(name.lower())
        if found is None:
            raise ScpiError(-224, f"buffer {name}")
        return found

    # --- sweeps ----------------------------------------------------------------------------

    def initiate(self) -> None:
        """Start the planned sweep, or take one reading where none is planned; returns at once."""
        channel = self.channel
        if channel.running is not None:
            raise ScpiError(-211, "already running")
        if self.planned is None:
            self.read_once("defbuffer1")
            return
        plan = self.planned
        was_on = channel.output or not plan.sources
        channel.start(plan.ready(channel), BufferedSweep(self, self.buffer(plan.buffer), was_on))
        if not was_on:  # a sweep's first step turns it on
            channel.set_output(True)

    def abort(self) -> None:
        """Stop a running sweep where it stands."""
        self.channel.stop()

    def complete(self) -> None:
        """Wait until what was started is over."""
        self.channel.finish()

    def trigger(self) -> None:
        """Fire what waits for a manual trigger."""
        self.initiate()

    def state_dict(self) -> dict[str, Any]:
        """The reading counter: its noise goes on where it was."""
        return {"readings": self.channel.model.readings}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take :meth:`state_dict`'s result back."""
        self.channel.model.readings = int(state["readings"])
