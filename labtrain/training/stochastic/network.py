"""Perceptrons of stochastic layers: counters, comparators, quantised outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch

from labtrain import noise
from labtrain.arrays.batch_rows import BatchRows
from labtrain.errors import UsageError
from labtrain.training.stochastic.generators import Generators, SimulatedGenerators
from labtrain.training.stochastic.layers import StochasticLinear
from labtrain.training.stochastic.memory import Memory
from labtrain.training.stochastic.moments import Counting
from labtrain.training.stochastic.quantiser import quantise, require_levels


@dataclass(frozen=True)
class Design:
    """What the layers of a network share.

    Attributes
    ----------
    levels
        States of weights and hidden outputs; 0: any value of either (the analog-weight network).
    input_levels
        States of the inputs; 0: as they come.
    train_with, evaluator
        As :class:`~.layers.StochasticLinear`.
    seed
        Draws weights, bits and noise.
    """

    counting: Counting
    levels: int = 5
    input_levels: int = 0
    train_with: str = "moments"
    evaluator: str = "bits"
    variance_gradient: bool = True
    seed: int = 0
    first_inputs: Generators | None = field(default=None, compare=False)
    """Generators of the network's inputs, where devices give them; else simulated."""
    rows: BatchRows | None = field(default=None, compare=False)
    """Of batches that several processes share; None: every batch is whole."""

    def layer(self, index: int, inputs: int, outputs: int) -> StochasticLinear:
        """Build layer ``index`` with generators of its own."""
        name, memory = f"sc/{index}", self.counting.memory
        source: Generators = SimulatedGenerators(self.seed, f"{name}/inputs", own=False, memory=memory)
        if index == 0 and self.first_inputs is not None:
            source = self.first_inputs
        return StochasticLinear(
            inputs,
            outputs,
            self.counting,
            source,
            SimulatedGenerators(self.seed, f"{name}/weights", own=True, memory=memory),
            levels=self.levels,
            train_with=self.train_with,
            evaluator=self.evaluator,
            seed=self.seed,
            name=name,
            variance_gradient=self.variance_gradient,
            rows=self.rows,
        )


class Quantised(torch.nn.Module):  # type: ignore[misc]  # torch is not type-checked here
    """Rounds to the states of an encoding: comparators behind a counter."""

    def __init__(self, levels: int, low: float) -> None:
        super().__init__()
        self.levels, self.low = require_levels(levels, "levels"), low

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """Return the states nearest to ``z``."""
        return quantise(z, self.levels, self.low)

    def extra_repr(self) -> str:
        """Name the states."""
        return f"levels={self.levels}, low={self.low:g}"


def stochastic_perceptron(sizes: Sequence[int], design: Design) -> torch.nn.Sequential:
    """Chain inputs' states, and per layer a product, an affine (batch norm) and the states of its output.

    The affine is one scale and one offset a neuron in eval: on a chip it is folded into the L - 1 thresholds
    that the counter is compared with, so it costs nothing. The last layer's scores are not quantised.
    """
    low = design.counting.encoding.low
    parts: list[torch.nn.Module] = [Quantised(design.input_levels, low)]
    for index, (inputs, outputs) in enumerate(zip(sizes, sizes[1:], strict=False)):
        parts += [design.layer(index, inputs, outputs), torch.nn.BatchNorm1d(outputs)]
        if index < len(sizes) - 2:
            parts.append(Quantised(design.levels, low))
    network = torch.nn.Sequential(*parts)
    draw_weights(network, design.seed)
    return network


def stochastic_layers(network: torch.nn.Module) -> list[StochasticLinear]:
    """List the layers that count, first to last."""
    return [layer for layer in network.modules() if isinstance(layer, StochasticLinear)]


def draw_weights(network: torch.nn.Module, seed: int) -> None:
    """Draw weights in place: uniform from -1 to 1, so that all states occur; the affine scales their sum."""
    with torch.no_grad():
        for index, layer in enumerate(stochastic_layers(network)):
            stream = noise.stream(f"sc/initial/{index}")
            drawn = noise.uniform(seed, stream, np.arange(layer.weight.numel()), 0)
            layer.weight.copy_(torch.from_numpy(2.0 * drawn - 1.0).view(layer.weight.shape))


def take_weights(network: torch.nn.Module, trained: torch.nn.Module) -> None:
    """Start from a trained network (of floats) of the same sizes: weights, scales, offsets, statistics.

    Raises
    ------
    UsageError
        For other sizes.
    """
    theirs = _plain(trained)
    own = _plain(network)
    if {name: value.shape for name, value in own.items()} != {n: v.shape for n, v in theirs.items()}:
        raise UsageError(
            "the trained network has other layers than this one",
            remedy="build both with the same hidden=",
            key="hidden",
        )
    with torch.no_grad():
        for name, value in own.items():
            value.copy_(theirs[name])


def _plain(network: torch.nn.Module) -> dict[str, Any]:
    state: dict[str, Any] = network.state_dict(keep_vars=True)
    return {name: value for name, value in state.items() if isinstance(value, torch.Tensor)}


def set_length(network: torch.nn.Module, n_bits: int) -> None:
    """Count over another length from now on."""
    for layer in stochastic_layers(network):
        layer.with_length(n_bits)


def set_memory(network: torch.nn.Module, memory: Memory | None) -> None:
    """Count streams with this memory from now on, where they are simulated."""
    for layer in stochastic_layers(network):
        layer.counting = replace(layer.counting, memory=memory)
        for generators in (layer.array, layer.weight_generators):
            if isinstance(generators, SimulatedGenerators):
                generators.memory = memory
