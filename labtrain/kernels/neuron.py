"""The MTJ nano-neuron's noisy voltage in one compiled pass over the batch.

Equal to ``mean_voltage + window_noise * normal`` of :mod:`labtrain.physics.neuron` and
:mod:`labtrain.noise`: the same draws, values within 1e-12 relative.
"""

from __future__ import annotations

import math
from typing import Any

import array_api_compat
import numpy as np
from numpy.typing import NDArray

from labtrain.kernels.compiling import compiled
from labtrain.kernels.noise import cell_words, event_word, keys_of, to_normals, uniform_of
from labtrain.kernels.vectors import exponentials
from labtrain.physics.namespaces import Parameters, namespace

_NAMES = ("r_p", "tmr0", "v_h", "i50", "w", "r_series", "tau_c")
_OPTIONAL = {"polarity": 1.0, "field_shift": 0.0, "read_noise": 0.0, "stuck": 0.0}


def reaches(values: Any) -> bool:
    """Whether ``values`` lie in memory that a CPU kernel can read without a copy."""
    return array_api_compat.is_numpy_array(values) or str(array_api_compat.device(values)) == "cpu"


def noisy_voltage(
    parameters: Parameters,
    amperes: Any,
    seconds: float,
    seed: int,
    stream: int,
    cells: NDArray[np.integer[Any]],
    first: NDArray[np.int64],
) -> Any:
    """Return V of ``n`` neurons at ``amperes[B, n]``, event ``first[j] + b`` of cell ``cells[j]``.

    Parameters
    ----------
    parameters
        As :mod:`labtrain.physics.neuron`, each ``[n]``.
    amperes
        Float64, on the CPU, any array namespace.
    seconds
        Aperture.
    cells, first
        ``[n]``: the cells' numbers and their next event numbers.

    Returns
    -------
    array
        ``[B, n]`` float64 in the namespace of ``amperes``.
    """
    xp = namespace(amperes)
    table = np.empty((len(_NAMES) + len(_OPTIONAL), len(cells)))
    for row, name in enumerate(_NAMES):
        table[row] = parameters[name]
    for row, (name, default) in enumerate(_OPTIONAL.items(), len(_NAMES)):
        table[row] = parameters.get(name, default)
    currents = np.ascontiguousarray(amperes)
    volts = np.empty_like(currents)
    keys = keys_of(seed, stream)
    _fill(table, currents, seconds, keys, cells.astype(np.int64), first.astype(np.int64), volts)
    return xp.asarray(volts)


@compiled
def _fill(
    table: Any, currents: Any, seconds: float, keys: Any, cells: Any, first: Any, volts: Any
) -> None:  # pragma: no cover - compiled
    # Row by row in short passes without branches or calls, which the compiler turns into vector code.
    batch, count = currents.shape
    starts = np.empty(count, np.uint32)
    cell_keys = np.empty(count, np.uint32)
    averaging, centres, steepness = np.empty(count), np.empty(count), np.empty(count)
    for j in range(count):
        starts[j], cell_keys[j] = cell_words(keys[0], keys[1], cells[j])
        ratio = table[6, j] / seconds
        averaging[j] = 2.0 * ratio * (1.0 + ratio * math.expm1(-1.0 / ratio))
        centres[j] = table[3, j] + table[8, j]
        steepness[j] = table[7, j] / table[4, j]
    draws, shares = np.empty(count), np.empty(count)
    for b in range(batch):
        for j in range(count):
            word = event_word(starts[j], cell_keys[j], first[j] + b)
            draws[j] = uniform_of(word, keys[2])
        for j in range(count):
            shares[j] = (centres[j] - currents[b, j]) * steepness[j]
        exponentials(shares)
        for j in range(count):
            shares[j] = (1.0 - table[10, j]) / (1.0 + shares[j])
        to_normals(draws)
        _voltages(table, averaging, currents[b], shares, draws, volts[b])


@compiled
def _voltages(
    table: Any, averaging: Any, amperes: Any, shares: Any, draws: Any, volts: Any
) -> None:  # pragma: no cover - compiled
    for j in range(len(amperes)):
        share, tmr = shares[j], table[1, j]
        a = amperes[j] * (table[0, j] / table[2, j])
        constant = a * (1.0 + tmr * share)
        x = constant
        for _ in range(6):
            x = x - (((x - a) * x + 1.0) * x - constant) / ((3.0 * x - 2.0 * a) * x + 1.0)
        step = amperes[j] * table[0, j] * tmr / (1.0 + x * x)
        variance = step * step * share * (1.0 - table[10, j] - share) * averaging[j] + table[9, j] ** 2
        volts[j] = x * table[2, j] + amperes[j] * table[5, j] + math.sqrt(variance) * draws[j]
