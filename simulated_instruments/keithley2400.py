"""Virtual Keithley 2400 source meter in its SCPI dialect.

Knows volts, amperes, ranges, limits, lists and its trace buffer; knows nothing of what it is wired to.
Behaviour from the Series 2400 User's Manual (2400S-900-01), sections 3, 9, 10, 11 and 18. What bites:

* ``:MEASure?`` is CONFigure and READ: it brings the function's controls back to ``*RST`` values, the limit
  of the source included, and turns the output on;
* a reading with the output off is error 803;
* a measure range above the limit's is error 824;
* outside the idle state only ``:ABORt``, ``*RST`` and device clear are carried out at once: everything
  else, queries too, waits until the sweep is over.

Not modelled: digital I/O, trigger link lines, math expressions, source memory sweeps.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

import numpy as np

from labtrain.clock import Clock
from simulated_instruments.keithley2400_commands import COMMANDS
from simulated_instruments.keithley2400_panel import PANEL
from simulated_instruments.keithley2400_runs import RUNS
from simulated_instruments.keithley2400_trace import Trace, rows_of
from simulated_instruments.list_sweep import RunningSweep
from simulated_instruments.scpi import COMMON, ScpiInstrument
from simulated_instruments.scpi_errors import ScpiError
from simulated_instruments.scpi_tree import CommandTree
from simulated_instruments.smu_accuracy import Floats, Quantity
from simulated_instruments.smu_channel import LIMITED, SmuChannel
from simulated_instruments.smu_points import Points
from simulated_instruments.smu_settings import Sense, Source
from simulated_instruments.smu_specifications import KEITHLEY_2400
from simulated_instruments.world import World

SETTLE_SECONDS: Final = 300e-6
POINT_OVERHEAD_SECONDS: Final = 400e-6
"""1551 source-measure points a second at 0.01 PLC and 60 Hz, autozero off; [assumed], as the settling is."""

LEAST_LIMIT_OF_RANGE: Final = 1e-3
"""A limit below this share of a fixed measure range is refused (SPEC-2400 Rev. H, page 1)."""

OFF_SHARE: Final = 5e-3
"""Limit of the normal output-off state, of full scale (manual, 13-9)."""

_AT_ONCE: Final = (b":ABOR", b"ABOR", b"*RST")


class VirtualKeithley2400(ScpiInstrument):
    """One source meter with nodes ``<alias>.hi`` and ``<alias>.lo``.

    Options: ``ideal`` (no errors, noise or resolution of its own), ``line_frequency`` (Hz).
    """

    identity = "KEITHLEY INSTRUMENTS INC.,MODEL 2400"

    def __init__(self, alias: str, world: World, clock: Clock, options: Mapping[str, Any], seed: int) -> None:
        super().__init__(alias, world, clock, options, seed)
        self.line_frequency = float(options.get("line_frequency", 50.0))
        self.channel = SmuChannel(
            world,
            alias,
            KEITHLEY_2400,
            seed,
            bool(options.get("ideal", False)),
            overhead_seconds=POINT_OVERHEAD_SECONDS,
            cycle_seconds=1 / self.line_frequency,
            off_share=OFF_SHARE,
        )
        self.reset()

    def reset(self) -> None:
        """Bring the power-on settings back: output off."""
        self.lists: dict[str, list[float]] = {"VOLT": [0.0], "CURR": [0.0]}
        self.fixed = {"VOLT": 0.0, "CURR": 0.0}
        self.modes = {"VOLT": "FIX", "CURR": "FIX"}
        self.spans = {"VOLT": [0.0, 0.0, 2500.0], "CURR": [0.0, 0.0, 2500.0]}
        self.measured = frozenset({"CURR"})
        self.concurrent = True
        self.elements: tuple[str, ...] = ("VOLT", "CURR", "RES", "TIME", "STAT")
        self.format, self.byte_order, self.statistic = "ASC", "NORM", "MEAN"
        self.trigger_count, self.arm_count = 1, 1
        self.trigger_delay = 0.0
        self.compliance_abort = "NEV"
        self.autozero, self.autozero_once = True, False
        self.trace = Trace()
        self.last: Floats | None = None
        self.channel.set_defaults(
            {"VOLT": Source(105e-6, 20.0, auto=True), "CURR": Source(21.0, 100e-6, auto=True)},
            {"VOLT": Sense(20.0), "CURR": Sense(100e-6)},
            settle=SETTLE_SECONDS,
            off_state="NORM",
        )

    def _carry_out(self, message: bytes) -> bytes | None:
        """Hold messages back until the instrument is idle, but for the few that act at once."""
        if self.channel.running is not None and not message.upper().lstrip().startswith(_AT_ONCE):
            self.channel.finish()
        return super()._carry_out(message)

    # --- the source ------------------------------------------------------------------------

    def set_level(self, function: Quantity, level: float) -> None:
        """Program the level of fixed mode; -222 beyond a fixed range."""
        if not self.channel.fits(function, level):
            raise ScpiError(-222, f"{level:g} on the {self.channel.sources[function].range:g} range")
        self.fixed[function] = level
        if self.modes[function] == "FIX":
            self.channel.set_level(function, level)

    def set_mode(self, function: Quantity, mode: str) -> None:
        """Choose fixed mode, list or staircase; back in fixed mode the source jumps to its fixed level."""
        self.modes[function] = mode
        if mode == "FIX" and self.channel.sources[function].level != self.fixed[function]:
            self.channel.set_level(function, self.fixed[function])

    def set_function(self, function: Quantity) -> None:
        """Choose what is sourced; a change turns the output off."""
        if function != self.channel.function:
            self.channel.set_output(False)
        self.channel.set_function(function)

    def set_limit(self, limited: Quantity, value: float) -> None:
        """Set the limit of a quantity; -222 below a thousandth of its fixed measure range."""
        sense = self.channel.senses[limited]
        if not sense.auto and value < LEAST_LIMIT_OF_RANGE * sense.range:
            raise ScpiError(-222, f"a limit of {value:g} on the {sense.range:g} measure range")
        self.channel.sources[LIMITED[limited]].limit = value
        self.channel.apply()

    def limit_of(self, quantity: Quantity) -> float:
        """Return the limit of a quantity."""
        return self.channel.sources[LIMITED[quantity]].limit

    def set_sense_range(self, quantity: Quantity, value: float) -> None:
        """Fix a measure range; 824 above the range that the limit needs, where it is not the source's own."""
        data_sheet = self.channel.specification
        above = data_sheet.range_for(quantity, value) > data_sheet.range_for(
            quantity, self.limit_of(quantity)
        )
        if above and quantity != self.channel.function:
            raise ScpiError(824, f"a measure range of {value:g} with a limit of {self.limit_of(quantity):g}")
        self.channel.set_sense_range(quantity, value)

    def set_nplc(self, cycles: float) -> None:
        """Set the aperture, of all functions alike (manual, 18-66)."""
        for sense in self.channel.senses.values():
            sense.nplc = cycles

    def set_remote(self, on: bool) -> None:
        """Choose four wires or two."""
        for sense in self.channel.senses.values():
            sense.remote = on
        self.channel.apply()

    def set_output(self, on: bool) -> None:
        """Switch the output."""
        self.channel.set_output(on)

    def tripped(self, limited: Quantity) -> bool:
        """Tell whether a limit holds the source now."""
        return LIMITED[limited] == self.channel.function and self.channel.limited()

    # --- measuring -------------------------------------------------------------------------

    def sense(self, names: frozenset[str], on: bool = True) -> None:
        """Switch measure functions; without concurrency a new one takes the place of the others."""
        if not on:
            self.measured = self.measured - names
        else:
            self.measured = (self.measured | names) if self.concurrent else names

    def point_apertures(self) -> int:
        """Return the integrations of a point: one a function, and two more for autozero."""
        functions = len(self.measured - {"RES"}) + ("RES" in self.measured) or 1
        return functions * (3 if self.autozero else 1)

    def levels(self) -> Floats:
        """Return what one run goes through: a list, a staircase, or the level again and again."""
        function = self.channel.function
        count = self.trigger_count * self.arm_count
        if self.modes[function] == "LIST":
            source = np.array(self.lists[function])
        elif self.modes[function] == "SWE":
            start, stop, points = self.spans[function]
            source = np.linspace(start, stop, int(points))
        else:
            source = np.array([self.channel.source.level])
        return np.resize(source, count)

    def initiate(self) -> None:
        """Leave the idle state; returns at once.

        Raises
        ------
        ScpiError
            803 with the output off, -222 for a level beyond the source's range.
        """
        channel, levels = self.channel, self.levels()
        if not channel.output:
            raise ScpiError(803)
        largest = float(np.abs(levels).max())
        if not channel.fits(channel.function, largest):
            raise ScpiError(-222, f"{largest:g} on the {channel.source.range:g} range")
        if channel.source.auto and self.modes[channel.function] != "FIX":
            channel.set_source_range(channel.function, largest, keep_auto=True)
        channel.apertures = self.point_apertures()
        channel.delay = max(channel.source.delay, self.trigger_delay)
        self.last = np.empty((0, 5))
        abort = self.compliance_abort != "NEV" and self.modes[channel.function] != "FIX"
        channel.start(RunningSweep(levels, channel.point_seconds(), abort), self)

    def clear(self) -> None:
        """Begin a run's readings."""
        self.last = np.empty((0, 5))

    def append(self, points: Points) -> None:
        """Take a run's readings; the trace buffer gets them too."""
        rows = rows_of(points, self.channel.function, self.measured)
        assert self.last is not None
        self.last = np.concatenate([self.last, rows])
        self.trace.store(rows)

    def finished(self, stopped: bool) -> None:
        """End a run: the source stays where it is."""

    def read(self) -> Floats:
        """Run from idle to idle and return its readings (``:READ?``)."""
        self.initiate()
        self.channel.finish()
        return self.fetch()

    def fetch(self) -> Floats:
        """Return the readings of the last run; -230 where there was none."""
        if self.last is None or not len(self.last):
            raise ScpiError(-230, "nothing has been measured")
        return self.last

    def configure(self, name: str) -> None:
        """Do ``:CONFigure:<function>``: controls of the function to ``*RST``, output on (manual, 18-50)."""
        self.concurrent, self.measured = True, frozenset({name})
        self.trigger_count = self.arm_count = 1
        self.modes = {"VOLT": "FIX", "CURR": "FIX"}
        self.trigger_delay = 0.0
        if name in ("VOLT", "CURR"):
            quantity = cast(Quantity, name)
            defaults = {"VOLT": (20.0, 21.0), "CURR": (100e-6, 105e-6)}[quantity]
            self.channel.senses[quantity] = Sense(defaults[0])
            self.channel.sources[LIMITED[quantity]].limit = defaults[1]
        self.set_nplc(1.0)
        self.channel.set_output(True)

    def abort(self) -> None:
        """Go to idle, where it stands."""
        self.channel.stop()

    def complete(self) -> None:
        """Wait until the instrument is idle."""
        self.channel.finish()

    def trigger(self) -> None:
        """Do what ``*TRG`` does."""
        self.initiate()

    @property
    def buffer_full(self) -> bool:
        """The measurement event "buffer full"."""
        return self.trace.full

    tree = CommandTree((*COMMON, *PANEL, *COMMANDS, *RUNS))

    def state_dict(self) -> dict[str, Any]:
        """The reading counter: its noise goes on where it was."""
        return {"readings": self.channel.model.readings}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take :meth:`state_dict`'s result back."""
        self.channel.model.readings = int(state["readings"])
