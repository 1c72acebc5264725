"""The nonlinear nodal solve: modified nodal analysis with Newton's method, vectorised over operating points.

Unknowns are node voltages, branch currents and meter currents. Kirchhoff's
current law is linear in them and holds after the first full step; the branch
laws are what Newton iterates. Every row is in volts.

Source: C.-W. Ho, A. Ruehli, P. Brennan, "The modified nodal approach to network
analysis", IEEE Trans. Circuits Syst. 22, 504 (1975).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from labtrain.wiring import GROUND
from simulated_instruments.circuit import Circuit
from simulated_instruments.laws import Floats
from simulated_instruments.operating_points import OperatingPoint, OperatingPoints
from simulated_instruments.sources import Mode

LEAK_SIEMENS = 1e-13
"""Insulation of every node to ground."""

_SCALE = 1e3
_STEPS = 80
_TOLERANCE = 1e-13


@dataclass(frozen=True, slots=True)
class Drive:
    """What one meter is asked to source at each of B points: ``levels [B]``, and the other's ``limit``."""

    mode: Mode
    levels: Floats
    limit: float


class NodalSystem:
    """The equations of one circuit.

    Parameters
    ----------
    circuit
        What is connected.
    """

    def __init__(self, circuit: Circuit) -> None:
        self._circuit = circuit
        self._n, self._m, self._s = len(circuit.nodes), len(circuit.branches), len(circuit.meters)
        self._row = {name: index for index, name in enumerate(circuit.nodes)}
        self._linear = self._assemble()

    def _assemble(self) -> Floats:
        size = self._n + self._m + self._s
        matrix = np.zeros((size, size))
        matrix[range(self._n), range(self._n)] += LEAK_SIEMENS * _SCALE
        for start, end, ohms in self._circuit.edges:
            self._stamp(matrix, start, end, _SCALE / ohms)
        for port in self._circuit.generators:
            self._stamp(matrix, port.node, GROUND, _SCALE / port.ohms)
        for column, branch in enumerate(self._circuit.branches, self._n):
            self._current(matrix, column, branch.start, branch.end, _SCALE)
        for column, meter in enumerate(self._circuit.meters, self._n + self._m):
            self._current(matrix, column, meter.hi, meter.lo, -_SCALE)
        return matrix

    def _stamp(self, matrix: Floats, start: str, end: str, value: float) -> None:
        a, b = self._row.get(start), self._row.get(end)
        for one, other in ((a, b), (b, a)):
            if one is not None:
                matrix[one, one] += value
                if other is not None:
                    matrix[one, other] -= value

    def _current(self, matrix: Floats, column: int, start: str, end: str, value: float) -> None:
        for node, sign in ((start, 1.0), (end, -1.0)):
            if node in self._row:
                matrix[self._row[node], column] += sign * value

    def _between(self, x: Floats, start: str, end: str) -> Floats:
        a, b = self._row.get(start), self._row.get(end)
        first = x[:, a] if a is not None else np.zeros(len(x))
        return first - x[:, b] if b is not None else first

    def standing(self) -> OperatingPoint:
        """Solve where the sources stand."""
        drives = [Drive(port.mode, np.array([port.level]), port.limit) for port in self._circuit.meters]
        return self.solve(drives, [port.emf for port in self._circuit.generators]).last()

    def solve(self, drives: Sequence[Drive], emfs: Sequence[float]) -> OperatingPoints:
        """Solve for B points.

        Parameters
        ----------
        drives
            One a meter of the circuit, in order.
        emfs
            One a generator, in V.
        """
        batch = len(drives[0].levels) if drives else 1
        kinds = np.tile([drive.mode == "current" for drive in drives], (batch, 1)).astype(bool)
        values = np.stack([drive.levels for drive in drives], 1) if drives else np.zeros((1, 0))
        limits = np.array([drive.limit for drive in drives])
        limited = np.zeros(kinds.shape, dtype=bool)
        x = np.zeros((batch, self._n + self._m + self._s))
        for _ in range(2 + 2 * self._s):
            x = self._newton(x, kinds, values, emfs)
            volts, amperes = self._meters(x)
            held = np.where(kinds, volts, amperes)  # the quantity that is not being sourced
            over = ~limited & ~(np.abs(held) <= limits * (1 + 1e-12))
            if not over.any():
                break
            values = np.where(over, np.sign(held) * limits, values)
            kinds ^= over
            limited |= over
        return self._points(x, kinds, limited)

    def _meters(self, x: Floats) -> tuple[Floats, Floats]:
        volts = [self._between(x, *meter.senses) for meter in self._circuit.meters]
        stacked = np.stack(volts, 1) if volts else np.zeros((len(x), 0))
        return stacked, x[:, self._n + self._m :]

    def _newton(self, x: Floats, kinds: NDArray[np.bool_], values: Floats, emfs: Sequence[float]) -> Floats:
        residual, jacobian = self._equations(x, kinds, values, emfs)
        norm = np.abs(residual).max(axis=1)
        for _ in range(_STEPS):
            if bool((norm <= _TOLERANCE * (1.0 + np.abs(x).max(axis=1))).all()):
                break
            step = np.linalg.solve(jacobian, residual[:, :, None])[:, :, 0]
            share = np.ones((len(x), 1))
            for _ in range(12):  # halve the step where it made things worse
                trial = x - share * step
                tried, slope = self._equations(trial, kinds, values, emfs)
                trial_norm = np.abs(tried).max(axis=1)
                worse = trial_norm > np.maximum(norm, 1e-9) * (1.0 - 1e-4 * share[:, 0])
                if not worse.any():
                    break
                share[worse] *= 0.5
            if bool((np.abs(trial - x) <= 1e-16).all()):
                break
            x, residual, jacobian, norm = trial, tried, slope, trial_norm
        return x

    def _equations(
        self, x: Floats, kinds: NDArray[np.bool_], values: Floats, emfs: Sequence[float]
    ) -> tuple[Floats, Floats]:
        residual = x @ self._linear.T
        jacobian = np.broadcast_to(self._linear, (len(x), *self._linear.shape)).copy()
        for port, emf in zip(self._circuit.generators, emfs, strict=True):
            residual[:, self._row[port.node]] -= emf * _SCALE / port.ohms
        for row, branch in enumerate(self._circuit.branches, self._n):
            g, by_volts, by_amperes = branch.law.residual(
                self._between(x, branch.start, branch.end), x[:, row]
            )
            residual[:, row] = g
            self._write_row(jacobian, row, branch.start, branch.end, by_volts)
            jacobian[:, row, row] = by_amperes
        for index, meter in enumerate(self._circuit.meters):
            row = self._n + self._m + index
            current = kinds[:, index]
            across = self._between(x, *meter.senses)
            residual[:, row] = np.where(current, x[:, row] * _SCALE, across)
            residual[:, row] -= values[:, index] * np.where(current, _SCALE, 1.0)
            self._write_row(jacobian, row, *meter.senses, np.where(current, 0.0, 1.0))
            jacobian[:, row, row] = np.where(current, _SCALE, 0.0)
        return residual, jacobian

    def _write_row(self, jacobian: Floats, row: int, start: str, end: str, value: Floats) -> None:
        for node, sign in ((start, 1.0), (end, -1.0)):
            if node in self._row:
                jacobian[:, row, self._row[node]] = sign * value

    def _points(self, x: Floats, kinds: NDArray[np.bool_], limited: NDArray[np.bool_]) -> OperatingPoints:
        volts, amperes = self._meters(x)
        across = [self._between(x, b.start, b.stress_end) for b in self._circuit.branches]
        branch_volts = np.stack(across, 1) if across else np.zeros((len(x), 0))
        through = x[:, self._n : self._n + self._m]
        transfer = partial(self._transfer, x, kinds)
        return OperatingPoints(volts, amperes, limited, branch_volts, through, transfer)

    def _transfer(self, x: Floats, kinds: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        """Differentiate the meters' readings by an EMF in each noisy branch."""
        shape = (len(x), self._s, self._m)
        by_volts, by_amperes = np.zeros(shape), np.zeros(shape)
        noisy = [index for index, b in enumerate(self._circuit.branches) if b.law.noisy]
        if not noisy or not self._s:
            return by_volts, by_amperes
        zeros = np.zeros((len(x), self._s))
        _, jacobian = self._equations(x, kinds, zeros, [0.0] * len(self._circuit.generators))
        push = np.zeros((*x.shape, len(noisy)))
        for column, index in enumerate(noisy):
            push[:, self._n + index, column] = -1.0
        moved = np.asarray(np.linalg.solve(jacobian, push), dtype=np.float64)
        for column, index in enumerate(noisy):
            by_volts[:, :, index], by_amperes[:, :, index] = self._meters(moved[:, :, column])
        return by_volts, by_amperes
