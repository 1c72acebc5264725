"""Keysight 33522B waveform generator (33500B series), as a pulse generator.

Knows SCPI; does not know devices, limits or routes. Each channel is private to the role that owns it.

PyMeasure's ``Agilent33500`` is not the base here: its ``trigger()`` sends ``*TRG;*WAI`` (which blocks an
output-off), its ``shutdown()`` sends nothing, its ``%f`` rounds to a microvolt, its ``trigger_source``
reaches channel 1 only and its dynamic properties cost 70 us each.

Without burst mode the instrument runs for ever as soon as its output is on, so "manual" and "external"
always mean burst mode on; what is found without it is reported as "continuous".

Source: Keysight 33500B/33600A Operating and Service Guide 33500-90901 and data sheet 5992-2572EN.
"""

from __future__ import annotations

from pymeasure.instruments import Instrument

from drivers.pulse_channel import PulseChannel, TwoChannels, two_channel_spec, word
from drivers.scpi_properties import number
from labtrain.errors import UsageError

_TRIGGERS = {"manual": "BUS", "external": "EXT"}
_HIGH_IMPEDANCE_OHMS = 1e6
"""What the role says for high impedance; the instrument takes 1 ohm to 10 kohm or INF."""


class Channel33522B(PulseChannel):
    """The dialect that :class:`labtrain.roles.PulseGenerator` asks for."""

    minimum_amplitude = 1e-3
    minimum_width = 16e-9
    minimum_transition = 8.4e-9
    time_resolution = 1e-10

    voltage_high = number(":SOUR{ch}:VOLT:HIGH", "Control the high level, in V.")
    voltage_low = number(":SOUR{ch}:VOLT:LOW", "Control the low level, in V.")
    pulse_width = Instrument.control(
        ":SOUR{ch}:FUNC:PULS:WIDT?",
        ":SOUR{ch}:FUNC:PULS:TRAN:BOTH MIN;:SOUR{ch}:FUNC:PULS:WIDT %.9g",
        """Control the width, in s. Edges are made as steep as can be first: a width that is too short for
        the present edges is refused, and whoever sets a width sets the edges after it.""",
    )
    pulse_period = number(":SOUR{ch}:FUNC:PULS:PER", "Control the period, in s.")
    pulse_transition = Instrument.control(
        ":SOUR{ch}:FUNC:PULS:TRAN?", ":SOUR{ch}:FUNC:PULS:TRAN:BOTH %.9g", "Control the edges, in s."
    )
    output_load = Instrument.control(
        ":OUTP{ch}:LOAD?",
        ":OUTP{ch}:LOAD %s",
        "Control the load that levels are meant for, in ohm; 1 Mohm and more stand for high impedance.",
        set_process=lambda ohms: "INF" if ohms >= _HIGH_IMPEDANCE_OHMS else f"{ohms:.9g}",
        get_process=lambda ohms: min(ohms, _HIGH_IMPEDANCE_OHMS),
    )

    @property
    def burst_ncycles(self) -> int:
        """Control the pulses of a burst; 0 stands for a burst without end."""
        cycles = float(self.ask(":SOUR{ch}:BURS:NCYC?"))
        return int(cycles) if cycles < 9e37 else 0

    @burst_ncycles.setter
    def burst_ncycles(self, count: int) -> None:
        self.write(f":SOUR{{ch}}:BURS:NCYC {count:d}")

    @property
    def trigger_source(self) -> str:
        """Control what starts a burst: ``"manual"`` or ``"external"``; ``"continuous"`` may be answered."""
        burst, mode, source = self.ask(":SOUR{ch}:BURS:STAT?;MODE?;:TRIG{ch}:SOUR?").split(";")
        if not float(burst) or word(mode) != "TRI":
            return "continuous"
        return next((name for name, code in _TRIGGERS.items() if code == word(source)), "continuous")

    @trigger_source.setter
    def trigger_source(self, name: str) -> None:
        if name not in _TRIGGERS:
            raise UsageError(f"trigger source {name!r}", remedy=f"allowed: {', '.join(_TRIGGERS)}")
        # the source before burst mode: with IMM bursts follow each other as soon as burst mode is on
        self.write(f":TRIG{{ch}}:SOUR {_TRIGGERS[name]}")
        self.write(":SOUR{ch}:BURS:MODE TRIG;PHAS 0;STAT 1")

    def select_pulses(self) -> None:
        """Choose the pulse function."""
        self.write(":SOUR{ch}:FUNC PULS")

    def limit_levels(self, volts: float) -> None:
        """Set the instrument's own limits and switch them on."""
        self.write(f":SOUR{{ch}}:VOLT:LIM:HIGH {volts:.9g};LOW {-volts:.9g};STAT 1")

    def unlimit_levels(self) -> None:
        """Switch the instrument's own limits off."""
        self.write(":SOUR{ch}:VOLT:LIM:STAT 0")


class Keysight33522B(TwoChannels):
    """Two channels."""

    pulse_channels = Instrument.MultiChannelCreator(Channel33522B, [1, 2])


_QUESTIONS = {
    "function": ":SOUR{ch}:FUNC?",
    "high_volts": ":SOUR{ch}:VOLT:HIGH?",
    "low_volts": ":SOUR{ch}:VOLT:LOW?",
    "width_seconds": ":SOUR{ch}:FUNC:PULS:WIDT?",
    "burst": ":SOUR{ch}:BURS:STAT?",
    "burst_cycles": ":SOUR{ch}:BURS:NCYC?",
    "trigger_source": ":TRIG{ch}:SOUR?",
    "load_ohms": ":OUTP{ch}:LOAD?",
    "polarity": ":OUTP{ch}:POL?",
    "output": ":OUTP{ch}?",
}

SPEC = two_channel_spec("33522B", Keysight33522B, _QUESTIONS)
