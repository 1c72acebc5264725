"""Cosine of device gradients against the forward device's central difference, over many chips.

    python benchmarks/training_gradient_cosine.py [--chips 20] [--bench FILE] [--publish]

Without a bench: directly simulated chips over mismatch x dI x estimator, data-sheet read noise.
With one: that bench's file, its seed replaced by 0, 1, 2, ..., through the instruments.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

from harness import publish

from labtrain.arrays.neurons import NeuronPairArray
from labtrain.arrays.simulated_neurons import SimulatedNeuronArray
from labtrain.arrays.simulated_readout import Readout
from labtrain.populations import draw
from labtrain.training.afd.chip import MAX_AMPERES, RESOLUTION_AMPERES, SIMULATED
from labtrain.training.afd.studies import Spread, chip_gradients

ESTIMATORS = ("pair", "same-device", "calibrated-pair", "exact")


def simulated_chips(count: int, mismatch: float) -> Iterator[NeuronPairArray]:
    readout = Readout(seconds=SIMULATED["aperture"], read_noise=SIMULATED["read_noise"])
    for seed in range(count):
        population = draw("mtj-neuron-pair", seed, 8, {"mismatch": mismatch}, "neurons")
        yield SimulatedNeuronArray(
            population, readout, max_amperes=MAX_AMPERES, resolution_amperes=RESOLUTION_AMPERES
        )


def line(checks, label: str) -> str:
    cosines = Spread.of([check.cosine for check in checks])
    errors = Spread.of([check.relative_rmse for check in checks])
    figures = f"{cosines.mean:.4f} | {cosines.deviation:.4f} | {cosines.lowest:.4f} | {errors.mean:.3f}"
    print(f"| {label} | {figures} |", flush=True)
    return f"| {label} | {figures} |"


def over_simulated_chips(chips: int) -> Iterator[str]:
    for mismatch in (0.01, 0.05, 0.10):
        for delta in (0.25e-6, 0.5e-6, 1e-6, 2e-6):
            for estimator in ESTIMATORS:
                checks = [
                    chip_gradients(array, estimator, delta) for array in simulated_chips(chips, mismatch)
                ]
                yield line(checks, f"{mismatch:.0%} | {delta * 1e6:g} uA | {estimator}")


def over_a_bench(chips: int, bench_file: Path, mismatches: tuple[float, ...] = (0.05, 0.10)) -> Iterator[str]:
    from labtrain.bench import Bench

    text = bench_file.read_text()
    for mismatch in mismatches:
        for estimator in ("pair", "same-device", "calibrated-pair"):
            checks = []
            for seed in range(chips):
                chip = re.sub(r"(?m)^seed = \d+", f"seed = {seed}", text)
                chip = re.sub(r"(?m)^mismatch = [\d.]+", f"mismatch = {mismatch}", chip)
                with Bench.open(chip.encode()) as bench:
                    checks.append(chip_gradients(bench.array("neurons"), estimator, 1e-6))
            yield line(checks, f"{mismatch:.0%} | 1 uA | {estimator}, through the instruments")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chips", type=int, default=20)
    parser.add_argument("--bench", type=Path)
    parser.add_argument("--publish", action="store_true", help="write the table into RESULTS.md")
    asked = parser.parse_args()
    head = [
        f"{asked.chips} chips of up to 8 healthy pairs, 13 currents each",
        "",
        "| mismatch | dI | estimator | cosine, mean | deviation | lowest | RMSE / RMS |",
        "|---|---|---|---|---|---|---|",
    ]
    print("\n".join(head))
    rows = over_a_bench(asked.chips, asked.bench) if asked.bench else over_simulated_chips(asked.chips)
    lines = [*head, *rows]
    if asked.publish:
        where = (
            f"through the instruments of {asked.bench.name}"
            if asked.bench
            else "on directly simulated arrays"
        )
        command = f"python benchmarks/training_gradient_cosine.py --chips {asked.chips}"
        command += f" --bench {asked.bench}" if asked.bench else ""
        publish(f"Gradient cosine, {where}", command, lines)


if __name__ == "__main__":
    main()
