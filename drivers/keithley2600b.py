"""Keithley 2602B System SourceMeter (TSP), channels a and b.

Knows TSP; does not know devices, limits or routes. Each channel is private to the role that owns it.

Built on PyMeasure's ``Keithley2600`` and its ``Channel``. Overridden here is what is wrong on the wire: it
formats with ``%f``, so that a limit of 100 nA is sent as ``limiti=0.000000``; its ``measure_nplc`` maps a
range as if it were names and raises; nothing in it sweeps.

Source: Series 2600B Reference Manual 2600BS-901-01 and specifications SPEC-2600B.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from pymeasure.instruments import Instrument

from drivers.direct import Direct, asked_number, asked_switch
from drivers.pymeasure_keithley import Keithley2600 as PyMeasureKeithley2600
from drivers.pymeasure_keithley import Keithley2600Channel as PyMeasureChannel
from labtrain.roles.spec import SOURCE_METER_NODES, DriverSpec

_MODES = {"voltage": 1, "current": 0}
_LETTERS = {"voltage": "v", "current": "i"}
_CURRENT_STEPS = {1e-7: 2e-12, 1e-6: 2e-11, 1e-5: 2e-10, 1e-4: 2e-9, 1e-3: 2e-8, 0.01: 2e-7, 0.1: 2e-6}
_CURRENT_STEPS |= {1.0: 20e-6, 3.0: 20e-6}
_VOLTAGE_STEPS = {0.1: 5e-6, 1.0: 50e-6, 6.0: 50e-6, 40.0: 500e-6}
_SWEEPING = {"a": 2, "b": 4}
_PRECISE = "format.data = format.ASCII format.asciiprecision = 9"


def _number(attribute: str, doc: str) -> Any:
    return asked_number(attribute, f"{attribute}=%.9g", doc)


def _switch(attribute: str, doc: str) -> Any:
    return asked_switch(attribute, f"{attribute}=%d", doc)


class SmuChannel(PyMeasureChannel):
    """The dialect that :class:`labtrain.roles.SourceMeter` asks for.

    Voltage and current are measured together at each point. A list runs by the trigger model, beside the
    other channel's; one that must stop at the first point in compliance runs as a loop in the instrument,
    for the trigger model knows no such condition.
    """

    list_chunk = 100
    list_capacity = 5000
    buffer_capacity = 60_000
    buffer_overhead = 180e-6
    settle_seconds = 100e-6
    line_seconds = 0.02

    source_mode = Instrument.control(
        "source.func", "source.func=%d", "Control the source function.", values=_MODES, map_values=True
    )
    output_enabled = _switch("source.output", "Control the output.")
    source_voltage = _number("source.levelv", "Control the source voltage, in V.")
    source_current = _number("source.leveli", "Control the source current, in A.")
    compliance_current = _number("source.limiti", "Control the limiting current of voltage mode, in A.")
    compliance_voltage = _number("source.limitv", "Control the limiting voltage of current mode, in V.")
    source_voltage_range = _number("source.rangev", "Control the voltage source range, in V.")
    source_current_range = _number("source.rangei", "Control the current source range, in A.")
    voltage_range = _number("measure.rangev", "Control the voltage measure range, in V.")
    current_range = _number("measure.rangei", "Control the current measure range, in A.")
    source_voltage_range_auto = _switch("source.autorangev", "Control automatic voltage source range.")
    source_current_range_auto = _switch("source.autorangei", "Control automatic current source range.")
    voltage_range_auto = _switch("measure.autorangev", "Control automatic voltage measure range.")
    current_range_auto = _switch("measure.autorangei", "Control automatic current measure range.")
    voltage_nplc = _number("measure.nplc", "Control the aperture of all measurements, in cycles.")
    current_nplc = _number("measure.nplc", "Control the aperture of all measurements, in cycles.")

    def __init__(self, instrument: Any, channel: str) -> None:
        super().__init__(instrument, channel)
        self._listed = "voltage"
        self._fails = False

    @property
    def protection_voltage(self) -> float:
        """Control over-voltage protection: this instrument has none, so that whatever is asked is lost."""
        return float("inf")

    @protection_voltage.setter
    def protection_voltage(self, volts: float) -> None:
        pass

    @property
    def identity(self) -> str:
        """Get the identification."""
        return str(self.instrument.ask("*IDN?")).strip()

    @property
    def in_compliance(self) -> bool:
        """Get whether the source is limited, in either mode."""
        return self._asked("smux.source.compliance") == "true"

    def sense(self, quantity: str, remote: bool = False) -> None:
        """Measure both quantities, as always; once, by two wires unless ``remote``, without a filter.

        Whoever used the instrument before may have left remote sense on, whose open lead drives the output
        past its limit, or offsets that are subtracted from every reading.
        """
        self._do(
            f"smux.sense = smux.SENSE_{'REMOTE' if remote else 'LOCAL'} "
            "smux.source.delay = 0 smux.measure.delay = 0 "
            "smux.measure.count = 1 "
            "smux.measure.filter.enable = smux.FILTER_OFF "
            "smux.measure.rel.enablev = smux.REL_OFF smux.measure.rel.enablei = smux.REL_OFF"
        )

    def range_maximum(self, quantity: str, full_scale: float) -> float:
        """Every source range takes 1 % more than its name (specifications)."""
        return 1.01 * full_scale

    def resolution(self, quantity: str, full_scale: float) -> float:
        """Programming resolution (specifications): 50 uV of 1 V, 2 nA of 100 uA, and so on."""
        steps = _VOLTAGE_STEPS if quantity == "voltage" else _CURRENT_STEPS
        return steps[min(steps, key=lambda one: abs(one - full_scale))]

    def measure_once(self) -> tuple[float, float, float]:
        """Measure once, both quantities together: source level, reading, seconds."""
        question = "print(smux.source.func, timer.measure.t(), smux.measure.iv())"
        func, seconds, amperes, volts = map(float, self._reply(f"{_PRECISE} {question}").split("\t"))
        return (volts, amperes, seconds) if func == _MODES["voltage"] else (amperes, volts, seconds)

    # lists

    def load_list(self, quantity: str, levels: Any, append: bool) -> None:
        """Upload at most 100 levels into a table of the instrument."""
        values = ",".join([f"{level:.9g}" for level in levels.tolist()])
        if append:
            self._do(f"for _, level in ipairs({{{values}}}) do table.insert(labtrain_x, level) end")
        else:
            self._do(f"labtrain_x = {{{values}}}")

    def start_list(self, quantity: str, delay: float, abort_on_compliance: bool) -> None:
        """Run the list once, both quantities into the two buffers; the source stays at the last level."""
        letter, self._listed, self._fails = _LETTERS[quantity], quantity, abort_on_compliance
        begin = (
            "smux.nvbuffer1.clear() smux.nvbuffer1.appendmode = 1 "
            "smux.nvbuffer2.clear() smux.nvbuffer2.appendmode = 1 "
            f"smux.measure.count = 1 smux.measure.delay = {delay:.9g} "
        )
        if abort_on_compliance:
            self._reply(
                f"{begin}print(0) for _, level in ipairs(labtrain_x) do smux.source.level{letter} = level "
                "smux.measure.iv(smux.nvbuffer1, smux.nvbuffer2) "
                f"if smux.source.compliance then break end end smux.source.level{letter} = 0"
            )
            return
        self._do(
            f"{begin}smux.trigger.source.list{letter}(labtrain_x) smux.trigger.source.action = smux.ENABLE "
            "smux.trigger.measure.iv(smux.nvbuffer1, smux.nvbuffer2) "
            "smux.trigger.measure.action = smux.ENABLE smux.trigger.endpulse.action = smux.SOURCE_HOLD "
            "smux.trigger.endsweep.action = smux.SOURCE_HOLD smux.trigger.arm.count = 1 "
            "smux.trigger.count = table.getn(labtrain_x) smux.trigger.initiate()"
        )

    def list_progress(self) -> int:
        """Readings in the second of the buffers; answered while the trigger model runs."""
        return int(float(self._asked("smux.nvbuffer2.n")))

    def list_running(self) -> bool:
        """Whether the trigger model sweeps; a loop answers nothing before it is over."""
        return bool(int(float(self._asked("status.operation.sweeping.condition"))) & _SWEEPING[self.channel])

    def read_list(self, count: int) -> tuple[Any, Any, Any]:
        """Source levels, readings and seconds, in one query; the level is made zero for good."""
        rest = f"smux.source.level{_LETTERS[self._listed]} = 0"
        if not count:
            self._do(rest)
            return np.empty(0), np.empty(0), np.empty(0)
        columns = "smux.nvbuffer2.readings, smux.nvbuffer1.readings, smux.nvbuffer1.timestamps"
        text = self._reply(f"{rest} {_PRECISE} printbuffer(1, {count}, {columns})")
        volts, amperes, seconds = np.array(text.split(","), dtype=np.float64).reshape(count, 3).T
        return (volts, amperes, seconds) if self._listed == "voltage" else (amperes, volts, seconds)

    # readings at a standing level

    def start_readings(self, count: int, delay: float) -> None:
        """Let the trigger model take both quantities into the two buffers; the source stays as it is."""
        self._fails = False
        self._do(
            "smux.nvbuffer1.clear() smux.nvbuffer1.appendmode = 1 "
            "smux.nvbuffer2.clear() smux.nvbuffer2.appendmode = 1 "
            f"smux.measure.count = 1 smux.measure.delay = {delay:.9g} "
            "smux.trigger.source.action = smux.DISABLE "
            "smux.trigger.measure.iv(smux.nvbuffer1, smux.nvbuffer2) "
            "smux.trigger.measure.action = smux.ENABLE smux.trigger.endpulse.action = smux.SOURCE_HOLD "
            "smux.trigger.endsweep.action = smux.SOURCE_HOLD smux.trigger.arm.count = 1 "
            f"smux.trigger.count = {count} smux.trigger.initiate()"
        )

    def read_readings(self, first: int, last: int) -> tuple[Any, Any, Any]:
        """Volts, amperes and seconds of a part of the buffers, in one query."""
        columns = "smux.nvbuffer2.readings, smux.nvbuffer1.readings, smux.nvbuffer1.timestamps"
        text = self._reply(f"{_PRECISE} printbuffer({first}, {last}, {columns})")
        volts, amperes, seconds = np.array(text.split(","), dtype=np.float64).reshape(-1, 3).T
        return volts, amperes, seconds

    def abort(self) -> None:
        """Stop the loop or the trigger model, and go to zero."""
        if self._fails:
            self.instrument.write("abort")
        self._do(f"smux.abort() smux.source.level{_LETTERS[self._listed]} = 0")

    def errors(self) -> list[str]:
        """Empty the error queue, which both channels share."""
        found = []
        while True:
            code, message = self._asked("errorqueue.next()").split("\t")[:2]
            if not float(code):
                break
            found.append(f"{int(float(code))}, {message}")
        return found

    # the wire

    def _do(self, chunk: str) -> None:
        self.instrument.write(self._own(chunk))

    def _reply(self, chunk: str) -> str:
        return str(self.instrument.ask(self._own(chunk))).strip()

    def _asked(self, expression: str) -> str:
        return self._reply(f"print({expression})")

    def _own(self, chunk: str) -> str:
        return chunk.replace("smux.", f"smu{self.channel}.").replace("labtrain_x", f"labtrain_{self.channel}")


class Keithley2602B(Direct, PyMeasureKeithley2600):
    """Two channels."""

    def __init__(self, adapter: Any, name: str = "Keithley 2602B", **kwargs: Any) -> None:
        Instrument.__init__(self, adapter, name, includeSCPI=False, **kwargs)  # PyMeasure's own warns
        self.smus = {channel: SmuChannel(self, channel) for channel in "ab"}


def _open(adapter: Any, name: str, options: Mapping[str, Any]) -> Keithley2602B:
    instrument = Keithley2602B(adapter, name)
    if "line_frequency" in options:
        for smu in instrument.smus.values():
            smu.line_seconds = 1 / options["line_frequency"]
    return instrument


_ATTRIBUTES = {
    "source_function": "source.func",
    "source_volts": "source.levelv",
    "source_range_volts": "source.rangev",
    "limit_amperes": "source.limiti",
    "source_amperes": "source.leveli",
    "source_range_amperes": "source.rangei",
    "limit_volts": "source.limitv",
    "measure_range_volts": "measure.rangev",
    "measure_range_amperes": "measure.rangei",
    "nplc": "measure.nplc",
    "sense": "sense",
    "output": "source.output",
    "output_off_mode": "source.offmode",
}
_SETTINGS = {
    f"{channel}.{name}": f"print(smu{channel}.{attribute})".encode()
    for channel in ("a", "b")
    for name, attribute in _ATTRIBUTES.items()
}
"""See :attr:`DriverSpec.settings`."""

SPEC = DriverSpec(
    model="2602B",
    role="source-meter",
    open=_open,
    channels=("a", "b"),
    channel=lambda instrument, name: instrument.smus[name],
    nodes=lambda channel: SOURCE_METER_NODES,
    synchronise=b"print(1)\n",
    fast_buffer=True,
    safe_off=(
        b"abort\n",
        b"smua.abort() smub.abort()\n",
        b"smua.source.output = 0 smub.source.output = 0\n",
    ),
    settings=_SETTINGS,
    options={"line_frequency": "hertz"},
)
