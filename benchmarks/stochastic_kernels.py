"""What a layer of stochastic computing costs beside the float matrix product: one core, CPU time.

    python benchmarks/stochastic_kernels.py [--publish]

784 to 128, a batch of 256, streams of 400 bits, bipolar, parallel counter. Exact: inputs' and weights'
streams drawn, XNORs counted. Both sides in one run, one after the other, median of paired ratios.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from harness import Ratio, paired, publish, ratio_table, seconds

from labtrain import noise
from labtrain.kernels import stream_products, stream_words
from labtrain.training.stochastic import BIPOLAR, Counting, SimulatedGenerators, StochasticLinear, quantise

BATCH, INPUTS, OUTPUTS, LENGTH = 256, 784, 128, 400
FEW = 4
"""Samples that plain torch is given; its time grows with them."""
UNARY_SIM_OVER_MATMUL = 163_000 / 0.47
"""As measured once on two cores of the same kind: 163 s a layer. UnarySim is no package of PyPI."""
GOALS = {5: "<= 30 ms", 11: "<= 60 ms", 0: "<= 60 ms"}


def layer(levels: int) -> StochasticLinear:
    made = StochasticLinear(
        INPUTS,
        OUTPUTS,
        Counting(BIPOLAR, "apc", LENGTH),
        SimulatedGenerators(1, "x", own=False),
        SimulatedGenerators(1, "w", own=True),
        levels=levels,
    )
    with torch.no_grad():
        made.weight.copy_(uniform(1, OUTPUTS * INPUTS).view(OUTPUTS, INPUTS))
    return made


def uniform(k: int, count: int) -> torch.Tensor:
    return torch.from_numpy(2 * noise.uniform(1, k, np.arange(count), 0) - 1).float()


def ratios(pairs: int) -> list[Ratio]:
    x, w = uniform(2, BATCH * INPUTS).view(BATCH, INPUTS), uniform(1, OUTPUTS * INPUTS).view(OUTPUTS, INPUTS)

    def product() -> object:
        return [x @ w.T for _ in range(10)]

    def timed(name: str, work: Callable[[], object], goal: str = "") -> Ratio:
        found = paired(name, work, product, pairs=pairs, goal=goal, clock=time.process_time)
        return Ratio(name, found.ours, found.theirs / 10, *(10 * v for v in quartiles(found)), goal)

    rows = []
    for levels, goal in GOALS.items():
        one, given = layer(levels), quantise(x, levels, -1.0)
        weight = one.quantised_weight().detach()
        name = f"exact bits, {levels or 'any'} states, generation included"
        rows.append(timed(name, lambda one=one, x=given, w=weight: one.count(x, w), goal))
    half = stream_words.thresholds(np.full((BATCH, INPUTS), 0.5))
    streams = stream_words.streams(half, None, None, (1, 1), 0, LENGTH, own_cells=False)
    rows.append(
        timed("XNORs counted, streams given", lambda: stream_products.differing(streams, streams[:128]))
    )
    rows += [
        timed("plain torch, a product a bit", lambda: product_a_bit(x, w)),
        scaled(
            timed(
                f"plain torch, a comparison a bit (from {FEW} samples)", lambda: comparison_a_bit(x[:FEW], w)
            )
        ),
    ]
    moments = layer(5)

    def evaluated() -> object:
        with torch.no_grad():
            return [moments(x) for _ in range(10)]

    found = paired("moments, noise included", evaluated, product, pairs=pairs, clock=time.process_time)
    rows.append(Ratio(found.name, found.ours / 10, found.theirs / 10, *quartiles(found), "ratio <= 3"))
    return rows


def bits_of(values: torch.Tensor) -> torch.Tensor:
    return torch.rand_like(values) < (values + 1) / 2


def product_a_bit(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    """What one writes first: streams of +-1, a float product for every bit of them."""
    total = torch.zeros(len(x), len(w))
    for _ in range(LENGTH):
        total += (2.0 * bits_of(x) - 1) @ (2.0 * bits_of(w) - 1).T
    return total


def comparison_a_bit(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    """The XNORs themselves, counted one by one."""
    total = torch.zeros(len(x), len(w), dtype=torch.int64)
    for _ in range(LENGTH):
        total += (bits_of(x)[:, None] == bits_of(w)[None]).sum(-1)
    return total


def scaled(found: Ratio) -> Ratio:
    """Take the time of few samples for the whole batch's."""
    return replace(
        found, **{name: getattr(found, name) * BATCH / FEW for name in ("ours", "ratio", "low", "high")}
    )


def quartiles(found: Ratio) -> tuple[float, float, float]:
    return found.ratio, found.low, found.high


def peers(rows: Sequence[Ratio]) -> Iterator[tuple[str, float, str]]:
    """Compare others' times with the first row's, all counted in matrix products of the same run."""
    ours = rows[0].ratio
    yield "UnarySim (not run again), over exact bits of 5 states", UNARY_SIM_OVER_MATMUL / ours, ">= 2000"
    for row in rows:
        if row.name.startswith("plain torch"):
            yield f"{row.name}, over exact bits of 5 states", row.ratio / ours, ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=11)
    parser.add_argument("--publish", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    rows = ratios(asked.pairs)
    lines = [
        *ratio_table(rows, "x @ w.T"),
        "",
        "| theirs over ours | times | goal |",
        "|---|---|---|",
        *(f"| {name} | {times:,.0f} | {goal} |" for name, times, goal in peers(rows)),
        "",
        f"UnarySim took 163 s for the same layer on a machine of this kind, {UNARY_SIM_OVER_MATMUL:,.0f}"
        " matrix products; it is no package of PyPI and was not run again.",
        "The product takes 0.47 ms on this kind of machine when it is quiet and took"
        f" {seconds(rows[0].theirs)} here: read the times with that factor.",
    ]
    print("\n".join(lines))
    if asked.publish:
        publish("Stochastic computing, one layer", "python benchmarks/stochastic_kernels.py --publish", lines)


if __name__ == "__main__":
    main()
