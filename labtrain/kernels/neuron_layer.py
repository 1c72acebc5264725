"""A whole layer of MTJ nano-neurons in one compiled float32 pass: bias, readings, finite difference.

Equal to the plain path (:mod:`labtrain.training.afd.mapping`, :mod:`labtrain.physics.neuron`, the
finite difference of :mod:`labtrain.training.afd.estimators`) with the same draws, within float32 rounding.
Physics and noise are evaluated row by row in short passes without branches, which the compiler turns into
vector code.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from labtrain.kernels.compiling import compiled, inlined
from labtrain.kernels.single_normals import draw_normals, event_words

_f = np.float32
_ZERO, _HALF, _ONE, _TWO, _THREE = _f(0), _f(0.5), _f(1), _f(2), _f(3)
_FARTHEST = _f(7.9)
"""tanh is 1 in float32 from here."""
_TANH_TOP = tuple(
    _f(c)
    for c in (
        -2.76076847742355e-16,
        2.00018790482477e-13,
        -8.60467152213735e-11,
        5.12229709037114e-08,
        1.48572235717979e-05,
        6.37261928875436e-04,
        4.89352455891786e-03,
    )
)
"""The rational approximation of tanh that Eigen and XNNPACK use, to 3 units in the last place."""
_TANH_BOTTOM = tuple(
    _f(c) for c in (1.19825839466702e-06, 1.18534705686654e-04, 2.26843463243900e-03, 4.89352518554385e-03)
)

CENTRE, STEEPNESS, PINNED, UNIT, TMR, V_H, R_SERIES, AVERAGING, READ_VARIANCE = range(9)
"""Rows of a table of devices: A, 1/(2 A) with its sign, 1, 1/A, 1, V, ohm, 1, V^2."""
BIAS_CENTRE, KAPPA, MEAN, INVERSE_SCALE, GAIN = range(5)
"""Rows of a layer's maps: A, A, V, 1/V, 1/V (kappa over scale and dI)."""
LOW, HIGH, STEP, LIMIT, DELTA, GRID_START, GRID_RATE, COMPLIANCE, RANGE, ADC_STEP = range(10)
"""Bias range, source step (0: none) and limit, dI in A; the grid of offsets in A and 1/A; voltmeter, V."""
_INFINITE_BITS = 0x7F800000
CLIPPED, FLAGGED, PARTNER_FLAGGED = range(3)
"""Rows of the counts: bias out of range; reading of the forward device, of the second read, not as asked."""


@compiled
def read_layer(
    z: Any,
    maps: Any,
    numbers: Any,
    devices: Any,
    keys: Any,
    cells: Any,
    reads: Any,
    activations: Any,
    flagged: Any,
    clipped: Any,
    watts: Any,
) -> Any:  # pragma: no cover - compiled
    """Read forward devices at pre-activations ``z[B, n]``; fill ``activations[B, n]``.

    Parameters
    ----------
    maps, numbers, devices
        Of the rows named above, float32: ``[5, n]``, ``[10]``, ``[9, n]``.
    keys, cells, reads
        Noise: ``[2]`` uint32, ``[n]``, and the read counters of all cells, which are advanced.
    flagged, clipped, watts
        ``[n]`` int64, int64, float64: how often a reading was not as asked, a bias out of range, the sum of
        V I; added to.

    Returns
    -------
    bool
        Whether every pre-activation was finite; else nothing was read.
    """
    if _highest_bits(z) >= _INFINITE_BITS:
        return False
    amperes, inside, volts, normals, weights, exponents = _scratch(z.shape)
    counts, sums, events = _accounts(z.shape[1])
    _next_events(keys, cells, reads, 0, len(z), events)
    for row in range(0, len(z), len(volts)):
        some = min(len(volts), len(z) - row)
        _bias(z[row : row + some], maps, numbers, amperes, inside, counts)
        draw_normals(events, row, 1, normals[:some], weights[:some], exponents[:some])
        _read(devices, amperes[:some], normals, numbers, volts, counts, FLAGGED)
        _activate(volts[:some], amperes, maps, activations[row : row + some], sums)
    _settle(counts, sums, 1.0, flagged, clipped, watts)
    return True


