"""Macrospin trajectories, compiled: :func:`labtrain.physics.macrospin.final` with the same heat.

And from them the switching probability of a pulse, for spin transfer and spin-orbit torques alike.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labtrain import noise
from labtrain.kernels.compiling import compiled, inlined
from labtrain.kernels.noise import cell_words, event_word, keys_of, to_normals, uniform_of
from labtrain.physics.macrospin import Macrospin
from labtrain.physics.stt import GYROMAGNETIC

Floats = NDArray[np.float64]

_BLOCK = 512


def final(spin: Macrospin, start: Floats, torques: Floats, seed: int, stream: int, first: int = 0) -> Floats:
    """Return the unit vectors ``[n, 3]`` after ``len(torques)`` steps; see the plain function."""
    m = np.array(start, dtype=np.float64)
    rate = -GYROMAGNETIC / (1.0 + spin.alpha**2) * spin.step
    numbers = np.array(
        [rate, spin.alpha, spin.anisotropy_field, spin.thermal_field, *spin.field, *spin.polarisation]
    )
    steps = np.ascontiguousarray(torques, dtype=np.float64)
    _follow(numbers, m, steps, keys_of(seed, stream), first)
    return m


def switching_probability(
    spin: Macrospin,
    torque: float,
    seconds: float,
    *,
    trajectories: int = 1000,
    settle: float = 3e-9,
    seed: int = 0,
) -> float:
    """Return the share of trajectories that end in the upper half after a pulse and a rest.

    Every trajectory starts at m_z = -1, becomes thermal for ``settle`` seconds, meets ``torque`` (A/m) for
    ``seconds`` and rests for ``settle`` again: under a spin-orbit torque m lies in the plane until
    the pulse ends. The standard error is sqrt(P (1 - P)/trajectories).
    """
    before, pulse = round(settle / spin.step), round(seconds / spin.step)
    torques = np.concatenate([np.zeros(before), np.full(pulse, torque), np.zeros(before)])
    start = np.tile([0.0, 0.0, -1.0], (trajectories, 1))
    ends = final(spin, start, torques, seed, noise.stream("macrospin/heat"))
    return float(np.mean(ends[:, 2] > 0))


@compiled
def _follow(numbers: Any, spins: Any, torques: Any, keys: Any, first: int) -> None:  # pragma: no cover
    rate, alpha, anisotropy, heat = numbers[0], numbers[1], numbers[2], numbers[3]
    draws = np.empty(3 * _BLOCK)
    for j in range(len(spins)):
        start, key = cell_words(keys[0], keys[1], j)
        x, y, z = spins[j, 0], spins[j, 1], spins[j, 2]
        for block in range(0, len(torques), _BLOCK):
            count = min(_BLOCK, len(torques) - block)
            for i in range(3 * count):
                draws[i] = uniform_of(event_word(start, key, np.int64(3 * (first + block) + i)), keys[2])
            to_normals(draws[: 3 * count])
            for k in range(count):
                torque = torques[block + k]
                hx = numbers[4] + heat * draws[3 * k]
                hy = numbers[5] + heat * draws[3 * k + 1]
                hz = numbers[6] + heat * draws[3 * k + 2]
                px, py, pz = torque * numbers[7], torque * numbers[8], torque * numbers[9]
                ax, ay, az = _slope(x, y, z, hx, hy, hz, px, py, pz, rate, alpha, anisotropy)
                u, v, w = x + ax, y + ay, z + az
                bx, by, bz = _slope(u, v, w, hx, hy, hz, px, py, pz, rate, alpha, anisotropy)
                x, y, z = x + 0.5 * (ax + bx), y + 0.5 * (ay + by), z + 0.5 * (az + bz)
                norm = 1.0 / math.sqrt(x * x + y * y + z * z)
                x, y, z = x * norm, y * norm, z * norm
        spins[j, 0], spins[j, 1], spins[j, 2] = x, y, z


@inlined
def _slope(
    x: float,
    y: float,
    z: float,
    hx: float,
    hy: float,
    hz: float,
    px: float,
    py: float,
    pz: float,
    rate: float,
    alpha: float,
    anisotropy: float,
) -> Any:  # pragma: no cover - compiled
    """Change of m in one step; ``p`` is the torque times the polarisation."""
    fx = hx + y * pz - z * py
    fy = hy + z * px - x * pz
    fz = hz + x * py - y * px + anisotropy * z
    tx, ty, tz = y * fz - z * fy, z * fx - x * fz, x * fy - y * fx
    dx, dy, dz = y * tz - z * ty, z * tx - x * tz, x * ty - y * tx
    return rate * (tx + alpha * dx), rate * (ty + alpha * dy), rate * (tz + alpha * dz)
