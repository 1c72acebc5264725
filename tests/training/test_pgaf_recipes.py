"""The p-GAF recipes: convolutions, calibration and costs; Iris and pictures, simulated and on a bench."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_training_datasets import place

from labtrain import Bench, noise
from labtrain.arrays.simulated_switches import SimulatedSwitchArray
from labtrain.errors import DataError, UsageError
from labtrain.kernels.masked_convolutions import input_gradient, weight_gradient
from labtrain.populations import draw
from labtrain.training import Context
from labtrain.training.cifar10_pgaf import RECIPE as CIFAR
from labtrain.training.iris_pgaf import RECIPE as IRIS
from labtrain.training.mnist_pgaf import RECIPE as MNIST
from labtrain.training.pgaf import (
    ACTIVATIONS,
    GATES,
    CountedConv2d,
    EnergyTable,
    GatedActivation,
    SwitchCurve,
    SwitchSampler,
    calibrate,
    convert_branched,
    energy_table,
    neurons_of,
)
from labtrain.training.pgaf.belief import of_twin
from labtrain.training.pgaf.chip import THROUGH_RELAYS, calibrate_again, drift_of
from labtrain.training.pgaf.ledger import counted_layers, gated_ledger, samplers
from labtrain.training.residual import initialise_residual, residual_network
from labtrain.twins import Estimate, Twin
from labtrain.twins.twin_file import DeviceTwin

CURVE = SwitchCurve(0.896, 43.0, 0.75e-9)
SHAPE = (2, 8, 8)


def numbers(k: int, *shape: int) -> torch.Tensor:
    return torch.from_numpy(noise.normal(1, k, np.arange(int(np.prod(shape))), 0)).view(*shape)


def mask(k: int, share: float, *shape: int) -> torch.Tensor:
    return torch.from_numpy(noise.uniform(1, k, np.arange(int(np.prod(shape))), 1)).view(*shape) < share


def switches(count: int, mismatch: float = 0.0, name: str = "switches") -> SimulatedSwitchArray:
    population = draw("sot-mtj", 1, count, {"mismatch": mismatch}, name)
    return SimulatedSwitchArray(population, max_volts=2.0, reset_volts=1.6)


@settings(deadline=None, max_examples=30)
@given(
    st.integers(1, 3),
    st.integers(1, 5),
    st.integers(1, 4),
    st.integers(3, 7),
    st.sampled_from([(1, 1, 0), (1, 2, 0), (3, 1, 1), (3, 2, 1)]),
    st.floats(0, 1),
)
def test_compacted_convolutions_are_the_dense_ones(
    batch: int, out: int, inputs: int, side: int, kernel: tuple[int, int, int], share: float
) -> None:
    size, stride, padding = kernel
    x, weight = numbers(1, batch, inputs, side, side), numbers(2, out, inputs, size, size)
    z = torch.nn.functional.conv2d(x, weight, None, stride, padding)
    delta = numbers(3, *z.shape) * mask(4, share, *z.shape)
    how = {"stride": stride, "padding": padding}
    expected = torch.nn.grad.conv2d_weight(x, weight.shape, delta, **how)
    back = torch.nn.grad.conv2d_input(x.shape, weight, delta, **how)
    padded = torch.nn.functional.pad(x, (padding,) * 4)

    def last(some: torch.Tensor) -> np.ndarray:
        return some.permute(0, 2, 3, 1).contiguous().numpy()

    found, executed = weight_gradient(last(delta), last(padded), size, stride)
    np.testing.assert_allclose(found, last(expected), rtol=1e-10, atol=1e-10)
    assert executed == int(torch.count_nonzero(delta)) * weight[0].numel()
    errors, executed = input_gradient(last(delta), last(weight), padded.shape[2:], stride)
    inner = errors[:, padding : padding + side, padding : padding + side]
    np.testing.assert_allclose(inner, last(back), rtol=1e-10, atol=1e-10)
    assert executed == int(torch.count_nonzero(delta)) * weight[0].numel()


def residual(gate: str) -> tuple[torch.nn.Module, torch.nn.Module]:
    """A small residual network with exact gradients, and the same one gated."""
    networks = []
    for _ in range(2):
        networks.append(residual_network("resnet8", torch.nn.Tanh, shape=SHAPE).to(torch.float64))
        initialise_residual(networks[-1], 1, 0)
    neurons = neurons_of(networks[1], torch.zeros(1, 128, dtype=torch.float64))

    def make(activation, count, layer):
        return SwitchSampler(switches(count, name=f"s{layer}"), CURVE, activation, GATES[gate])

    return networks[0], convert_branched(networks[1], neurons, make)


def gradients(network: torch.nn.Module) -> torch.Tensor:
    x, y = numbers(5, 4, 128), torch.arange(4)
    network.zero_grad()
    torch.nn.functional.cross_entropy(network(x), y).backward()
    return torch.cat([parameter.grad.flatten() for parameter in network.parameters()])


def test_a_residual_network_is_gated_without_bias_and_skips_what_gates_close() -> None:
    exact, gated = residual("first-not-second")
    x = numbers(5, 4, 128)
    torch.testing.assert_close(gated.eval()(x), exact.eval()(x))
    exact.train(), gated.train()
    truth, drawn = gradients(exact), torch.stack([gradients(gated) for _ in range(60)])
    directions = torch.from_numpy(noise.normal(5, 5, np.arange(20 * len(truth)), 0)).view(20, -1)
    values = drawn @ directions.T
    z = (values.mean(dim=0) - directions @ truth) / (values.std(dim=0) / len(values) ** 0.5)
    assert float(z.abs().max()) < 4.6  # t of 59, two sides, 20 projections: 1e-3 together
    ledger = gated_ledger([gated], EnergyTable())
    assert 2 < ledger["gradient_mac_reduction"] < 8
    assert len(samplers(gated)) == 7 and ledger["flagged_attempts"] == 0
    first = counted_layers(gated)[0]
    assert isinstance(first, CountedConv2d) and first.macs.propagation_dense == 0


def test_what_convolutions_do_not_cover_is_refused() -> None:
    with pytest.raises(UsageError, match="do not cover"):
        CountedConv2d(torch.nn.Conv2d(4, 4, 3, groups=2))
    with pytest.raises(UsageError, match="ReLU"):
        neurons_of(residual_network("resnet8", torch.nn.ReLU, shape=SHAPE), torch.zeros(1, 128))


def test_calibration_finds_each_device() -> None:
    """600 attempts a device: standard error 4.2 mV where devices spread by 27 mV; 5 sigma on 50 devices."""
    array = switches(50, mismatch=0.03)
    truth = array.population.parameters["v50_p_ap"]
    found = calibrate(array, 0.896, 0.75e-9, 600)
    assert float(np.abs(found - truth).max()) < 5 * 4.2e-3
    with pytest.raises(UsageError, match="calibration"):
        calibrate(array, 0.896, 0.75e-9, 3)


def test_costs_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "costs.toml"
    file.write_text('mac = "1 pJ"\nread = "2 fJ"\n')
    table = energy_table(str(file))
    assert (table.mac, table.read, table.pulse) == (1e-12, 2e-15, EnergyTable().pulse)
    for text, key in (
        ('mack = "1 pJ"', "mack"),
        ('mac = "1 V"', "mac"),
        ('mac = "-1 pJ"', "mac"),
        ("mac =", None),
    ):
        file.write_text(text)
        with pytest.raises(DataError) as caught:
            energy_table(str(file))
        assert caught.value.key == key


def test_cheaper_arithmetic_saves_less(tmp_path: Path) -> None:
    """The same training by two tables: where a multiply-accumulate costs little, switches do not pay."""
    (tmp_path / "costs.toml").write_text('mac = "0.01 pJ"\n')
    given = {"epochs": 1, "folds": 2}
    own = IRIS.run(Context(settings={**given, "costs": str(tmp_path / "costs.toml")}, baseline=False))
    stated = IRIS.run(Context(settings=given, baseline=False))
    assert own["ledger"]["gradient_macs"] == stated["ledger"]["gradient_macs"]
    assert own["ledger"]["energy_saved"] < stated["ledger"]["energy_saved"]


def test_a_device_model_that_spreads_costs_less_when_calibrated(tmp_path: Path) -> None:
    """A gate's share of open attempts is that of the ideal curve again once each device is known."""
    base = {"hidden": "32", "epochs": 1, "batch_size": 60, "learning_rate": 1e-6}
    data = place(tmp_path)

    def open_share(**more: float) -> float:
        result = MNIST.run(Context(data_dir=data, settings={**base, **more}, seed=1, baseline=False))
        return float(result["ledger"]["open_gates"])

    ideal, spread = open_share(), open_share(mismatch=0.1)
    assert abs(open_share(mismatch=0.1, calibration=500) - ideal) < abs(spread - ideal) / 3


