"""Spin-transfer switching probability over the whole range, from a table of Fokker-Planck solutions.

The table holds the logarithm of the integrated switching rate, ``ln[-P_eq ln(1 - P/P_eq)]``, on a regular
grid of (Delta, i, ln tau) and is interpolated by cubic splines. P_eq is the switched share in equilibrium,
``1/(1 + e^-x)`` with ``x = (4 Delta - 2 - 2/Delta) i`` (the wells' weights by Laplace's method): without
it the rate would bend where devices begin to switch back. It is computed when
it is first needed (seconds) and kept for the process. Attempts at one pulse width need one curve a device,
cut from the table once (:func:`curves_of`); elsewhere than on the CPU it is interpolated in the
caller's namespace.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from typing import Any

import array_api_compat
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates, spline_filter

from labtrain.errors import UsageError
from labtrain.kernels.compiling import compiled, inlined
from labtrain.kernels.tridiagonal import march
from labtrain.kernels.vectors import exponentials
from labtrain.physics.fokker_planck import well_and_generator
from labtrain.physics.namespaces import Parameters, namespace

Floats = NDArray[np.float64]

DELTAS = np.arange(20.0, 101.0, 10.0)
CURRENTS = np.arange(-0.2, 6.01, 0.1)
LOG_TAUS = np.linspace(np.log(0.1), np.log(1e7), 75)
SHORTEST, LONGEST = 0.1, 1e7
"""Over tau_D."""
_GUARD = 4
"""Extrapolated rows beyond each edge: a spline bends at its ends, by a quarter less each row inside."""
_LOWEST, _STEP = -0.2, 0.1
"""Of :data:`CURRENTS`."""
_GONE, _GONE_TO_EQUILIBRIUM = 1e-6, 1e-3
_MOST_TILT = 600.0
_NO_WAY_BACK = 40.0
"""From this tilt on, one device in e^40 would be found switched back."""
_HEAD = 3
_CELLS, _STEPS = 400, 6


def probability(delta: Any, i: Any, tau: Any) -> Any:
    """Return P_sw of a rectangular pulse, broadcast over its arguments.

    Parameters
    ----------
    delta
        Thermal stability, 20 to 100.
    i
        Reduced current; below -0.2 as at -0.2 (nothing switches), above 6 as at 6.
    tau
        Pulse width over tau_D; 0.1 to 1e7.

    Raises
    ------
    UsageError
        Outside the ranges of ``delta`` and ``tau``.
    """
    xp = namespace(delta, i, tau)
    if not array_api_compat.is_numpy_namespace(xp):
        return _probability_elsewhere(xp, delta, i, tau)
    delta, i, tau = np.broadcast_arrays(
        np.asarray(delta, np.float64), np.asarray(i, np.float64), np.asarray(tau, np.float64)
    )
    _check(np.all((delta >= DELTAS[0]) & (delta <= DELTAS[-1]) & (tau >= SHORTEST) & (tau <= LONGEST)))
    places = _places(np, delta, i, np.log(tau))
    points = [np.atleast_1d(place) for place in places]
    rate = map_coordinates(_coefficients(), points, order=3, prefilter=False, mode="nearest")
    return _switched(np, delta, i, rate.reshape(delta.shape))


def switching_probability(parameters: Parameters, volts: Any, seconds: Any) -> Any:
    """Return P_sw of pulses across the barrier, signed volts: positive P to AP.

    Parameters
    ----------
    parameters
        ``delta``, ``v_c0_p_ap``, ``v_c0_ap_p`` (V), ``tau_d`` (s).
    volts, seconds
        Amplitude and width; ``seconds / tau_d`` between 0.1 and 1e7.
    """
    xp = namespace(volts, *parameters.values())
    if array_api_compat.is_numpy_namespace(xp):
        volts = np.asarray(volts, dtype=np.float64)
    critical = xp.where(
        volts > 0, parameters["v_c0_p_ap"] + 0.0 * volts, parameters["v_c0_ap_p"] + 0.0 * volts
    )
    return probability(parameters["delta"], xp.abs(volts) / critical, seconds / parameters["tau_d"])


def curves_of(parameters: Parameters, seconds: float, columns: int) -> Floats:
    """Return what :func:`probability_row` needs of ``columns`` devices at one pulse width.

    ``[columns, 3 + 71]``: steps of i a volt up and down, how the wells tilt a step, then the spline's
    coefficients along i at the device's own Delta and tau.

    Raises
    ------
    UsageError
        Outside the table.
    """
    delta = np.broadcast_to(np.asarray(parameters["delta"], np.float64), columns)
    tau = np.broadcast_to(seconds / np.asarray(parameters["tau_d"], np.float64), columns)
    _check(np.all((delta >= DELTAS[0]) & (delta <= DELTAS[-1]) & (tau >= SHORTEST) & (tau <= LONGEST)))
    place, _, late = _places(np, delta, np.zeros(1), np.log(tau))
    curves = np.empty((columns, _HEAD + len(CURRENTS) + 2 * _GUARD))
    for column, name in enumerate(("v_c0_p_ap", "v_c0_ap_p")):
        curves[:, column] = 1.0 / (np.asarray(parameters[name]) * _STEP)
    curves[:, 2] = _tilt(delta) * _STEP
    _cut(_coefficients(), place, late, curves[:, _HEAD:])
    return curves


def _check(inside: Any) -> None:
    if not bool(inside):
        raise UsageError(
            "the switching table covers Delta 20 to 100 and pulses of 0.1 to 1e7 tau_D",
            remedy="choose a device and a pulse width inside it",
        )


def _switched(xp: Any, delta: Any, i: Any, rate: Any) -> Any:
    """From the table's value to P."""
    left_over = xp.exp(-xp.clip(_tilt(delta) * i, -_MOST_TILT, _MOST_TILT))
    return -xp.expm1(-xp.exp(rate) * (1.0 + left_over)) / (1.0 + left_over)


