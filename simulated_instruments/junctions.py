"""Two-terminal magnetic tunnel junctions: one that stays until it is pulsed, one that flips by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labtrain.kernels import stt_table
from labtrain.physics import stt, telegraph
from simulated_instruments.devices import Branch, Circumstances
from simulated_instruments.draws import Draws
from simulated_instruments.laws import BarrierLaw
from simulated_instruments.level_driven import LevelDriven
from simulated_instruments.magnet import Magnet
from simulated_instruments.stress import BARRIER


class SttMtj(LevelDriven):
    """A perpendicular junction that pulses and levels across its barrier switch: positive volts P to AP.

    Below 0.6 of the critical voltage by the activated rate, above by the Fokker-Planck table; a level
    counts as one long pulse, so that reading disturbs and a slow sweep shows its hysteresis.
    """

    _NEGLIGIBLE = 0.1
    _ACTIVATED = 0.6

    def __init__(self, what: Circumstances, terminals: tuple[str, ...]) -> None:
        super().__init__(what.seconds)
        self._parameters = what.population.cell(what.index)
        self.magnet = Magnet(what.population, what.index, self._probability, stuck=what.stuck)
        law = BarrierLaw(self._parameters, lambda: self.standing, moves=True)
        self.branches = (what.branch("top", law, what.index, lifetime=BARRIER),)

    def pulsed(self, branch: Branch, volts: float, seconds: float, count: int) -> None:
        """Switch with P(V, t)."""
        self.magnet.expose(volts, seconds, count)

    def evolve(self, volts: float, seconds: float) -> None:
        """Switch under a level, unless it is far too small."""
        if self._reduced(volts) > self._NEGLIGIBLE:
            self.magnet.expose(volts, seconds, kind="level")

    def present(self) -> float:
        """1 for AP."""
        return float(self.magnet.antiparallel)

    def averaged(self, volts: float, seconds: float) -> float:
        """The state: it does not flip back while it is read."""
        return self.present()

    def _reduced(self, volts: float) -> float:
        return abs(volts) / self._parameters["v_c0_p_ap" if volts > 0 else "v_c0_ap_p"]

    def _probability(self, volts: float, seconds: float) -> float:
        i, delta = self._reduced(volts), self._parameters["delta"]
        tau = seconds / self._parameters["tau_d"]
        if i <= self._ACTIVATED:
            return float(stt.activated(delta, i, tau))
        # Beyond the table's longest pulse the rate is constant.
        within = min(max(tau, 0.1), 1e7)
        p = float(stt_table.probability(delta, i, within))
        return float(1.0 - (1.0 - p) ** max(tau / within, 1.0))

    def state_dict(self) -> dict[str, Any]:
        """Branches, time and free layer."""
        return super().state_dict() | {"magnet": self.magnet.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take :meth:`state_dict`'s result back."""
        super().load_state_dict(state)
        self.magnet.load_state_dict(state["magnet"])


class SuperparamagneticMtj(LevelDriven):
    """A junction whose state is telegraph noise that a voltage biases.

    Between events it is the exact two-state chain: event ``k`` of the stream ``"<array>/sample"``, as in
    :class:`labtrain.arrays.simulated_bitstreams.SimulatedBitstreamSource`. A reading averages over its
    aperture, with dwell times of its own that the chain does not see: right as long as the device
    seldom flips within an aperture, and an average of many flips where it often does.
    """

    _DRAWS = 64

    def __init__(self, what: Circumstances, terminals: tuple[str, ...]) -> None:
        super().__init__(what.seconds)
        self._parameters = what.population.cell(what.index)
        address = (what.population.seed, what.population.stream("sample"), what.index)
        self._samples = Draws("uniform", *address)
        dwells = (what.population.seed, what.population.stream("dwell"), what.index)
        self._dwells = Draws("uniform", *dwells)
        self._stuck, self._events, self._readings = what.stuck, 0, 0
        self.antiparallel = False
        law = BarrierLaw(self._parameters, lambda: self.standing, moves=True)
        self.branches = (what.branch("top", law, what.index, lifetime=BARRIER),)

    def evolve(self, volts: float, seconds: float) -> None:
        """Go on to the state after ``seconds`` at ``volts``."""
        low, high = telegraph.thresholds(self._parameters, volts, seconds, self._seconds())
        uniform = float(self._samples.take(self._events, 1)[0])
        self._events += 1
        if not self._stuck:
            self.antiparallel = uniform < low or (self.antiparallel and uniform < high)

    def present(self) -> float:
        """1 for AP."""
        return float(self.antiparallel)

    def averaged(self, volts: float, seconds: float) -> float:
        """The share of AP in the aperture."""
        first, self._readings = self._readings * self._DRAWS, self._readings + 1
        if self._stuck:
            return self.present()
        draws = self._dwells.take(first, self._DRAWS)
        now = self._seconds()
        return telegraph.window_share(self._parameters, volts, self.antiparallel, seconds, draws, now)

    def state_dict(self) -> dict[str, Any]:
        """Branches, time, state and counters."""
        more = {"antiparallel": self.antiparallel, "events": self._events, "readings": self._readings}
        return super().state_dict() | more

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take :meth:`state_dict`'s result back."""
        super().load_state_dict(state)
        self.antiparallel = bool(state["antiparallel"])
        self._events, self._readings = int(state["events"]), int(state["readings"])
