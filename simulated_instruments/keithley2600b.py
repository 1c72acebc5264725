"""Virtual Keithley 2602B: a two-channel source meter that runs TSP.

Behaviour from the Series 2600B Reference Manual (2600BS-901-01), sections 2, 3, 6 and 11. Both channels
measure voltage and current at once, and sweep by themselves, side by side. Not modelled: TSP-Link, digital
I/O, timers and blenders of the trigger model, pulses; overlapped measurements are over when the next
command comes; two channels on one circuit that sweep at the same time each see the other at its last level.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labtrain.clock import Clock
from simulated_instruments.keithley2600b_factory import factory_scripts
from simulated_instruments.keithley2600b_smu import Smu
from simulated_instruments.tsp import TspInstrument
from simulated_instruments.tsp_buffers import ASCII, FORMS, as_printed, table_of
from simulated_instruments.tsp_library import first
from simulated_instruments.tsp_values import Attribute, TspObject, as_number, bounded, chosen, remembered
from simulated_instruments.world import World


class VirtualKeithley2602B(TspInstrument):
    """Two channels with nodes ``<alias>.a.hi``, ``<alias>.a.lo`` and ``<alias>.b.hi``, ``<alias>.b.lo``.

    Options: ``ideal`` (no errors, noise or resolution of its own), ``line_frequency`` (Hz).
    """

    identity = "Keithley Instruments Inc., Model 2602B"
    model = "2602B"

    def __init__(self, alias: str, world: World, clock: Clock, options: Mapping[str, Any], seed: int) -> None:
        super().__init__(alias, world, clock, options, seed)
        self.line_frequency = float(options.get("line_frequency", 50.0))
        ideal = bool(options.get("ideal", False))
        self.smus = {
            name: Smu(name, f"{alias}.{name}", world, seed, ideal, 1 / self.line_frequency) for name in "ab"
        }
        self._form, self._swapped = ASCII, True
        self._timer_ns = world.now_ns()
        self._words: dict[str, float] = {}
        self.build()
        self.reset()

    def reset(self) -> None:
        """Bring both channels and the formats back to their defaults."""
        self._form, self._swapped, self.precision = ASCII, True, 6
        for smu in self.smus.values():
            smu.reset()

    def complete(self) -> None:
        """Wait until both sweeps are over."""
        for smu in self.smus.values():
            smu.channel.finish()

    # --- objects ---------------------------------------------------------------------------

    def objects(self) -> dict[str, Any]:
        """Return what scripts act on."""
        automatic = remembered(self._words, "autolinefreq", 1.0, 0.0, 1.0)
        return {
            **{f"smu{name}": smu.table for name, smu in self.smus.items()},
            "format": self._format(),
            "printbuffer": self._print_buffer,
            **factory_scripts(),
            "localnode": TspObject(
                "localnode",
                {
                    "model": self.model,
                    "serialno": self.alias.upper(),
                    "version": "3.3.5",
                    "revision": "3.3.5",
                    "linefreq": Attribute(lambda: self.line_frequency, self._line),
                    "autolinefreq": Attribute(lambda: bool(automatic.get()), automatic.put),
                    "prompts": remembered(self._words, "prompts", 0.0, 0.0, 1.0),
                    "showerrors": remembered(self._words, "showerrors", 0.0, 0.0, 1.0),
                    "prompts4882": remembered(self._words, "prompts4882", 1.0, 0.0, 1.0),
                },
            ),
            "status": self._status(),
            "timer": TspObject(
                "timer",
                {
                    "reset": self._reset_timer,
                    "measure": TspObject("timer.measure", {"t": lambda arguments: [self._seconds()]}),
                },
            ),
        }

    def _line(self, value: Any) -> None:
        chosen(value, {50.0: 50.0, 60.0: 60.0}, "line frequency")

    def _reset_timer(self, arguments: list[Any]) -> list[Any]:
        self._timer_ns = self._world.now_ns()
        return []

    def _seconds(self) -> float:
        return (self._world.now_ns() - self._timer_ns) * 1e-9

    def _format(self) -> TspObject:
        def form(value: Any) -> None:
            self._form = chosen(value, {number: number for number in FORMS.values()}, "format.data")

        def precision(value: Any) -> None:
            self.precision = round(bounded(value, 1.0, 16.0, "format.asciiprecision"))

        def order(value: Any) -> None:
            self._swapped = chosen(value, {0.0: False, 1.0: True}, "format.byteorder")

        attributes = {
            "data": Attribute(lambda: self._form, form),
            "asciiprecision": Attribute(lambda: float(self.precision), precision),
            "byteorder": Attribute(lambda: float(self._swapped), order),
        }
        orders = {"NORMAL": 0.0, "NETWORK": 0.0, "BIGENDIAN": 0.0, "SWAPPED": 1.0, "LITTLEENDIAN": 1.0}
        return TspObject("format", {**attributes, **FORMS, **orders})

    def _print_buffer(self, arguments: list[Any]) -> list[Any]:
        first(arguments, "printbuffer")
        as_number(arguments[0])
        self.say(as_printed(table_of(arguments), self._form, self._swapped, self.precision) + b"\n")
        return []

    def _status(self) -> TspObject:
        smus = {
            f"smu{name}": TspObject(f"smu{name}", {"condition": Attribute(smu.condition)})
            for name, smu in self.smus.items()
        }
        sweeping = TspObject("status.operation.sweeping", {"condition": Attribute(self._sweeping)})
        return TspObject(
            "status",
            {
                "condition": Attribute(lambda: 4.0 if len(self.errors) else 0.0),
                "reset": lambda arguments: [],
                "measurement": TspObject(
                    "status.measurement", {"instrument": TspObject("status.measurement.instrument", smus)}
                ),
                "operation": TspObject("status.operation", {"sweeping": sweeping}),
            },
        )

    def _sweeping(self) -> float:
        """Bits 1 and 2: a sweep runs on channel a, b."""
        running = [smu.channel.running is not None for smu in self.smus.values()]
        return 2.0 * running[0] + 4.0 * running[1]

    def state_dict(self) -> dict[str, Any]:
        """The reading counters: noise goes on where it was."""
        return {"readings": {name: smu.channel.model.readings for name, smu in self.smus.items()}}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take :meth:`state_dict`'s result back."""
        for name, readings in state["readings"].items():
            self.smus[name].channel.model.readings = int(readings)
