"""One MTJ nano-neuron's curve at many currents, without a temporary array a term.

Equal to ``mean_voltage``, ``slope`` and ``window_noise`` of :mod:`labtrain.physics.neuron` within 1e-12
relative, some twenty times faster for a sweep of sixty points: there the arrays' overhead is all the cost.
"""

from __future__ import annotations

import math
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from labtrain.kernels.compiling import compiled, inlined
from labtrain.physics.namespaces import Parameters

Floats = NDArray[np.float64]

_DEFAULTS = {
    "r_p": None,
    "tmr0": None,
    "v_h": None,
    "i50": None,
    "w": None,
    "r_series": None,
    "tau_c": None,
    "polarity": 1.0,
    "field_shift": 0.0,
    "read_noise": 0.0,
    "stuck": 0.0,
}


@final
class NeuronCurve:
    """One device.

    Parameters
    ----------
    parameters
        As :mod:`labtrain.physics.neuron`, plain numbers.
    """

    __slots__ = ("_cell",)

    def __init__(self, parameters: Parameters) -> None:
        values = [parameters[n] if d is None else parameters.get(n, d) for n, d in _DEFAULTS.items()]
        self._cell = np.array(values, dtype=np.float64)

    def mean_voltage(self, amperes: Floats) -> Floats:
        """Return V(I) in V without noise, ``[B]``."""
        volts = np.empty(len(amperes))
        _voltages(self._cell, amperes, volts)
        return volts

    def slope(self, amperes: Floats) -> Floats:
        """Return dV/dI in ohm, ``[B]``."""
        ohms = np.empty(len(amperes))
        _slopes(self._cell, amperes, ohms)
        return ohms

    def window_noise(self, amperes: Floats, seconds: float) -> Floats:
        """Return the standard deviation in V of readings averaged over ``seconds``, ``[B]``."""
        deviations = np.empty(len(amperes))
        _deviations(self._cell, amperes, seconds, deviations)
        return deviations


@inlined
def _share(p: Any, amperes: Any) -> Any:
    argument = p[7] * (amperes - (p[3] + p[8])) / p[4]
    return 0.5 * (1.0 + math.tanh(0.5 * argument)) * (1.0 - p[10])


@inlined
def _reduced(p: Any, amperes: Any, share: Any) -> Any:
    a = amperes * (p[0] / p[2])
    constant = a * (1.0 + p[1] * share)
    x = constant
    for _ in range(6):
        x = x - (((x - a) * x + 1.0) * x - constant) / ((3.0 * x - 2.0 * a) * x + 1.0)
    return x


@compiled
def _voltages(p: Any, amperes: Any, volts: Any) -> None:  # pragma: no cover - compiled
    for b in range(len(amperes)):
        i = amperes[b]
        volts[b] = _reduced(p, i, _share(p, i)) * p[2] + i * p[5]


@compiled
def _slopes(p: Any, amperes: Any, ohms: Any) -> None:  # pragma: no cover - compiled
    unit = p[0] / p[2]
    for b in range(len(amperes)):
        i = amperes[b]
        share = _share(p, i)
        x = _reduced(p, i, share)
        share_slope = p[7] * share * (1.0 - p[10] - share) / p[4]
        top = (x * x + 1.0 + p[1] * share) * unit + i * unit * p[1] * share_slope
        ohms[b] = top / ((3.0 * x - 2.0 * i * unit) * x + 1.0) * p[2] + p[5]


@compiled
def _deviations(p: Any, amperes: Any, seconds: Any, deviations: Any) -> None:  # pragma: no cover - compiled
    ratio = p[6] / seconds
    averaging = 2.0 * ratio * (1.0 + ratio * math.expm1(-1.0 / ratio))
    for b in range(len(amperes)):
        i = amperes[b]
        share = _share(p, i)
        x = _reduced(p, i, share)
        step = i * p[0] * p[1] / (1.0 + x * x)
        variance = step * step * share * (1.0 - p[10] - share) * averaging
        deviations[b] = math.sqrt(variance + p[9] ** 2)
