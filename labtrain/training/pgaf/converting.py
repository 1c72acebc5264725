"""Ordinary networks into gated ones, and back."""

from __future__ import annotations

from collections.abc import Callable

import torch

from labtrain.errors import UsageError
from labtrain.training.pgaf.convolutions import CountedConv2d, CountedLinear
from labtrain.training.pgaf.gates import ACTIVATIONS, Activation, activation_named
from labtrain.training.pgaf.layers import FirstLinear, GatedActivation, GatedLinear
from labtrain.training.pgaf.sampler import SwitchSampler

MakeSampler = Callable[[Activation, int, int], SwitchSampler]
"""``f(activation, neurons, layer)``: the switches of a hidden layer."""

_TORCH = {"sigmoid": torch.nn.Sigmoid, "tanh": torch.nn.Tanh}


def convert(
    network: torch.nn.Sequential,
    make_sampler: MakeSampler,
    *,
    sampled: bool = False,
    per_batch: bool = False,
) -> torch.nn.Sequential:
    """Return a perceptron with the same weights whose backward pass is gated by switches.

    Parameters
    ----------
    network
        Linear layers with a sigmoid or tanh between each two.
    make_sampler
        Gives the switches of each hidden layer.
    sampled, per_batch
        See :class:`~labtrain.training.pgaf.layers.GatedLinear`.

    Raises
    ------
    UsageError
        For another layer or activation: which one, and what is covered.
    """
    parts = list(network)
    if len(parts) < 3 or not isinstance(parts[0], torch.nn.Linear):
        raise UsageError("a gated network begins with a linear layer and has a hidden one", remedy=_ALLOWED)
    layers: list[torch.nn.Module] = [_first(parts[0])]
    for index in range(1, len(parts), 2):
        activation = _activation_of(parts[index])
        linear = parts[index + 1] if index + 1 < len(parts) else None
        if not isinstance(linear, torch.nn.Linear):
            raise UsageError(f"layer {index + 1} is {_name(linear)}, not linear", remedy=_ALLOWED)
        sampler = make_sampler(activation, linear.in_features, (index - 1) // 2)
        layer = GatedLinear(
            sampler, linear.out_features, linear.weight.dtype, sampled=sampled, per_batch=per_batch
        )
        _copy(linear, layer)
        layers.append(layer)
    return torch.nn.Sequential(*layers)


def convert_back(network: torch.nn.Sequential) -> torch.nn.Sequential:
    """Return the ordinary network with the same weights."""
    layers: list[torch.nn.Module] = []
    for layer in network:
        if isinstance(layer, GatedLinear):
            layers.append(_TORCH[layer.sampler.activation.name]())
        linear = torch.nn.Linear(layer.in_features, layer.out_features, dtype=layer.weight.dtype)
        _copy(layer, linear)
        layers.append(linear)
    return torch.nn.Sequential(*layers)


def neurons_of(network: torch.nn.Module, example: torch.Tensor) -> dict[torch.nn.Module, int]:
    """Return how many neurons each activation of any network has, in the order of the forward pass.

    Parameters
    ----------
    example
        An input of one sample.

    Raises
    ------
    UsageError
        For an activation that the identity does not cover.
    """
    neurons: dict[torch.nn.Module, int] = {}

    def note(layer: torch.nn.Module, given: object, out: torch.Tensor) -> None:
        _activation_of(layer)
        neurons[layer] = out[0].numel()

    hooks = [
        layer.register_forward_hook(note)
        for layer in network.modules()
        if type(layer).__module__ == torch.nn.Tanh.__module__
    ]
    with torch.no_grad():
        network(example)
    for hook in hooks:
        hook.remove()
    return neurons


def convert_branched(
    network: torch.nn.Module,
    neurons: dict[torch.nn.Module, int],
    make_sampler: MakeSampler,
    *,
    sampled: bool = False,
    per_batch: bool = False,
) -> torch.nn.Module:
    """Replace the layers of a network with branches, in place, by gated and counted ones; return it.

    Parameters
    ----------
    neurons
        Of each activation, as :func:`neurons_of` finds them.
    """
    order = list(neurons)

    def replaced(layer: torch.nn.Module) -> torch.nn.Module:
        if layer in neurons:
            sampler = make_sampler(_activation_of(layer), neurons[layer], order.index(layer))
            return GatedActivation(sampler, sampled=sampled, per_batch=per_batch)
        if isinstance(layer, torch.nn.Conv2d):
            return CountedConv2d(layer)
        return CountedLinear(layer) if isinstance(layer, torch.nn.Linear) else layer

    for parent in list(network.modules()):
        for name, layer in list(parent.named_children()):
            setattr(parent, name, replaced(layer))
    return network


_ALLOWED = f"alternate torch.nn.Linear with {' or '.join(ACTIVATIONS)}"


def _first(linear: torch.nn.Linear) -> FirstLinear:
    layer = FirstLinear(linear.in_features, linear.out_features, linear.weight.dtype)
    _copy(linear, layer)
    return layer


def _activation_of(layer: torch.nn.Module) -> Activation:
    for name, kind in _TORCH.items():
        if isinstance(layer, kind):
            return ACTIVATIONS[name]
    return activation_named(_name(layer))


def _copy(source: torch.nn.Module, target: torch.nn.Module) -> None:
    with torch.no_grad():
        target.weight.copy_(source.weight)
        target.bias.copy_(source.bias)


def _name(layer: torch.nn.Module | None) -> str:
    return "missing" if layer is None else type(layer).__name__
