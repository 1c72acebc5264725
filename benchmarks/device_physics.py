"""Switching and telegraph noise beside their references: how far off, at how many points.

Run: ``python benchmarks/device_physics.py [--publish]``. Points lie off the switching table's grid, drawn by
address; the stochastic witness is the package cmtj.
"""

from __future__ import annotations

import math
import sys

import numpy as np
from harness import publish

from labtrain import noise
from labtrain.arrays.simulated_bitstreams import SimulatedBitstreamSource
from labtrain.kernels import macrospin, stt_table
from labtrain.physics import stt, telegraph
from labtrain.physics.fokker_planck import switching_curve
from labtrain.physics.macrospin import Macrospin
from labtrain.populations.smtj import S_MTJ

CURVES, TIMES, SAMPLES, TRAJECTORIES = 60, 30, 1_000_000, 2000


def between(low: float, high: float, kind: int, k: int) -> float:
    return low + (high - low) * float(noise.uniform(11, kind, 0, k))


def probabilities() -> list[str]:
    """|dP| in the middle, ln of the rate in the lower tail, over random devices and currents."""
    worst, tail, middles, tails = 0.0, 0.0, 0, 0
    for k in range(CURVES):
        delta = between(20, 100, 1, k)
        i = between(0.2, 0.99, 2, k) if k % 2 else between(1.01, 5.5, 2, k)
        taus = np.geomspace(0.5, 100.0 if i > 1 else 7e5, TIMES)
        reference = switching_curve(delta, i, taus, cells=600, steps=120)
        table = stt_table.probability(delta, i, taus)
        middle, low = (reference > 0.02) & (reference < 0.98), (reference > 1e-9) & (reference <= 0.02)
        worst = max(worst, float(np.max(np.abs(table - reference)[middle], initial=0.0)))
        rates = [np.log(-np.log1p(-p[low])) for p in (table, reference)]
        tail = max(tail, float(np.max(np.abs(rates[0] / rates[1] - 1), initial=0.0)))
        middles, tails = middles + int(middle.sum()), tails + int(low.sum())
    return [
        f"| P_sw, 0.02-0.98, largest abs(dP) | {worst:.2g} | {middles} points | <= 0.03 |",
        f"| ln(rate) below 0.02, largest relative error | {tail:.2g} | {tails} points | <= 0.10 |",
    ]


def midpoints() -> str:
    errors = []
    for k, tau in enumerate(np.geomspace(1.0, 1e5, 11)):
        delta, low, high = between(25, 90, 3, k), 0.05, 5.9
        currents = np.linspace(low, high, 4000)
        ours = float(np.interp(0.5, stt_table.probability(delta, currents, tau), currents))
        while high - low > 1e-4:
            middle = 0.5 * (low + high)
            switched = switching_curve(delta, middle, tau, cells=600, steps=600)[0]
            low, high = (low, middle) if switched > 0.5 else (middle, high)
        errors.append(abs(ours / low - 1))
    return f"| V50, largest relative error | {max(errors):.2g} | {len(errors)} widths | <= 0.02 |"


def trajectories() -> list[str]:
    """Our macrospin with heat, beside the table: the witness by cmtj is a test."""
    spin, rows = Macrospin(), []
    critical, tau_d = (
        spin.alpha * spin.anisotropy_field,
        stt.relaxation_time(spin.alpha, spin.anisotropy_field),
    )
    for i, ns in ((1.5, 8), (2.0, 4), (3.0, 2)):
        p = float(stt_table.probability(spin.delta, i, ns * 1e-9 / tau_d))
        got = macrospin.switching_probability(
            spin, i * critical, ns * 1e-9, trajectories=TRAJECTORIES, seed=5
        )
        error = 3 * math.sqrt(p * (1 - p) / TRAJECTORIES)
        goal = f"<= 0.05 + {error:.3f}"
        rows.append(
            f"| stochastic LLG, i = {i}, {ns} ns, dP | {got - p:+.3f} | {TRAJECTORIES} runs | {goal} |"
        )
    return rows


def signals() -> list[str]:
    """Deviations in standard errors; 2.58 is the 99 % band of one."""
    device = S_MTJ.draw(3, 1, {}, "one")
    cell, rows = device.cell(0), []
    interval = 0.5 * float(telegraph.correlation_time(cell, 0.01))
    packed = SimulatedBitstreamSource(device).sample(np.array([0.01]), SAMPLES, interval).packed
    bits = np.unpackbits(packed[0])[:SAMPLES].astype(np.int8)
    p, rho = float(telegraph.antiparallel_probability(cell, 0.01)), math.exp(-0.5)
    spread = math.sqrt(p * (1 - p) * (1 + rho) / (1 - rho) / SAMPLES)
    rows.append(
        f"| duty cycle, standard errors | {(bits.mean() - p) / spread:+.2f} | {SAMPLES:,} samples | 2.58 |"
    )
    edges = np.flatnonzero(np.diff(bits))
    runs, states = np.diff(edges), bits[edges[:-1] + 1]
    for state, leave in ((0, p * (1 - rho)), (1, (1 - p) * (1 - rho))):
        lengths = runs[states == state]
        error = math.sqrt(1 - leave) / leave / math.sqrt(len(lengths))
        z = (lengths.mean() - 1 / leave) / error
        rows.append(
            f"| dwell time in {'P AP'.split()[state]}, standard errors | {z:+.2f} | {len(lengths):,} | 2.58 |"
        )
    x = bits - p
    for lag in (1, 2, 3, 5, 8):
        products = (x[:-lag] * x[lag:])[: SAMPLES - 10_000].reshape(-1, 10_000).mean(axis=1)
        z = (products.mean() - p * (1 - p) * rho**lag) / (products.std(ddof=1) / math.sqrt(len(products)))
        rows.append(
            f"| autocorrelation, lag {lag}, standard errors | {z:+.2f} | {SAMPLES:,} samples | 2.58 |"
        )
    return rows


if __name__ == "__main__":
    lines = ["| what | found | at | goal |", "|---|---|---|---|"]
    lines += [*probabilities(), midpoints(), *trajectories(), *signals()]
    print("\n".join(lines))
    if "--publish" in sys.argv:
        publish(
            "Device physics beside its references", "python benchmarks/device_physics.py --publish", lines
        )
