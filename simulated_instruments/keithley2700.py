"""Virtual Keithley 2700 with one 7709 card: a 6 x 8 matrix, and a voltmeter behind its backplane.

Channel 8 (r - 1) + c of the card closes row r to column c; channels 50 and 49 connect rows 1 and 2 to the
multimeter's input and sense. *Multiple* channel commands move exactly the relays that they name. A *system*
channel (plain ``ROUTe:CLOSe``, channels 1 to 8) opens the one before and takes relay 50 with it.

Behaviour from the Model 2700 User's Manual (2700-900-01), section 2, and the 7709 User's Guide, "Operation"
(page 22: channel numbers, system channels 1 to 8, relay 50). Of the multimeter only DC volts are modelled, as
an ideal voltmeter (over 10 Gohm up to 10 V); of each two-pole relay only HI.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from labtrain.clock import Clock
from simulated_instruments.keithley2700_commands import COMMANDS
from simulated_instruments.relays import Relays
from simulated_instruments.scpi import COMMON, ScpiInstrument
from simulated_instruments.scpi_errors import ScpiError
from simulated_instruments.scpi_tree import CommandTree
from simulated_instruments.world import World

SETTLE_SECONDS: Final = 3e-3
"""Relay actuation: [assumed]; option ``settle_time``."""
POWER_ON_CYCLES: Final = 5.0
LINE_SECONDS: Final = 0.02
CROSSPOINTS: Final = range(1, 49)
SENSE, INPUT = 49, 50
_SYSTEM: Final = range(1, 9)


class VirtualKeithley2700(ScpiInstrument):
    """Relays between ``<alias>.row<r>`` and ``<alias>.col<c>``, r = 1 to 6, c = 1 to 8.

    Options: ``slot`` (1 or 2, where the card is) and those of :class:`Relays`.
    """

    identity = "KEITHLEY INSTRUMENTS INC.,MODEL 2700"
    tree = CommandTree((*COMMON, *COMMANDS))

    def __init__(self, alias: str, world: World, clock: Clock, options: Mapping[str, Any], seed: int) -> None:
        super().__init__(alias, world, clock, options, seed)
        self.slot = int(options.get("slot", 1))
        self._relays = Relays(alias, world, options, SETTLE_SECONDS)
        self._voltmeter = world.add_meter(f"{alias}.row1", f"{alias}.dmm_lo")
        self._voltmeter.mode, self._voltmeter.limit = "current", float("inf")
        world.add_process(self._relays.catch_up)
        self.reset()

    def reset(self) -> None:
        """Bring the power-on settings back: all relays open."""
        self.function, self.nplc = "VOLT", POWER_ON_CYCLES
        self.text, self.text_shown = "", False
        self.system: int | None = None
        self._backplane: set[int] = set()
        self._relays.open_all()

    @property
    def coils(self) -> frozenset[tuple[int, int]]:
        """The crosspoints that were told to be closed."""
        return self._relays.coils

    def closed(self) -> list[int]:
        """Return every closed channel, slot included, in order."""
        crosspoints = [8 * (row - 1) + column for row, column in self.coils]
        return [100 * self.slot + number for number in sorted([*crosspoints, *self._backplane])]

    def numbers(self, channels: Iterable[int]) -> list[int]:
        """Turn channels into the card's own numbers.

        Raises
        ------
        ScpiError
            -222 for a channel that no card has.
        """
        found = []
        for channel in channels:
            slot, number = divmod(channel, 100)
            if slot != self.slot or not 1 <= number <= INPUT:
                raise ScpiError(-222, f"there is no channel {channel}")
            found.append(number)
        return found

    def close(self, channels: Iterable[int]) -> None:
        """Close exactly these channels beside those that are closed."""
        numbers = self.numbers(channels)
        self._backplane.update(number for number in numbers if number not in CROSSPOINTS)
        self._relays.close(_places(numbers))
        self._wait(self._relays.settle_seconds)

    def open(self, channels: Iterable[int]) -> None:
        """Open exactly these channels."""
        numbers = self.numbers(channels)
        self._backplane.difference_update(numbers)
        self._relays.open(_places(numbers))
        self._wait(self._relays.settle_seconds)

    def open_all(self) -> None:
        """Open every relay, the backplane's too."""
        self.system = None
        self._backplane.clear()
        self._relays.open_all()
        self._wait(self._relays.settle_seconds)

    def close_system(self, channel: int) -> None:
        """Close a measurement channel: the one before opens, and row 1 goes to the multimeter.

        Raises
        ------
        ScpiError
            -221 for a channel that cannot be measured with two wires (9 to 50).
        """
        (number,) = self.numbers([channel])
        if number not in _SYSTEM:
            raise ScpiError(-221, f"channel {channel} is no system channel of a 2-wire function")
        if self.system is not None:
            self.open([self.system])
        self.system = channel
        self.close([channel, 100 * self.slot + INPUT])

    def measure(self) -> float:
        """Read DC volts at the input: row 1 while relay 50 is closed, an open input otherwise."""
        if self.function != "VOLT":
            raise ScpiError(-221, f"only DC volts are simulated, not {self.function}")
        aperture = self.nplc * LINE_SECONDS
        self._wait(aperture)
        if INPUT not in self._backplane:
            return 0.0
        return self._world.probe(self._voltmeter, aperture)


def _places(numbers: Iterable[int]) -> list[tuple[int, int]]:
    return [(1 + (n - 1) // 8, 1 + (n - 1) % 8) for n in numbers if n in CROSSPOINTS]
