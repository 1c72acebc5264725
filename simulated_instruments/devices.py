"""Devices as circuit branches: what hangs between their terminals, and what their state does.

A kind of device is one class (entry point group ``labtrain.simulated_devices``). Parameters come from
:mod:`labtrain.populations`, equations from :mod:`labtrain.physics`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from labtrain.physics import sot
from labtrain.populations import Population
from labtrain.wiring import GROUND
from simulated_instruments.draws import Draws
from simulated_instruments.laws import (
    BarrierLaw,
    DiodeLaw,
    Drifting,
    Floats,
    Law,
    NeuronLaw,
    Ohmic,
    ResistorLaw,
)
from simulated_instruments.magnet import Magnet
from simulated_instruments.stress import BARRIER, LINE, ON_VOLTS, Lifetime, TerminalStress

BROKEN_BARRIER_OHMS: Final = 120.0
"""A broken-down barrier is a short through what is left of the leads."""


@dataclass(slots=True, eq=False)
class Branch:
    """One two-terminal element of a device.

    Attributes
    ----------
    name
        The terminal whose stress it carries, ``"neurons[3].top"``.
    start, end
        Its nodes.
    stress_end
        The node against which the terminal's voltage is judged.
    breaks_open
        Whether it fails open (a fuse) or short (a barrier); with ``lifetime`` None it never fails.
    conducts
        False for a dead or fused one.
    draws, reads
        Its read noise, and how many readings have met it.
    """

    name: str
    start: str
    end: str
    law: Law
    stress: TerminalStress
    draws: Draws
    stress_end: str = GROUND
    lifetime: Lifetime | None = None
    breaks_open: bool = False
    conducts: bool = True
    reads: int = 0

    def noise(self, amperes: Floats, seconds: float) -> Floats:
        """Draw the EMF of the next ``len(amperes)`` readings, in V, and count them."""
        first, self.reads = self.reads, self.reads + len(amperes)
        return self.law.noise_volts(amperes, seconds) * self.draws.take(first, len(amperes))

    def noise_once(self, amperes: float, seconds: float) -> float:
        """Do what :meth:`noise` does for one reading."""
        k, self.reads = self.reads, self.reads + 1
        return self.law.noise_at(amperes, seconds) * self.draws.one(k)

    def suffer(self, volts: Floats, amperes: Floats, seconds: float) -> bool:
        """Note levels of ``seconds`` each; return whether it broke just now."""
        self.stress.note_levels(volts, amperes, seconds)
        lifetime = self.lifetime
        if lifetime is None or self.stress.broken or not seconds > 0.0:
            return False
        return self._wears(lifetime.damage(volts, seconds))

    def suffer_level(self, volts: float, amperes: float, seconds: float) -> bool:
        """Do what :meth:`suffer` does for a single level."""
        self.stress.note_most(abs(volts), abs(amperes), abs(volts * amperes))
        return seconds > 0.0 and self.stood(volts, seconds)

    def stood(self, volts: float, seconds: float) -> bool:
        """Charge the time that a level stood whose magnitudes have been noted; return whether it broke."""
        lifetime, stress = self.lifetime, self.stress
        if abs(volts) > ON_VOLTS:
            stress.seconds_on += seconds
        if lifetime is None or stress.broken:
            return False
        return self._wears(lifetime.damage_at(volts, seconds))

    def _wears(self, share: float) -> bool:
        self.stress.damage += share
        return self.stress.damage >= 1.0 and self._break()

    def _break(self) -> bool:
        self.stress.broken = True
        self.conducts = not self.breaks_open
        if not self.breaks_open:
            self.law = Ohmic(BROKEN_BARRIER_OHMS)
        return True

    def state_dict(self) -> dict[str, Any]:
        """Counters and wear."""
        return {"reads": self.reads, "stress": self.stress.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take :meth:`state_dict`'s result back."""
        self.reads = int(state["reads"])
        self.stress.load_state_dict(state["stress"])
        if self.stress.broken:
            self._break()


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Which device of which chip this is, and what is wrong with it.

    Attributes
    ----------
    name
        ``"neurons[3]"`` or ``"sot"``.
    population, index
        The chip's cells, and this device's number among its devices.
    seconds
        The world's time.
    dead, stuck, drift_per_hour
        Faults.
    """

    name: str
    population: Population
    index: int
    seconds: Callable[[], float]
    dead: bool = False
    stuck: bool = False
    drift_per_hour: float = 0.0

    def branch(self, terminal: str, law: Law, cell: int, **more: Any) -> Branch:
        """Make the branch behind a terminal, faults included."""
        if self.drift_per_hour:
            law = Drifting(law, self.drift_per_hour, self.seconds)
        name = f"{self.name}.{terminal}"
        draws = Draws("normal", self.population.seed, self.population.stream("read"), cell)
        kept: dict[str, Any] = {"end": GROUND, "conducts": not self.dead, "draws": draws} | more
        return Branch(name=name, start=name, law=law, stress=TerminalStress(), **kept)


class Device:
    """A device in the world.

    Attributes
    ----------
    branches
        Its elements with a law of their own.
    resistors
        Plain resistances inside it: (node, node, ohm).
    """

    branches: tuple[Branch, ...]
    resistors: tuple[tuple[str, str, float], ...] = ()

    def pulsed(self, branch: Branch, volts: float, seconds: float, count: int) -> None:
        """React to ``count`` equal pulses at one of its terminals."""

    def held(self, branch: Branch, volts: float, seconds: float) -> None:
        """React to a level that stood for ``seconds`` until now; 0 s: a level begins now."""

    def watched(self, branch: Branch, volts: Floats, seconds: float, dwell: float) -> None:
        """Get ready to be read: ``volts [B]`` one after the other, for ``dwell`` each.

        Called where the branch's law ``moves``; until :meth:`unwatched` the law stands for the B readings,
        each averaged over ``seconds``. With dwell 0 the level stands already.
        """

    def unwatched(self) -> None:
        """Stand for one point again."""

    def state_dict(self) -> dict[str, Any]:
        """Everything that a resumed world needs."""
        return {branch.name: branch.state_dict() for branch in self.branches}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take :meth:`state_dict`'s result back."""
        for branch in self.branches:
            branch.load_state_dict(state[branch.name])


