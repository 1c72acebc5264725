"""What an EaPU training leaves in the record besides steps and epochs, and its ledger."""

from __future__ import annotations

from typing import Any

import numpy as np

from labtrain.session.sink import Column, Sink
from labtrain.training.eapu.cells import NoisyIncrements
from labtrain.training.eapu.optimiser import EaPU

WRITES = {
    "step": Column("int64"),
    "tensor": Column("str"),
    "writes": Column("int64", "", "weights written in this step"),
    "weights": Column("int64", "", "weights on devices"),
}


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


def write_ledger(optimiser: EaPU, write_joules: float) -> dict[str, float]:
    """Return the counts of a training: writes, their share, writes a cell, energy.

    ``write_ratio`` is weights written over weights on devices, averaged over steps. ``energy_joules`` is
    ``write_joules`` a write and nothing else: no reading, no digital arithmetic.
    """
    writes = sum(cells.written for cells in optimiser.cells.values())
    counted = [
        cells.writes_by_cell.cpu().numpy().ravel()
        for cells in optimiser.cells.values()
        if isinstance(cells, NoisyIncrements) and cells.writes_by_cell is not None
    ]
    ledger: dict[str, float] = {
        "write_ratio": optimiser.write_ratio(),
        "writes": writes,
        "weights": optimiser.device_weights,
        "updates": optimiser.updates,
        "energy_joules": writes * write_joules,
    }
    if counted:
        by_cell = np.concatenate(counted)
        ledger |= {
            "writes_per_cell_mean": float(by_cell.mean()),
            "writes_per_cell_99": float(np.quantile(by_cell, 0.99)),
            "writes_per_cell_max": int(by_cell.max()),
        }
    return ledger
