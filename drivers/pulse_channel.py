"""What the channels of Keysight pulse generators share: one trigger and one error queue for all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pymeasure.instruments import Channel, Instrument, SCPIMixin

from drivers.direct import Direct
from drivers.scpi_properties import drained, switch
from labtrain.roles.spec import DriverSpec


def word(text: str) -> str:
    """Shorten a reply to the letters in which short and long form agree."""
    return text.strip().upper()[:3]


def polarity(header: str) -> Any:
    """Make the property of the polarity: inverted pulses go from HIGH down to LOW."""
    return Instrument.control(
        f"{header}?",
        f"{header} %s",
        "Control the polarity: inverted pulses go from HIGH down to LOW.",
        values={False: "NORM", True: "INV"},
        map_values=True,
        cast=lambda text: "NORM" if word(text) == "NOR" else word(text),
    )


class PulseChannel(Channel):
    """The part of the dialect of :class:`labtrain.roles.PulseGenerator` that no model changes."""

    # no dynamic properties here, so PyMeasure's guard of their names on every access is not needed
    __getattribute__ = object.__getattribute__
    __setattr__ = object.__setattr__

    source_ohms = 50.0
    maximum_voltage = 5.0
    voltage_resolution = 1e-4

    output_enabled = switch(":OUTP{ch}", "Control the output.")
    inverted = polarity(":OUTP{ch}:POL")

    @property
    def identity(self) -> str:
        """Get the instrument's identification."""
        return self.ask("*IDN?").strip()

    def others_on(self) -> list[str]:
        """Other channels whose output is on."""
        others = (channel for channel in self.parent.pulse_channels.values() if channel is not self)
        return [str(channel.id) for channel in others if channel.output_enabled]

    def trigger(self) -> None:
        """Fire; never with ``*WAI``, which would block an output-off."""
        self.write("*TRG")

    def wait_complete(self) -> None:
        """Ask whether what was triggered is over."""
        self.ask("*OPC?")

    def errors(self) -> list[str]:
        """Empty the error queue."""
        return drained(self)


class TwoChannels(Direct, SCPIMixin, Instrument):
    """An instrument of two pulse channels; a model creates them as ``pulse_channels``."""


def two_channel_spec(
    model: str, instrument: Callable[[Any, str], TwoChannels], questions: Mapping[str, str]
) -> DriverSpec:
    """Describe a generator of two channels.

    Parameters
    ----------
    instrument
        Opens it, given an adapter and a name.
    questions
        :attr:`DriverSpec.settings` of a channel; ``{ch}`` is its number.
    """
    channels = ("1", "2")
    return DriverSpec(
        model=model,
        role="pulse-generator",
        open=lambda adapter, name, options: instrument(adapter, name),
        channels=channels,
        channel=lambda opened, channel: opened.pulse_channels[int(channel)],
        nodes=lambda channel: (channel,),
        safe_off=(b":ABOR\n", b":OUTP1 OFF\n", b":OUTP2 OFF\n"),
        settings={
            f"{channel}.{name}": question.format(ch=channel).encode()
            for channel in channels
            for name, question in questions.items()
        },
        options={"output_load": "ohm"},
    )
