"""EaPU on memristors that misbehave: each departure from the published device alone, then all together.

    python benchmarks/eapu_robustness.py --data DIR [--seeds 2] [--part 0/4] [--publish]

784-64-10 on 10,000 training images, 10 epochs, 10,000 others held out; weights on pairs of simulated
memristors, 80 uS a unit. Accuracy is that of what is in the cells at the end. Rows that are in
``runs/eapu-benchmark/robustness.jsonl`` already are not run again; ``--part i/n`` runs every n-th of those
that are missing and tabulates nothing.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import torch
from harness import publish
from small_mnist import small_mnist, train_blind

from labtrain.arrays.simulated_synapses import SimulatedSynapseArray
from labtrain.clock import VirtualClock
from labtrain.populations import draw
from labtrain.training.eapu import EaPU, EveryStep, Probabilistic, TiledSynapses, convert, read_back
from labtrain.training.eapu.pairs import Feedback, PairedSynapses
from labtrain.training.loop import Schedule, accuracy
from labtrain.training.mnist_eapu import relu_perceptron

UNIT = 80e-6
SIZES, SCHEDULE = (784, 64, 10), Schedule(10, 128, 0.002)
KEPT = Path("runs/eapu-benchmark/robustness.jsonl")
STEP_SECONDS = 2.3
"""Half an hour a training, for relaxation."""

PUBLISHED = {
    **{"g_min": 1e-9, "g_max": 1e-2, "g_start": 5e-3, "write_noise": 2e-6},
    **{"read_noise": 0.0, "read_flicker": 0.0, "relax_mean": 0.0, "relax_spread": 0.0},
}
BOUNDS = PUBLISHED | {"g_min": 4e-6, "g_max": 225e-6, "g_start": 100e-6}
SPREAD = {"mismatch": 0.2, "gain_spread": 0.2}
READ_NOISE = {"read_noise": 0.003, "read_flicker": 0.002}
RELAXATION = {"relax_mean": 6.5e-6, "relax_spread": 6.5e-6}
DEPARTURES: dict[str, dict[str, float]] = {
    "published device": PUBLISHED,
    "bounds, 4 to 225 uS": BOUNDS,
    "write noise 8 uS": BOUNDS | {"write_noise": 8e-6},
    "write noise 16 uS": BOUNDS | {"write_noise": 16e-6},
    "cycle spread: changes off by 30 %": BOUNDS | {"write_cycle": 0.3},
    "device spread: bounds, start, gain by 20 %": BOUNDS | SPREAD,
    "read noise 0.3 %, 1/f 0.2 % a decade": BOUNDS | READ_NOISE,
    "relaxation, a tenth of that at 80 C": BOUNDS | {"relax_mean": 6.5e-7, "relax_spread": 6.5e-7},
    "relaxation, as at 80 C": BOUNDS | RELAXATION,
    "asymmetry: up 1.5, down 0.5 of it": BOUNDS | {"asymmetry": 0.5},
    "soft bounds": BOUNDS | {"soft_bounds": 1.0},
    "64 levels, 3.5 uS apart": BOUNDS | {"levels": 64},
    "16 levels, 15 uS apart": BOUNDS | {"levels": 16},
    "2 % stuck": BOUNDS | {"stuck": 0.02},
    "10 % stuck": BOUNDS | {"stuck": 0.10},
    "endurance 100 writes": BOUNDS | {"endurance": 100},
    "endurance 10 writes": BOUNDS | {"endurance": 10},
    "all": BOUNDS
    | {"write_noise": 8e-6, "write_cycle": 0.3, "asymmetry": 0.2, "soft_bounds": 0.5, "levels": 64}
    | {"stuck": 0.02, "endurance": 100}
    | SPREAD
    | READ_NOISE
    | RELAXATION,
}


@dataclass(frozen=True)
class Way:
    """How weights are written: threshold in S (None: the write noise; 0: no rule), what is read back."""

    siemens: float | None = None
    feedback: Feedback = "read-back"
    options: dict[str, Any] = field(default_factory=dict)


PLAIN = "EaPU"
WAYS = {
    PLAIN: Way(),
    "EaPU, open loop": Way(feedback="open-loop"),
    "EaPU, all cells read every step": Way(feedback="read-all"),
    "EaPU, write and verify": Way(feedback="verify", options={"tolerance": 0.05, "rounds": 4}),
    "EaPU, threshold 2 uS": Way(siemens=2e-6),
    "EaPU, threshold 15 uS": Way(siemens=15e-6),
    "EaPU, all read, threshold 15 uS": Way(siemens=15e-6, feedback="read-all"),
    "no rule": Way(siemens=0.0),
}
MITIGATED = {
    "published device": ["no rule"],
    "write noise 16 uS": ["EaPU, threshold 2 uS", "EaPU, write and verify", "no rule"],
    "cycle spread: changes off by 30 %": ["EaPU, open loop"],
    "device spread: bounds, start, gain by 20 %": ["EaPU, open loop"],
    "relaxation, a tenth of that at 80 C": ["EaPU, all cells read every step"],
    "relaxation, as at 80 C": ["EaPU, all cells read every step", "EaPU, all read, threshold 15 uS"],
    "asymmetry: up 1.5, down 0.5 of it": ["EaPU, open loop"],
    "soft bounds": ["EaPU, open loop"],
    "16 levels, 15 uS apart": ["EaPU, threshold 15 uS"],
    "10 % stuck": ["EaPU, open loop"],
    "endurance 100 writes": ["no rule"],
    "all": [
        *("EaPU, open loop", "EaPU, write and verify", "EaPU, all cells read every step"),
        *("EaPU, all read, threshold 15 uS", "no rule"),
    ],
}
IDEAL = ("-", "ideal writes")


def orders() -> list[tuple[str, str]]:
    """Departure and way of every row, in the table's order."""
    rows = [IDEAL]
    for departure in DEPARTURES:
        rows += [(departure, way) for way in (PLAIN, *MITIGATED.get(departure, []))]
    return rows


