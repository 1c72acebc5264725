"""Whether the bench still measures what it measured: a reference resistor, read now and then."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

import numpy as np

from labtrain.session.sink import Sink
from labtrain.training.afd.records import DRIFT

if TYPE_CHECKING:
    from labtrain.bench import Bench, FarBench

REFERENCE = "reference"
_READ_VOLTS = 0.02
_RANGE_AMPERES = 10e-6
_READINGS = 5
_NPLC = 0.1


class DriftWatch:
    """Reads the bench's reference resistor and says when it has moved.

    Parameters
    ----------
    limit
        The relative change, since the last calibration, above which offsets have to be measured again.
    """

    def __init__(self, bench: Bench, sink: Sink, stream: str, limit: float) -> None:
        self._bench = bench
        self._rows = sink.stream(stream, DRIFT, {"device": REFERENCE, "limit": limit})
        self._limit = limit
        self._ohms = self._read()
        self.alarms = 0

    def moved(self) -> bool:
        """Read the reference; tell whether it moved beyond the limit (which then starts from here)."""
        now = self._read()
        if abs(now / self._ohms - 1.0) <= self._limit:
            return False
        self._ohms = now
        self.alarms += 1
        return True

    def _read(self) -> float:
        with self._bench.route(REFERENCE, "top") as meter:
            meter.configure("voltage", _READ_VOLTS, _RANGE_AMPERES, _RANGE_AMPERES, _NPLC)
            sweep = meter.sweep(np.full(_READINGS, _READ_VOLTS))
        ohms = float(np.mean(sweep.volts) / np.mean(sweep.amperes))
        self._rows.append({"t_ns": self._bench.clock.now_ns(), "device": REFERENCE, "ohm": ohms})
        return ohms


def has_reference(bench: Bench | FarBench) -> TypeGuard[Bench]:
    """Tell whether a bench that is here has a reference resistor with a terminal ``top``."""
    from labtrain.bench import FarBench

    if isinstance(bench, FarBench):  # training reaches its arrays only
        return False
    device = bench.plan.device(REFERENCE)
    return device is not None and "top" in device.terminals
