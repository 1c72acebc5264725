"""Source meters of every model, each channel on a 10 kohm resistor, spoken to in text or over TCP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from labtrain.clock import VirtualClock
from labtrain.wiring import ArrayPlan, BenchPlan, DevicePlan, InstrumentPlan, TerminalPlan, Wire
from simulated_instruments.opening import OpenWorld, open_world

NODES = {"2400": ("k2400",), "2450": ("k2450",), "2602B": ("k2602.a", "k2602.b")}
OHMS = 10e3


def resistor(name: str, node: str, ohms: float = OHMS) -> ArrayPlan:
    device = DevicePlan(name, "resistor", {"top": TerminalPlan("top", node)}, name, 0)
    return ArrayPlan(name, "resistor", 1, (device,), {"resistance": ohms}, single=True)


def plan(**options: Any) -> BenchPlan:
    nodes = [node for several in NODES.values() for node in several]
    arrays = [resistor(node.replace(".", "_"), f"{node}.hi") for node in nodes]
    wires = tuple(Wire(f"{node}.lo", "ground") for node in nodes)
    instruments = {
        several[0].partition(".")[0]: InstrumentPlan(several[0].partition(".")[0], model, None, options)
        for model, several in NODES.items()
    }
    return BenchPlan(1, "in-process", instruments, wires, {a.name: a for a in arrays})


class Meters:
    """All models in process."""

    def __init__(self, clock: VirtualClock | None = None, **options: Any) -> None:
        self.clock = clock or VirtualClock()
        self.opened = open_world(plan(**options), self.clock, "in-process")
        self.world = self.opened.world

    def ask(self, alias: str, *lines: str) -> str:
        """Send lines; return the last reply."""
        replies = [self.opened.handlers[alias](line.encode("latin-1") + b"\n") for line in lines]
        return "" if replies[-1] is None else replies[-1].decode("latin-1").rstrip("\n")

    def raw(self, alias: str, line: str) -> bytes | None:
        return self.opened.handlers[alias](line.encode("latin-1") + b"\n")

    def virtual(self, alias: str) -> Any:
        return self.opened._instruments[alias]

    def codes(self, alias: str) -> list[int]:
        """Empty an error queue, past its own language."""
        errors = self.virtual(alias).errors
        found = errors.codes()
        errors.clear()
        return found


@contextmanager
def over_tcp() -> Iterator[OpenWorld]:
    opened = open_world(plan(), VirtualClock(), "tcp")
    try:
        yield opened
    finally:
        opened.close()