def test_devices_that_drift_are_found_again_by_calibration() -> None:
    """After 20,000 attempts V50 is off by 36 mV; 600 attempts find it: 5 sigma of 4.2 mV, 50 devices."""
    rates = drift_of(2.0, 1, 50, "switches")
    assert rates is not None
    population = draw("sot-mtj", 1, 50, {})
    array = SimulatedSwitchArray(population, max_volts=2.0, reset_volts=1.6, drift=rates)
    sampler = SwitchSampler(array, CURVE, ACTIVATIONS["tanh"], GATES["half-xor"])
    array.attempt(np.full((20_000, 50), 0.9), CURVE.seconds)
    for every, epoch, looked in ((0, 0, False), (3, 1, False), (3, 2, True)):
        settings = {"calibrate_every": every, "calibration": 600}
        calibrate_again(torch.nn.Sequential(GatedActivation(sampler)), epoch, settings)
        assert (sampler.curve.each_v50 is not None) is looked
    now = 0.896 * (1.0 + rates * 20_300)
    assert float(np.std(now)) > 0.02
    assert sampler.curve.each_v50 is not None
    assert float(np.abs(sampler.curve.each_v50.numpy() - now).max()) < 5 * 4.2e-3
    other = SwitchSampler(array, CURVE, ACTIVATIONS["tanh"], GATES["half-xor"])
    other.load_state_dict(sampler.state_dict())
    torch.testing.assert_close(other.curve.each_v50, sampler.curve.each_v50)


