"""In which order switching is attempted: every amplitude as often, or where the curve is least certain."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from labtrain import noise
from protocols.adaptive_sampling import AmplitudeSampler


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to come.

    Attributes
    ----------
    direction
        ``"P->AP"`` or ``"AP->P"``.
    volts
        Magnitude, in V.
    seconds
        Width of the pulse.
    """

    direction: str
    volts: float
    seconds: float


class Schedule(ABC):
    """Gives attempts block by block; inside a block their order is random, so that drift has no pattern.

    Parameters
    ----------
    seed, name
        Address the draws; the name is the device's.
    """

    def __init__(self, seed: int, name: str) -> None:
        self._seed, self._stream = seed, noise.stream(f"switching-probability/order/{name}")

    @abstractmethod
    def block(self, number: int) -> Sequence[Attempt]:
        """Return the next attempts; none when all is done."""

    def learn(self, attempt: Attempt, switched: bool) -> None:  # noqa: B027 - optional
        """Take the outcome of an attempt in."""

    def _shuffled(self, attempts: Sequence[Attempt], number: int) -> list[Attempt]:
        keys = self._uniforms(number, len(attempts))
        return [attempts[i] for i in np.argsort(keys, kind="stable")]

    def _uniforms(self, number: int, count: int) -> NDArray[np.float64]:
        return np.asarray(noise.uniform(self._seed, self._stream, number, np.arange(count)))


@final
class GridSchedule(Schedule):
    """Every direction, width and amplitude once a block.

    Parameters
    ----------
    attempts
        All of one block.
    repeats
        Blocks.
    """

    def __init__(self, seed: int, name: str, attempts: Sequence[Attempt], repeats: int) -> None:
        super().__init__(seed, name)
        self._attempts, self._repeats = attempts, repeats

    def block(self, number: int) -> Sequence[Attempt]:
        """Return all of them, shuffled."""
        return self._shuffled(self._attempts, number) if number < self._repeats else []


@final
class AdaptiveSchedule(Schedule):
    """Amplitudes where each curve is least certain, until its v50 is known well enough.

    Parameters
    ----------
    curves
        (direction, width) of each curve.
    ends
        Lowest and highest amplitude.
    precision
        Standard deviation of v50, in V.
    most
        Attempts of a curve at most.
    """

    _BLOCK = 4

    def __init__(
        self,
        seed: int,
        name: str,
        curves: Sequence[tuple[str, float]],
        ends: tuple[float, float],
        precision: float,
        most: int,
    ) -> None:
        super().__init__(seed, name)
        self._samplers = {curve: AmplitudeSampler(*ends) for curve in curves}
        self._precision, self._most = precision, most

    def block(self, number: int) -> Sequence[Attempt]:
        """Return a few attempts on every curve that is not known yet, shuffled."""
        open_ones = [curve for curve in self._samplers if not self._settled(curve)]
        draws = self._uniforms(-1 - number, self._BLOCK * len(open_ones)).reshape(-1, self._BLOCK)
        attempts = [
            Attempt(direction, self._samplers[direction, seconds].next(float(u)), seconds)
            for (direction, seconds), row in zip(open_ones, draws, strict=True)
            for u in row[: self._left((direction, seconds))]
        ]
        return self._shuffled(attempts, number)

    def learn(self, attempt: Attempt, switched: bool) -> None:
        """Tell the curve's sampler."""
        self._samplers[attempt.direction, attempt.seconds].learn(attempt.volts, switched)

    def _left(self, curve: tuple[str, float]) -> int:
        return self._most - self._samplers[curve].attempts

    def _settled(self, curve: tuple[str, float]) -> bool:
        return self._left(curve) <= 0 or self._samplers[curve].known(self._precision)
