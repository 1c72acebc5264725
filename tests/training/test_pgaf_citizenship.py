"""Gated activations as citizens of torch."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import pytest
import torch
import training_citizenship as citizenship

from labtrain.arrays.simulated_switches import SimulatedSwitchArray
from labtrain.arrays.switches import Outcome, SwitchArray
from labtrain.errors import UsageError
from labtrain.populations import draw
from labtrain.training.pgaf import GATES, CountedConv2d, GatedActivation, SwitchCurve, SwitchSampler
from labtrain.training.pgaf.gates import TANH

NOT_HERE = (
    citizenship.check_no_second_read,
    citizenship.check_inference_mode,
    citizenship.check_deepcopy_shares_hardware,
)
"""Where no gradient is wanted a gated layer touches no switch at all: see the last test."""


class CountingSwitches(SwitchArray):
    """Simulated ones that note each request, as the citizenship suite reads it."""

    def __init__(self) -> None:
        population = draw("sot-mtj", 1, citizenship.WIDTH, {})
        self._inner = SimulatedSwitchArray(population, max_volts=2.0, reset_volts=1.6)
        self.name, self.max_volts, self.resolution_volts = "counted", 2.0, 0.0
        self.calls: list[tuple[str, int]] = []

    def __len__(self) -> int:
        return len(self._inner)

    def select(self, indices: Sequence[int]) -> Any:
        raise NotImplementedError

    def attempt(self, volts: Any, seconds: float) -> Outcome:
        self.calls.append(("respond", len(volts)))
        return self._inner.attempt(volts, seconds)

    def state_dict(self) -> dict[str, Any]:
        return self._inner.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._inner.load_state_dict(state)


def make() -> GatedActivation:
    curve = SwitchCurve(0.896, 43.0, 0.75e-9)
    return GatedActivation(SwitchSampler(CountingSwitches(), curve, TANH, GATES["half-xor"]))


@pytest.mark.parametrize(
    "check",
    [check for check in citizenship.CHECKS if check not in NOT_HERE],
    ids=lambda check: check.__name__,
)
def test_citizenship(check: Any) -> None:
    check(make)


def test_no_switch_is_touched_where_no_gradient_is_wanted() -> None:
    layer = make()
    net = citizenship.network(layer)
    with torch.no_grad():
        net(citizenship.inputs())
    with torch.inference_mode():
        assert net(citizenship.inputs()).is_inference()
    net.eval()(citizenship.inputs())
    net.train()
    layer(torch.zeros(5, citizenship.WIDTH, dtype=torch.float64))
    assert layer.array.calls == []


def test_a_deep_copy_shares_the_switches() -> None:
    layer = make()
    twin = copy.deepcopy(layer)
    twin(torch.zeros(2, citizenship.WIDTH, dtype=torch.float64, requires_grad=True))
    assert twin.array is layer.array and layer.array.calls == [("respond", 4)]


def test_double_backward_through_a_convolution_is_refused() -> None:
    layer = CountedConv2d(torch.nn.Conv2d(1, 2, 3))
    x = torch.ones(1, 1, 4, 4, requires_grad=True)
    (gradient,) = torch.autograd.grad(layer(x).square().sum(), x, create_graph=True)
    with pytest.raises(UsageError, match="double backward"):
        gradient.square().sum().backward()
