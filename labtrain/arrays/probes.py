"""How a wired array reaches one of its devices: pulses in volts at the device, gentle reads.

Three-terminal devices are pulsed by a generator on one terminal and read by a source meter on another.
Two-terminal ones are pulsed by the source meter that reads them: its levels are pulses of a
millisecond and more, and nothing else is connected to the barrier.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, final

import numpy as np
from numpy.typing import NDArray

from labtrain.errors import UsageError
from labtrain.roles.source_meter import SourceMeter

Route = Callable[[str, str], AbstractContextManager[SourceMeter]]
Floats = NDArray[np.float64]


class PulseWay(Protocol):
    """The part of a bench's pulse path that a probe needs."""

    def pulse(self, volts: float, seconds: float, n: int = 1) -> Any:
        """Send ``n`` pulses of ``volts`` at the device."""


@dataclass(frozen=True, slots=True)
class GentleRead:
    """How devices are read.

    Attributes
    ----------
    volts
        The usual read voltage, far below what switches the device.
    max_volts
        The largest read voltage.
    max_amperes
        The current limit, and the measuring range.
    nplc
        Aperture in power line cycles.
    """

    volts: float
    max_volts: float
    max_amperes: float
    nplc: float

    def take(self, meter: SourceMeter, levels: Floats) -> tuple[Floats, Floats, NDArray[np.uint8]]:
        """Read at each of ``levels`` (V): volts, amperes, flags, each ``[m]``."""
        meter.configure("voltage", self.max_volts, self.max_amperes, self.max_amperes, self.nplc)
        sweep = meter.sweep(levels, abort_on_compliance=False)
        return sweep.volts, sweep.amperes, sweep.flags


class Probe(ABC):
    """One device within reach."""

    @abstractmethod
    def pulse(self, volts: float, seconds: float, count: int = 1) -> None:
        """Give ``count`` pulses; LimitExceeded where the bench refuses them, and nothing was sent."""

    @abstractmethod
    def read(self, levels: Floats) -> tuple[Floats, Floats, NDArray[np.uint8]]:
        """Read at each of ``levels`` (V): volts, amperes, flags, each ``[m]``."""


class Probes(ABC):
    """Gives the probe of any device of an array."""

    gentle: GentleRead

    @abstractmethod
    def at(self, device: str) -> AbstractContextManager[Probe]:
        """Reach ``device`` for the length of the block.

        Raises
        ------
        CheckFailed
            Where the device has not passed the bench's contact check.
        """


@final
class GeneratorProbes(Probes):
    """Pulses by a generator on one terminal, reads by a source meter on another.

    The route for reading is open while a pulse is given: a source meter left connected would hold its end
    of the barrier.

    Parameters
    ----------
    pulse_path, route
        ``Bench.pulse_path`` and ``Bench.route``.
    """

    def __init__(
        self,
        pulse_path: Callable[[str, str], PulseWay],
        route: Route,
        terminals: tuple[str, str],
        gentle: GentleRead,
    ) -> None:
        self._pulse_path, self._route = pulse_path, route
        self._pulsed, self._read = terminals
        self.gentle = gentle

    @contextmanager
    def at(self, device: str) -> Iterator[Probe]:
        """Reach a device; routes close and open for each pulse and each read."""
        yield _GeneratorProbe(
            self._pulse_path(device, self._pulsed), lambda: self._route(device, self._read), self.gentle
        )


class _GeneratorProbe(Probe):
    def __init__(
        self, way: PulseWay, route: Callable[[], AbstractContextManager[SourceMeter]], gentle: GentleRead
    ) -> None:
        self._way, self._route, self._gentle = way, route, gentle

    def pulse(self, volts: float, seconds: float, count: int = 1) -> None:
        self._way.pulse(volts, seconds, count)

    def read(self, levels: Floats) -> tuple[Floats, Floats, NDArray[np.uint8]]:
        with self._route() as meter:
            return self._gentle.take(meter, levels)


@final
class MeterProbes(Probes):
    """Pulses and reads by one source meter on one terminal.

    Parameters
    ----------
    max_volts, max_amperes
        The largest pulse, and the current limit while it lasts.

    Notes
    -----
    A pulse is a point of a list sweep: ``seconds`` of waiting less :attr:`SHORTEST`, and the meter's own
    settling and shortest aperture, 1-2 ms together.
    """

    SHORTEST = 1e-3
    _APERTURE = 0.01

    def __init__(
        self, route: Route, terminal: str, gentle: GentleRead, *, max_volts: float, max_amperes: float
    ) -> None:
        self._route, self._terminal, self.gentle = route, terminal, gentle
        self._pulsing = (max_volts, max_amperes, max_amperes, self._APERTURE)

    @contextmanager
    def at(self, device: str) -> Iterator[Probe]:
        """Reach a device; its route stays closed for the length of the block."""
        with self._route(device, self._terminal) as meter:
            yield _MeterProbe(meter, self._pulsing, self.gentle)


class _MeterProbe(Probe):
    def __init__(
        self, meter: SourceMeter, pulsing: tuple[float, float, float, float], gentle: GentleRead
    ) -> None:
        self._meter, self._pulsing, self._gentle = meter, pulsing, gentle

    def pulse(self, volts: float, seconds: float, count: int = 1) -> None:
        if not seconds >= MeterProbes.SHORTEST:
            raise UsageError(
                f"a pulse of {seconds:g} s is too short for a source meter; nothing was sent",
                remedy=f"ask for {MeterProbes.SHORTEST:g} s or more, or wire a generator to its own terminal",
            )
        self._meter.configure("voltage", *self._pulsing)
        # Back to zero between pulses, so that they are count pulses and not one long one.
        levels = np.zeros(2 * count - 1)
        levels[::2] = volts
        self._meter.sweep(levels, delay=seconds - MeterProbes.SHORTEST, abort_on_compliance=False)

    def read(self, levels: Floats) -> tuple[Floats, Floats, NDArray[np.uint8]]:
        return self._gentle.take(self._meter, levels)