class Neurons(Device):
    """One MTJ nano-neuron or a pair: a terminal a cell."""

    def __init__(self, what: Circumstances, terminals: tuple[str, ...]) -> None:
        self.branches = tuple(
            self._branch(what, terminal, what.index * len(terminals) + offset)
            for offset, terminal in enumerate(terminals)
        )

    @staticmethod
    def _branch(what: Circumstances, terminal: str, cell: int) -> Branch:
        parameters = what.population.cell(cell)
        if what.stuck:
            parameters["stuck"] = 1.0
        return what.branch(terminal, NeuronLaw(parameters), cell, lifetime=BARRIER)


class SotMtj(Device):
    """A line that pulses switch and a barrier on its middle, read through ``top``."""

    def __init__(self, what: Circumstances, terminals: tuple[str, ...]) -> None:
        self._parameters = what.population.cell(what.index)
        self.magnet = Magnet(what.population, what.index, self._probability, stuck=what.stuck)
        middle = f"{what.name}.middle"
        half = 0.5 * float(sot.line_resistance(self._parameters))
        line = what.branch("line", Ohmic(half), what.index, end=middle, lifetime=LINE, breaks_open=True)
        barrier = BarrierLaw(self._parameters, lambda: self.magnet.antiparallel)
        top = what.branch("top", barrier, what.index, end=middle, stress_end=middle, lifetime=BARRIER)
        self.branches = (line, top)
        self.resistors = ((middle, GROUND, half),)

    def pulsed(self, branch: Branch, volts: float, seconds: float, count: int) -> None:
        """Switch with P(V, t): positive volts on the line drive P to AP, negative AP to P."""
        if branch is self.branches[0]:
            self.magnet.expose(volts, seconds, count)

    def _probability(self, volts: float, seconds: float) -> float:
        width = min(max(seconds, sot.SHORTEST_SECONDS), sot.LONGEST_SECONDS)
        return float(sot.switching_probability(self._parameters, volts, width))

    def state_dict(self) -> dict[str, Any]:
        """Branches and free layer."""
        return super().state_dict() | {"magnet": self.magnet.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take :meth:`state_dict`'s result back."""
        super().load_state_dict(state)
        self.magnet.load_state_dict(state["magnet"])


class Resistor(Device):
    """A resistor to ground."""

    def __init__(self, what: Circumstances, terminals: tuple[str, ...]) -> None:
        law = ResistorLaw(what.population.cell(what.index), what.seconds)
        self.branches = (what.branch("top", law, what.index),)


class Diode(Device):
    """A diode to ground, anode on ``top``."""

    def __init__(self, what: Circumstances, terminals: tuple[str, ...]) -> None:
        law = DiodeLaw(what.population.cell(what.index))
        self.branches = (what.branch("top", law, what.index),)
