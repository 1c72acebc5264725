"""Laws of two-terminal branches, as the nodal solve wants them.

A law is an implicit equation ``g(v, i) = 0`` in volts with its two derivatives, so
that current-controlled elements (a neuron, whose V(I) may fall) and
voltage-controlled ones (a barrier, R(V)) stand in one Newton iteration.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from labtrain.physics import diode, resistor, tunnelling

if TYPE_CHECKING:
    from labtrain.kernels.neuron_curve import NeuronCurve

Floats = NDArray[np.float64]

_HOUR = 3600.0


class Law(ABC):
    """How volts across and amperes through a branch go together; any shape, elementwise."""

    noisy = False
    varies = False
    """Whether it depends on the time of day of the world's clock."""
    moves = False
    """Whether levels themselves change it: its device is told of each before it is read."""
    linear = False
    """Whether it is a :class:`LinearLaw`: asked at every level, where asking for the class costs more."""

    @property
    def state(self) -> Hashable:
        """What the answer depends on beside v and i, so that answers can be remembered; None: not known."""
        return None

    @abstractmethod
    def residual(self, volts: Floats, amperes: Floats) -> tuple[Floats, Floats, Floats]:
        """Return g in volts, dg/dv (dimensionless) and dg/di in ohm."""

    def noise_volts(self, amperes: Floats, seconds: float) -> Floats:
        """Standard deviation, in V, of the EMF that a reading of ``seconds`` meets."""
        return np.zeros_like(amperes)

    def noise_at(self, amperes: float, seconds: float) -> float:
        """Do what :meth:`noise_volts` does for one reading."""
        return float(self.noise_volts(np.array([amperes]), seconds)[0])


class CurrentLaw(Law):
    """A law of the form V(I)."""

    @abstractmethod
    def voltage(self, amperes: Floats) -> Floats:
        """Volts across at ``amperes`` through."""

    @abstractmethod
    def slope(self, amperes: Floats) -> Floats:
        """dV/dI in ohm."""

    def residual(self, volts: Floats, amperes: Floats) -> tuple[Floats, Floats, Floats]:
        """``V(i) - v``."""
        return self.voltage(amperes) - volts, np.full_like(volts, -1.0), self.slope(amperes)


class LinearLaw(CurrentLaw):
    """A law of the form V = R I."""

    linear = True

    @property
    @abstractmethod
    def ohms(self) -> Any:
        """R: one number, or one a point."""

    def voltage(self, amperes: Floats) -> Floats:
        """Ohm's law."""
        return self.ohms * amperes

    def slope(self, amperes: Floats) -> Floats:
        """The resistance."""
        return self.ohms + 0.0 * amperes


class Ohmic(LinearLaw):
    """A plain resistance in ohm."""

    state = ()

    def __init__(self, ohms: float) -> None:
        self._ohms = ohms

    @property
    def ohms(self) -> float:
        """What it is."""
        return self._ohms


class NeuronLaw(CurrentLaw):
    """An MTJ nano-neuron: :mod:`labtrain.physics.neuron`, by its compiled kernel."""

    noisy = True
    state = ()

    def __init__(self, parameters: Mapping[str, float]) -> None:
        self._parameters = parameters

    @cached_property
    def _curve(self) -> NeuronCurve:
        # a bench that is only looked at need not wait for the compiler's import
        from labtrain.kernels.neuron_curve import NeuronCurve

        return NeuronCurve(self._parameters)

    def voltage(self, amperes: Floats) -> Floats:
        """Mean voltage."""
        return self._curve.mean_voltage(amperes)

    def slope(self, amperes: Floats) -> Floats:
        """dV/dI."""
        return self._curve.slope(amperes)

    def noise_volts(self, amperes: Floats, seconds: float) -> Floats:
        """Telegraph noise averaged over the aperture, and the contacts' own."""
        return self._curve.window_noise(amperes, seconds)