def on_memristors(
    network: torch.nn.Module, settings: dict[str, float], way: Way, seed: int, clock: VirtualClock
) -> dict[torch.Tensor, TiledSynapses]:
    passing = clock if settings["relax_mean"] or settings["relax_spread"] else None

    def opened(name: str, shape: tuple[int, int]) -> SimulatedSynapseArray:
        cells = draw("memristor", seed, shape[0] * shape[1], settings, name)
        return SimulatedSynapseArray(cells, shape, clock=passing)

    def laid(array: SimulatedSynapseArray) -> PairedSynapses:
        low, high = settings["g_min"], settings["g_max"]
        paired = PairedSynapses(
            array, siemens_per_unit=UNIT, low=low, high=high, feedback=way.feedback, **way.options
        )
        return paired

    return convert(network, opened, laid, tile=(784, 128), rounds=20)


def trained(departure: str, name: str, seed: int, data: Path) -> dict[str, float]:
    settings, way, clock = DEPARTURES[departure], WAYS[name], VirtualClock()
    split, network = small_mnist(data, seed), relu_perceptron(SIZES, seed)
    cells = on_memristors(network, settings, way, seed, clock)
    placed = sum(one.written for one in cells.values())
    threshold = (settings["write_noise"] if way.siemens is None else way.siemens) / UNIT
    rule = Probabilistic(threshold) if threshold else EveryStep()
    inner = torch.optim.Adam(network.parameters(), lr=SCHEDULE.learning_rate)
    optimiser = EaPU(inner, rule=rule, cells=cells, seed=seed)
    train_blind(
        network,
        split,
        SCHEDULE,
        seed,
        optimiser=optimiser,
        after_step=lambda step: clock.sleep(STEP_SECONDS),
    )
    read_back(cells)
    return {
        "accuracy": accuracy(network, split.validation_x, split.validation_y),
        "write_ratio": optimiser.write_ratio(),
        "writes_a_weight": (sum(one.written for one in cells.values()) - placed) / optimiser.device_weights,
    }


def ideal(seed: int, data: Path) -> dict[str, float]:
    reached = train_blind(relu_perceptron(SIZES, seed), small_mnist(data, seed), SCHEDULE, seed)
    return {"accuracy": reached, "write_ratio": 1.0, "writes_a_weight": float("nan")}


def kept_rows() -> dict[tuple[str, str, int], dict[str, Any]]:
    lines = KEPT.read_text().splitlines() if KEPT.exists() else []
    rows = [json.loads(line) for line in lines]
    return {(row["departure"], row["way"], row["seed"]): row for row in rows}


def run(order: tuple[str, str], seed: int, data: Path) -> None:
    started = time.process_time()
    figures = ideal(seed, data) if order == IDEAL else trained(*order, seed, data)
    row = {"departure": order[0], "way": order[1], "seed": seed, **figures}
    row["cpu"] = round(time.process_time() - started, 1)
    with KEPT.open("a") as kept:
        kept.write(json.dumps(row) + "\n")
    print(row, flush=True)


def table(seeds: int) -> list[str]:
    known = kept_rows()
    lines = [
        "| memristors | written by | held-out accuracy, % | write ratio | writes a weight |",
        "|---|---|---|---|---|",
    ]
    for order in orders():
        rows = [known[*order, seed] for seed in range(seeds)]
        mean = {
            key: fmean(row[key] for row in rows) for key in ("accuracy", "write_ratio", "writes_a_weight")
        }
        spread = f" ± {stdev([row['accuracy'] for row in rows]):.2f}" if seeds > 1 else ""
        counted = f"{mean['write_ratio']:.4f} | {mean['writes_a_weight']:.1f}" if order != IDEAL else "|"
        lines.append(f"| {order[0]} | {order[1]} | {mean['accuracy']:.2f}{spread} | {counted} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--part", default="")
    parser.add_argument("--publish", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    wanted = [(order, seed) for seed in range(given.seeds) for order in orders()]
    own, parts = (int(number) for number in (given.part or "0/1").split("/"))
    known = kept_rows()
    for order, seed in wanted[own::parts]:
        if (*order, seed) not in known:
            run(order, seed, given.data)
    if given.part:
        return
    lines = table(given.seeds)
    print("\n".join(lines))
    if given.publish:
        title = "EaPU: what each departure from the published device costs"
        publish(title, "python benchmarks/eapu_robustness.py --publish", lines)


if __name__ == "__main__":
    main()
