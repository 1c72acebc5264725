"""What a solve of a circuit finds: at one setting of its sources, in plain numbers, or at B of them.

A reading takes one point, a sweep takes B. Making arrays of one element costs more than the whole of
Ohm's law, so one point has a form of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Numbers = tuple[float, ...]


@dataclass(slots=True)
class OperatingPoint:
    """One solution of a circuit.

    Attributes
    ----------
    volts, amperes, limited
        Of each meter: voltage across its terminals, current out of ``hi``, and whether its limit held it.
    branch_volts, branch_amperes
        Across and through each branch; volts against the branch's ``stress_end``.
    transfer
        Works out how an EMF in each branch moves each meter's voltage (dimensionless) and current (S):
        ``[meters][branches]``.
    """

    volts: Numbers
    amperes: Numbers
    limited: tuple[bool, ...]
    branch_volts: Numbers
    branch_amperes: Numbers
    transfer: Callable[[], tuple[Sequence[Sequence[float]], Sequence[Sequence[float]]]]

    def disturbed(self, emf: Sequence[float]) -> tuple[list[float], list[float]]:
        """Return the meters' volts and amperes with a small EMF in each branch."""
        by_volts, by_amperes = self.transfer()
        volts = [v + _inner(row, emf) for v, row in zip(self.volts, by_volts, strict=True)]
        return volts, [i + _inner(row, emf) for i, row in zip(self.amperes, by_amperes, strict=True)]


def _inner(row: Sequence[float], emf: Sequence[float]) -> float:
    # not sum(): from Python 3.12 on it compensates, and the arrays' sum does not
    total = 0.0
    for factor, one in zip(row, emf, strict=True):
        total += factor * one
    return total


@dataclass(slots=True)
class OperatingPoints:
    """B solutions of one circuit, as :class:`OperatingPoint` has one.

    Attributes
    ----------
    volts, amperes, limited
        ``[B, meters]``.
    branch_volts, branch_amperes
        ``[B, branches]``.
    transfer
        ``[B, meters, branches]`` twice.
    """

    volts: Floats
    amperes: Floats
    limited: NDArray[np.bool_]
    branch_volts: Floats
    branch_amperes: Floats
    transfer: Callable[[], tuple[Floats, Floats]]

    def disturbed(self, emf: Floats) -> tuple[Floats, Floats]:
        """Return the meters' volts and amperes with a small EMF ``[B, branches]`` in the branches."""
        by_volts, by_amperes = self.transfer()
        volts = self.volts + (by_volts * emf[:, None, :]).sum(axis=2)
        return volts, self.amperes + (by_amperes * emf[:, None, :]).sum(axis=2)

    def last(self) -> OperatingPoint:
        """Return the last of them in plain numbers."""

        def transfer() -> tuple[Sequence[Sequence[float]], Sequence[Sequence[float]]]:
            by_volts, by_amperes = self.transfer()
            return by_volts[-1].tolist(), by_amperes[-1].tolist()

        return OperatingPoint(
            tuple(self.volts[-1].tolist()),
            tuple(self.amperes[-1].tolist()),
            tuple(self.limited[-1].tolist()),
            tuple(self.branch_volts[-1].tolist()),
            tuple(self.branch_amperes[-1].tolist()),
            transfer,
        )
