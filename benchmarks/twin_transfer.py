"""Train on the twin, carry the weights to the chip: what Iris accuracy it costs, and with a wrong twin.

    python benchmarks/twin_transfer.py [--chips 5] [--publish]

Each chip is hidden: its pairs are read along V(I) as iv-curve reads them, twins are fitted to the readings
alone and make a simulated array (`population_of`). Networks are trained on that array with exact slopes, then
the chip's devices take the twin's place, weights and mapping as they are. Beside it: training in the loop
with the chip itself (calibrated-pair slopes); and a wrong twin, every neuron the same with its step 5 uA off.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from harness import publish

from labtrain.arrays.simulated_neurons import SimulatedNeuronArray
from labtrain.arrays.simulated_readout import Readout
from labtrain.populations import Population, draw
from labtrain.training.afd.calibration import calibrate
from labtrain.training.afd.chip import MAX_AMPERES, RESOLUTION_AMPERES, SIMULATED
from labtrain.training.afd.device_neurons import DeviceNeurons, device_layers
from labtrain.training.afd.estimators import make_estimator
from labtrain.training.afd.mapping import fit_mapping
from labtrain.training.determinism import deterministic
from labtrain.training.iris import fold_splits, load_iris
from labtrain.training.loop import Schedule, accuracy, train
from labtrain.training.networks import perceptron
from labtrain.training.randomness import initialise
from labtrain.twins import Twin, fit_nano_neuron
from labtrain.twins.population import population_of

SIZES = (4, 8, 3)
FOLDS = 5
LOW, HIGH = 15e-6, 45e-6
SCHEDULE = Schedule(40, 60, 0.1)


def array(population: Population) -> SimulatedNeuronArray:
    readout = Readout(seconds=SIMULATED["aperture"], read_noise=SIMULATED["read_noise"])
    return SimulatedNeuronArray(
        population, readout, name="neurons", max_amperes=MAX_AMPERES, resolution_amperes=RESOLUTION_AMPERES
    )


def measured(chip: SimulatedNeuronArray) -> Twin:
    """Sweep every device up and down twice and fit what was read."""
    levels = np.tile(np.r_[np.linspace(0, 50e-6, 51), np.linspace(50e-6, 0, 51)], 2)
    amperes = levels[:, None] * np.ones(len(chip))
    fits = {}
    for terminal, reading in zip(("top", "top_pair"), chip.respond_pair(amperes, amperes), strict=True):
        volts = np.asarray(reading.volts)
        for i in range(len(chip)):
            fits[f"neurons[{i}]/{terminal}"] = fit_nano_neuron(levels, volts[:, i])
    order = [f"neurons[{i}]/{terminal}" for i in range(len(chip)) for terminal in ("top", "top_pair")]
    return Twin.from_fits({name: fits[name] for name in order})


def wrong(twin: Population) -> Population:
    """Every neuron the average one, its step 5 uA too high."""
    values = {name: np.full_like(column, column.mean()) for name, column in twin.parameters.items()}
    values["i50"] = values["i50"] + 5e-6
    return Population(twin.model, twin.seed, values, twin.units, twin.array)


def trained(on: SimulatedNeuronArray, estimator: str, seed: int, fold: int, split) -> torch.nn.Sequential:
    calibration = calibrate(on, LOW, HIGH)
    slopes = make_estimator(estimator, 1e-6, on.resolution_amperes)
    slopes.prepare(calibration)
    layer = DeviceNeurons(on, slopes, fit_mapping(calibration, slopes.delta_amperes, None))
    network = perceptron(SIZES, [layer], torch.float64)
    initialise(network, seed, fold)
    train(network, split, SCHEDULE, seed=seed, k=fold)
    return network


def on_chip(network: torch.nn.Sequential, chip: SimulatedNeuronArray, split) -> float:
    """Put the chip where the twin was; weights and mapping stay."""
    for layer in device_layers(network):
        layer.rewire(chip, layer.estimator, layer.mapping)
    return accuracy(network, split.validation_x, split.validation_y)


def run(seed: int) -> tuple[list[float], float]:
    """Return one chip's accuracies, in the order of the table, and the share of twins that describe."""
    chip = array(draw("mtj-neuron-pair", seed, SIZES[1], {"mismatch": 0.05}))
    twin = measured(chip)
    described = np.mean([device.verdict == "describes" for device in twin.devices.values()])
    believed = population_of(twin, seed)
    found = []
    for fold, split in enumerate(fold_splits(*load_iris(), FOLDS, seed)):
        loop = trained(chip, "calibrated-pair", seed, fold, split)
        own = trained(array(believed), "exact", seed, fold, split)
        off = trained(array(wrong(believed)), "exact", seed, fold, split)
        itself = accuracy(own, split.validation_x, split.validation_y)
        reached = accuracy(loop, split.validation_x, split.validation_y)
        found.append((reached, itself, on_chip(own, chip, split), on_chip(off, chip, split)))
    return np.mean(found, axis=0).tolist(), float(described)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--chips", type=int, default=5)
    parser.add_argument("--publish", action="store_true")
    given = parser.parse_args()
    with deterministic(threads=1):
        rows = [run(seed) for seed in range(given.chips)]
    means = np.mean([row for row, _ in rows], axis=0)
    error = np.std([row for row, _ in rows], axis=0, ddof=1) / np.sqrt(len(rows))
    names = (
        "trained in the loop with the chip",
        "trained on the twin, tested on the twin",
        "trained on the twin, tested on the chip",
        "trained on a wrong twin, tested on the chip",
    )
    lines = [
        "| Iris, 5 folds, 4-8-3 | accuracy, mean over chips | against the loop | goal |",
        "|---|---|---|---|",
    ]
    for name, mean, sd in zip(names, means, error, strict=True):
        goal = ">= -1 point" if name.endswith("twin, tested on the chip") and "wrong" not in name else ""
        lines.append(f"| {name} | {mean:.2f} ± {sd:.2f} % | {mean - means[0]:+.2f} points | {goal} |")
    share = np.mean([described for _, described in rows])
    lines.append(
        f"\n{given.chips} chips of 8 pairs at 5 % mismatch; {share:.0%} of their twins describe them."
    )
    print("\n".join(lines))
    if given.publish:
        command = f"python benchmarks/twin_transfer.py --chips {given.chips} --publish"
        publish("Twin transfer", command, lines)


if __name__ == "__main__":
    main()