def test_a_recipe_trains_on_devices_that_drift_and_spread(tmp_path: Path) -> None:
    data, base = place(tmp_path), {"hidden": "8", "epochs": 2, "batch_size": 60}
    given = {**base, "drift": 100.0, "mismatch": 0.05, "calibration": 50, "calibrate_every": 1}
    result = MNIST.run(Context(data_dir=data, settings=given, seed=1, baseline=False))
    assert result["ledger"]["attempts"] == 2 * 2 * 120 * 8
    with pytest.raises(UsageError, match="calibrate_every"):
        MNIST.run(Context(data_dir=data, settings={**base, "calibrate_every": 1}, baseline=False))


def test_simulation_settings_are_refused_with_a_bench() -> None:
    for key in ("mismatch", "drift"):
        with Bench.open("iris-pgaf") as bench, pytest.raises(UsageError, match=key):
            IRIS.run(Context(bench=bench, settings={key: 0.1}, baseline=False))


def test_iris_trains_through_the_instruments() -> None:
    """One epoch on two folds: every gate is two attempts on the chip, no limit is passed, none is flagged."""
    with Bench.open("iris-pgaf") as bench:
        result = IRIS.run(
            Context(bench=bench, settings={"epochs": 1, "folds": 2, "hidden": 3}, baseline=False)
        )
        suffered = bench._connection.connector.world.world.stress
    for neuron in range(3):
        line, top = suffered[f"switches[{neuron}].line"], suffered[f"switches[{neuron}].top"]
        assert line.max_volts <= 0.8 and line.max_pulse_joules <= 110e-12 and top.max_volts <= 0.15
        assert line.pulses >= 2 * 2 * 150 and not line.broken and not top.broken
    ledger = result["ledger"]
    assert ledger["attempts"] == 2 * 150 * 3 and ledger["flagged_attempts"] == 0
    assert 0.1 < ledger["open_gates"] < 0.5 and ledger["bench_seconds"] > 1


