"""The four device roles, each call handed on by name and its answer given back."""

from __future__ import annotations

from typing import Any

import numpy as np

from labtrain.arrays.answered_views import AnsweredArray, AnsweredView, Answers
from labtrain.arrays.bitstreams import Bits, BitstreamSource
from labtrain.arrays.neurons import NeuronPairArray, Reading
from labtrain.arrays.plain import like
from labtrain.arrays.switches import Outcome, SwitchArray
from labtrain.arrays.synapses import Conductances, Currents, SynapseArray


class AnsweredNeurons(AnsweredView, NeuronPairArray):
    """Neuron pairs whose readings come from elsewhere."""

    def __init__(self, name: str, answers: Answers) -> None:
        super().__init__(name, answers, ("max_amperes", "resolution_amperes"))

    def respond(self, amperes: Any) -> Reading:
        """Have the forward devices read."""
        outputs = self._next("respond", {"amperes": amperes})
        return Reading(like(outputs["volts"], amperes), like(outputs["flags"], amperes))

    def respond_pair(self, amperes: Any, partner_amperes: Any) -> tuple[Reading, Reading]:
        """Have both devices read, as one call."""
        outputs = self._next("respond_pair", {"amperes": amperes, "partner_amperes": partner_amperes})
        forward = Reading(like(outputs["volts"], amperes), like(outputs["flags"], amperes))
        partner = Reading(like(outputs["partner_volts"], amperes), like(outputs["partner_flags"], amperes))
        return forward, partner


class AnsweredSwitches(AnsweredView, SwitchArray):
    """Switches whose attempts are made elsewhere."""

    def __init__(self, name: str, answers: Answers) -> None:
        super().__init__(name, answers, ("max_volts", "resolution_volts"))

    def attempt(self, volts: Any, seconds: float) -> Outcome:
        """Have the attempts made."""
        outputs = self._next("attempt", {"volts": volts, "seconds": np.array([seconds])})
        return Outcome(like(outputs["switched"], volts), like(outputs["flags"], volts))


class AnsweredBitstreams(AnsweredView, BitstreamSource):
    """Bit sources whose streams come from elsewhere."""

    def __init__(self, name: str, answers: Answers) -> None:
        super().__init__(name, answers, ("max_volts", "resolution_volts"))

    def sample(self, volts: Any, n_bits: int, interval: float) -> Bits:
        """Have the streams sampled."""
        asked = {"volts": volts, "n_bits": np.array([n_bits]), "interval": np.array([interval])}
        outputs = self._next("sample", asked)
        return Bits(like(outputs["packed"], volts), n_bits, like(outputs["flags"], volts))


class AnsweredSynapses(AnsweredArray, SynapseArray):
    """A crossbar that is written and read elsewhere."""

    def __init__(self, name: str, answers: Answers) -> None:
        super().__init__(name, answers)
        self.shape = (int(self._properties["rows"]), int(self._properties["columns"]))
        self.max_volts = float(self._properties["max_volts"])

    def program(self, delta_siemens: Any, mask: Any) -> Any:
        """Have cells programmed; return their flags."""
        outputs = self._next("program", {"delta_siemens": delta_siemens, "mask": mask})
        return like(outputs["flags"], delta_siemens)

    def conductance(self, mask: Any = None) -> Conductances:
        """Have cells read."""
        outputs = self._next("conductance", {} if mask is None else {"mask": mask})
        return Conductances(outputs["siemens"], outputs["flags"])

    def multiply(self, volts: Any) -> Currents:
        """Have the products taken."""
        outputs = self._next("multiply", {"volts": volts})
        return Currents(like(outputs["amperes"], volts), like(outputs["flags"], volts))
