"""What a gated training executed, and what that costs by a stated table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from labtrain.training.pgaf.layers import FirstLinear, GatedLinear


@dataclass(frozen=True, slots=True)
class EnergyTable:
    """Joules of one operation.

    Attributes
    ----------
    mac
        Multiply and add of 32-bit floats in 45 nm: 3.7 + 0.9 pJ (Horowitz, ISSCC 2014).
    pulse
        A pulse on the line of an SOT-MTJ: 0.896 V across 776 ohm for 0.75 ns, V^2 t / R.
    read
        0.1 V across 4.9 kohm for 5 ns.
    """

    mac: float = 4.6e-12
    pulse: float = 0.78e-12
    read: float = 1.0e-14


def gated_ledger(
    layers: Sequence[FirstLinear | GatedLinear], samples: int, table: EnergyTable
) -> dict[str, float]:
    """Sum the counts of a training.

    Parameters
    ----------
    samples
        Training samples seen, all epochs together: each took one forward pass of the digital part.

    Returns
    -------
    dict
        ``gradient_mac_reduction``: dense gradient-phase multiply-accumulates over those executed (errors and
        weight gradients of all layers, output included, input gradient excluded); ``training_mac_reduction``:
        with the forward passes on both sides. ``gradient_energy_reduction`` and ``energy_reduction`` (shares
        saved) are the same with the table, switch pulses and reads counted against the gated side.
    """
    macs = [layer.macs for layer in layers]
    executed = sum(m.propagation + m.weights for m in macs)
    dense = sum(m.propagation_dense + m.weights_dense for m in macs)
    forward = samples * sum(layer.in_features * layer.out_features for layer in layers)
    ledgers = [layer.sampler.ledger for layer in layers if isinstance(layer, GatedLinear)]
    attempts, gates = sum(each.attempts for each in ledgers), sum(each.gates for each in ledgers)
    devices = attempts * 2 * (table.pulse + table.read)  # reset and pulse; verify and read
    gradient = executed * table.mac + devices
    return {
        "gradient_mac_reduction": dense / max(executed, 1),
        "training_mac_reduction": (forward + dense) / max(forward + executed, 1),
        "gradient_macs": executed,
        "gradient_macs_dense": dense,
        "forward_macs": forward,
        "open_gates": sum(each.open for each in ledgers) / max(gates, 1),
        "attempts": attempts,
        "flagged_attempts": sum(each.flagged for each in ledgers),
        "pulses": 2 * attempts,
        "writes": 2 * attempts,
        "reads": 2 * attempts,
        "energy_joules": forward * table.mac + gradient,
        "gradient_energy_saved": 1.0 - gradient / max(dense * table.mac, 1e-30),
        "energy_saved": 1.0 - (forward * table.mac + gradient) / max((forward + dense) * table.mac, 1e-30),
    }


def gated_layers(network: torch.nn.Module) -> list[FirstLinear | GatedLinear]:
    """List the layers with counts, first to last."""
    return [layer for layer in network.modules() if isinstance(layer, FirstLinear | GatedLinear)]
