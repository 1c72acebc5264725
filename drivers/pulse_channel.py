"""What the channels of Keysight pulse generators share: one trigger and one error queue for all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pymeasure.instruments import Channel, Instrument, SCPIMixin

from drivers.direct import Direct
from drivers.scpi_properties import drained, switch


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


def of_both_channels(questions: Mapping[str, str]) -> dict[str, bytes]:
    """Return :attr:`DriverSpec.settings` of two channels; ``{ch}`` in a question is the channel's number."""
    return {
        f"{channel}.{name}": question.format(ch=channel).encode()
        for channel in ("1", "2")
        for name, question in questions.items()
    }


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
