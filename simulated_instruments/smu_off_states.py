"""What a source meter does to its terminals while its output is off.

"Off" leaves the output relay closed in every state but high impedance: a source of 0 V stands across the
device, and whatever else drives the device drives that source too.

Sources: 2450 Reference Manual (2450-901-01), ":OUTPut[1]:<function>:SMODe"; Series 2400 User's Manual
(2400S-900-01), 13-9 and 18-59; Series 2600B Reference Manual (2600BS-901-01), "smuX.source.offmode".
Measurement sense is two-wire in all of them. The zero is exact here; a real one has its offset.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulated_instruments.smu_accuracy import Quantity
from simulated_instruments.sources import Mode

if TYPE_CHECKING:
    from simulated_instruments.smu_channel import SmuChannel

NORMAL: Final = "NORM"
HIGH_IMPEDANCE: Final = "HIMP"
ZERO: Final = "ZERO"
GUARD: Final = "GUAR"


def at_rest(channel: SmuChannel) -> tuple[Mode, float, float] | None:
    """Return mode, level and limit of a channel whose output is off; None where its relay is open."""
    source, share = channel.source, channel.off_share
    amperes = channel.off_amperes or share * _full_scale(channel, "CURR")
    if channel.off_state == HIGH_IMPEDANCE:
        return None
    if channel.off_state == GUARD:
        return "current", 0.0, share * _full_scale(channel, "VOLT")
    if channel.off_state == ZERO:
        forced = channel.function == "CURR"
        return "voltage", 0.0, max(abs(source.level), amperes) if forced else source.limit
    return "voltage", 0.0, amperes


def _full_scale(channel: SmuChannel, quantity: Quantity) -> float:
    """Return the present range: the source's, a fixed one, or what the limit needs."""
    if quantity == channel.function:
        return channel.source.range
    sense = channel.senses[quantity]
    return channel.specification.range_for(quantity, channel.source.limit) if sense.auto else sense.range