class ResistorLaw(LinearLaw):
    """A resistor that may drift with time: :mod:`labtrain.physics.resistor`."""

    def __init__(self, parameters: Mapping[str, float], seconds: Callable[[], float]) -> None:
        self._parameters = parameters
        self._seconds = seconds
        self.varies = parameters["drift_per_hour"] != 0.0
        self._first = self._now()

    @property
    def state(self) -> Hashable:
        """Nothing but time changes it, where it drifts at all."""
        return None if self.varies else ()

    @property
    def ohms(self) -> float:
        """The resistance at this time."""
        return self._now() if self.varies else self._first

    def _now(self) -> float:
        return float(resistor.resistance(self._parameters, self._seconds()))


class Drifting(Law):
    """A fault: another law whose resistance grows by a fraction an hour."""

    varies = True

    def __init__(self, inner: Law, per_hour: float, seconds: Callable[[], float]) -> None:
        self._inner = inner
        self._per_hour = per_hour
        self._seconds = seconds
        self.noisy, self.moves = inner.noisy, inner.moves

    def residual(self, volts: Floats, amperes: Floats) -> tuple[Floats, Floats, Floats]:
        """The inner law at the voltage that it would have without drift."""
        factor = 1.0 + self._per_hour * self._seconds() / _HOUR
        residual, by_volts, by_amperes = self._inner.residual(volts / factor, amperes)
        return residual * factor, by_volts, by_amperes * factor

    def noise_volts(self, amperes: Floats, seconds: float) -> Floats:
        """The inner law's."""
        return self._inner.noise_volts(amperes, seconds)


class BarrierLaw(Law):
    """A tunnel barrier in one of two states, or on the way between them: :mod:`labtrain.physics.tunnelling`.

    Parameters
    ----------
    antiparallel
        Share of time in the antiparallel state, 0 to 1: one for all points, or one a point. A reading of a
        barrier that flips averages its current, so conductances are what is averaged.
    moves
        Whether levels across it change its state.
    """

    _STEP = 1e-5

    def __init__(
        self,
        parameters: Mapping[str, float],
        antiparallel: Callable[[], bool | Floats],
        *,
        moves: bool = False,
    ) -> None:
        self._parameters = parameters
        self._antiparallel = antiparallel
        self.moves = self.varies = moves

    @property
    def state(self) -> Hashable:
        """Which of the two it is in; not known where levels themselves change it."""
        return None if self.moves else bool(self._antiparallel())

    def residual(self, volts: Floats, amperes: Floats) -> tuple[Floats, Floats, Floats]:
        """``i R(v) - v``, the bias dependence by a central difference."""
        share = np.asarray(self._antiparallel(), dtype=np.float64)
        ohms, above, below = (self._ohms(volts + d, share) for d in (0.0, self._STEP, -self._STEP))
        ohms_by_volts = (above - below) / (2 * self._STEP)
        return amperes * ohms - volts, amperes * ohms_by_volts - 1.0, ohms + 0.0 * volts

    def _ohms(self, volts: Floats, share: Floats) -> Any:
        high = tunnelling.barrier_resistance(self._parameters, volts, 1.0)
        low = self._parameters["r_p"]
        return low * high / (low * share + high * (1.0 - share))


class MemristorLaw(LinearLaw):
    """A memristor cell, ohmic at what it is programmed to; its readings scatter.

    Parameters
    ----------
    siemens
        Its conductance now: one for all points, or one a point.
    """

    noisy = varies = moves = True

    def __init__(self, siemens: Callable[[], float | Floats]) -> None:
        self._siemens = siemens

    @property
    def ohms(self) -> float | Floats:
        """The reciprocal of its conductance."""
        return 1.0 / self._siemens()

    def noise_volts(self, amperes: Floats, seconds: float) -> Floats:
        """The EMF of a reading whose ln G is 1 too large: at a held voltage it adds to the current."""
        return -amperes * self.ohms


class DiodeLaw(CurrentLaw):
    """A junction diode: :mod:`labtrain.physics.diode`."""

    state = ()

    def __init__(self, parameters: Mapping[str, float]) -> None:
        self._parameters = parameters

    def voltage(self, amperes: Floats) -> Floats:
        """V(I)."""
        return np.asarray(diode.voltage(self._parameters, amperes))

    def slope(self, amperes: Floats) -> Floats:
        """dV/dI."""
        return np.asarray(diode.slope(self._parameters, amperes))