def test_pictures_in_colour_train_on_a_residual_network(tmp_path: Path) -> None:
    """Two classes of constant pictures: learnt at once, every neuron a switch, only open gates worked for."""
    for name, count in (("data_batch_1.bin", 32), ("test_batch.bin", 8)):
        labels = (np.arange(count) % 2).astype(np.uint8)
        pixels = np.where(labels[:, None] == 1, 220, 30) * np.ones((1, 3072), int)
        (tmp_path / name).write_bytes(np.column_stack([labels, pixels.astype(np.uint8)]).tobytes())
    given = {"epochs": 4, "batch_size": 8, "gate": "first-not-second"}
    result = CIFAR.run(Context(data_dir=tmp_path, settings=given, seed=1))
    assert result["accuracy"] == result["baseline_accuracy"] == 100.0
    ledger = result["ledger"]
    assert ledger["attempts"] == 2 * 4 * 32 * 73_728 and ledger["gradient_mac_reduction"] > 3


def fit(v50: float, width: float) -> DeviceTwin:
    values = {"v50": Estimate(v50, 1e-3, "V"), "slope": Estimate(75.0, 1.0, "1/V")}
    return DeviceTwin("logistic", values, "describes", 1.0, validity={"width": (width, width, "s")})


def test_a_twin_gives_each_device_its_own_curve(tmp_path: Path) -> None:
    def write(name: str, width: float, count: int) -> str:
        fits = {f"switches[{i}]/P->AP": fit(0.5 + 0.02 * i, width) for i in range(count)}
        return str(Twin(fits).write(tmp_path / name))

    curve = of_twin(THROUGH_RELAYS, write("good.toml", 100e-9, 2), ["switches[0]", "switches[1]"])
    zeta = torch.zeros(1, 2, dtype=torch.float64)
    torch.testing.assert_close(curve.volts(zeta), torch.tensor([[0.5, 0.52]], dtype=torch.float64))
    for name, width, count, match in (("wide.toml", 1e-6, 2, "1e-06 s"), ("few.toml", 100e-9, 1, "switches")):
        with pytest.raises(UsageError, match=match):
            of_twin(THROUGH_RELAYS, write(name, width, count), ["switches[0]", "switches[1]"])


def test_without_a_bench_a_twin_s_devices_are_simulated(tmp_path: Path) -> None:
    """Five neurons of two measured devices: believed each, their gates open as ideal ones do; alike, not."""
    up = {f"chip[{i}]/P->AP": fit(v50, 100e-9) for i, v50 in enumerate((0.46, 0.56))}
    down = {f"chip[{i}]/AP->P": fit(-v50, 100e-9) for i, v50 in enumerate((0.48, 0.58))}
    twin = str(Twin({**up, **down}).write(tmp_path / "twin.toml"))
    given = {"epochs": 1, "folds": 2, "learning_rate": 1e-6}

    def open_share(twin: str | None, **more: str) -> float:
        result = IRIS.run(Context(settings={**given, **more}, baseline=False, seed=2, twin=twin))
        return float(result["ledger"]["open_gates"])

    ideal, each = open_share(None), open_share(twin)
    assert abs(each - ideal) < 0.06  # standard error of 1,500 gates: 0.013
    assert open_share(twin, belief="all") < ideal / 2
    with pytest.raises(UsageError, match="mismatch"):
        IRIS.run(Context(settings={"mismatch": 0.1}, twin=twin, baseline=False))
