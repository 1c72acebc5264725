"""Neuron pairs on a bench with a source meter channel for each device of a pair: read at once."""

from __future__ import annotations

from typing import Any, final

import numpy as np

from labtrain.arrays.neurons import Reading
from labtrain.arrays.stimuli import on_grid
from labtrain.arrays.wired_pairs import (
    Flags,
    Floats,
    Neuron,
    WiredPairs,
    in_namespace_of,
    plain_columns,
)
from labtrain.errors import CheckFailed
from labtrain.roles.pair_sweep import sweep_together
from labtrain.roles.source_meter import SourceMeter

_Column = tuple[Floats, Flags]


@final
class TwoChannelPairArray(WiredPairs):
    """Forward devices and partners on different channels, so that a pair is swept at the same time.

    What both see (drift, temperature, field) between the two readings of a difference is the same, and
    a pair takes the time of one device. Parameters as for :class:`~labtrain.arrays.wired_pairs.WiredPairs`;
    ``route`` must give different source meters for the two terminals of a device.
    """

    def respond_pair(self, amperes: Any, partner_amperes: Any) -> tuple[Reading, Reading]:
        """Read both devices of each pair together, pair by pair, each ``[B, n]``."""
        wanted = self._checked(amperes), self._checked(partner_amperes)
        columns = [plain_columns(one) for one in wanted]
        volts = [np.empty(one.shape) for one in columns]
        flags = [np.empty(one.shape, dtype=np.uint8) for one in columns]
        for j, neuron in enumerate(self._devices):
            both = self._read_both(neuron, columns[0][:, j], columns[1][:, j])
            for side, (read, judged) in enumerate(both):
                volts[side][:, j], flags[side][:, j] = read, judged
        forward, partner = (in_namespace_of(wanted[k], volts[k], flags[k]) for k in (0, 1))
        return forward, partner

    def _read_both(self, neuron: Neuron, forward: Floats, partner: Floats) -> tuple[_Column, _Column]:
        """Sweep a pair; where one of the two has no contact, each by itself."""
        if len(forward) != len(partner):
            return self._attempt(neuron, 1, forward), self._attempt(neuron, 2, partner)
        device, shared = neuron[0], self._shared
        try:
            with shared.route(device, neuron[1]) as meter, shared.route(device, neuron[2]) as second:
                stimuli = self._set_up(meter, forward), self._set_up(second, partner)
                sweeps = sweep_together(
                    meter, second, stimuli[0][0], stimuli[1][0], abort_on_compliance=False
                )
        except CheckFailed:
            return self._attempt(neuron, 1, forward), self._attempt(neuron, 2, partner)
        for terminal in neuron[1:]:
            shared.count(device, terminal, len(forward))
        one, other = (
            (sweep.volts, sweep.flags | clipped) for sweep, (_, clipped) in zip(sweeps, stimuli, strict=True)
        )
        return one, other

    def _set_up(self, meter: SourceMeter, amperes: Floats) -> _Column:
        """Set a meter up; return the stimulus on its grid, and where it was clipped."""
        self._shared.configure(meter)
        return on_grid(amperes, meter.resolution, self.max_amperes)
