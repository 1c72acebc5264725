"""What neurons that fail in the middle of a training cost, by what is done about them.

    python benchmarks/training_failures.py [--seeds 3] [--publish]

`iris-afd`, 4-8-3, 5 folds, directly simulated chips of 12 pairs, 5 % mismatch. In the first epoch two of the
eight pairs in use fail for good: open circuits, junctions stuck in their parallel state, or steps moved by
3 uA. A check follows every epoch.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean
from typing import Any, Self

import numpy as np
from harness import publish

from labtrain.arrays.neurons import Flag, NeuronPairArray, Reading
from labtrain.arrays.simulated_neurons import SimulatedNeuronArray
from labtrain.arrays.simulated_readout import Readout
from labtrain.populations import draw
from labtrain.training import Context
from labtrain.training.afd.chip import MAX_AMPERES, MODEL, RESOLUTION_AMPERES, SIMULATED
from labtrain.training.iris_afd import RECIPE

CHIP, VICTIMS, AFTER = 12, (1, 4), 9
"""Pairs of a chip, those that fail, and the batches that the chip has answered by then."""
KINDS = ("none", "open", "stuck", "moved 3 uA")
POLICIES = ("replace", "silence", "through")


class FailingPairs(NeuronPairArray):
    """Sound devices until the chip has answered some batches, then a chip with other victims."""

    def __init__(self, sound: NeuronPairArray, failed: NeuronPairArray, opened: bool) -> None:
        self.name, self.max_amperes = sound.name, sound.max_amperes
        self.resolution_amperes = sound.resolution_amperes
        self._sound, self._failed, self._opened = sound, failed, opened
        self._calls, self._indices = [0], np.arange(len(sound))

    def __len__(self) -> int:
        return len(self._indices)

    def select(self, indices: Sequence[int]) -> Self:
        view = object.__new__(type(self))
        view.__dict__.update(self.__dict__)
        view._indices = self._indices[list(indices)]
        view._sound, view._failed = self._sound.select(indices), self._failed.select(indices)
        return view

    def respond(self, amperes: Any) -> Reading:
        return self._spoilt(self._now().respond(amperes))

    def respond_pair(self, amperes: Any, partner_amperes: Any) -> tuple[Reading, Reading]:
        forward, partner = self._now().respond_pair(amperes, partner_amperes)
        return self._spoilt(forward), self._spoilt(partner)

    def _now(self) -> NeuronPairArray:
        self._calls[0] += 1
        return self._failed if self._calls[0] > AFTER else self._sound

    def _spoilt(self, reading: Reading) -> Reading:
        if not self._opened or self._calls[0] <= AFTER:
            return reading
        dead = np.isin(self._indices, VICTIMS)
        flags = np.where(dead, int(Flag.COMPLIANCE), np.asarray(reading.flags)).astype(np.uint8)
        return Reading(np.where(dead, 0.5, np.asarray(reading.volts)), flags)

    def state_dict(self) -> dict[str, Any]:
        return self._sound.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._sound.load_state_dict(state)


class OneChip:
    """Stands for a bench in what a recipe asks of it."""

    def __init__(self, chip: NeuronPairArray) -> None:
        self.chip, self.clock, self.plan, self.arrays = chip, self, self, {}

    def array(self, name: str) -> NeuronPairArray:
        return self.chip

    def device(self, name: str) -> None:
        return None

    def now_ns(self) -> int:
        return 0


def chip(kind: str, seed: int) -> FailingPairs:
    def array(change: dict[str, float]) -> SimulatedNeuronArray:
        settings = {"mismatch": SIMULATED["mismatch"], "read_noise": SIMULATED["read_noise"]}
        population = draw(MODEL, seed, CHIP, settings, "neurons")
        parameters = {name: values.copy() for name, values in population.parameters.items()}
        for name, value in change.items():
            for victim in VICTIMS:
                parameters[name][2 * victim : 2 * victim + 2] += value
        population = replace(population, parameters=parameters)
        readout = Readout(seconds=SIMULATED["aperture"])
        return SimulatedNeuronArray(
            population, readout, max_amperes=MAX_AMPERES, resolution_amperes=RESOLUTION_AMPERES
        )

    changes = {"stuck": {"stuck": 1.0}, "moved 3 uA": {"i50": 3e-6}}
    return FailingPairs(array({}), array(changes.get(kind, {})), opened=kind == "open")


def accuracy(kind: str, policy: str, seed: int) -> tuple[float, int]:
    settings = {"drift_every": 2, "on_failure": policy, "stop_share": 1.0}
    context = Context(bench=OneChip(chip(kind, seed)), settings=settings, baseline=False, seed=seed)
    result = RECIPE.run(context)
    return result["accuracy"], len(result["findings"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--publish", action="store_true")
    asked = parser.parse_args()
    lines = ["| failure | " + " | ".join(POLICIES) + " |", "|---" * (len(POLICIES) + 1) + "|"]
    print("\n".join(lines), flush=True)
    for kind in KINDS:
        cells = []
        for policy in POLICIES if kind != "none" else POLICIES[:1]:
            found = [accuracy(kind, policy, seed) for seed in range(asked.seeds)]
            reached, findings = (fmean(column) for column in zip(*found, strict=True))
            cells.append(f"{reached:.2f} ({findings:.0f})")
        lines.append(f"| {kind} | {' | '.join(cells)}{' | ' * (len(POLICIES) - len(cells))} |")
        print(lines[-1], flush=True)
    if asked.publish:
        head = [
            "Iris, 2 of 8 neurons fail in the first epoch of the first fold and stay so: validation accuracy",
            f"in percent, mean of {asked.seeds} seeds (findings a run).",
            "",
        ]
        command = f"python benchmarks/training_failures.py --seeds {asked.seeds} --publish"
        publish("Neurons that fail while training", command, [*head, *lines])


if __name__ == "__main__":
    main()