@compiled
def read_layer_twice(
    z: Any,
    maps: Any,
    numbers: Any,
    devices: Any,
    partners: Any,
    keys: Any,
    cells: Any,
    partner_cells: Any,
    reads: Any,
    offsets: Any,
    activations: Any,
    slopes: Any,
    flagged: Any,
    clipped: Any,
    watts: Any,
) -> Any:  # pragma: no cover - compiled
    """As :func:`read_layer`, and again at I + dI; fill ``slopes[B, n]`` with da/dz, 0 where clipped.

    Parameters
    ----------
    partners, partner_cells
        The devices read second; the forward ones again where these are their cells.
    offsets
        ``[G n, 2]`` V: the curve taken off the second reading and its rise to the next grid point, row by
        row; empty where there is none.
    """
    if _highest_bits(z) >= _INFINITE_BITS:
        return False
    amperes, inside, volts, normals, weights, exponents = _scratch(z.shape)
    second = np.empty_like(volts)
    counts, sums, events = _accounts(z.shape[1])
    partner_events = np.empty_like(events)
    stride = 2 if len(cells) and cells[0] == partner_cells[0] else 1
    _next_events(keys, cells, reads, 0, stride * len(z), events)
    if stride == 2:
        _next_events(keys, cells, reads, 1 - 2 * len(z), 0, partner_events)
    else:
        _next_events(keys, partner_cells, reads, 0, len(z), partner_events)
    for row in range(0, len(z), len(volts)):
        some = min(len(volts), len(z) - row)
        _bias(z[row : row + some], maps, numbers, amperes, inside, counts)
        draw_normals(events, row, stride, normals[:some], weights[:some], exponents[:some])
        _read(devices, amperes[:some], normals, numbers, volts, counts, FLAGGED)
        _activate(volts[:some], amperes, maps, activations[row : row + some], sums)
        _second_bias(amperes[:some], numbers)
        draw_normals(partner_events, row, stride, normals[:some], weights[:some], exponents[:some])
        _read(partners, amperes[:some], normals, numbers, second, counts, PARTNER_FLAGGED)
        if len(offsets):
            _take_offsets(offsets, amperes[:some], numbers, second, weights, exponents)
        _differences(volts, second, inside, maps, slopes[row : row + some])
    _settle(counts, sums, 2.0, flagged, clipped, watts)
    return True


@compiled
def _highest_bits(values: Any) -> Any:  # pragma: no cover - compiled
    """Return the largest magnitude in float32 ``values`` as its bits."""
    bits, worst = values.view(np.int32), np.int32(0)
    for r in range(values.shape[0]):
        for j in range(values.shape[1]):
            worst = max(worst, np.int32(bits[r, j] & np.int32(0x7FFFFFFF)))
    return worst


@compiled
def _accounts(n: int) -> Any:  # pragma: no cover - compiled
    return np.zeros((3, n), np.int32), np.zeros(n, np.float32), np.empty((3, n), np.uint32)


@compiled
def _next_events(
    keys: Any, cells: Any, reads: Any, shift: int, advance: int, events: Any
) -> None:  # pragma: no cover - compiled
    """Address the next events of some cells, and move their counters on."""
    for j in range(len(cells)):
        k = reads[cells[j]]
        event_words(keys[0], keys[1], cells[j], k + shift, events[:, j])
        reads[cells[j]] = k + advance


@compiled
def _settle(
    counts: Any, sums: Any, factor: float, flagged: Any, clipped: Any, watts: Any
) -> None:  # pragma: no cover - compiled
    for j in range(len(sums)):
        flagged[j] += counts[FLAGGED, j]
        clipped[j] += counts[CLIPPED, j]
        watts[j] += factor * sums[j]


