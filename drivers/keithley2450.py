"""Keithley 2450 SourceMeter in its SCPI 2450 command set.

Knows SCPI; does not know devices, limits or routes. Private to the role that owns it.

Built on PyMeasure's ``Keithley2450``, which is right on the wire for mode and output. Overridden here
is what is not: it prints levels, limits and ranges with ``%g`` (six digits) and clamps out-of-range
ones silently; its ``voltage`` and ``current`` are the same ``:READ?``; its buffer speaks the SCPI 2400
set (``:TRAC:FEED``), which the instrument answers with -113.

Source: Keithley 2450 Reference Manual 2450-901-01 Rev. E and the 2450 data sheet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from pymeasure.instruments import Instrument

from drivers.direct import Direct
from drivers.pymeasure_keithley import Keithley2450 as PyMeasureKeithley2450
from drivers.scpi_properties import drained, number, switch
from labtrain.errors import UsageError
from labtrain.roles.spec import SOURCE_METER_NODES, DriverSpec

_MODES = {"voltage": "VOLT", "current": "CURR"}
_PROTECTION = {2: "PROT2", 5: "PROT5", 10: "PROT10", 20: "PROT20", 40: "PROT40", 60: "PROT60"}
_PROTECTION |= {80: "PROT80", 100: "PROT100", 120: "PROT120", 140: "PROT140", 160: "PROT160", 180: "PROT180"}
_OFF_STATES = {"normal": "NORM", "high-z": "HIMP", "zero": "ZERO"}
_BUFFER = "'defbuffer1'"
_ONCE = f":READ? {_BUFFER}, SOUR, READ, REL"


class Keithley2450(Direct, PyMeasureKeithley2450):
    """The dialect that :class:`labtrain.roles.SourceMeter` asks for."""

    list_chunk = 100
    list_capacity = 2500
    settle_seconds = 200e-6
    off_state: str | None = None
    """``:OUTP:SMOD``'s word; None leaves the instrument's own."""
    line_seconds = 0.02

    source_mode = Instrument.control(
        ":SOUR:FUNC?",
        ":SOUR:FUNC %s",
        "Control the source function.",
        values=_MODES,
        map_values=True,
        cast=lambda text: text.strip().upper()[:4],
    )
    source_voltage = number(":SOUR:VOLT", "Control the source voltage, in V.")
    source_current = number(":SOUR:CURR", "Control the source current, in A.")
    compliance_current = number(":SOUR:VOLT:ILIM", "Control the limiting current of voltage mode, in A.")
    compliance_voltage = number(":SOUR:CURR:VLIM", "Control the limiting voltage of current mode, in V.")
    source_voltage_range = number(":SOUR:VOLT:RANG", "Control the voltage source range, in V.")
    source_current_range = number(":SOUR:CURR:RANG", "Control the current source range, in A.")
    voltage_range = number(":SENS:VOLT:RANG", "Control the voltage measure range, in V.")
    current_range = number(":SENS:CURR:RANG", "Control the current measure range, in A.")
    source_voltage_range_auto = switch(":SOUR:VOLT:RANG:AUTO", "Control automatic voltage source range.")
    source_current_range_auto = switch(":SOUR:CURR:RANG:AUTO", "Control automatic current source range.")
    voltage_range_auto = switch(":SENS:VOLT:RANG:AUTO", "Control automatic voltage measure range.")
    current_range_auto = switch(":SENS:CURR:RANG:AUTO", "Control automatic current measure range.")
    voltage_nplc = number(":SENS:VOLT:NPLC", "Control the aperture of voltage measurements, in cycles.")
    current_nplc = number(":SENS:CURR:NPLC", "Control the aperture of current measurements, in cycles.")
    output_enabled = switch(":OUTP", "Control the output.")
    protection_voltage = Instrument.setting(
        ":SOUR:VOLT:PROT %s",
        "Set over-voltage protection to the lowest step at or above this many volts.",
        set_process=lambda volts: next((_PROTECTION[v] for v in _PROTECTION if v >= volts), "NONE"),
    )
    identity = Instrument.measurement("*IDN?", "Get the identification.", cast=str, maxsplit=0)

    @property
    def in_compliance(self) -> bool:
        """Get whether the source is limited, in either mode."""
        header = ":SOUR:VOLT:ILIM" if self.source_mode == "voltage" else ":SOUR:CURR:VLIM"
        return bool(float(self.ask(f"{header}:TRIP?")))

    def sense(self, quantity: str, remote: bool = False) -> None:
        """Measure ``"voltage"`` or ``"current"`` from now on: once, the source read back.

        By two wires unless ``remote``: an open sense lead drives the output past level and limit, and whoever
        used the instrument before may have left remote sense on.
        """
        name, sourced = _MODES[quantity], "CURR" if quantity == "voltage" else "VOLT"
        self.write(f":SENS:FUNC '{name}'")
        self.write(f":SENS:{name}:RSEN {'ON' if remote else 'OFF'}")
        self.write(f":SENS:COUN 1;:SENS:{name}:AVER OFF;:FORM:DATA ASC")
        self.write(f":SOUR:{sourced}:READ:BACK ON;:SOUR:{sourced}:DEL:AUTO ON")
        if self.off_state is not None:
            for mode in _MODES.values():
                self.write(f":OUTP:{mode}:SMOD {self.off_state}")

    def range_maximum(self, quantity: str, full_scale: float) -> float:
        """Every source range takes 5 % more than its name (data sheet)."""
        return 1.05 * full_scale

    def resolution(self, quantity: str, full_scale: float) -> float:
        """Programming resolution (data sheet): 50 uV of 2 V, 5 nA of 100 uA, and so on."""
        return full_scale * (2.5e-5 if quantity == "voltage" else 5e-5)

    def measure_once(self) -> tuple[float, float, float]:
        """Measure once: source level, reading, seconds."""
        source, reading, seconds = map(float, self.ask(_ONCE).split(","))
        return source, reading, seconds

    def load_list(self, quantity: str, levels: Any, append: bool) -> None:
        """Upload at most 100 levels."""
        self.write(f":SOUR:LIST:{_MODES[quantity]}{':APP' if append else ''} {_as_text(quantity, levels)}")

    def start_list(self, quantity: str, delay: float, abort_on_compliance: bool) -> None:
        """Empty the buffer and run the list once, from its first level; never ``*WAI``."""
        fail = "ON" if abort_on_compliance else "OFF"
        sweep = f":SOUR:SWE:{_MODES[quantity]}:LIST 1, {delay:.9g}, 1, {fail}, {_BUFFER}"
        self.write(f":TRAC:CLE {_BUFFER};{sweep};:INIT")

    def list_progress(self) -> int:
        """Readings in the buffer; answered while the list runs."""
        return int(float(self.ask(f":TRAC:ACT? {_BUFFER}")))

    def list_running(self) -> bool:
        """The trigger model's state; answered while the list runs."""
        state = self.ask(":TRIG:STAT?").upper()
        return not state.startswith(("IDLE", "EMPTY", "ABORT", "FAIL"))

    def read_list(self, count: int) -> tuple[Any, Any, Any]:
        """Source levels, readings and seconds, in one query."""
        if not count:
            return np.empty(0), np.empty(0), np.empty(0)
        text = self.ask(f":TRAC:DATA? 1, {count}, {_BUFFER}, SOUR, READ, REL")
        columns = np.array(text.split(","), dtype=np.float64).reshape(count, 3).T
        return columns[0], columns[1], columns[2]

    def abort(self) -> None:
        """Stop the trigger model."""
        self.write(":ABOR")

    def errors(self) -> list[str]:
        """Empty the error queue."""
        return drained(self)


