"""p-GAF: time of a step, accuracy over seeds, what real switches cost.

    python benchmarks/training_pgaf.py step [--pairs 21] [--publish]
    python benchmarks/training_pgaf.py mnist|cifar10|iris --data DIR [--seeds 3] [--seed N] [--publish]
    python benchmarks/training_pgaf.py table --data DIR [--seeds 2] [--publish]

``step``: one thread, CPU time, B = 256, 10 % of the gates open; over the same step whose products are dense
and then masked. ``mnist``, ``cifar10``, ``iris``: recorded sessions in ``runs/pgaf-benchmark`` (--folder);
those already there are not run again. ``--held-out`` adds a run on held-out images, which says when the first
97 and 98 % are reached. ``table``: 784-256-256-10, 10,000 training images, 10 epochs, 10,000 held out; the
cosine is of one sampled gradient of 2,000 images against the exact one at the same weights.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import fmean, stdev
from typing import Any
from unittest import mock

import numpy as np
import torch
from harness import Ratio, paired, publish, ratio_table
from kept_sessions import kept_run
from small_mnist import small_mnist, train_blind

from labtrain import Recording
from labtrain.arrays.simulated_switches import SimulatedSwitchArray
from labtrain.arrays.switches import Outcome, SwitchArray
from labtrain.cli.study_cells import Cell, Study, recorded_result
from labtrain.kernels.switching import SwitchingLaw
from labtrain.populations import draw
from labtrain.training.loop import Schedule, Split
from labtrain.training.pgaf import GATES, SwitchSampler, calibrate, convert, layers
from labtrain.training.pgaf.chip import MEASURED
from labtrain.training.pgaf.gates import SIGMOID
from labtrain.training.pgaf.ledger import reduction
from labtrain.training.pgaf.networks import conventional

BATCH, OPEN = 256, 0.1
STEP_GOALS = {128: "<= 1.1", 512: "<= 0.9", 1024: "<= 0.8"}


class GivenSwitches(SwitchArray):
    """Switches that have already switched: what a step costs besides them."""

    name, max_volts, resolution_volts = "given", 2.0, 0.0

    def __init__(self, count: int) -> None:
        drawn = np.random.default_rng(0).random((BATCH, count)) < OPEN
        both = np.concatenate([drawn, np.zeros_like(drawn)])
        self._outcome = Outcome(torch.from_numpy(both), torch.zeros(both.shape, dtype=torch.uint8))
        self._count = count

    def __len__(self) -> int:
        return self._count

    def select(self, indices: Sequence[int]) -> GivenSwitches:
        return self

    def attempt(self, volts: Any, seconds: float) -> Outcome:
        return self._outcome

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        pass


@contextmanager
def dense_products() -> Iterator[None]:
    """Let layers compute all products and mask them afterwards."""
    with mock.patch.object(layers, "compactable", lambda delta: False):
        yield


def stepper(width: int, simulated: bool, dense: bool) -> Callable[[], None]:
    """One step as the loop makes it, 784-width-width-10, biases such that a tenth of the gates is open."""

    def make(activation: Any, neurons: int, layer: int) -> SwitchSampler:
        array: SwitchArray = GivenSwitches(neurons)
        if simulated:
            population = draw("sot-mtj", 1, neurons, {}, f"s{layer}")
            array = SimulatedSwitchArray(population, max_volts=2.0, reset_volts=1.6, reset_seconds=0.75e-9)
        return SwitchSampler(array, MEASURED, activation, GATES["first-not-second"])

    network = conventional((784, width, width, 10), SIGMOID.name, 1)
    with torch.no_grad():
        for layer in (network[0], network[2]):
            layer.bias.fill_(2.06)  # sigmoid' = 0.1
            layer.weight.mul_(0.1)
    gated = convert(network, make)
    x = torch.from_numpy(np.random.default_rng(0).normal(size=(BATCH, 784)).astype(np.float32))
    y, optimiser = torch.arange(BATCH) % 10, torch.optim.Adam(gated.parameters(), lr=1e-6)

    def step() -> None:
        loss = torch.nn.functional.cross_entropy(gated(x), y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    def masked() -> None:
        with dense_products():
            step()

    return masked if dense else step


def steps(pairs: int) -> list[Ratio]:
    ratios = []
    for simulated, what in ((False, "gates given"), (True, "switches simulated in the step")):
        for width, goal in STEP_GOALS.items():
            ours, theirs = (stepper(width, simulated, dense) for dense in (False, True))
            name, clock = f"width {width}, {what}", time.process_time
            ratios.append(paired(name, ours, theirs, pairs=pairs, calls=3, goal=goal, clock=clock))
            print(ratios[-1].row(), flush=True)
    return ratios


class NeelBrownLaw(SwitchingLaw):
    """P = 1 - exp(-r) with the median and the slope there of the logistic curve that is believed."""

    def probability(self, parameters: Any, volts: Any, seconds: float) -> Any:
        rate = MEASURED.slope / (2.0 * np.log(2.0))
        hot = np.log(2.0) * np.exp(np.minimum(rate * (np.abs(volts) - MEASURED.v50), 50.0))
        return -np.expm1(-hot)


KINDS: dict[str, tuple[float, int, SwitchingLaw | None]] = {
    "ideal": (0.0, 0, None),
    "Neel-Brown": (0.0, 0, NeelBrownLaw()),
    "measured, 5 % spread": (0.05, 0, None),
    "measured, 10 % spread": (0.10, 0, None),
    "5 % spread, each calibrated": (0.05, 400, None),
    "10 % spread, each calibrated": (0.10, 400, None),
}
"""Spread of V50, attempts that calibrate each device, law."""


def with_switches(network: torch.nn.Sequential, kind: str, seed: int) -> torch.nn.Sequential:
    mismatch, attempts, law = KINDS[kind]

    def make(activation: Any, neurons: int, layer: int) -> SwitchSampler:
        population = draw("sot-mtj", seed, neurons, {"mismatch": mismatch}, f"s{layer}")
        array = SimulatedSwitchArray(
            population, law, max_volts=2.0, reset_volts=1.6, reset_seconds=MEASURED.seconds
        )
        curve = MEASURED
        if attempts:
            own = calibrate(array, MEASURED.v50, MEASURED.seconds, attempts)
            curve = replace(MEASURED, each_v50=torch.from_numpy(own))
        return SwitchSampler(array, curve, activation, GATES["half-xor"])

    return convert(network, make)


def gradient(network: torch.nn.Module, split: Split) -> torch.Tensor:
    network.train()
    network.zero_grad()
    torch.nn.functional.cross_entropy(network(split.train_x[:2000]), split.train_y[:2000]).backward()
    return torch.cat([parameter.grad.flatten() for parameter in network.parameters()])


def cosine(network: torch.nn.Sequential, kind: str, seed: int, split: Split) -> float:
    """Compare at the same weights, on a copy: neither counts nor devices of the training are touched."""
    exact = conventional((784, 256, 256, 10), "tanh", seed)
    for target, source in zip(exact.parameters(), network.parameters(), strict=True):
        target.data.copy_(source.data)
    pair = gradient(with_switches(exact, kind, seed), split), gradient(exact, split)
    return float(torch.nn.functional.cosine_similarity(*pair, dim=0))


def table_row(kind: str, seed: int, data: Path, epochs: int = 10) -> dict[str, float]:
    split = small_mnist(data, seed)
    start = conventional((784, 256, 256, 10), "tanh", seed)
    network = start if kind == "exact" else with_switches(start, kind, seed)
    cosines = [] if kind == "exact" else [cosine(network, kind, seed, split)]

    def after_epoch(epoch: Any) -> None:
        if kind != "exact" and epoch.epoch in (0, epochs // 2 - 1, epochs - 1):
            cosines.append(cosine(network, kind, seed, split))

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


def reached(path: Path, recipe: str) -> list[str]:
    """Say when held-out accuracy first reached 97 and 98 %, and how far the work was cut until then."""
    recording = Recording.open(path)
    epochs, gates = (recording.rows(f"train/{recipe}/{name}").columns for name in ("epochs", "gates"))
    cuts = dict(zip(gates["epoch"].tolist(), gates["gradient_mac_reduction"].tolist(), strict=True))
    lines = []
    for goal in (97.0, 98.0):
        first = np.flatnonzero(np.asarray(epochs["validation_accuracy"]) >= goal)
        told = (
            f"after epoch {first[0] + 1}, cut until then {cuts[int(first[0])]:.1f}" if len(first) else "never"
        )
        lines.append(f"Held-out images, {goal:.0f} % first reached: {told}.")
    return lines


def over_seeds(kind: str, asked: argparse.Namespace) -> list[str]:
    recipe = f"{kind}-pgaf"
    asked.folder.mkdir(parents=True, exist_ok=True)
    study = Study(recipe, asked.folder, None, asked.data)
    seeds = range(asked.seeds) if asked.seed is None else [asked.seed]
    names = ("accuracy", "baseline_accuracy")
    counted = ("gradient_mac_reduction", "training_mac_reduction", "gradient_energy_saved", "energy_saved")
    lines = [f"| seed | {' | '.join((*names, *counted))} | CPU s |", "|---" * 8 + "|"]
    found = [kept_run(study, Cell((), (), seed)) for seed in seeds]
    figures = [[one[name] for name in names] + [one["ledger"][name] for name in counted] for one in found]
    for seed, one, row in zip(seeds, found, figures, strict=True):
        lines.append(f"| {seed} | {' | '.join(f'{x:.4g}' for x in row)} | {one['cpu']:.0f} |")
    means = [fmean(column) for column in zip(*figures, strict=True)]
    lines.append(f"| mean | {' | '.join(f'{x:.4g}' for x in means)} | |")
    held_out = Cell((), (("split", "validation"),), 101)
    if asked.held_out:
        kept_run(study, held_out)
    if recorded_result(study, held_out) is not None:
        lines += ["", *reached(held_out.path(study), recipe)]
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=("step", "mnist", "cifar10", "iris", "table"))
    parser.add_argument("--data", type=Path)
    parser.add_argument("--pairs", type=int, default=21)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seed", type=int, help="run this one only, for series shared out over time")
    parser.add_argument("--held-out", action="store_true", help="run seed 101 on held-out images too")
    parser.add_argument("--folder", type=Path, default=Path("runs/pgaf-benchmark"))
    parser.add_argument("--publish", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    if asked.kind == "step":
        title, lines = (
            "p-GAF: step over masked-dense backpropagation",
            ratio_table(steps(asked.pairs), "masked dense"),
        )
    elif asked.kind == "table":
        title, lines = (
            "p-GAF: what real switches cost",
            costs_of_switches(asked.data, asked.seeds, asked.folder),
        )
    else:
        title, lines = f"p-GAF: {asked.kind} over seeds", over_seeds(asked.kind, asked)
    print("\n".join(lines))
    if asked.publish:
        publish(title, f"python benchmarks/training_pgaf.py {asked.kind} --publish", lines)


if __name__ == "__main__":
    main()
