"""Neuron pairs on a bench with one source meter: the two devices of a pair are read one after the other."""

from __future__ import annotations

from typing import Any, final

from labtrain.arrays.neurons import Reading
from labtrain.arrays.wired_pairs import WiredPairs


@final
class WiredNeuronArray(WiredPairs):
    """One source meter reads everything; parameters as for :class:`.wired_pairs.WiredPairs`."""

    def respond_pair(self, amperes: Any, partner_amperes: Any) -> tuple[Reading, Reading]:
        """Read all forward devices, then all partners, each ``[B, n]``."""
        forward, partner = self._checked(amperes), self._checked(partner_amperes)
        return self._read_all(forward, 1), self._read_all(partner, 2)