def _as_text(quantity: str, levels: Any) -> str:
    """Write levels; whole microvolts or nanoamperes, as rounded levels are, three times faster."""
    per_unit, suffix = (1e6, "E-6") if quantity == "voltage" else (1e9, "E-9")
    whole = np.rint(levels * per_unit)
    if bool((whole / per_unit == levels).all()) and bool((np.abs(whole) < 2**53).all()):
        return f"{suffix},".join(map(str, whole.astype(np.int64).tolist())) + suffix
    return ",".join([f"{level:.9g}" for level in levels.tolist()])


def _open(adapter: Any, name: str, options: Mapping[str, Any]) -> Keithley2450:
    instrument = Keithley2450(adapter, name)
    if "line_frequency" in options:
        instrument.line_seconds = 1 / options["line_frequency"]
    if "output_off_state" in options:
        instrument.off_state = _off_state(name, options["output_off_state"])
    return instrument


def _off_state(name: str, given: Any) -> str:
    if given not in _OFF_STATES:
        raise UsageError(
            f"{given!r} is no output-off state of a 2450",
            remedy=f"allowed: {', '.join(_OFF_STATES)}",
            key=f"instruments.{name}.output_off_state",
        )
    return _OFF_STATES[given]


_SETTINGS = {
    "source_function": b":SOUR:FUNC?",
    "source_volts": b":SOUR:VOLT?",
    "source_range_volts": b":SOUR:VOLT:RANG?",
    "limit_amperes": b":SOUR:VOLT:ILIM?",
    "source_amperes": b":SOUR:CURR?",
    "source_range_amperes": b":SOUR:CURR:RANG?",
    "limit_volts": b":SOUR:CURR:VLIM?",
    "protection": b":SOUR:VOLT:PROT?",
    "measured": b":SENS:FUNC?",
    "measure_range_volts": b":SENS:VOLT:RANG?",
    "measure_range_amperes": b":SENS:CURR:RANG?",
    "nplc_volts": b":SENS:VOLT:NPLC?",
    "nplc_amperes": b":SENS:CURR:NPLC?",
    "remote_sense": b":SENS:VOLT:RSEN?",
    "output": b":OUTP?",
    "output_off_state": b":OUTP:VOLT:SMOD?",
    "terminals": b":ROUT:TERM?",
}
"""See :attr:`DriverSpec.settings`."""

SPEC = DriverSpec(
    model="2450",
    role="source-meter",
    open=_open,
    nodes=lambda channel: SOURCE_METER_NODES,
    safe_off=(b":ABOR\n", b":OUTP OFF\n"),
    settings=_SETTINGS,
    options={"line_frequency": "hertz", "output_off_state": ""},
)
