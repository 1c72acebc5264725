"""What protocols share that read a flipping device many times at one bias: biases, states, aperture."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymeasure.experiment.parameters import FloatParameter, IntegerParameter, Parameter

from labtrain import noise
from labtrain.errors import CheckFailed, UsageError
from labtrain.procedures import DeviceProcedure, terminal_of
from labtrain.roles.digitizer import Digitizer, Trace
from protocols.pulsed import AUTO
from protocols.terminals import compliance_current

Floats = NDArray[np.float64]

LEARNING = 60
"""Readings at each bias from which the two states are learnt."""

_LEAST_VOLTS = 2e-3
_LEAST_CONTRAST = 1.15
_BETWEEN = (0.25, 0.75)
_MOST_BETWEEN = 0.1
_HEADROOM = 1.5
_USUAL_AMPERES = 100e-6


@dataclass(frozen=True, slots=True)
class States:
    """Conductances in S of the parallel (high) and the antiparallel state, and which readings are which."""

    parallel: float
    antiparallel: float

    @classmethod
    def of(cls, siemens: Floats) -> States:
        """Tell two states apart at the geometric mean of the extremes, inside both for any TMR(V)."""
        low, high = np.quantile(siemens, [0.02, 0.98])
        cut = float(np.sqrt(low * high)) if low > 0 else float(high)
        below, above = siemens[siemens < cut], siemens[siemens >= cut]
        if not len(below) or not len(above):
            return cls(float(np.median(siemens)), float(np.median(siemens)))
        return cls(float(np.median(above)), float(np.median(below)))

    def bits(self, siemens: Floats) -> NDArray[np.int64]:
        """Return 1 for the antiparallel state."""
        return (siemens < np.sqrt(self.parallel * self.antiparallel)).astype(np.int64)

    @property
    def apart(self) -> bool:
        """Whether these are two states."""
        return self.parallel >= _LEAST_CONTRAST * self.antiparallel

    def between(self, siemens: Floats) -> float:
        """Return the share of readings that are neither, but an average over a flip."""
        place = (siemens - self.antiparallel) / (self.parallel - self.antiparallel)
        return float(np.mean((place > _BETWEEN[0]) & (place < _BETWEEN[1])))


class DigitisedProcedure(DeviceProcedure):
    """The base of protocols that watch a superparamagnetic junction flip.

    The first readings learn the conductances of the device's two states. A device that flips within an
    aperture gives averages, not states: it is refused, for its dwell times could not be told.
    """

    terminal = Parameter("Terminal", default=AUTO, description="auto: the first that a source meter reaches")
    start_bias = FloatParameter(
        "Start bias", units="V", default=-0.1, minimum=-10.0, maximum=10.0, description="lowest bias"
    )
    stop_bias = FloatParameter(
        "Stop bias", units="V", default=0.1, minimum=-10.0, maximum=10.0, description="highest bias"
    )
    biases = IntegerParameter("Biases", default=8, minimum=1, maximum=1000, description="equally spaced")
    compliance = FloatParameter(
        "Current limit",
        units="A",
        default=0.0,
        minimum=0.0,
        maximum=1.0,
        description="and measuring range; 0: what the expected resistance draws, within the limits",
    )
    nplc = FloatParameter(
        "Aperture",
        default=0.01,
        minimum=0.001,
        maximum=10,
        description="in power-line cycles a reading; far shorter than a dwell",
    )

    def where(self) -> str:
        """Return the terminal that is biased and read."""
        if self.terminal != AUTO:
            return terminal_of(self.device, self.terminal).name
        for name in self.device.terminals:
            if "source-meter" in self.sources.get(f"{self.device.name}.{name}", ()):
                return name
        raise UsageError(
            f"no source meter reaches {self.device.name}",
            remedy="wire one in the bench file, or choose other devices with --device",
            key=self.device.name,
        )

    def levels(self) -> Floats:
        """Return the biases.

        Raises
        ------
        UsageError
            For one so small that a conductance cannot be read.
        """
        levels = np.round(np.linspace(self.start_bias, self.stop_bias, self.biases), 9)
        if np.min(np.abs(levels)) < _LEAST_VOLTS:
            raise UsageError(
                f"a bias of {levels[np.argmin(np.abs(levels))]:g} V is too small to read a resistance at",
                remedy=f"choose biases of {_LEAST_VOLTS:g} V and more, such as an even number around zero",
                key="biases",
            )
        return levels

    @property
    def largest(self) -> float:
        """The largest bias, in V."""
        return float(np.max(np.abs(self.levels())))

    def limit(self) -> float:
        """Return the current limit."""
        low, _ = self.expected_resistance.get(f"{self.device.name}.{self.where()}", (0.0, 0.0))
        usual = _HEADROOM * self.largest / low if low > 0 else _USUAL_AMPERES
        return compliance_current(
            terminal_of(self.device, self.where()).limits, self.largest, self.compliance, usual
        )

    @contextmanager
    def digitizer(self) -> Iterator[Digitizer]:
        """Reach the device with its source meter set up; no interlude inside the block."""
        limit = self.limit()
        with self.bench.route(self.device.name, self.where()) as meter:
            meter.configure("voltage", self.largest, limit, limit, self.nplc)
            yield self.bench.digitizer(meter.name)

    def shuffled(self, number: int) -> list[float]:
        """Return the biases in an order of their own for each pass, so that drift has no pattern."""
        levels = self.levels()
        stream = noise.stream(f"{self.NAME}/order/{self.device.name}")
        keys = noise.uniform(self.seed, stream, number, np.arange(len(levels)))
        return [float(levels[i]) for i in np.argsort(keys, kind="stable")]

    def learn(self, digitizer: Digitizer) -> States:
        """Read a little at every bias and tell the states apart.

        Raises
        ------
        CheckFailed
            Where there are not two, or readings are averages of both.
        """
        each = [siemens_of(digitizer.acquire(float(bias), LEARNING)) for bias in self.levels()]
        siemens = np.concatenate(each)
        states = States.of(siemens[np.isfinite(siemens)])
        for one in each:  # bias by bias: averages of both lie elsewhere at each
            self.require_states(states, one, digitizer.aperture)
        return states

    def require_states(self, states: States, siemens: Floats, aperture: float) -> None:
        """Raise where readings over ``aperture`` s do not show two states.

        Raises
        ------
        CheckFailed
            With the remedy.
        """
        what = ""
        if not states.apart:
            what = "shows one resistance at all biases, not two"
        elif states.between(siemens) > _MOST_BETWEEN:
            share = 100 * states.between(siemens)
            what = f"flips within the aperture: {share:.0f} % of the readings are averages of both states"
        if what:
            raise CheckFailed(
                f"{self.device.name} {what} (aperture {aperture:g} s)",
                remedy="read with a smaller nplc or a source meter with a fast buffer (2602B), or choose"
                " biases at which both states occur and stay",
                key=self.device.name,
            )


def siemens_of(trace: Trace) -> Floats:
    """Return the conductance at every reading."""
    return np.asarray(trace.amperes / trace.volts)


def interval_of(trace: Trace) -> float:
    """Return the time from one reading to the next, in s to a tenth of a microsecond."""
    return round(float(np.median(np.diff(trace.seconds))), 7)


def sampled_chain(bits: list[NDArray[np.int64]], interval: float) -> dict[str, Any]:
    """Dwell times from traces of states, sampled every ``interval`` s; missed events corrected exactly.

    Samples of a telegraph signal are a Markov chain. Its chances a and b of leaving P and AP within an
    interval hold flips that were seen and pairs that were not; a/(a + b) is the share of AP and
    1 - a - b = exp(-interval/tau_c), so tau_P = interval (a + b)/(-a ln(1 - a - b)), and tau_AP with b.
    Uncertainties follow from the binomial ones of a and b.

    Returns
    -------
    dict
        ``share``, ``flips``, ``tau_p``, ``tau_ap``, ``tau_c`` and their ``_uncertainty``, in s; None where
        the trace does not determine them. ``dwell_p``, ``dwell_ap``: mean dwell times as they look.
    """
    stays = np.zeros((2, 2))
    for trace in bits:
        np.add.at(stays, (trace[:-1], trace[1:]), 1)
    flips, steps = stays[0, 1] + stays[1, 0], stays.sum(axis=1)
    found: dict[str, Any] = {
        "share": float(np.mean(np.concatenate(bits))),
        "flips": int(flips),
        "dwell_p": float(interval * steps[0] / stays[0, 1]) if stays[0, 1] else None,
        "dwell_ap": float(interval * steps[1] / stays[1, 0]) if stays[1, 0] else None,
    }
    names = ("tau_p", "tau_ap", "tau_c")
    if not min(stays[0, 1], stays[1, 0]) or stays[0, 1] / steps[0] + stays[1, 0] / steps[1] >= 1:
        return found | {name: None for name in names} | {f"{name}_uncertainty": None for name in names}
    chances = np.array([stays[0, 1] / steps[0], stays[1, 0] / steps[1]])
    deviations = np.sqrt(chances * (1 - chances) / steps)
    times = _times(chances, interval)
    each = [(_times(chances + np.eye(2)[k] * deviations[k] * 0.01, interval) - times) * 100 for k in (0, 1)]
    errors = np.hypot(*each)
    for name, value, error in zip(names, times, errors, strict=True):
        found |= {name: float(value), f"{name}_uncertainty": float(error)}
    return found


def _times(chances: Floats, interval: float) -> Floats:
    total = float(chances.sum())
    rate = -np.log1p(-min(total, 1 - 1e-12)) / interval
    return np.array([total / (chances[0] * rate), total / (chances[1] * rate), 1 / rate])
