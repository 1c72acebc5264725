"""Every layer, write rule and kind of cells computes where the network lies, and as on the host.

``cuda`` is a GPU where there is one; ``elsewhere`` is the host with all compiled loops out of reach, so that
the same code runs as on a GPU. Arrays themselves: ``tests/arrays/test_arrays_elsewhere.py``.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from shared_cases import HIDDEN, sampler
from test_training_fused import make_layer

import labtrain.training
from labtrain.arrays import simulated_bitstreams, simulated_switches, simulated_synapses, stimuli
from labtrain.arrays.batch_rows import BatchRows
from labtrain.arrays.simulated_synapses import SimulatedSynapseArray
from labtrain.kernels import neuron as neuron_kernel
from labtrain.populations import draw
from labtrain.training.afd.device_neurons import DeviceNeurons
from labtrain.training.batch_norms import SharedBatchNorm
from labtrain.training.eapu import (
    Accumulator,
    Cells,
    EaPU,
    EveryStep,
    FixedThreshold,
    NoisyIncrements,
    Probabilistic,
    TiledSynapses,
    WriteRule,
)
from labtrain.training.eapu import cells as cells_module
from labtrain.training.eapu.crossbar_linear import CrossbarLinear
from labtrain.training.eapu.pairs import PairedSynapses
from labtrain.training.pgaf import convolutions, layers
from labtrain.training.pgaf.convolutions import CountedConv2d, CountedLinear
from labtrain.training.pgaf.gates import TANH
from labtrain.training.pgaf.layers import FirstLinear, GatedActivation, GatedLinear
from labtrain.training.processes import Alone
from labtrain.training.residual import ResidualBlock
from labtrain.training.stochastic import BIPOLAR, Counting, SimulatedGenerators, StochasticLinear
from labtrain.training.stochastic.network import Quantised

ROWS, WIDTH = 6, HIDDEN
CLOSE = {"rtol": 1e-9, "atol": 1e-12}
"""Derived floats agree to some units in the last place; draws are the same bits."""


@pytest.fixture(params=["elsewhere", "cuda"])
def device(request, monkeypatch) -> Any:
    """Give a function that returns where tensors lie, and has compiled loops out of reach from then on."""
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device on this machine")

    def go() -> torch.device:
        if request.param == "elsewhere":
            for module in (simulated_switches, simulated_bitstreams, simulated_synapses, stimuli):
                monkeypatch.setattr(module, "on_cpu", lambda values: isinstance(values, np.ndarray))
            monkeypatch.setattr(neuron_kernel, "reaches", lambda values: False)
            for module in (layers, convolutions):
                monkeypatch.setattr(module, "compactable", lambda delta: False)
            monkeypatch.setattr(cells_module, "normals_of", _as_on_an_accelerator)
        return torch.device("cuda" if request.param == "cuda" else "cpu")

    return go


def _as_on_an_accelerator(seed: int, stream: int, index: Any, k: int) -> Any:
    from labtrain import noise

    return noise.normal(seed, stream, torch.from_numpy(index), k).numpy()


class OneProcess:
    """What a shared batch norm asks of its processes, of one."""

    rows = BatchRows()

    def summed(self, tensors: Any) -> Any:
        return list(tensors)


def switches(count: int) -> Any:
    return sampler(Alone(), 1.6)(TANH, count, 0)


def stochastic(how: str) -> StochasticLinear:
    layer = StochasticLinear(
        WIDTH,
        WIDTH,
        Counting(BIPOLAR, n_bits=60),
        SimulatedGenerators(1, "inputs", own=False),
        SimulatedGenerators(1, "weights", own=True),
        train_with=how,
        dtype=torch.float64,
    )
    with torch.no_grad():
        layer.weight.copy_(torch.cos(torch.arange(WIDTH**2, dtype=torch.float64)).view(WIDTH, WIDTH))
    return layer


def pairs(inputs: int, outputs: int) -> PairedSynapses:
    population = draw("memristor", 1, 2 * inputs * outputs, {"mismatch": 0.1}, "cells")
    array = SimulatedSynapseArray(population, (inputs, 2 * outputs))
    return PairedSynapses(array, siemens_per_unit=80e-6, low=20e-6, high=200e-6)


LAYERS: dict[str, tuple[type, Callable[[], torch.nn.Module], tuple[int, ...]]] = {
    "neurons": (DeviceNeurons, lambda: make_layer("calibrated-pair", WIDTH), (WIDTH,)),
    "first": (FirstLinear, lambda: FirstLinear(WIDTH, 5), (WIDTH,)),
    "gated": (GatedLinear, lambda: GatedLinear(switches(WIDTH), 5), (WIDTH,)),
    "gated, sampled": (GatedLinear, lambda: GatedLinear(switches(WIDTH), 5, sampled=True), (WIDTH,)),
    "gates": (GatedActivation, lambda: GatedActivation(switches(WIDTH)), (3, 2, 2)),
    "convolution": (CountedConv2d, lambda: CountedConv2d(torch.nn.Conv2d(2, 3, 3, padding=1)), (2, 4, 4)),
    "last": (CountedLinear, lambda: CountedLinear(torch.nn.Linear(WIDTH, 3)), (WIDTH,)),
    "moments": (StochasticLinear, lambda: stochastic("moments"), (WIDTH,)),
    "bits": (StochasticLinear, lambda: stochastic("bits"), (WIDTH,)),
    "states": (Quantised, lambda: Quantised(5, -1.0), (WIDTH,)),
    "crossbar": (CrossbarLinear, lambda: CrossbarLinear(pairs(WIDTH, 5), dtype=torch.float64), (WIDTH,)),
    "shared norm": (
        SharedBatchNorm,
        lambda: SharedBatchNorm(torch.nn.BatchNorm2d(2), OneProcess()),
        (2, 4, 4),
    ),
    "residual": (ResidualBlock, lambda: ResidualBlock(2, 3, 2, torch.nn.Tanh, torch.nn.Conv2d), (2, 4, 4)),
}


def built(make: Callable[[], torch.nn.Module]) -> torch.nn.Module:
    """The layer in float64, its weights a function of their places."""
    layer = make().double()
    if not isinstance(layer, CrossbarLinear):
        with torch.no_grad():
            for tensor in layer.parameters():
                tensor.copy_(torch.sin(torch.arange(tensor.numel(), dtype=torch.float64)).view(tensor.shape))
    return layer


def passed(layer: torch.nn.Module, shape: tuple[int, ...], device: torch.device) -> dict[str, Any]:
    """Return what a pass forth and back gives, and what the devices then are."""
    place = torch.arange(ROWS * int(np.prod(shape)), dtype=torch.float64)
    x = torch.sin(place).view(ROWS, *shape).to(device).requires_grad_()
    out = layer(x)
    (
        out * torch.cos(torch.arange(out.numel(), dtype=torch.float64)).view(out.shape).to(device)
    ).sum().backward()
    tensors = {"out": out, "x": x.grad} | {name: one.grad for name, one in layer.named_parameters()}
    return {name: one for name, one in tensors.items() if one is not None}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer(device, name):
    _, make, shape = LAYERS[name]
    here = built(make)
    expected = passed(here, shape, torch.device("cpu"))
    there, place = built(make), device()
    there.to(place)
    found = passed(there, shape, place)
    assert found.keys() == expected.keys() and len(found) >= 2 - (name == "first")
    for key, value in found.items():
        assert value.device.type == place.type
        torch.testing.assert_close(value.detach().cpu(), expected[key].detach(), **CLOSE)
    if hasattr(here, "array"):
        assert there.array.state_dict() == here.array.state_dict()


RULES: dict[type, Callable[[], WriteRule]] = {
    Probabilistic: lambda: Probabilistic(0.05, kernel=False),
    EveryStep: EveryStep,
    FixedThreshold: lambda: FixedThreshold(0.02),
    Accumulator: lambda: Accumulator(0.05),
}
CELLS: dict[type, Callable[[], Cells]] = {
    NoisyIncrements: lambda: NoisyIncrements(0.02, from_copy=True, count_cells=True),
    PairedSynapses: lambda: pairs(WIDTH, 5),
    TiledSynapses: lambda: TiledSynapses([[pairs(7, 5)], [pairs(WIDTH - 7, 5)]]),
}


def written(rule: type, kind: type, device: torch.device) -> tuple[torch.Tensor, Any]:
    """Return the weights after some steps of EaPU, and its state."""
    layer = built(lambda: torch.nn.Linear(WIDTH, 5)).to(device)
    cells = CELLS[kind]()
    if isinstance(cells, PairedSynapses | TiledSynapses):
        with torch.no_grad():
            layer.weight.copy_(cells.read())
    optimiser = EaPU(
        torch.optim.Adam(layer.parameters(), lr=0.03), rule=RULES[rule](), cells={layer.weight: cells}, seed=4
    )
    x = torch.sin(torch.arange(ROWS * WIDTH, dtype=torch.float64)).view(ROWS, WIDTH).to(device)
    for _ in range(4):
        optimiser.zero_grad()
        layer(x).square().sum().backward()
        optimiser.step()
    return layer.weight.detach(), optimiser.state_dict()["eapu"]


@pytest.mark.parametrize("kind", CELLS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_weights_are_written(device, rule, kind):
    expected, state = written(rule, kind, torch.device("cpu"))
    place = device()
    found, other = written(rule, kind, place)
    assert found.device.type == place.type
    torch.testing.assert_close(found.cpu(), expected, **CLOSE)
    assert other["written"] == state["written"] > 0 and other["updates"] == 4


def concrete(base: type) -> set[type]:
    """Classes of ``labtrain.training`` that are a ``base``; those of other packages' bases left out."""
    found = set()
    for module in pkgutil.walk_packages(labtrain.training.__path__, "labtrain.training."):
        for name, kind in vars(importlib.import_module(module.name)).items():
            own = inspect.isclass(kind) and kind.__module__ == module.name and not name.startswith("_")
            if own and issubclass(kind, base) and not inspect.isabstract(kind) and not kind.__subclasses__():
                found.add(kind)
    return found


def test_every_layer_rule_and_kind_of_cells_is_here():
    """Whoever adds one adds it above."""
    assert concrete(torch.nn.Module) == {kind for kind, _, _ in LAYERS.values()}
    assert concrete(WriteRule) == set(RULES)
    assert concrete(Cells) == set(CELLS)
    assert concrete(torch.optim.Optimizer) == {EaPU}