def _tilt(delta: Any) -> Any:
    """Logarithm of the wells' weights over i."""
    return 4.0 * delta - 2.0 - 2.0 / delta


def _places(xp: Any, delta: Any, i: Any, log_tau: Any) -> tuple[Any, Any, Any]:
    """Where on the table's grid the arguments lie, guard rows counted."""
    return (
        (delta - DELTAS[0]) / (DELTAS[1] - DELTAS[0]) + _GUARD,
        xp.clip((i - _LOWEST) / _STEP, 0.0, len(CURRENTS) - 1.0) + _GUARD,
        (log_tau - LOG_TAUS[0]) / (LOG_TAUS[1] - LOG_TAUS[0]) + _GUARD,
    )


def _weight_of(tap: int, fraction: Any) -> Any:
    """The cubic B-spline's weight of tap 0 to 3 at ``fraction`` of the way from tap 1 to tap 2."""
    rest = 1.0 - fraction
    if tap == 0:
        return rest * rest * rest / 6.0
    if tap == 1:
        return (4.0 - (6.0 - 3.0 * fraction) * fraction * fraction) / 6.0
    if tap == 2:
        return (4.0 - (6.0 - 3.0 * rest) * rest * rest) / 6.0
    return fraction * fraction * fraction / 6.0


_weight = inlined(_weight_of)


@compiled
def _cut(table: Any, places: Any, late: Any, curves: Any) -> None:  # pragma: no cover - compiled
    """Interpolate in Delta and time."""
    for j in range(len(curves)):
        row, time = int(places[j]), int(late[j])
        for c in range(curves.shape[1]):
            total = 0.0
            for a in range(4):
                for b in range(4):
                    weight = _weight(a, places[j] - row) * _weight(b, late[j] - time)
                    total += weight * table[row + a - 1, c, time + b - 1]
            curves[j, c] = total


@compiled
def probability_row(curves: Any, volts: Any, out: Any, room: Any) -> None:  # pragma: no cover - compiled
    """Fill ``out [n]`` with P_sw of one pulse a device, of :func:`curves_of`; ``room [n]`` is scratch."""
    top, back = float(curves.shape[1] - _HEAD - 1 - _GUARD), False
    for j in range(len(volts)):
        steps = abs(volts[j]) * (curves[j, 0] if volts[j] > 0 else curves[j, 1])
        room[j] = -min(curves[j, 2] * steps, _MOST_TILT)
        back |= room[j] > -_NO_WAY_BACK
        place = min(max(steps - _LOWEST / _STEP, 0.0) + _GUARD, top)
        tap = int(place)
        f, c = place - tap, _HEAD + tap - 1
        # The weights of the four taps, times six, in powers of f.
        c0, c1, c2, c3 = curves[j, c], curves[j, c + 1], curves[j, c + 2], curves[j, c + 3]
        cubic = ((c3 - c0 + 3.0 * (c1 - c2)) * f + 3.0 * (c0 - 2.0 * c1 + c2)) * f + 3.0 * (c2 - c0)
        out[j] = (cubic * f + c0 + 4.0 * c1 + c2) * (1.0 / 6.0)
    exponentials(out)
    if back:
        exponentials(room)
    else:
        room[:] = 0.0
    for j in range(len(out)):
        out[j] = -out[j] * (1.0 + room[j])
    exponentials(out)
    for j in range(len(out)):
        out[j] = (1.0 - out[j]) / (1.0 + room[j])


