"""Virtual Keithley 707B switching matrix with 7072 cards, in TSP.

Behaviour from the 707B/708B Reference Manual (707B-901-01 Rev. B), sections 2 and 8: channel specifiers (page
2-82), forbidden channels, the connection rule of ``exclusiveclose`` (page 2-82: break before make is the
default), commands that end when the relays have settled. Not modelled:
patterns, scans, channel delays of one's own, and the second pole of each relay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from labtrain.clock import Clock
from simulated_instruments.keithley707b_channels import SLOTS, names_of, read_list
from simulated_instruments.relays import Place, Relays
from simulated_instruments.tsp import TspInstrument
from simulated_instruments.tsp_errors import TspError
from simulated_instruments.tsp_library import first
from simulated_instruments.tsp_values import Attribute, Table, TspObject, chosen, remembered
from simulated_instruments.world import World

SETTLE_SECONDS: Final = 15e-3
"""Of a 7072's relays: [assumed]; option ``settle_time``."""
OFF, BREAK_BEFORE_MAKE, MAKE_BEFORE_BREAK = 0.0, 1.0, 2.0
_RULES: Final = {rule: rule for rule in (OFF, BREAK_BEFORE_MAKE, MAKE_BEFORE_BREAK)}


class VirtualKeithley707B(TspInstrument):
    """Relays between ``<alias>.row<r>`` and ``<alias>.col<c>``, r = 1 to 8 (A to H), c = 1 to 72.

    Options: ``slots`` (how many hold a card, from slot 1 on; 6) and those of :class:`Relays`.
    """

    identity = "Keithley Instruments Inc., Model 707B"

    def __init__(self, alias: str, world: World, clock: Clock, options: Mapping[str, Any], seed: int) -> None:
        super().__init__(alias, world, clock, options, seed)
        self._fitted = min(max(int(options.get("slots", SLOTS)), 0), SLOTS)
        self._relays = Relays(alias, world, options, SETTLE_SECONDS)
        self._forbidden: set[Place] = set()
        self._rule = BREAK_BEFORE_MAKE
        self._words: dict[str, float] = {}
        world.add_process(self._relays.catch_up)
        self.build()

    @property
    def coils(self) -> frozenset[Place]:
        """The relays that were told to be closed."""
        return self._relays.coils

    def reset(self) -> None:
        """Bring the power-on settings back: all relays open, nothing forbidden."""
        self._relays.open_all()
        self._forbidden.clear()
        self._rule = BREAK_BEFORE_MAKE
        self.precision = 6

    def complete(self) -> None:
        """Nothing overlaps: each command ends when its relays have settled."""

    # --- what scripts do -------------------------------------------------------------------

    def objects(self) -> dict[str, Any]:
        """Return ``channel``, ``slot``, ``localnode`` and ``format``."""
        return {
            "channel": TspObject("channel", self._channel()),
            "slot": self._slots(),
            "localnode": TspObject(
                "localnode",
                {
                    "model": "707B",
                    "serialno": self.alias,
                    "revision": "SIM1.0",
                    "prompts": remembered(self._words, "prompts", 0.0, 0.0, 1.0),
                    "showerrors": remembered(self._words, "showerrors", 0.0, 0.0, 1.0),
                },
            ),
            "format": TspObject(
                "format", {"asciiprecision": Attribute(lambda: float(self.precision), self._round)}
            ),
        }

    def _channel(self) -> dict[str, Any]:
        return {
            "close": self._with_list(self._close),
            "open": self._with_list(self._open),
            "exclusiveclose": self._with_list(self._exclusive),
            "getclose": self._with_list(
                lambda places: names_of(self.coils.intersection(places)), answers=True
            ),
            "getstate": self._with_list(self._states, answers=True),
            "setforbidden": self._with_list(self._forbid),
            "clearforbidden": self._with_list(self._forbidden.difference_update),
            "getforbidden": self._with_list(
                lambda places: names_of(self._forbidden.intersection(places)), answers=True
            ),
            "connectrule": Attribute(lambda: self._rule, self._set_rule),
            "connectsequential": remembered(self._words, "connectsequential", 0.0, 0.0, 1.0),
            "reset": self._with_list(self._fresh),
            "OFF": OFF,
            "BREAK_BEFORE_MAKE": BREAK_BEFORE_MAKE,
            "MAKE_BEFORE_BREAK": MAKE_BEFORE_BREAK,
        }

    def _slots(self) -> Table:
        table = Table()
        for number in range(1, SLOTS + 1):
            card = "7072,8x12 Semiconductor Matrix,01.00a" if number <= self._fitted else "Empty Slot"
            size = {"rows": 8.0, "columns": 12.0} if "," in card else {}
            members = {name: TspObject(f"slot[{number}].{name}", {"matrix": n}) for name, n in size.items()}
            idn = f"{card},{number:06d}" if size else card
            table.append(TspObject(f"slot[{number}]", {"idn": idn, **members}))
        return table

    def _with_list(
        self, action: Callable[[list[Place]], Any], answers: bool = False
    ) -> Callable[..., list[Any]]:
        def function(arguments: list[Any]) -> list[Any]:
            result = action(read_list(first(arguments, "channel"), self._fitted))
            return [result] if answers else []

        return function

    def _set_rule(self, value: Any) -> None:
        self._rule = chosen(value, _RULES, "channel.connectrule")

    def _round(self, value: Any) -> None:
        self.precision = int(chosen(value, {float(n): n for n in range(1, 17)}, "format.asciiprecision"))

    # --- relays ----------------------------------------------------------------------------

    def _settle(self) -> None:
        self._wait(self._relays.settle_seconds)

    def _permit(self, places: Iterable[Place]) -> None:
        forbidden = self._forbidden.intersection(places)
        if forbidden:
            raise TspError(1114, f"Settings conflict: {names_of(forbidden)} may not be closed")

    def _close(self, places: list[Place]) -> None:
        self._permit(places)
        self._relays.close(places)
        self._settle()

    def _open(self, places: list[Place]) -> None:
        self._relays.open(places)
        self._settle()

    def _exclusive(self, places: list[Place]) -> None:
        """Have exactly these closed; the connection rule says what comes first."""
        self._permit(places)
        leaving = self.coils.difference(places)
        if self._rule == MAKE_BEFORE_BREAK:
            self._close(places)
            self._open(list(leaving))
            return
        self._relays.open(leaving)
        if self._rule == BREAK_BEFORE_MAKE:
            self._settle()
        self._close(places)

    def _states(self, places: list[Place]) -> str:
        return ";".join("1" if place in self.coils else "0" for place in places)

    def _fresh(self, places: list[Place]) -> None:
        """Open, and permit again."""
        self._forbidden.difference_update(places)
        self._open(places)

    def _forbid(self, places: list[Place]) -> None:
        """Forbid; what is closed opens."""
        self._forbidden.update(places)
        if self.coils.intersection(places):
            self._open(places)

    def state_dict(self) -> dict[str, Any]:
        """Nothing: relays are set again by the bench."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Nothing to take back."""
