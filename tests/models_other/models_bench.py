"""One instrument of any model, with its virtual clock and world, spoken to in text or over a real socket."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from labtrain.clock import VirtualClock
from labtrain.wiring import ArrayPlan, BenchPlan, DevicePlan, InstrumentPlan, TerminalPlan, Wire
from simulated_instruments.opening import open_world


def resistor(name: str, node: str, ohms: float = 10e3) -> ArrayPlan:
    device = DevicePlan(name, "resistor", {"top": TerminalPlan("top", node)}, name, 0)
    return ArrayPlan(name, "resistor", 1, (device,), {"resistance": ohms}, single=True)


class Served:
    """A world of instruments; ``one`` is the instrument under test.

    Parameters
    ----------
    model
        Of the instrument under test.
    arrays
        Devices, wired to nodes of ``one`` and of the others.
    others
        More instruments: alias -> model.
    """

    def __init__(
        self,
        model: str,
        *arrays: ArrayPlan,
        mount: str = "in-process",
        others: dict[str, str] | None = None,
        wires: tuple[Wire, ...] = (),
        **options: Any,
    ) -> None:
        plans = {"one": InstrumentPlan("one", model, None, options)}
        plans |= {alias: InstrumentPlan(alias, other) for alias, other in (others or {}).items()}
        self.clock = VirtualClock()
        plan = BenchPlan(1, mount, plans, wires, {a.name: a for a in arrays})
        self.opened = open_world(plan, self.clock, mount)
        self.world = self.opened.world

    @property
    def resource(self) -> str:
        return self.opened.resources["one"]

    @property
    def virtual(self) -> Any:
        return self.opened._instruments["one"]

    def ask(self, text: str, alias: str = "one") -> str | None:
        """Speak to an instrument directly, whatever the mount."""
        reply = self.opened._instruments[alias].handle(text.encode("latin-1") + b"\n")
        return None if reply is None else reply.decode("latin-1").rstrip("\n")

    def say(self, *lines: str) -> str | None:
        return [self.ask(line) for line in lines][-1]

    def errors(self) -> list[int]:
        """Empty the error queue of a SCPI instrument."""
        codes = []
        while (code := int((self.ask("SYST:ERR?") or "").split(",")[0])) != 0:
            codes.append(code)
        return codes

    def __enter__(self) -> Served:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.opened.close()
