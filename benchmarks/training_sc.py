"""Stochastic-computing networks on MNIST: the published grid, the analog-weight network, memory, speed.

    python benchmarks/training_sc.py headline|grid|widths|memory|analog [--seconds 200] [--publish]

A cell is one trained network, or one test of it over 10,000 images with true bits; both are kept in
``runs/sc-study`` (--folder) and not done again. With ``--seconds`` no cell is begun after so much CPU time.
Networks trained without the noise of stochastic computing are trained once for all lengths. Settings were
chosen on 10,000 held-out training images; the test set decides nothing. A figure lies beside the cells.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from harness import publish

from labtrain.training import Context
from labtrain.training.image_run import ImageRun
from labtrain.training.loop import accuracy, train
from labtrain.training.mnist_sc import RECIPE, float_network, in_range, ledger_of
from labtrain.training.stochastic import Memory, stochastic_perceptron
from labtrain.training.stochastic.choices import design_of
from labtrain.training.stochastic.network import set_length, set_memory

LEVELS, LENGTHS = (5, 11), (100, 200, 300, 400, 500)
ONE, THREE = "256", "256x256x256"
PUBLISHED = {(ONE, 100): "92", (THREE, 100): "> 96", (THREE, 400): "96.82 (peak)"}
SHORT_LENGTHS = (10, 20, 50, 100, 200)
RATIOS = (0.1, 0.3, 1.0, 2.0, 3.0, 5.0, 10.0)


@dataclass(frozen=True)
class Network:
    """What is trained. ``length`` 0: without the noise; ``levels`` -1: floats, without streams at all."""

    hidden: str
    levels: int
    length: int
    seed: int = 0
    encoding: str = "bipolar"

    @property
    def name(self) -> str:
        return "_".join(str(value) for value in asdict(self).values())


@dataclass(frozen=True)
class Test:
    """A network counted with ``length`` bits; ``ratio``: interval over correlation time, 0 independent."""

    network: Network
    length: int
    ratio: float = 0.0

    @property
    def name(self) -> str:
        return f"{self.network.name}_at_{self.length}_{self.ratio:g}"


class Store:
    """Trained networks and test results by name."""

    def __init__(self, folder: Path, data: Path | None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.data = folder, data

    def result(self, test: Test) -> dict[str, Any] | None:
        path = self.folder / f"{test.name}.json"
        return json.loads(path.read_text()) if path.exists() else None

    def run(self, test: Test) -> dict[str, Any]:
        """Train where needed, test, keep."""
        context, images = self._images(test.network)
        network, cpu = self._trained(test.network, context, images)
        set_length(network, test.length)
        if test.ratio > 0:
            set_memory(network, Memory(test.ratio))
        started = time.process_time()
        reached = accuracy(network, *images.last)
        ledger = ledger_of(network, context.settings) if test.network.levels >= 0 else {}
        found = {"accuracy": reached, "train_cpu": cpu, "test_cpu": time.process_time() - started}
        found |= {"ledger": ledger}
        (self.folder / f"{test.name}.json").write_text(json.dumps(found))
        return found

    def _images(self, one: Network) -> tuple[Context, ImageRun]:
        given = {
            "hidden": one.hidden,
            "levels": max(one.levels, 0),
            "length": one.length or 100,
            "train_noise": "true" if one.length else "false",
            "encoding": one.encoding,
        }
        context = Context(settings=RECIPE.read_settings(given), seed=one.seed, data_dir=self.data)
        design = design_of(context.settings, one.seed)
        return context, in_range(ImageRun.prepare(context, RECIPE.name), 1, design.counting.encoding.low)

    def _trained(self, one: Network, context: Context, images: ImageRun) -> tuple[Any, float]:
        design = design_of(context.settings, one.seed)
        network = (
            float_network(images.sizes, design)
            if one.levels < 0
            else stochastic_perceptron(images.sizes, design)
        )
        path = self.folder / f"{one.name}.pt"
        if not path.exists():
            started = time.process_time()
            train(network, images.split, images.schedule, seed=one.seed)
            torch.save((network.state_dict(), time.process_time() - started), path)
        state, cpu = torch.load(path)
        network.load_state_dict(state)
        return network, cpu


def grid(seeds: int = 1) -> Iterator[Test]:
    """The published grid; networks trained without the noise first: each serves all lengths."""
    for seed in range(seeds):
        for hidden in (ONE, THREE):
            for levels in (*LEVELS, 0):
                yield from (Test(Network(hidden, levels, 0, seed), length) for length in LENGTHS)
            yield Test(Network(hidden, -1, 0, seed), 100)
        for length in (100, 400, 200, 300, 500):
            for hidden in (ONE, THREE):
                yield from (Test(Network(hidden, levels, length, seed), length) for levels in LEVELS)


def headline() -> Iterator[Test]:
    for seed in range(3):
        yield Test(Network(ONE, 5, 100, seed), 100)
        yield Test(Network(THREE, 5, 100, seed), 100)
        yield Test(Network(THREE, 11, 400, seed), 400)


def widths() -> Iterator[Test]:
    for hidden in ("128", ONE, "128x128x128", THREE):
        yield Test(Network(hidden, 5, 100), 100)
    for hidden in ("128", ONE):
        yield Test(Network(hidden, 5, 100, 0, "unipolar"), 100)


def memory() -> Iterator[Test]:
    yield Test(Network(THREE, 5, 100), 100)
    for ratio in RATIOS:
        yield Test(Network(THREE, 5, 100), 100, ratio)


def analog() -> Iterator[Test]:
    """Analog weights and outputs beside five states, down to streams so short that they differ."""
    for network in (Network(ONE, 5, 0), Network(ONE, 5, 100), Network(ONE, 0, 0), Network(ONE, 0, 100)):
        yield from (Test(network, length) for length in SHORT_LENGTHS)


KINDS = {"headline": headline, "grid": grid, "widths": widths, "memory": memory, "analog": analog}


def table(store: Store, tests: Sequence[Test]) -> list[str]:
    """Mean over seeds of every kind of test that has a result."""
    found: dict[Test, list[dict[str, Any]]] = {}
    for test in tests:
        if (one := store.result(test)) is not None:
            found.setdefault(replace(test, network=replace(test.network, seed=0)), []).append(one)
    lines = [
        "| hidden | states | trained with SC | N | interval/tau | accuracy % (seeds) | published %"
        " | train CPU s | test CPU s | energy nJ | latency us |",
        "|---" * 11 + "|",
    ]
    for test, results in found.items():
        lines.append(row(test, results))
    return lines


def figure(store: Store, tests: Sequence[Test], path: Path) -> None:
    """Accuracy against N (or against the interval), a line a kind of network, beside the published points."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    lines: dict[str, dict[float, list[float]]] = {}
    for test in tests:
        if (found := store.result(test)) is None or test.network.levels < 0:
            continue
        one = test.network
        states = f"{one.levels} states" if one.levels else "analog"
        label = f"{one.hidden}, {states}, {'with' if one.length else 'without'} SC"
        lines.setdefault(label, {}).setdefault(test.ratio or test.length, []).append(found["accuracy"])
    plot, axes = pyplot.subplots(figsize=(8, 5))
    for label, points in lines.items():
        axes.plot(sorted(points), [fmean(points[at]) for at in sorted(points)], "o-", label=label)
    if all(test.ratio == 0 for test in tests):
        axes.plot([100, 100, 400], [92, 96, 96.82], "k*", label="published: 1, 3, 3 hidden layers")
        axes.set_xlabel("bits of a stream")
    else:
        axes.set_xlabel("sampling interval over correlation time")
    axes.set_xscale("log")
    axes.set_ylabel("accuracy on 10,000 test images by true bits (%)")
    axes.legend(fontsize="x-small")
    plot.savefig(path, dpi=120)


