"""The stochastic layer as a citizen of torch; its generators; states that go on bit for bit."""

from __future__ import annotations

import copy
import io
from typing import Any

import numpy as np
import pytest
import torch
import training_citizenship as citizenship

from labtrain.arrays.recorded_bitstreams import RecordedBitstreamSource
from labtrain.arrays.replayed_roles import ReplayedBitstreamSource
from labtrain.arrays.simulated_bitstreams import SimulatedBitstreamSource
from labtrain.errors import UsageError
from labtrain.populations import draw
from labtrain.session import Recording, Session
from labtrain.training.stochastic import (
    BIPOLAR,
    UNIPOLAR,
    Counting,
    Design,
    DeviceGenerators,
    Memory,
    SimulatedGenerators,
    StochasticLinear,
    StreamCurve,
    quantise,
    stochastic_perceptron,
    take_weights,
)
from labtrain.training.stochastic.generators import Generators, words_from
from labtrain.training.stochastic.network import stochastic_layers

WIDTH = citizenship.WIDTH


class CountingGenerators(Generators):
    """Simulated ones that note each request, as the citizenship suite reads it."""

    def __init__(self) -> None:
        super().__init__()
        self.name, self.calls = "counted", []
        self.inner = SimulatedGenerators(1, "x", own=False)

    def streams(self, probability: Any, n_bits: int) -> Any:
        self.calls.append(("respond", len(probability)))
        assert np.isfinite(probability).all()
        self.reads += probability.size
        return self.inner.streams(probability, n_bits)

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "inner": self.inner.state_dict()}

    def load_state_dict(self, state: Any) -> None:
        super().load_state_dict(state)
        self.inner.load_state_dict(state["inner"])


class Clipped(torch.nn.Module):
    """The layer with its weights fixed and its input held in range: an activation, to the suite."""

    def __init__(self, n_bits: int) -> None:
        super().__init__()
        counting = Counting(BIPOLAR, "apc", n_bits)
        weights = SimulatedGenerators(1, "w", own=True)
        self.layer = StochasticLinear(
            WIDTH, WIDTH, counting, CountingGenerators(), weights, levels=2, train_with="bits"
        )
        fixed = 2 * torch.eye(WIDTH, dtype=torch.float64) - 1
        del self.layer.weight
        self.layer.register_buffer("weight", fixed)

    @property
    def array(self) -> Any:
        return self.layer.array

    @property
    def ledger(self) -> Any:
        return self.layer.ledger

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.layer(torch.tanh(z))


def make() -> torch.nn.Module:
    return Clipped(n_bits=4000)


@pytest.mark.parametrize("check", citizenship.CHECKS, ids=lambda check: check.__name__)
def test_citizenship(check: Any) -> None:
    check(make)


def test_the_gradient_of_bits_is_that_of_their_mean() -> None:
    layer = stochastic_layers(network(train_with="bits"))[0]
    x = torch.linspace(-0.9, 0.9, 10, dtype=torch.float64).view(2, 5).requires_grad_()
    layer(x).square().sum().backward()
    # d(y^2) = 2 y dy with the y that was counted.
    weight = layer.quantised_weight().detach()
    again = stochastic_layers(network(train_with="bits"))[0]
    y = again(x.detach()).detach()
    torch.testing.assert_close(x.grad, 2 * y @ weight)
    torch.testing.assert_close(layer.weight.grad, (2 * y).T @ x.detach())


def network(levels: int = 5, seed: int = 1, **options: Any) -> torch.nn.Sequential:
    counting = options.pop("counting", Counting(BIPOLAR, "apc", 64))
    return stochastic_perceptron((5, 6, 3), Design(counting, levels, seed=seed, **options)).double()


@pytest.mark.parametrize("levels", [2, 3, 5, 11])
@pytest.mark.parametrize("low", [-1.0, 0.0])
def test_states_and_straight_through_gradients(levels: int, low: float) -> None:
    x = torch.linspace(low - 0.5, 1.5, 201, dtype=torch.float64).requires_grad_()
    rounded = quantise(x, levels, low)
    rounded.sum().backward()
    y, given = rounded.detach(), x.detach()
    steps = (y - low) * (levels - 1) / (1 - low)
    torch.testing.assert_close(steps, steps.round())
    assert len(steps.round().unique()) == levels and float(y.min()) == low and float(y.max()) == 1.0
    assert float((y - given.clamp(low, 1)).abs().max()) <= (1 - low) / (levels - 1) / 2 + 1e-12
    assert torch.equal(x.grad, ((given >= low) & (given <= 1)).double())


def test_a_latent_weight_outside_is_led_back() -> None:
    latent = torch.tensor([1.5, 1.5, -1.5, -1.5], requires_grad=True)
    (quantise(latent, 5, -1.0, returning=True) * torch.tensor([1.0, -1.0, 1.0, -1.0])).sum().backward()
    # Descent goes against the gradient: down from above, up from below.
    assert latent.grad.tolist() == [1.0, 0.0, 0.0, -1.0]


