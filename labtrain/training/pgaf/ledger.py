"""What a gated training executed, and what that costs by a stated table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch

from labtrain.training.pgaf.costs import EnergyTable
from labtrain.training.pgaf.counting import CountedLayer
from labtrain.training.pgaf.layers import GatedActivation, GatedLinear
from labtrain.training.pgaf.sampler import SwitchSampler


def gated_ledger(networks: Sequence[torch.nn.Module], table: EnergyTable) -> dict[str, float]:
    """Sum the counts of a training, over networks trained one after the other.

    Returns
    -------
    dict
        ``gradient_mac_reduction``: dense gradient-phase multiply-accumulates over those executed (errors and
        weight gradients of all layers, output included, input gradient excluded); ``training_mac_reduction``:
        with the forward passes of training on both sides. ``gradient_energy_saved`` and ``energy_saved``
        (shares) are the same with the table, resets, pulses and reads of switches charged to the gated side.
    """
    macs = [layer.macs for network in networks for layer in counted_layers(network)]
    executed = sum(m.propagation + m.weights for m in macs)
    dense = sum(m.propagation_dense + m.weights_dense for m in macs)
    forward = sum(m.forward for m in macs)
    switches = [sampler.ledger for network in networks for sampler in samplers(network)]
    attempts, gates = sum(each.attempts for each in switches), sum(each.gates for each in switches)
    gradient = executed * table.mac + attempts * table.attempt
    return {
        "gradient_mac_reduction": dense / max(executed, 1),
        "training_mac_reduction": (forward + dense) / max(forward + executed, 1),
        "propagation_macs": sum(m.propagation for m in macs),
        "weight_gradient_macs": sum(m.weights for m in macs),
        "gradient_macs": executed,
        "gradient_macs_dense": dense,
        "forward_macs": forward,
        "indexed_entries": sum(m.indexed for m in macs),
        "open_gates": sum(each.open for each in switches) / max(gates, 1),
        "attempts": attempts,
        "flagged_attempts": sum(each.flagged for each in switches),
        "pulses": 2 * attempts,
        "writes": 2 * attempts,
        "reads": 2 * attempts,
        "energy_joules": forward * table.mac + gradient,
        "gradient_energy_saved": 1.0 - gradient / max(dense * table.mac, 1e-30),
        "energy_saved": 1.0 - (forward * table.mac + gradient) / max((forward + dense) * table.mac, 1e-30),
    }


def reduction(network: torch.nn.Module) -> float:
    """Return ``gradient_mac_reduction`` of what was executed so far."""
    macs = [layer.macs for layer in counted_layers(network)]
    executed = sum(m.propagation + m.weights for m in macs)
    return sum(m.propagation_dense + m.weights_dense for m in macs) / max(executed, 1)


def counted_layers(network: torch.nn.Module) -> list[CountedLayer]:
    """List the layers with counts, first to last."""
    return [layer for layer in network.modules() if isinstance(layer, CountedLayer)]


def samplers(network: torch.nn.Module) -> list[SwitchSampler]:
    """List the switches of a network's neurons, first layer to last."""
    return list(_samplers(network.modules()))


def _samplers(layers: Iterable[torch.nn.Module]) -> Iterable[SwitchSampler]:
    for layer in layers:
        if isinstance(layer, GatedLinear | GatedActivation):
            yield layer.sampler
