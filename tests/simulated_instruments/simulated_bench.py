"""A small bench for tests: a 2450 and a matrix on a few devices, a generator on an SOT line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from labtrain.clock import VirtualClock
from labtrain.wiring import ArrayPlan, BenchPlan, DevicePlan, Faults, InstrumentPlan, TerminalPlan, Wire
from simulated_instruments.opening import OpenWorld, open_world

MODELS = {"smu": "2450", "pulser": "81160A", "matrix": "serial-matrix"}
WIRES = (Wire("smu.hi", "matrix.row1", 0.5), Wire("smu.lo", "ground"))


def device(name: str, kind: str, terminals: Mapping[str, str], array: str = "", index: int = 0) -> DevicePlan:
    plans = {terminal: TerminalPlan(terminal, node) for terminal, node in terminals.items()}
    return DevicePlan(name, kind, plans, array or name, index)


def single(name: str, kind: str, terminals: Mapping[str, str], **settings: Any) -> ArrayPlan:
    return ArrayPlan(name, kind, 1, (device(name, kind, terminals),), settings, single=True)


def pairs(count: int = 3, **settings: Any) -> ArrayPlan:
    devices = tuple(
        device(
            f"neurons[{i}]",
            "mtj-neuron-pair",
            {"top": f"matrix.col{2 * i}", "top_pair": f"matrix.col{2 * i + 1}"},
            "neurons",
            i,
        )
        for i in range(count)
    )
    return ArrayPlan("neurons", "mtj-neuron-pair", count, devices, {"mismatch": 0.05, **settings})


def chip(**settings: Any) -> tuple[ArrayPlan, ...]:
    return (
        pairs(**settings),
        single("sot", "sot-mtj", {"line": "pulser.1", "top": "matrix.col20"}),
        single("reference", "resistor", {"top": "matrix.col21"}),
    )


def plan(
    arrays: Iterable[ArrayPlan] | None = None,
    wires: tuple[Wire, ...] = WIRES,
    faults: Faults | None = None,
    seed: int = 1,
    options: Mapping[str, Mapping[str, Any]] | None = None,
) -> BenchPlan:
    instruments = {
        alias: InstrumentPlan(alias, model, None, (options or {}).get(alias, {}))
        for alias, model in MODELS.items()
    }
    chosen = tuple(chip()) if arrays is None else tuple(arrays)
    return BenchPlan(
        seed, "in-process", instruments, wires, {a.name: a for a in chosen}, faults=faults or Faults()
    )


class Bench:
    """The instruments of an in-process world, spoken to in text."""

    def __init__(self, bench_plan: BenchPlan | None = None, clock: VirtualClock | None = None) -> None:
        self.clock = clock or VirtualClock()
        self.opened: OpenWorld = open_world(bench_plan or plan(), self.clock, "in-process")
        self.world = self.opened.world

    def ask(self, alias: str, text: str) -> str | None:
        reply = self.opened.handlers[alias](text.encode("latin-1") + b"\n")
        if reply is None:
            return None
        assert reply.endswith(b"\n")
        return reply[:-1].decode("latin-1")

    def smu(self, *lines: str) -> str | None:
        return [self.ask("smu", line) for line in lines][-1]

    def pulser(self, *lines: str) -> str | None:
        return [self.ask("pulser", line) for line in lines][-1]

    def route(self, *crosspoints: str) -> None:
        """Close relays and let them settle."""
        assert self.ask("matrix", "OPENALL") == "OK"
        for crosspoint in crosspoints:
            assert self.ask("matrix", f"CLOSE {crosspoint}") == "OK"
        self.clock.sleep(5e-3)

    def errors(self, alias: str) -> list[int]:
        codes = []
        while (entry := self.ask(alias, "SYST:ERR?")) != '0,"No error"':
            assert entry is not None
            codes.append(int(entry.split(",")[0]))
        return codes

    def current_mode(self, limit: float = 0.5) -> None:
        """The settings of a careful neuron measurement, output off."""
        self.smu(
            ":OUTP OFF",
            ":SOUR:FUNC CURR",
            ":SENS:FUNC 'VOLT'",
            ":SOUR:CURR:RANG 1e-4",
            ":SENS:VOLT:RANG 2",
            ":SENS:VOLT:NPLC 0.01",
            f":SOUR:CURR:VLIM {limit}",
            ":SOUR:CURR 0",
        )

    def sweep(self, levels: Iterable[float], function: str = "CURR") -> list[list[float]]:
        """A list sweep: rows of source value, reading, relative time."""
        values = [f"{level:.9g}" for level in levels]
        for start in range(0, len(values), 100):
            head = f":SOUR:LIST:{function}{':APP' if start else ''} "
            self.smu(head + ",".join(values[start : start + 100]))
        self.smu(f":SOUR:SWE:{function}:LIST 1, 0, 1, OFF, 'defbuffer1'", ":INIT", "*OPC?")
        text = self.smu(f":TRAC:DATA? 1, {len(values)}, 'defbuffer1', SOUR, READ, REL")
        assert text is not None
        flat = [float(value) for value in text.split(",")]
        return [flat[i : i + 3] for i in range(0, len(flat), 3)]