def test_batches_may_be_split_and_states_load_with_torch_s_default() -> None:
    x = torch.linspace(-1, 1, 30, dtype=torch.float64).view(6, 5)
    first, second = network().eval(), network().eval()
    with torch.no_grad():
        inputs = [stochastic_layers(net)[0].array for net in (first, second)]
        low = BIPOLAR.probability(x).numpy()
        whole = inputs[0].streams(low, 64)
        halves = [inputs[1].streams(part, 64) for part in np.split(low, 2)]
        assert np.array_equal(whole, np.concatenate(halves))
    file = io.BytesIO()
    torch.save(first.state_dict(), file)
    file.seek(0)
    third = network()
    third.load_state_dict(torch.load(file))
    assert torch.equal(first(x), third.eval()(x)), "generators went on where they were"


def test_copies_share_generators_and_not_weights() -> None:
    net = network()
    twin = copy.deepcopy(net)
    one, other = stochastic_layers(net)[0], stochastic_layers(twin)[0]
    assert one.array is other.array and one.weight_generators is other.weight_generators
    assert one.weight is not other.weight


def test_a_float_network_s_weights_are_taken() -> None:
    plain = network(levels=0, train_with="exact", evaluator="exact", seed=5)
    net = network(levels=5)
    take_weights(net, plain)
    assert torch.equal(stochastic_layers(net)[1].weight, stochastic_layers(plain)[1].weight)
    with pytest.raises(UsageError, match="other layers"):
        take_weights(net, stochastic_perceptron((5, 7, 3), Design(Counting(BIPOLAR))).double())


def source(count: int = 4, **settings: float) -> SimulatedBitstreamSource:
    return SimulatedBitstreamSource(draw("s-mtj", 3, count, settings, "streams"), max_volts=0.3)


CURVE = StreamCurve(np.array(0.0), np.array(2 * 12 / 0.45))


def test_an_array_s_devices_give_the_streams_in_rounds() -> None:
    generators = DeviceGenerators(source(), CURVE, interval=0.01)
    wanted = np.array([[0.0, 0.25, 0.5, 0.75, 1.0, 0.3]])
    words = generators.streams(wanted, 20_000)
    bits = np.unpackbits(np.ascontiguousarray(words[0].T, "<u4").view(np.uint8), axis=1, bitorder="little")[
        :, :20_000
    ]
    size = np.sqrt(wanted[0] * (1 - wanted[0]) / 20_000)
    assert (np.abs(bits.mean(axis=1) - wanted[0]) <= 4.5 * size).all()
    assert (generators.reads, generators.bits, generators.flagged) == (4, 80_000, 0)


def test_packed_bits_change_their_order_only() -> None:
    bits = (np.arange(3 * 45).reshape(3, 45) % 7 < 3).astype(np.uint8)
    words = words_from(np.packbits(bits, axis=1), 45)
    for i in range(3):
        assert [(int(words[t // 32, i]) >> (t % 32)) & 1 for t in range(45)] == bits[i].tolist()
    assert (words[1] >> 13 == 0).all()


def test_a_bias_beyond_the_array_s_limit_is_counted_as_flagged() -> None:
    limited = SimulatedBitstreamSource(draw("s-mtj", 3, 2, {}, "streams"), max_volts=0.01)
    generators = DeviceGenerators(limited, CURVE, interval=0.01)
    generators.streams(np.array([[0.001, 0.5]]), 8)
    assert generators.flagged == 1


def test_recorded_streams_are_replayed(tmp_path: Any) -> None:
    path, x = tmp_path / "s.h5", np.array([[0.25, 0.5, 0.9]])
    session = Session.create(path, start={"command": "test"})
    recorded = DeviceGenerators(RecordedBitstreamSource(source(), session), CURVE, interval=1e-3)
    first = recorded.streams(x, 100)
    session.seal("complete")
    replayed = ReplayedBitstreamSource(Recording.open(path), "streams")
    again = DeviceGenerators(replayed, CURVE, interval=1e-3).streams(x, 100)
    assert np.array_equal(first, again)


def test_what_cannot_be_is_refused_and_drives_nothing() -> None:
    net = network().eval()
    layer = stochastic_layers(net)[0]
    for bad, said in ((1.2, "no bipolar numbers"), (float("nan"), "diverged")):
        with pytest.raises(UsageError, match=said):
            layer(torch.full((1, 5), bad, dtype=torch.float64))
    with pytest.raises(UsageError, match="does not fit 5"):
        layer(torch.zeros(1, 4, dtype=torch.float64))
    assert layer.array.reads == 0
    with pytest.raises(UsageError, match="states cannot be"):
        network(levels=1)
    with pytest.raises(UsageError, match="evaluator"):
        network(evaluator="guess")
    with pytest.raises(UsageError, match="0 bits"):
        network(counting=Counting(UNIPOLAR, "apc", 0))
    with pytest.raises(UsageError, match="finite centres"):
        StreamCurve(np.array(0.0), np.array(-1.0))


def test_memory_is_longest_where_both_states_are_as_likely() -> None:
    rho = Memory(1.0).rho(torch.tensor([0.0, 0.1, 0.5, 0.9, 1.0], dtype=torch.float64))
    assert rho.tolist() == pytest.approx([0.0, np.exp(-1 / 0.6), np.exp(-1), np.exp(-1 / 0.6), 0.0])