@compiled
def _scratch(shape: Any) -> Any:  # pragma: no cover - compiled
    """Return six blocks of so many rows that together they stay in the processor's nearest cache."""
    rows = max(1, min(shape[0], 1024 // max(shape[1], 1)))
    block = (rows, shape[1])
    return (
        np.empty(block, np.float32),
        np.empty(block, np.float32),
        np.empty(block, np.float32),
        np.empty(block, np.float32),
        np.empty(block, np.float32),
        np.empty(block, np.float32),
    )


@compiled
def _bias(
    z: Any, maps: Any, numbers: Any, amperes: Any, inside: Any, counts: Any
) -> None:  # pragma: no cover - compiled
    low, high, step, limit = numbers[LOW], numbers[HIGH], numbers[STEP], numbers[LIMIT]
    for r in range(z.shape[0]):
        for j in range(z.shape[1]):
            wanted = maps[BIAS_CENTRE, j] + maps[KAPPA, j] * z[r, j]
            allowed = min(max(wanted, low), high)
            amperes[r, j] = allowed
            inside[r, j] = _ONE if allowed == wanted else _ZERO
            counts[CLIPPED, j] += np.int32(allowed != wanted)
    if step > _ZERO:
        rate = _ONE / step
        for r in range(z.shape[0]):
            for j in range(z.shape[1]):
                amperes[r, j] = min(max(np.rint(amperes[r, j] * rate) * step, -limit), limit)


@compiled
def _second_bias(amperes: Any, numbers: Any) -> None:  # pragma: no cover - compiled
    delta, limit = numbers[DELTA], numbers[LIMIT]
    for r in range(amperes.shape[0]):
        for j in range(amperes.shape[1]):
            amperes[r, j] = min(max(amperes[r, j] + delta, -limit), limit)


@compiled
def _activate(
    volts: Any, amperes: Any, maps: Any, activations: Any, totals: Any
) -> None:  # pragma: no cover - compiled
    for r in range(volts.shape[0]):
        for j in range(volts.shape[1]):
            activations[r, j] = (volts[r, j] - maps[MEAN, j]) * maps[INVERSE_SCALE, j]
            totals[j] += amperes[r, j] * volts[r, j]


@compiled
def _take_offsets(
    offsets: Any, amperes: Any, numbers: Any, volts: Any, below: Any, rise: Any
) -> None:  # pragma: no cover - compiled
    rows, n = amperes.shape
    start, rate, last = numbers[GRID_START], numbers[GRID_RATE], _f(len(offsets) // n - 1)
    place = np.empty((rows, n), np.int32)
    for r in range(rows):
        for j in range(n):
            position = min(max((amperes[r, j] - start) * rate, _ZERO), last)
            left = np.int32(position)
            place[r, j] = left * np.int32(n) + np.int32(j)
            amperes[r, j] = position - _f(left)
    # Alone in a loop: two neighbouring numbers are one load, and the rest stays vector code.
    for r in range(rows):
        for j in range(n):
            k = np.uint32(place[r, j])
            below[r, j] = offsets[k, 0]
            rise[r, j] = offsets[k, 1]
    for r in range(rows):
        for j in range(n):
            volts[r, j] -= below[r, j] + rise[r, j] * amperes[r, j]


@compiled
def _differences(
    volts: Any, second: Any, inside: Any, maps: Any, slopes: Any
) -> None:  # pragma: no cover - compiled
    for r in range(slopes.shape[0]):
        for j in range(slopes.shape[1]):
            slopes[r, j] = (second[r, j] - volts[r, j]) * maps[GAIN, j] * inside[r, j]


@compiled
def _read(
    table: Any, amperes: Any, normals: Any, numbers: Any, volts: Any, counts: Any, kind: int
) -> None:  # pragma: no cover - compiled
    """Read ``volts[R, n]`` at ``amperes[R, n]`` with given standard normals; count what the meter clips."""
    for r in range(amperes.shape[0]):
        for j in range(amperes.shape[1]):
            i = amperes[r, j]
            share = table[PINNED, j] * _logistic((i - table[CENTRE, j]) * table[STEEPNESS, j])
            a = i * table[UNIT, j]
            x = _reduced(a, a * (_ONE + table[TMR, j] * share))
            v_h = table[V_H, j]
            step = a * table[TMR, j] * v_h / (_ONE + x * x)
            spread = step * step * share * (table[PINNED, j] - share)
            noise = np.sqrt(spread * table[AVERAGING, j] + table[READ_VARIANCE, j])
            volts[r, j] = x * v_h + i * table[R_SERIES, j] + noise * normals[r, j]
    _show(volts[: amperes.shape[0]], numbers, counts, kind)


@compiled
def _show(volts: Any, numbers: Any, counts: Any, kind: int) -> None:  # pragma: no cover - compiled
    limit, step = min(numbers[COMPLIANCE], numbers[RANGE]), numbers[ADC_STEP]
    for r in range(volts.shape[0]):
        for j in range(volts.shape[1]):
            shown = min(max(volts[r, j], -limit), limit)
            counts[kind, j] += np.int32(shown != volts[r, j])
            volts[r, j] = shown
    if step > _ZERO:
        for r in range(volts.shape[0]):
            for j in range(volts.shape[1]):
                volts[r, j] = np.rint(volts[r, j] / step) * step


@inlined
def _logistic(half: Any) -> Any:
    """1 / (1 + exp(-2 half))."""
    t = min(max(half, -_FARTHEST), _FARTHEST)
    square = t * t
    top, bottom = _TANH_TOP[0], _TANH_BOTTOM[0]
    for k in range(1, 7):
        top = top * square + _TANH_TOP[k]
    for k in range(1, 4):
        bottom = bottom * square + _TANH_BOTTOM[k]
    return _HALF + _HALF * t * top / bottom


@inlined
def _reduced(a: Any, c: Any) -> Any:
    """Solve x^3 - a x^2 + x = c from a near guess: two Newton steps, then with their last inverse."""
    x = c / (_ONE + c * (c - a) * _HALF)
    x = x - (((x - a) * x + _ONE) * x - c) / ((_THREE * x - _TWO * a) * x + _ONE)
    inverse = _ONE / ((_THREE * x - _TWO * a) * x + _ONE)
    for _ in range(3):
        x = x - (((x - a) * x + _ONE) * x - c) * inverse
    return x
