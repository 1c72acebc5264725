"""Keysight 81160A pulse generator.

Knows SCPI; does not know devices, limits or routes. Each channel is private to the role that owns it.

PyMeasure's ``Keysight81160A`` is not the base here: too little of it is right on the wire. Its
``burst_state`` sends ``:BURS1:STAT 0`` for True, its ``trigger()`` sends ``*TRG;*WAI`` (which blocks an
output-off), its ``%f`` rounds to a microvolt and its dynamic properties cost 70 us each.

Source: Keysight 81150A/81160A User's Guide 81160-91021 and data sheet 5990-6569EN.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pymeasure.instruments import Channel, Instrument, SCPIMixin

from labtrain.roles.spec import DriverSpec

_TRIGGERS = {"manual": "MAN", "external": "EXT", "continuous": "IMM", "internal": "INT2"}


def _number(header: str, doc: str) -> Any:
    return Instrument.control(f"{header}?", f"{header} %.9g", doc)


def _word(text: str) -> str:
    return text.strip().upper()[:3]


class PulseChannel(Channel):
    """The dialect that :class:`labtrain.roles.PulseGenerator` asks for."""

    # no dynamic properties here, so PyMeasure's guard of their names on every access is not needed
    __getattribute__ = object.__getattribute__
    __setattr__ = object.__setattr__

    source_ohms = 50.0
    minimum_amplitude = 0.05
    minimum_width = 1.5e-9
    minimum_transition = 1e-9
    maximum_voltage = 5.0
    voltage_resolution = 1e-4
    time_resolution = 1e-11

    output_enabled = Instrument.control(
        ":OUTP{ch}?", ":OUTP{ch} %d", "Control the output.", values={True: 1, False: 0}, map_values=True
    )
    output_load = _number(":OUTP{ch}:LOAD", "Control the load that levels are meant for, in ohm.")
    inverted = Instrument.control(
        ":OUTP{ch}:POL?",
        ":OUTP{ch}:POL %s",
        "Control the polarity: inverted pulses go from HIGH down to LOW.",
        values={False: "NORM", True: "INV"},
        map_values=True,
        cast=lambda text: "NORM" if _word(text) == "NOR" else _word(text),
    )
    voltage_high = _number(":VOLT{ch}:HIGH", "Control the high level, in V.")
    voltage_low = _number(":VOLT{ch}:LOW", "Control the low level, in V.")
    pulse_width = _number(":PULS:WIDT{ch}", "Control the width, in s.")
    pulse_period = _number(":PULS:PER{ch}", "Control the period, in s.")
    pulse_transition = _number(":FUNC{ch}:PULS:TRAN", "Control the edges, in s.")
    trigger_source = Instrument.control(
        ":ARM:SOUR{ch}?",
        ":ARM:SOUR{ch} %s",
        "Control what starts a burst.",
        values=_TRIGGERS,
        map_values=True,
        cast=lambda text: "INT2" if _word(text) == "INT" else _word(text),
    )
    burst_ncycles = Instrument.control(
        ":TRIG{ch}:COUN?",
        ":TRIG{ch}:COUN %d",
        "Control the pulses of a burst; TRIG:COUN takes 1, the burst function needs 2 or more.",
        get_process=int,
    )

    @property
    def identity(self) -> str:
        """Get the instrument's identification."""
        return self.ask("*IDN?").strip()

    def select_pulses(self) -> None:
        """Choose the pulse function."""
        self.write(":FUNC{ch} PULS")

    def limit_levels(self, volts: float) -> None:
        """Set the instrument's own limits and switch them on."""
        self.write(f":VOLT{{ch}}:LIM:HIGH {volts:.9g}")
        self.write(f":VOLT{{ch}}:LIM:LOW {-volts:.9g}")
        self.write(":VOLT{ch}:LIM:STAT 1")

    def unlimit_levels(self) -> None:
        """Switch the instrument's own limits off."""
        self.write(":VOLT{ch}:LIM:STAT 0")

    def others_on(self) -> list[str]:
        """Other channels whose output is on."""
        others = (channel for channel in self.parent.pulse_channels.values() if channel is not self)
        return [str(channel.id) for channel in others if channel.output_enabled]

    def trigger(self) -> None:
        """Fire; never with ``*WAI``."""
        self.write("*TRG")

    def wait_complete(self) -> None:
        """Ask whether what was triggered is over."""
        self.ask("*OPC?")

    def errors(self) -> list[str]:
        """Empty the error queue."""
        found = []
        while not (entry := self.ask(":SYST:ERR?").strip()).startswith(("0,", "+0,")):
            found.append(entry)
        return found


class Keysight81160A(SCPIMixin, Instrument):
    """Two channels."""

    __getattribute__ = object.__getattribute__
    __setattr__ = object.__setattr__

    pulse_channels = Instrument.MultiChannelCreator(PulseChannel, [1, 2])

    def __init__(self, adapter: Any, name: str = "Keysight 81160A", **kwargs: Any) -> None:
        super().__init__(adapter, name, **kwargs)


def _open(adapter: Any, name: str, options: Mapping[str, Any]) -> Keysight81160A:
    return Keysight81160A(adapter, name)


SPEC = DriverSpec(
    model="81160A",
    role="pulse-generator",
    open=_open,
    channels=("1", "2"),
    channel=lambda instrument, name: instrument.pulse_channels[int(name)],
    nodes=lambda channel: (channel,),
    safe_off=(b":ABOR\n", b":OUTP1 OFF\n", b":OUTP2 OFF\n"),
    options={"output_load": "ohm"},
)