def row(test: Test, results: Sequence[dict[str, Any]]) -> str:
    one = test.network
    scores = ", ".join(f"{result['accuracy']:.2f}" for result in results)
    mean = f"{fmean(result['accuracy'] for result in results):.2f}"
    ledger = results[0]["ledger"]
    costs = (
        [f"{ledger['energy_joules'] * 1e9:.3g}", f"{ledger['latency_seconds'] * 1e6:.3g}"]
        if ledger
        else ["", ""]
    )
    cells = [
        one.hidden + ("" if one.encoding == "bipolar" else f" ({one.encoding})"),
        {-1: "floats", 0: "analog"}.get(one.levels, str(one.levels)),
        ("yes" if one.length else "no") if one.levels >= 0 else "",
        str(test.length) if one.levels >= 0 else "",
        f"{test.ratio:g}" if test.ratio else "independent",
        f"{mean} ({scores})" if len(results) > 1 else mean,
        PUBLISHED.get((one.hidden, test.length), "") if one.length and one.levels > 0 else "",
        f"{results[0]['train_cpu']:.0f}",
        f"{results[0]['test_cpu']:.1f}",
        *costs,
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=tuple(KINDS))
    parser.add_argument("--data", type=Path)
    parser.add_argument("--folder", type=Path, default=Path("runs/sc-study"))
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--publish", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    store, tests = Store(asked.folder, asked.data), list(KINDS[asked.kind]())
    for test in tests:
        if store.result(test) is None and time.process_time() < asked.seconds:
            print(f"{test.name}: {store.run(test)['accuracy']:.2f} %", flush=True)
    lines = table(store, tests)
    print("\n".join(lines))
    figure(store, tests, asked.folder / f"{asked.kind}.png")
    if asked.publish:
        command = f"python benchmarks/training_sc.py {asked.kind} --publish"
        publish(f"mnist-sc, {asked.kind}: test accuracy by true bits", command, lines)


if __name__ == "__main__":
    main()
