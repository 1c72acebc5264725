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
    table = np.array([np.broadcast_to(parameters[name], columns) for name in _NAMES])
    scale = np.broadcast_to(1.0 / sot.width_factor(parameters, seconds), columns).copy()
    result = np.empty_like(pulses)
    _fill(table, scale, pulses.reshape(-1, columns), result.reshape(-1, columns))
    return result


@compiled
def _fill(table: Any, scale: Any, volts: Any, out: Any) -> None:  # pragma: no cover - compiled
    # Row by row in passes without branches or calls, which the compiler turns into vector code.
    count = volts.shape[1]
    plateaus = bool(np.any(table[4] > 0))
    first, second = np.empty(count), np.empty(count)
    for b in range(volts.shape[0]):
        for j in range(count):
            scaled = volts[b, j] * scale[j]
            up = scaled > 0
            excess = abs(scaled) - (table[0, j] if up else table[2, j])
            slope = table[1, j] if up else table[3, j]
            first[j] = -slope * excess
            second[j] = -slope * (excess - table[5, j])
        exponentials(first)
        if plateaus:
            exponentials(second)
        for j in range(count):
            share = 0.0 if volts[b, j] > 0 else table[4, j]
            p = (1.0 - share) / (1.0 + first[j])
            if plateaus:
                p += share / (1.0 + second[j])
            out[b, j] = p if volts[b, j] != 0 else 0.0
