"""Residual networks whose layers can be chosen: for methods that train on devices.

He, Zhang, Ren and Sun, CVPR 2016 (arXiv 1512.03385), section 4.2, without normalisation: between a gated
activation and its convolution a batch normalisation would fill the zeros that gates leave in the errors.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from labtrain.training.randomness import initialise

Layer = Callable[..., torch.nn.Module]

NETWORKS = {"resnet8": (16, (1, 1, 1)), "resnet18": (64, (2, 2, 2, 2))}
"""Channels of the first stage, and blocks of each; further stages have twice the channels, half the size."""


class ResidualBlock(torch.nn.Module):  # type: ignore[misc]  # torch is not type-checked here
    """Two convolutions of 3 x 3 beside a shortcut, an activation after each sum."""

    def __init__(self, inputs: int, outputs: int, stride: int, activation: Layer, convolution: Layer) -> None:
        super().__init__()
        self.first = convolution(inputs, outputs, 3, stride=stride, padding=1)
        self.between = activation()
        self.second = convolution(outputs, outputs, 3, padding=1)
        same = inputs == outputs and stride == 1
        self.shortcut = torch.nn.Identity() if same else convolution(inputs, outputs, 1, stride=stride)
        self.after = activation()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return ``[B, outputs, ...]`` for ``x[B, inputs, ...]``."""
        inner = self.second(self.between(self.first(x)))
        return self.after(inner + self.shortcut(x))


def residual_network(
    name: str,
    activation: Layer,
    *,
    classes: int = 10,
    shape: tuple[int, int, int] = (3, 32, 32),
    convolution: Layer = torch.nn.Conv2d,
    linear: Layer = torch.nn.Linear,
) -> torch.nn.Sequential:
    """Build a network of :data:`NETWORKS` for flat pictures ``[B, channels x height x width]``.

    Parameters
    ----------
    activation
        Gives an activation layer.
    convolution, linear
        Give layers as torch's own do for the same arguments.
    """
    width, blocks = NETWORKS[name]
    layers: list[torch.nn.Module] = [
        torch.nn.Unflatten(1, shape),
        convolution(shape[0], width, 3, padding=1),
        activation(),
    ]
    inputs = width
    for stage, count in enumerate(blocks):
        for block in range(count):
            outputs, stride = width * 2**stage, 2 if stage > 0 and block == 0 else 1
            layers.append(ResidualBlock(inputs, outputs, stride, activation, convolution))
            inputs = outputs
    layers += [torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), linear(inputs, classes)]
    return torch.nn.Sequential(*layers)


def initialise_residual(network: torch.nn.Module, seed: int, k: int) -> None:
    """Draw weights so that tanh units keep their variance; the second layers of blocks start small.

    Uniform within ``sqrt(3)/sqrt(fan-in)`` (unit gain); a block's second convolution is scaled by one over
    the root of the number of blocks, so that sums do not grow with depth.
    """
    initialise(network, seed, k)
    blocks = [layer for layer in network.modules() if isinstance(layer, ResidualBlock)]
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, torch.nn.Conv2d):
                layer.weight.mul_(math.sqrt(3.0))
        for block in blocks:
            block.second.weight.div_(math.sqrt(len(blocks)))
