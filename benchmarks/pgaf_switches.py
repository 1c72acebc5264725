"""What real switches cost p-GAF in accuracy and in the gradient's direction; run by training_pgaf.py."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np
import torch
from small_mnist import small_mnist, train_blind

from labtrain.arrays.simulated_switches import SimulatedSwitchArray
from labtrain.kernels.switching import SwitchingLaw
from labtrain.populations import draw
from labtrain.training.loop import Schedule, Split
from labtrain.training.pgaf import GATES, SwitchSampler, convert
from labtrain.training.pgaf.chip import MEASURED, drift_of
from labtrain.training.pgaf.ledger import reduction, samplers
from labtrain.training.pgaf.networks import conventional


class NeelBrownLaw(SwitchingLaw):
    """P = 1 - exp(-r) with the median and the slope there of the logistic curve that is believed."""

    def probability(self, parameters: Any, volts: Any, seconds: float) -> Any:
        rate = MEASURED.slope / (2.0 * np.log(2.0))
        hot = np.log(2.0) * np.exp(np.minimum(rate * (np.abs(volts) - MEASURED.v50), 50.0))
        return -np.expm1(-hot)


@dataclass(frozen=True)
class Kind:
    """Switches: spread of V50, drift in a million attempts, attempts of a calibration, how often, law."""

    spread: float = 0.0
    drift: float = 0.0
    calibration: int = 0
    every_epoch: bool = False
    law: SwitchingLaw | None = None


KINDS = {
    "ideal": Kind(),
    "Neel-Brown": Kind(law=NeelBrownLaw()),
    "measured, 5 % spread": Kind(spread=0.05),
    "measured, 10 % spread": Kind(spread=0.10),
    "5 % spread, each calibrated": Kind(spread=0.05, calibration=400),
    "10 % spread, each calibrated": Kind(spread=0.10, calibration=400),
    "drift, 10 % by the end": Kind(drift=0.5),
    "drift, 10 % by the end, each calibrated after every epoch": Kind(
        drift=0.5, calibration=400, every_epoch=True
    ),
}
"""A training is 200,000 attempts on each device."""


def with_switches(network: torch.nn.Sequential, kind: str, seed: int) -> torch.nn.Sequential:
    chosen = KINDS[kind]

    def make(activation: Any, neurons: int, layer: int) -> SwitchSampler:
        population = draw("sot-mtj", seed, neurons, {"mismatch": chosen.spread}, f"s{layer}")
        array = SimulatedSwitchArray(
            population,
            chosen.law,
            max_volts=2.0,
            reset_volts=1.6,
            reset_seconds=MEASURED.seconds,
            drift=drift_of(chosen.drift, seed, neurons, f"s{layer}"),
        )
        sampler = SwitchSampler(array, MEASURED, activation, GATES["half-xor"])
        if chosen.calibration:
            sampler.calibrate(chosen.calibration)
        return sampler

    return convert(network, make)


def gradient(network: torch.nn.Module, split: Split) -> torch.Tensor:
    network.train()
    network.zero_grad()
    torch.nn.functional.cross_entropy(network(split.train_x[:2000]), split.train_y[:2000]).backward()
    return torch.cat([parameter.grad.flatten() for parameter in network.parameters()])


def as_they_stand(network: torch.nn.Sequential, copy: torch.nn.Sequential) -> torch.nn.Sequential:
    """Give the switches of a copy the drift so far, and what is believed of them."""
    for own, other in zip(samplers(network), samplers(copy), strict=True):
        other.load_state_dict(own.state_dict())
    return copy


def cosine(network: torch.nn.Sequential, kind: str, seed: int, split: Split) -> float:
    """Compare at the same weights, on a copy: neither counts nor devices of the training are touched."""
    exact = conventional((784, 256, 256, 10), "tanh", seed)
    for target, source in zip(exact.parameters(), network.parameters(), strict=True):
        target.data.copy_(source.data)
    gated = as_they_stand(network, with_switches(exact, kind, seed))
    pair = gradient(gated, split), gradient(exact, split)
    return float(torch.nn.functional.cosine_similarity(*pair, dim=0))


def table_row(kind: str, seed: int, data: Path, epochs: int = 10) -> dict[str, float]:
    split = small_mnist(data, seed)
    start = conventional((784, 256, 256, 10), "tanh", seed)
    network = start if kind == "exact" else with_switches(start, kind, seed)
    cosines = [] if kind == "exact" else [cosine(network, kind, seed, split)]

    def after_epoch(epoch: Any) -> None:
        if kind != "exact" and epoch.epoch in (0, epochs // 2 - 1, epochs - 1):
            cosines.append(cosine(network, kind, seed, split))
        if kind != "exact" and KINDS[kind].every_epoch:
            for sampler in samplers(network):
                sampler.calibrate(KINDS[kind].calibration)

    reached = train_blind(network, split, Schedule(epochs, 128, 0.002), seed, after_epoch=after_epoch)
    cut = 1.0 if kind == "exact" else reduction(network)
    return {"accuracy": reached, "reduction": cut} | {f"cosine{i}": c for i, c in enumerate(cosines)}


def kept_row(kind: str, seed: int, data: Path, folder: Path) -> dict[str, float]:
    """Return a row of the table, computed where it is not there yet."""
    file = folder / f"table-{kind.replace(' ', '_')}-{seed}.json"
    if not file.exists():
        file.write_text(json.dumps(table_row(kind, seed, data)))
    found: dict[str, float] = json.loads(file.read_text())
    return found


def costs_of_switches(data: Path, seeds: int, folder: Path) -> list[str]:
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        "| switches | accuracy, % | gradient MACs cut | cosine at the start, after 1, 5, 10 epochs |",
        "|---|---|---|---|",
    ]
    for kind in ("exact", *KINDS):
        rows = [kept_row(kind, seed, data, folder) for seed in range(seeds)]
        means = {name: fmean(row[name] for row in rows) for name in rows[0]}
        cosines = ", ".join(f"{value:.3f}" for name, value in means.items() if name.startswith("cosine"))
        spread = f" ± {stdev([row['accuracy'] for row in rows]):.2f}" if seeds > 1 else ""
        lines.append(
            f"| {kind} | {means['accuracy']:.2f}{spread} | {means['reduction']:.1f} | {cosines or '1'} |"
        )
        print(lines[-1], flush=True)
    return lines
