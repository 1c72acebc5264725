"""Gradients gated by sampled switches: unbiased, skipped where closed, counted, ordinary in torch."""

from __future__ import annotations

import copy
import io

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from labtrain import noise
from labtrain.arrays.simulated_switches import SimulatedSwitchArray
from labtrain.errors import UsageError
from labtrain.kernels.masked_products import RowLists, input_gradient, weight_gradient
from labtrain.populations import draw
from labtrain.training import Context
from labtrain.training.mnist_pgaf import RECIPE
from labtrain.training.pgaf import GatedLinear, SwitchCurve, SwitchSampler, convert, convert_back
from labtrain.training.pgaf.gates import ACTIVATIONS, GATES, Activation
from labtrain.training.pgaf.ledger import counted_layers

CURVE = SwitchCurve(0.896, 43.0, 0.75e-9)
SIZES = (5, 6, 4, 3)
SAMPLINGS = 400


def array(count: int, seed: int = 1, name: str = "switches") -> SimulatedSwitchArray:
    return SimulatedSwitchArray(draw("sot-mtj", seed, count, {}, name), max_volts=2.0, reset_volts=1.6)


def plain(activation: str, dtype: torch.dtype = torch.float64) -> torch.nn.Sequential:
    kind = {"tanh": torch.nn.Tanh, "sigmoid": torch.nn.Sigmoid}[activation]
    layers: list[torch.nn.Module] = []
    for before, after in zip(SIZES, SIZES[1:], strict=False):
        layers += [torch.nn.Linear(before, after), kind()]
    net = torch.nn.Sequential(*layers[:-1]).to(dtype)
    with torch.no_grad():
        for index, parameter in enumerate(net.parameters()):
            drawn = noise.uniform(3, index, np.arange(parameter.numel()), 0) * 2 - 1
            parameter.copy_(torch.from_numpy(drawn).view(parameter.shape))
    return net


def gated(net: torch.nn.Sequential, gate: str, seed: int = 1, **options: bool) -> torch.nn.Sequential:
    def make(activation: Activation, neurons: int, layer: int) -> SwitchSampler:
        return SwitchSampler(array(neurons, seed, f"s{layer}"), CURVE, activation, GATES[gate])

    return convert(net, make, **options)


def batch(count: int = 8) -> tuple[torch.Tensor, torch.Tensor]:
    x = torch.from_numpy(noise.normal(7, 1, np.arange(5 * count), 0)).view(count, 5)
    return x, torch.arange(count) % 3


