"""Keithley 2400 SourceMeter (SCPI).

Knows SCPI; does not know devices, limits or routes. Private to the role that owns it.

Built on PyMeasure's ``Keithley2400``. Overridden here is what is wrong on the wire: its ``voltage`` and
``current`` send ``:MEASURE``, which resets the function's range and the source's limit and turns the output
on (a limit of 1 uA has become 105 uA); levels and limits are printed with ``%g`` (six digits); opening one
writes ``:FORMAT:ELEMENTS``. Here readings are ``:READ?``, and the elements are stated with each question.

Source: Series 2400 SourceMeter User's Manual 2400S-900-01 and data sheet 1KW-2798.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from pymeasure.instruments import Instrument

from drivers.direct import Direct
from drivers.pymeasure_keithley import Keithley2400 as PyMeasureKeithley2400
from drivers.scpi_properties import drained, number, switch
from labtrain.roles.spec import SOURCE_METER_NODES, DriverSpec

_MODES = {"voltage": "VOLT", "current": "CURR"}
_ELEMENTS = ":FORM:DATA ASC;:FORM:ELEM VOLT,CURR,TIME"
_CURRENT_STEPS = {
    1e-6: 50e-12,
    10e-6: 500e-12,
    100e-6: 5e-9,
    1e-3: 50e-9,
    10e-3: 500e-9,
    0.1: 5e-6,
    1.0: 50e-6,
}
_VOLTAGE_STEPS = {0.2: 5e-6, 2.0: 50e-6, 20.0: 500e-6, 200.0: 5e-3}
_LOWEST_PROTECTION = 20.0
_PLAIN = (
    ":ABOR;:SYST:RSEN OFF;:SOUR:CLE:AUTO OFF;:SENS:AVER OFF"
    ";:SOUR:VOLT 0;:SOUR:CURR 0;:SOUR:VOLT:MODE FIX;:SOUR:CURR:MODE FIX"
    ";:ARM:COUN 1;:TRIG:COUN 1;:ARM:SOUR IMM;:TRIG:SOUR IMM;:TRIG:DEL 0"
)
"""The trigger model and the source as after ``*RST``, which would change the terminals in use as well."""


class Keithley2400(Direct, PyMeasureKeithley2400):
    """The dialect that :class:`labtrain.roles.SourceMeter` asks for.

    Notes
    -----
    The instrument answers nothing while a list runs (only ``:ABORt`` gets through), so the first question
    after the start is for when the list should be over; it is answered when it is.

    Both quantities are measured at each point, one after the other: the level in compliance is not the one
    that was programmed.
    """

    list_chunk = 100
    list_capacity = 2500
    settle_seconds = 300e-6
    line_seconds = 2 * 0.02
    """Two integrations a point, so that a power line cycle of aperture costs two."""

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
    source_voltage_range = number(":SOUR:VOLT:RANG", "Control the voltage source range, in V.")
    source_current_range = number(":SOUR:CURR:RANG", "Control the current source range, in A.")
    source_voltage_range_auto = switch(":SOUR:VOLT:RANG:AUTO", "Control automatic voltage source range.")
    source_current_range_auto = switch(":SOUR:CURR:RANG:AUTO", "Control automatic current source range.")
    voltage_range_auto = switch(":SENS:VOLT:RANG:AUTO", "Control automatic voltage measure range.")
    current_range_auto = switch(":SENS:CURR:RANG:AUTO", "Control automatic current measure range.")
    voltage_nplc = number(":SENS:VOLT:NPLC", "Control the aperture of all measurements, in cycles.")
    current_nplc = number(":SENS:CURR:NPLC", "Control the aperture of all measurements, in cycles.")
    output_enabled = switch(":OUTP", "Control the output.")
    protection_voltage = Instrument.setting(
        ":SOUR:VOLT:PROT %.9g",
        "Set over-voltage protection; the instrument takes the lowest of its steps at or above this.",
        set_process=lambda volts: max(volts, _LOWEST_PROTECTION) if volts <= 160 else 210.0,
    )
    identity = Instrument.measurement("*IDN?", "Get the identification.", cast=str, maxsplit=0)

    def __init__(self, adapter: Any, name: str = "Keithley 2400", **kwargs: Any) -> None:
        super(PyMeasureKeithley2400, self).__init__(adapter, name, **kwargs)  # its own writes at once
        self._waiting: dict[str, float] = {}
        self._listed, self._count, self._asked = "", 0, False

    # measure ranges and limits: a range above the limit's is refused with error 824

    @property
    def current_range(self) -> float:
        """Control the current measure range, in A; the limit's is the largest."""
        return float(self.ask(":SENS:CURR:RANG?"))

    @current_range.setter
    def current_range(self, full_scale: float) -> None:
        self._set_range("CURR", full_scale)

    @property
    def voltage_range(self) -> float:
        """Control the voltage measure range, in V; the limit's is the largest."""
        return float(self.ask(":SENS:VOLT:RANG?"))

    @voltage_range.setter
    def voltage_range(self, full_scale: float) -> None:
        self._set_range("VOLT", full_scale)

    @property
    def compliance_current(self) -> float:
        """Control the limiting current of voltage mode, in A."""
        return float(self.ask(":SENS:CURR:PROT?"))

    @compliance_current.setter
    def compliance_current(self, amperes: float) -> None:
        self._set_limit("CURR", amperes)

    @property
    def compliance_voltage(self) -> float:
        """Control the limiting voltage of current mode, in V."""
        return float(self.ask(":SENS:VOLT:PROT?"))

    @compliance_voltage.setter
    def compliance_voltage(self, volts: float) -> None:
        self._set_limit("VOLT", volts)

    def _set_range(self, name: str, full_scale: float) -> None:
        """Set a range as far as the limit allows; the rest of the way with the next limit."""
        limit = float(self.ask(f":SENS:{name}:PROT?"))
        self.write(f":SENS:{name}:RANG {min(full_scale, limit):.9g}")
        if full_scale > limit:
            self._waiting[name] = full_scale

    def _set_limit(self, name: str, limit: float) -> None:
        self.write(f":SENS:{name}:PROT {limit:.9g}")
        wanted = self._waiting.pop(name, None)
        if wanted is not None and not self.output_enabled:  # a change of range overshoots
            self.write(f":SENS:{name}:RANG {min(wanted, limit):.9g}")

    @property
    def in_compliance(self) -> bool:
        """Get whether the source is limited, in either mode."""
        limited = "CURR" if self.source_mode == "voltage" else "VOLT"
        return bool(float(self.ask(f":SENS:{limited}:PROT:TRIP?")))

    def sense(self, quantity: str, remote: bool = False) -> None:
        """Measure both quantities from now on, once, by two wires unless ``remote``, at a fixed level.

        Whoever used the instrument before may have left a list that the next reading would run through,
        remote sense whose open lead drives the output past its limit, or a trigger that never comes.
        """
        self.write(_PLAIN)
        self.write(":SENS:FUNC:CONC ON;:SENS:FUNC:OFF:ALL;:SENS:FUNC 'VOLT','CURR'")
        if remote:
            self.write(":SYST:RSEN ON")

    def range_maximum(self, quantity: str, full_scale: float) -> float:
        """Every source range takes 5 % more than its name (data sheet)."""
        return 1.05 * full_scale

    def resolution(self, quantity: str, full_scale: float) -> float:
        """Programming resolution (data sheet): 50 uV of 2 V, 5 nA of 100 uA, and so on."""
        steps = _VOLTAGE_STEPS if quantity == "voltage" else _CURRENT_STEPS
        return steps[min(steps, key=lambda one: abs(one - full_scale))]

    def measure_once(self) -> tuple[float, float, float]:
        """Measure once: source level, reading, seconds."""
        numbers, _, function = self.ask(f"{_ELEMENTS};:READ?;:SOUR:FUNC?").partition(";")
        volts, amperes, seconds = map(float, numbers.split(","))
        if function.strip().upper().startswith("VOLT"):
            return volts, amperes, seconds
        return amperes, volts, seconds

    # lists

    def load_list(self, quantity: str, levels: Any, append: bool) -> None:
        """Upload at most 100 levels."""
        self._count = (self._count if append else 0) + len(levels)
        values = ",".join([f"{level:.9g}" for level in levels.tolist()])
        self.write(f":SOUR:LIST:{_MODES[quantity]}{':APP' if append else ''} {values}")

    def start_list(self, quantity: str, delay: float, abort_on_compliance: bool) -> None:
        """Run the list once, from its first level, its readings into the trace buffer.

        The zero of the readings is renewed first, so that none is taken with each of them. ``*OPC?`` in front
        of ``:INIT`` is answered at once: whatever is asked after it waits for the end.
        """
        name, n = _MODES[quantity], self._count
        self._listed, self._asked = name, False
        fail = "LATE" if abort_on_compliance else "NEV"
        self.ask(
            f":SOUR:{name}:MODE LIST;:SOUR:SWE:CAB {fail};:SYST:AZER ONCE;{_ELEMENTS}"
            f";:ARM:COUN 1;:TRIG:COUN {n};:TRIG:DEL 0;:SOUR:DEL {delay:.9g}"
            f";:TRAC:FEED:CONT NEV;:TRAC:CLE;:TRAC:POIN {n};:TRAC:FEED SENS;:TRAC:FEED:CONT NEXT"
            ";*OPC?;:INIT"
        )

    def list_progress(self) -> int:
        """Readings in the trace buffer; 0 at first without asking, then answered when the list is over."""
        if not self._asked:
            self._asked = True
            return 0
        return int(float(self.ask(":TRAC:POIN:ACT?")))

    def list_running(self) -> bool:
        """Tell that an instrument that has answered is idle."""
        return False

    def read_list(self, count: int) -> tuple[Any, Any, Any]:
        """Source levels, readings and seconds, in one query; the source is at a fixed zero then."""
        if not count:
            self.write(self._rest())
            return np.empty(0), np.empty(0), np.empty(0)
        text = self.ask(f"{self._rest()};:TRAC:DATA?")
        table = np.array(text.split(","), dtype=np.float64).reshape(-1, 3)[:count].T
        volts, amperes, seconds = table
        return (volts, amperes, seconds) if self._listed == "VOLT" else (amperes, volts, seconds)

    def abort(self) -> None:
        """Stop the trigger model, and go to a fixed zero."""
        self.write(":ABOR")
        if self._listed:
            self.write(self._rest())

    def _rest(self) -> str:
        """Leave list mode: the level of fixed mode is made zero first, for the source jumps to it."""
        name = self._listed
        return f":SOUR:{name} 0;:SOUR:{name}:MODE FIX;:TRIG:COUN 1;:TRAC:FEED:CONT NEV"

    def errors(self) -> list[str]:
        """Empty the error queue."""
        return drained(self)


