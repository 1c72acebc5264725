"""What an EaPU training leaves in the record besides steps and epochs, and its ledger."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from labtrain.session.sink import Column, Sink
from labtrain.training.eapu.cells import NoisyIncrements
from labtrain.training.eapu.optimiser import EaPU

WRITES = {
    "step": Column("int64"),
    "tensor": Column("str"),
    "writes": Column("int64", "", "weights written in this step"),
    "weights": Column("int64", "", "weights on devices"),
}

HISTOGRAM = {
    "tensor": Column("str"),
    "fewest": Column("int64", "", "writes of the bin's least written cells"),
    "most": Column("int64", "", "and of its most written"),
    "cells": Column("int64"),
}

RULE_JOULES = {"probabilistic": 2.5e-12, "mixed-precision": 1.0e-10}
"""Digital energy a weight and step: a quarter of ten integer operations, two of them products, for the byte;
a 32-bit number read from and written to a memory of 1 MB, and added to, for the accumulator. After Horowitz,
ISSCC 2014, doi 10.1109/ISSCC.2014.6757323 (45 nm)."""


class WriteRecord:
    """Writes by tensor and step, gathered and noted once an epoch."""

    def __init__(self, sink: Sink, recipe: str) -> None:
        self._rows = sink.stream(f"train/{recipe}/writes", WRITES, {"recipe": recipe})
        self._waiting: list[dict[str, Any]] = []

    def step(self, step: int, optimiser: EaPU) -> None:
        """Take the writes of the step just made."""
        sizes = optimiser.sizes
        for name, writes in optimiser.last_writes.items():
            self._waiting.append({"step": step, "tensor": name, "writes": writes, "weights": sizes[name]})

    def epoch(self) -> None:
        """Note what has been gathered."""
        for row in self._waiting:
            self._rows.append(row)
        self._waiting.clear()


def write_ledger(optimiser: EaPU, write_joules: float, endurance: float) -> dict[str, float]:
    """Return the counts of a training: writes, their share, writes a cell, energy.

    ``write_ratio`` is weights written over weights on devices, averaged over steps. ``energy_joules`` is
    ``write_joules`` a write and nothing else: no reading, no digital arithmetic. ``rule_energy_joules`` is
    what the rule itself costs in digital memory and arithmetic, :data:`RULE_JOULES` a weight and step.
    ``endurance_left`` is the share of ``endurance`` writes that the most written cell has left.
    """
    writes = sum(cells.written for cells in optimiser.cells.values())
    decisions = optimiser.device_weights * optimiser.updates
    ledger: dict[str, float] = {
        "write_ratio": optimiser.write_ratio(),
        "writes": writes,
        "weights": optimiser.device_weights,
        "updates": optimiser.updates,
        "energy_joules": writes * write_joules,
        "rule_energy_joules": decisions * RULE_JOULES.get(optimiser.rule.name, 0.0),
    }
    counted = writes_by_cell(optimiser)
    if counted:
        by_cell = np.concatenate(list(counted.values()))
        ledger |= {
            "writes_per_cell_mean": float(by_cell.mean()),
            "writes_per_cell_99": float(np.quantile(by_cell, 0.99)),
            "writes_per_cell_max": int(by_cell.max()),
            "endurance_left": 1.0 - int(by_cell.max()) / endurance,
        }
    return ledger


def writes_by_cell(optimiser: EaPU) -> dict[str, NDArray[np.int64]]:
    """Writes of every cell by tensor, where they were counted."""
    return {
        name: cells.writes_by_cell.cpu().numpy().ravel().astype(np.int64)
        for name, cells in optimiser.cells.items()
        if isinstance(cells, NoisyIncrements) and cells.writes_by_cell is not None
    }


def note_histogram(sink: Sink, recipe: str, optimiser: EaPU) -> None:
    """Note how many cells of each tensor were written how often, in bins of powers of two."""
    rows = sink.stream(f"train/{recipe}/cells", HISTOGRAM, {"recipe": recipe})
    for name, counts in writes_by_cell(optimiser).items():
        # 0, 1, 2-3, 4-7, ...: a count's bin is its number of binary digits.
        bins = np.bincount(np.frexp(counts)[1])
        for digits, cells in enumerate(bins.tolist()):
            low, high = (1 << digits) // 2, (1 << digits) - 1
            rows.append({"tensor": name, "fewest": low, "most": high, "cells": cells})