def _probability_elsewhere(xp: Any, delta: Any, i: Any, tau: Any) -> Any:
    """Interpolate tap by tap in any namespace, where the arguments live."""
    delta, i, tau = delta + 0.0 * i, i + 0.0 * delta, tau + 0.0 * i
    _check(xp.all((delta >= DELTAS[0]) & (delta <= DELTAS[-1]) & (tau >= SHORTEST) & (tau <= LONGEST)))
    coefficients = _coefficients()
    table = xp.asarray(coefficients.ravel(), device=array_api_compat.device(i))
    rate = 0.0 * i
    for taps in product(range(4), repeat=3):
        weight, index = 1.0, 0
        for tap, place, size in zip(
            taps, _places(xp, delta, i, xp.log(tau)), coefficients.shape, strict=True
        ):
            whole = xp.floor(place)
            weight = weight * _weight_of(tap, place - whole)
            index = index * size + xp.clip(xp.astype(whole, xp.int64) + (tap - 1), 0, size - 1)
        rate = rate + weight * xp.reshape(xp.take(table, xp.reshape(index, (-1,)), axis=0), i.shape)
    return _switched(xp, delta, i, rate)


@lru_cache(maxsize=1)
def _coefficients() -> Floats:
    table = np.empty((len(DELTAS), len(CURRENTS), len(LOG_TAUS)))
    for d, delta in enumerate(DELTAS):
        for c, current in enumerate(CURRENTS):
            table[d, c] = _log_rate(float(delta), float(current))
    for axis in range(3):
        table = _extended(table, axis)
    coefficients: Floats = spline_filter(table, order=3, mode="nearest")
    return coefficients


def _extended(table: Floats, axis: int) -> Floats:
    """Add guard rows at both ends of an axis, each on the cubic through its four neighbours."""
    rows = list(np.moveaxis(table, axis, 0))
    for _ in range(_GUARD):
        rows.insert(0, 4.0 * (rows[0] + rows[2]) - 6.0 * rows[1] - rows[3])
        rows.append(4.0 * (rows[-1] + rows[-3]) - 6.0 * rows[-2] - rows[-4])
    return np.moveaxis(np.array(rows), 0, axis)


def _log_rate(delta: float, current: float) -> Floats:
    """``ln[-P_eq ln(1 - P/P_eq)]`` at every time of the grid."""
    intervals = np.diff(np.exp(LOG_TAUS), prepend=0.0)
    well, generator, half = well_and_generator(delta, current, _CELLS)
    below, above = march(generator, well, intervals, _STEPS, half)
    tilt = np.clip(_tilt(delta) * current, -_MOST_TILT, _MOST_TILT)
    back, equilibrium = 1.0 / (1.0 + np.exp(tilt)), 1.0 / (1.0 + np.exp(-tilt))
    left = (below - back) / equilibrium
    # Whichever side is small carries the accuracy.
    gone = _GONE if back < 1e-9 else _GONE_TO_EQUILIBRIUM
    early = np.where(left < 0.5, 0.5, np.maximum(above / equilibrium, 0.0))
    rate = np.where(left < 0.5, -np.log(np.maximum(left, gone)), -np.log1p(-early))
    logarithm = np.log(np.maximum(rate, 1e-300))
    # Where hardly anything is left the slowest mode alone decays, in proportion to time.
    steady = int(np.argmax(left < gone)) - 1
    if steady >= 0:
        logarithm[steady:] = logarithm[steady] + LOG_TAUS[steady:] - LOG_TAUS[steady]
    result: Floats = logarithm + np.log(equilibrium)
    return result
