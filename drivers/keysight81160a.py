"""Keysight 81160A pulse generator.

Knows SCPI; does not know devices, limits or routes. Each channel is private to the role that owns it.

PyMeasure's ``Keysight81160A`` is not the base here: too little of it is right on the wire. Its
``burst_state`` sends ``:BURS1:STAT 0`` for True, its ``trigger()`` sends ``*TRG;*WAI`` (which blocks an
output-off), its ``%f`` rounds to a microvolt and its dynamic properties cost 70 us each.

Source: Keysight 81150A/81160A User's Guide 81160-91021 and data sheet 5990-6569EN.
"""

from __future__ import annotations

from pymeasure.instruments import Instrument

from drivers.pulse_channel import PulseChannel, TwoChannels, two_channel_spec, word
from drivers.scpi_properties import number

_TRIGGERS = {"manual": "MAN", "external": "EXT", "continuous": "IMM", "internal": "INT2"}


class Channel81160A(PulseChannel):
    """The dialect that :class:`labtrain.roles.PulseGenerator` asks for."""

    minimum_amplitude = 0.05
    minimum_width = 1.5e-9
    minimum_transition = 1e-9
    time_resolution = 1e-11

    output_load = number(":OUTP{ch}:LOAD", "Control the load that levels are meant for, in ohm.")
    voltage_high = number(":VOLT{ch}:HIGH", "Control the high level, in V.")
    voltage_low = number(":VOLT{ch}:LOW", "Control the low level, in V.")
    pulse_width = number(":PULS:WIDT{ch}", "Control the width, in s.")
    pulse_period = number(":PULS:PER{ch}", "Control the period, in s.")
    pulse_transition = number(":FUNC{ch}:PULS:TRAN", "Control the edges, in s.")
    trigger_source = Instrument.control(
        ":ARM:SOUR{ch}?",
        ":ARM:SOUR{ch} %s",
        "Control what starts a burst.",
        values=_TRIGGERS,
        map_values=True,
        cast=lambda text: "INT2" if word(text) == "INT" else word(text),
    )
    burst_ncycles = Instrument.control(
        ":TRIG{ch}:COUN?",
        ":TRIG{ch}:COUN %d",
        "Control the pulses of a burst; TRIG:COUN takes 1, the burst function needs 2 or more.",
        get_process=int,
    )

    def select_pulses(self) -> None:
        """Choose the pulse function; channels left coupled part, for each has a terminal of its own."""
        self.write(":TRAC:CHAN1 OFF;:TRAC:CHAN2 OFF;:FUNC{ch} PULS")

    def limit_levels(self, volts: float) -> None:
        """Set the instrument's own limits and switch them on."""
        self.write(f":VOLT{{ch}}:LIM:HIGH {volts:.9g}")
        self.write(f":VOLT{{ch}}:LIM:LOW {-volts:.9g}")
        self.write(":VOLT{ch}:LIM:STAT 1")

    def unlimit_levels(self) -> None:
        """Switch the instrument's own limits off."""
        self.write(":VOLT{ch}:LIM:STAT 0")


class Keysight81160A(TwoChannels):
    """Two channels."""

    pulse_channels = Instrument.MultiChannelCreator(Channel81160A, [1, 2])


_QUESTIONS = {
    "function": ":FUNC{ch}?",
    "high_volts": ":VOLT{ch}:HIGH?",
    "low_volts": ":VOLT{ch}:LOW?",
    "width_seconds": ":FUNC{ch}:PULS:WIDT?",
    "period_seconds": ":FUNC{ch}:PULS:PER?",
    "arm_source": ":ARM:SOUR{ch}?",
    "trigger_count": ":TRIG{ch}:COUN?",
    "load_ohms": ":OUTP{ch}:LOAD?",
    "polarity": ":OUTP{ch}:POL?",
    "output": ":OUTP{ch}?",
}

SPEC = two_channel_spec("81160A", Keysight81160A, _QUESTIONS)
