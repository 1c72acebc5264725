"""SOT switching probabilities of a batch in one compiled pass.

Equal to :func:`labtrain.physics.sot.switching_probability` within 1e-12 (NumPy, on the CPU).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from labtrain.kernels.compiling import compiled
from labtrain.kernels.vectors import exponentials
from labtrain.physics import sot
from labtrain.physics.namespaces import Parameters

Floats = NDArray[np.float64]

_NAMES = ("v50_p_ap", "slope_p_ap", "v50_ap_p", "slope_ap_p", "plateau", "plateau_gap")


def switching_probability(parameters: Parameters, volts: Any, seconds: float) -> Floats:
    """Return P_sw of pulses ``volts`` (``[n]`` or ``[B, n]``, signed); see the plain function.

    Raises
    ------
    UsageError
        For a pulse width outside 0.2 ns to 1 ms.
    """
    pulses = np.ascontiguousarray(volts, dtype=np.float64)
    columns = pulses.shape[-1]
    result = np.empty_like(pulses)
    table = table_of(parameters, seconds, columns)
    _fill(table, pulses.reshape(-1, columns), result.reshape(-1, columns))
    return result


def table_of(parameters: Parameters, seconds: float, columns: int) -> Floats:
    """Return what :func:`probability_row` needs of ``columns`` devices at one pulse width."""
    scale = 1.0 / sot.width_factor(parameters, seconds)
    rows = [*(parameters[name] for name in _NAMES), scale]
    return np.array([np.broadcast_to(row, columns) for row in rows])


@compiled
def _fill(table: Any, volts: Any, out: Any) -> None:  # pragma: no cover - compiled
    room = np.empty(volts.shape[1])
    for b in range(volts.shape[0]):
        probability_row(table, volts[b], out[b], room)


@compiled
def probability_row(table: Any, volts: Any, out: Any, room: Any) -> None:  # pragma: no cover - compiled
    """Fill ``out [n]`` with P_sw of one pulse a device; ``room [n]`` is scratch."""
    # In passes without branches or calls, which the compiler turns into vector code.
    count, plateaus = len(volts), False
    for j in range(count):
        scaled = volts[j] * table[6, j]
        up = scaled > 0
        excess = abs(scaled) - (table[0, j] if up else table[2, j])
        slope = table[1, j] if up else table[3, j]
        out[j] = -slope * excess
        room[j] = -slope * (excess - table[5, j])
        plateaus |= table[4, j] > 0
    exponentials(out)
    if plateaus:
        exponentials(room)
    for j in range(count):
        share = 0.0 if volts[j] > 0 else table[4, j]
        p = (1.0 - share) / (1.0 + out[j])
        if plateaus:
            p += share / (1.0 + room[j])
        out[j] = p if volts[j] != 0 else 0.0
