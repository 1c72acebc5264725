"""Bits, cycles, energy and latency of an inference, from stated formulas and one replaceable table.

A layer of ``n`` inputs and ``m`` neurons, streams of ``N`` bits, all generators and counters side by side:

* bits: ``N`` for every stream that is no constant (0 and 1 need no generator): the inputs' and the weights';
* gates: ``n m N`` XNORs or ANDs; additions: as many of one bit (``apc``), or ``m N`` (``mux``);
* comparisons: ``m (L - 1)`` thresholds, hidden layers only;
* conversions: one bias for every generator and inference whose value is free (not one of the L states, which
  are fixed biases): inputs that are not quantised, weights and outputs of the analog-weight network;
* cycles: ``N`` a layer, one layer after the other, and one for its comparators.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from labtrain.training.stochastic.layers import StochasticLinear

ANALOG_STATES = 256
"""What reads the counter of an output that is not quantised: 8 bits."""


@dataclass(frozen=True)
class CostTable:
    """Joules and seconds of one operation.

    Attributes
    ----------
    bit
        A bit of an s-MTJ with its comparator: 20 fJ, the order that sister work states (Daniels et al., Phys.
        Rev. Applied 13, 034016 (2020), and followers).
    gate, addition
        One XNOR or AND; one bit into a counter. An 8-bit addition in 45 nm takes 30 fJ (Horowitz, ISSCC
        2014): a full adder 3.75 fJ; a gate is taken as a quarter of one.
    comparison
        Of a counter with a threshold: a 16-bit addition, 60 fJ.
    conversion
        An analog bias: 1.6 pJ (8 bits at 1.28 GS/s and 2 mW; ISAAC, Shafiee et al., ISCA 2016).
    cycle
        From one bit to the next: five correlation times of a 2 ns junction, 10 ns.
    """

    bit: float = 20e-15
    gate: float = 0.94e-15
    addition: float = 3.75e-15
    comparison: float = 60e-15
    conversion: float = 1.6e-12
    cycle: float = 10e-9


@dataclass(frozen=True, slots=True)
class LayerCount:
    """Operations of one layer and one inference; ``input_streams`` that are no constants, on average."""

    inputs: int
    outputs: int
    input_streams: float
    weight_streams: float
    conversions: float
    comparisons: int


def count_layer(layer: StochasticLinear, *, free_inputs: bool, last: bool) -> LayerCount:
    """Count what one inference takes, by the streams that the samples evaluated so far took on average.

    Parameters
    ----------
    free_inputs
        Whether the inputs are any value, not one of L states.
    """
    encoding = layer.counting.encoding
    wanted = encoding.probability(layer.quantised_weight().detach())
    real = wanted[(wanted > 0) & (wanted < 1)]
    weights = float(len(real.unique()) if layer.counting.shared else real.numel())
    inputs = layer.array.reads / max(layer.array.rows, 1)
    conversions = (inputs if free_inputs else 0.0) + (weights if layer.levels == 0 else 0.0)
    return LayerCount(
        layer.in_features,
        layer.out_features,
        inputs,
        weights,
        conversions,
        0 if last else layer.out_features * ((layer.levels or ANALOG_STATES) - 1),
    )


def inference_ledger(
    layers: Sequence[LayerCount], n_bits: int, adder: str, table: CostTable
) -> dict[str, float]:
    """Return ``bits``, ``cycles``, ``energy_joules``, its parts and ``latency_seconds`` of one inference."""
    bits = n_bits * sum(one.input_streams + one.weight_streams for one in layers)
    gates = n_bits * sum(one.inputs * one.outputs for one in layers)
    additions = gates if adder == "apc" else n_bits * sum(one.outputs for one in layers)
    parts = {
        "bit_joules": bits * table.bit,
        "gate_joules": gates * table.gate,
        "adder_joules": additions * table.addition,
        "comparator_joules": sum(one.comparisons for one in layers) * table.comparison,
        "conversion_joules": sum(one.conversions for one in layers) * table.conversion,
    }
    cycles = len(layers) * (n_bits + 1)
    return {
        "bits": bits,
        "gates": gates,
        "additions": additions,
        "cycles": cycles,
        **parts,
        "energy_joules": sum(parts.values()),
        "latency_seconds": cycles * table.cycle,
    }


def network_ledger(
    layers: Sequence[StochasticLinear], input_levels: int, table: CostTable
) -> dict[str, float]:
    """Return the ledger of one inference of a network's layers, which have been evaluated with bits."""
    last = len(layers) - 1
    counts = [
        count_layer(layer, free_inputs=not (layer.levels if i else input_levels), last=i == last)
        for i, layer in enumerate(layers)
    ]
    counting = layers[0].counting
    return inference_ledger(counts, counting.n_bits, counting.adder, table)