def _open(adapter: Any, name: str, options: Mapping[str, Any]) -> Keithley2400:
    instrument = Keithley2400(adapter, name)
    if "line_frequency" in options:
        instrument.line_seconds = 2 / options["line_frequency"]
    return instrument


_SETTINGS = {
    "source_function": b":SOUR:FUNC?",
    "source_volts": b":SOUR:VOLT?",
    "source_range_volts": b":SOUR:VOLT:RANG?",
    "limit_amperes": b":SENS:CURR:PROT?",
    "source_amperes": b":SOUR:CURR?",
    "source_range_amperes": b":SOUR:CURR:RANG?",
    "limit_volts": b":SENS:VOLT:PROT?",
    "protection_volts": b":SOUR:VOLT:PROT?",
    "measured": b":SENS:FUNC?",
    "measure_range_volts": b":SENS:VOLT:RANG?",
    "measure_range_amperes": b":SENS:CURR:RANG?",
    "nplc": b":SENS:CURR:NPLC?",
    "remote_sense": b":SYST:RSEN?",
    "output": b":OUTP?",
    "output_off_state": b":OUTP:SMOD?",
    "terminals": b":ROUT:TERM?",
}
"""See :attr:`DriverSpec.settings`."""

SPEC = DriverSpec(
    model="2400",
    role="source-meter",
    open=_open,
    nodes=lambda channel: SOURCE_METER_NODES,
    safe_off=(b":ABOR\n", b":OUTP OFF\n"),
    settings=_SETTINGS,
    options={"line_frequency": "hertz"},
)
