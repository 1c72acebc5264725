"""Junctions on a bench feed a network: streams through the instruments, replayed bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from labtrain.arrays.replayed_roles import ReplayedBitstreamSource
from labtrain.bench import Bench, locate_bench
from labtrain.errors import UsageError
from labtrain.session import Recording, Session
from labtrain.training import Context
from labtrain.training.loop import Schedule, Split, train
from labtrain.training.stochastic import (
    BIPOLAR,
    Counting,
    Design,
    DeviceGenerators,
    StreamCurve,
    stochastic_perceptron,
)
from labtrain.training.stochastic.chip import curve_of_twin, twin_source
from labtrain.training.stochastic.network import stochastic_layers

CURVE = StreamCurve(np.array(0.06), np.array(80.0))
INTERVAL = 0.25
DEVICES, IMAGES = range(4), 4


def digits() -> tuple[torch.Tensor, torch.Tensor]:
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    return torch.from_numpy(pixels / 8.0 - 1.0).float(), torch.from_numpy(labels.astype(np.int64))


def trained(n_bits: int) -> torch.nn.Sequential:
    """64 input streams, 16 hidden neurons, 10 classes, trained with the moments."""
    x, y = digits()
    design = Design(Counting(BIPOLAR, "apc", n_bits), levels=5, input_levels=5, seed=2)
    network = stochastic_perceptron((64, 16, 10), design)
    train(network, Split(x[300:], y[300:], x[:0], y[:0]), Schedule(15, 50, 0.03), seed=2)
    return network.eval()


def inferred(network: torch.nn.Sequential, generators: DeviceGenerators, x: torch.Tensor) -> torch.Tensor:
    """Scores of ``x`` with the first layer's streams from devices; the other streams begin anew."""
    again = stochastic_perceptron(
        (64, 16, 10),
        Design(stochastic_layers(network)[0].counting, 5, 5, seed=2, first_inputs=generators),
    )
    plain = {key: value for key, value in network.state_dict().items() if "extra" not in key}
    again.load_state_dict(plain, strict=False)
    with torch.no_grad():
        return again.eval()(x)


def test_digits_are_inferred_with_a_bench_s_bits_and_replayed(tmp_path: Path) -> None:
    network, (x, y) = trained(64), digits()
    file = locate_bench("sc-streams")
    path = tmp_path / "digits.h5"
    with Session.create(path, start={"command": "test"}, bench_file=file.read_bytes()) as session:
        with Bench.open(file, sink=session) as bench:
            wired = DeviceGenerators(bench.array("streams").select(DEVICES), CURVE, INTERVAL)
            scores = inferred(network, wired, x[:IMAGES])
        session.seal("complete")
    assert wired.flagged == 0 and wired.bits == 64 * wired.reads > 0
    assert int((scores.argmax(dim=1) == y[:IMAGES]).sum()) >= 3
    replayed = ReplayedBitstreamSource(Recording.open(path), "streams").select(DEVICES)
    assert torch.equal(inferred(network, DeviceGenerators(replayed, CURVE, INTERVAL), x[:IMAGES]), scores)


def test_streams_longer_than_a_matrix_s_watchdog_are_whole() -> None:
    """The serial matrix opens its relays after 60 s of silence; a stream of 75 s must not end as zeros."""
    n_bits = 300
    with Bench.open(locate_bench("sc-streams")) as bench:
        bits = bench.array("streams").select([0, 1]).sample(np.array([0.06, 0.07]), n_bits, INTERVAL)
    late = np.unpackbits(bits.packed, axis=1)[:, 240:n_bits].mean(axis=1)
    wanted = 1 / (1 + np.exp(-80 * np.array([0.0, 0.01])))
    assert np.all(np.abs(late - wanted) < 4.5 * np.sqrt(wanted * (1 - wanted) / 60))
    assert not bits.flags.any()


@pytest.mark.slow
def test_a_recipe_s_wired_run(tmp_path: Path) -> None:
    from test_training_datasets import place

    from labtrain.training.mnist_sc import RECIPE

    settings = {"hidden": "12", "epochs": 6, "length": 32, "device_samples": 3, "pool": 2}
    with Bench.open(locate_bench("sc-streams")) as bench:
        result = RECIPE.run(Context(bench=bench, data_dir=place(tmp_path), settings=settings, baseline=False))
    assert result["device_samples"] == 3 and result["device_bits"] > 0 and result["device_flagged"] == 0


def twin_file(folder: Path, seed: int = 4) -> Path:
    """Fit the duty cycles of three simulated junctions with spread."""
    from labtrain.arrays.simulated_bitstreams import SimulatedBitstreamSource
    from labtrain.populations import draw
    from labtrain.twins import Twin, counts_of, fit_switching

    chip = SimulatedBitstreamSource(draw("s-mtj", seed, 3, {"v50_spread": 0.01, "mismatch": 0.05}, "streams"))
    volts = np.repeat(np.linspace(-0.05, 0.05, 9), 400)
    bits = [
        np.unpackbits(chip.sample(np.full(3, level), 400, 5e-3).packed, axis=1) for level in np.unique(volts)
    ]
    drawn = np.concatenate(bits, axis=1)
    fits = {f"streams[{i}]/top": fit_switching(counts_of(volts, drawn[i])) for i in range(3)}
    return Twin.from_fits(fits).write(folder / "streams.twin.toml")


def test_junctions_are_biased_by_their_twin(tmp_path: Path) -> None:
    path = twin_file(tmp_path)
    curve = curve_of_twin(str(path), ["streams[2]", "streams[0]"])
    everyone = curve_of_twin(str(path), None)
    assert curve.v50.tolist() == everyone.v50[[2, 0]].tolist() and np.ptp(everyone.v50) > 1e-3
    generators = DeviceGenerators(twin_source(everyone, 1, "streams"), everyone, 5e-3)
    wanted = np.array([[0.1, 0.5, 0.8]])
    share = np.bitwise_count(generators.streams(wanted, 20_000)).sum(axis=1) / 20_000
    assert np.all(np.abs(share - wanted) < 4.5 * np.sqrt(wanted * (1 - wanted) / 20_000))
    with pytest.raises(UsageError, match=r"no logistic fit of streams\[7\]"):
        curve_of_twin(str(path), ["streams[7]"])


def test_a_recipe_infers_with_a_twin_s_devices(tmp_path: Path) -> None:
    from test_training_datasets import place

    from labtrain.training.mnist_sc import RECIPE

    settings = {"hidden": "12", "epochs": 6, "batch_size": 20, "interval": 5e-3}
    context = Context(
        data_dir=place(tmp_path), settings=settings, baseline=False, twin=str(twin_file(tmp_path))
    )
    result = RECIPE.run(context)
    assert result["device_accuracy"] >= 90 and result["device_bits"] > 0 == result["device_flagged"]