def gradient(net: torch.nn.Sequential, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    net.zero_grad()
    torch.nn.functional.cross_entropy(net(x), y).backward()
    return torch.cat([parameter.grad.flatten() for parameter in net.parameters()])


def squared_z_tail(drawn: torch.Tensor, truth: torch.Tensor) -> float:
    """Return the probability of a sum of squared z as large, in the covariance's axes: Hotelling's T^2."""
    count, width = drawn.shape
    off = drawn.mean(dim=0) - truth
    square = count * float(off @ torch.linalg.solve(torch.cov(drawn.T), off))
    return float(stats.f.sf(square * (count - width) / (width * (count - 1)), width, count - width))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("gate", ["first-not-second", "half-xor"])
def test_gradients_are_unbiased(activation: str, gate: str) -> None:
    """Mean over samplings against exact: all coordinates together and 20 fixed projections; 1e-3 in all.

    Coordinates are correlated, so their squared z are summed in the covariance's own axes (Hotelling's T^2,
    an F variable); the projections are held by Bonferroni. Either has half of the error rate.
    """
    net, (x, y) = plain(activation), batch()
    exact = gradient(net, x, y)
    many = gated(net, gate)
    drawn = torch.stack([gradient(many, x, y) for _ in range(SAMPLINGS)])
    spread = drawn.std(dim=0)
    moving = spread > 1e-12
    torch.testing.assert_close(drawn[0][~moving], exact[~moving])
    assert int(moving.sum()) > 60 and squared_z_tail(drawn[:, moving], exact[moving]) > 5e-4
    directions = torch.from_numpy(noise.normal(5, 5, np.arange(20 * len(exact)), 0)).view(20, -1)
    values = drawn @ directions.T
    z = (values.mean(dim=0) - directions @ exact) / (values.std(dim=0) / SAMPLINGS**0.5)
    assert float(z.abs().max()) < stats.norm.isf(5e-4 / 2 / 20)


def test_a_gate_worth_a_tenth_more_is_seen() -> None:
    """The test above can fail: a gradient a tenth too large is told by the same sum of squares."""
    net, (x, y) = plain("sigmoid"), batch()
    exact, many = gradient(net, x, y), gated(net, "half-xor")
    drawn = 1.1 * torch.stack([gradient(many, x, y) for _ in range(SAMPLINGS)])
    moving = drawn.std(dim=0) > 1e-12
    assert squared_z_tail(drawn[:, moving], exact[moving]) < 5e-4


def test_xor_is_twice_the_gradient_of_one_hidden_layer() -> None:
    net = torch.nn.Sequential(*list(plain("sigmoid"))[:3])
    x, y = batch()
    y = y % 4
    exact = gradient(net, x, y)[: 5 * 6]
    many = gated(net, "xor")
    drawn = torch.stack([gradient(many, x, y)[: 5 * 6] for _ in range(SAMPLINGS)])
    z = (drawn.mean(dim=0) - 2 * exact) / (drawn.std(dim=0) / SAMPLINGS**0.5)
    assert float(z.abs().max()) < stats.norm.isf(1e-3 / 2 / 30)


@settings(deadline=None, max_examples=40)
@given(
    st.integers(1, 9),
    st.integers(1, 21),
    st.integers(1, 33),
    st.floats(0, 1),
    st.floats(0, 1),
    st.sampled_from([np.float32, np.float64]),
)
def test_compacted_products_are_the_dense_ones(
    b: int, out: int, inputs: int, share: float, wanted: float, dtype: type
) -> None:
    def some(shape: tuple[int, int], k: int) -> np.ndarray:
        return noise.normal(1, k, np.arange(shape[0] * shape[1]), 0).reshape(shape).astype(dtype)

    def mask(shape: tuple[int, int], p: float, k: int) -> np.ndarray:
        return noise.uniform(1, k, np.arange(shape[0] * shape[1]), 1).reshape(shape) < p

    delta = some((b, out), 1) * mask((b, out), share, 2)
    x, weight, active = some((b, inputs), 3), some((out, inputs), 4), mask((b, inputs), wanted, 5)
    tolerance = {"rtol": 1e-4, "atol": 1e-4} if dtype is np.float32 else {"rtol": 1e-10, "atol": 1e-10}
    weights, executed = weight_gradient(RowLists.of(delta), x)
    np.testing.assert_allclose(weights, delta.T @ x, **tolerance)
    assert executed == np.count_nonzero(delta) * inputs
    errors, executed = input_gradient(delta, weight, active)
    np.testing.assert_allclose(errors, (delta @ weight) * active, **tolerance)
    assert executed == sum(
        np.count_nonzero(d) * np.count_nonzero(a) for d, a in zip(delta, active, strict=True)
    )


def test_counts_are_of_what_was_executed() -> None:
    net, (x, y) = gated(plain("tanh"), "first-not-second"), batch()
    gradient(net, x, y)
    first, second, last = counted_layers(net)
    dense = 8 * np.array([5 * 6, 6 * 4, 4 * 3])
    assert [layer.macs.weights_dense for layer in (first, second, last)] == dense.tolist()
    assert [layer.macs.propagation_dense for layer in (second, last)] == dense[1:].tolist()
    assert last.macs.weights == dense[2], "the output's errors are dense"
    assert last.macs.propagation == 3 * last.sampler.ledger.open
    assert last.sampler.ledger.attempts == 2 * 8 * 4 and last.sampler.ledger.gates == 8 * 4
    assert second.macs.propagation <= dense[1] and first.macs.propagation_dense == 0


def test_conversion_and_back_keep_the_function() -> None:
    net, (x, _) = plain("tanh"), batch()
    there = gated(net, "xor")
    torch.testing.assert_close(there(x), net(x))
    back = convert_back(there)
    assert torch.equal(back(x), net(x))
    assert [type(layer) for layer in back] == [type(layer) for layer in net]


def test_a_sampled_forward_pass_has_the_activation_for_its_mean() -> None:
    activation = ACTIVATIONS["tanh"]
    sampler = SwitchSampler(array(2), CURVE, activation, GATES["xor"])
    layer = GatedLinear(sampler, 2, torch.float64, sampled=True)
    with torch.no_grad():
        layer.weight.copy_(torch.eye(2))
        layer.bias.zero_()
        z = torch.tensor([0.3, -0.8], dtype=torch.float64).expand(20_000, 2)
        out = layer(z)
    assert set(out.unique().tolist()) == {-1.0, 1.0}
    error = (1 - torch.tanh(z[0]) ** 2).sqrt() / 20_000**0.5
    assert bool(((out.mean(dim=0) - torch.tanh(z[0])).abs() < 4.5 * error).all())


def test_one_gate_for_a_batch_takes_one_pair_of_attempts() -> None:
    net, (x, y) = gated(plain("tanh"), "first-not-second", per_batch=True), batch()
    gradient(net, x, y)
    assert [layer.sampler.ledger.attempts for layer in counted_layers(net)[1:]] == [2 * 6, 2 * 4]


def test_eval_and_no_grad_touch_no_switch_and_give_no_gradient() -> None:
    net, (x, _) = gated(plain("tanh"), "xor").eval(), batch()
    out = net(x)
    with pytest.raises(UsageError, match="eval mode"):
        out.sum().backward()
    net.train()
    with torch.no_grad():
        net(x)
    assert all(layer.sampler.ledger.attempts == 0 for layer in counted_layers(net)[1:])


def test_copies_share_the_switches_and_states_load_with_torch_s_default() -> None:
    net, (x, y) = gated(plain("tanh"), "xor"), batch()
    twin = copy.deepcopy(net)
    assert twin[1].array is net[1].array and twin[1].weight is not net[1].weight
    gradient(net, x, y)
    file = io.BytesIO()
    torch.save(net.state_dict(), file)
    file.seek(0)
    other = gated(plain("tanh"), "xor")
    other.load_state_dict(torch.load(file))
    assert torch.equal(gradient(net, x, y), gradient(other, x, y)), "the switches' counters went along"
    assert vars(other[1].macs) == vars(net[1].macs)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_other_dtypes_train(dtype: torch.dtype) -> None:
    net, (x, y) = gated(plain("tanh", dtype), "first-not-second"), batch()
    torch.nn.functional.cross_entropy(net(x.to(dtype)).float(), y).backward()
    assert all(parameter.grad.dtype == dtype for parameter in net.parameters())


def test_what_the_identity_does_not_cover_is_refused() -> None:
    for layer in (torch.nn.ReLU(), torch.nn.GELU(), torch.nn.Softplus()):
        net = torch.nn.Sequential(torch.nn.Linear(2, 3), layer, torch.nn.Linear(3, 1))
        with pytest.raises(UsageError, match=type(layer).__name__):
            convert(net, lambda activation, neurons, index: None)
    with pytest.raises(UsageError, match="hidden one"):
        convert(torch.nn.Sequential(torch.nn.Linear(2, 3)), lambda activation, neurons, index: None)
    with pytest.raises(UsageError, match="cannot be"):
        SwitchCurve(0.9, -1.0, 1e-9)
    small = SimulatedSwitchArray(draw("sot-mtj", 1, 2, {}), max_volts=0.9, reset_volts=0.9)
    with pytest.raises(UsageError, match="may be pulsed with 0.9 V"):
        SwitchSampler(small, CURVE, ACTIVATIONS["tanh"], GATES["xor"])


def test_divergence_drives_nothing() -> None:
    net, (x, _) = gated(plain("tanh"), "xor"), batch()
    with pytest.raises(UsageError, match="learning_rate|diverged"):
        net(x * float("nan"))
    assert net[1].sampler.ledger.attempts == 0


def test_a_small_image_set_trains(tmp_path) -> None:
    from test_training_datasets import place

    settings = {"hidden": "12x8", "epochs": 12, "batch_size": 20, "learning_rate": 0.02}
    result = RECIPE.run(Context(data_dir=place(tmp_path), settings=settings, seed=2))
    assert result["accuracy"] == result["baseline_accuracy"] == 100.0
    ledger = result["ledger"]
    assert ledger["gradient_mac_reduction"] > ledger["training_mac_reduction"] > 1
    assert ledger["attempts"] == 2 * 12 * 120 * 20 and ledger["flagged_attempts"] == 0
