"""How many pulses an adaptive switching curve needs beside a uniform grid of amplitudes.

    python benchmarks/protocol_adaptive.py [--devices 100] [--repeats 20 50] [--publish]

Each device has its own V50 and slope; the uniform grid has 21 amplitudes over +-6 widths (10-90 %), its
centre off by up to 2 widths. Both use the same fit, the adaptive one stops at the grid's own V50 uncertainty
on that device. Outcomes are drawn from the curve itself: only the choice of amplitudes is compared.
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import dataclass
from itertools import count

import numpy as np
from harness import publish

from labtrain import noise
from labtrain.twins import counts_of, fit_switching
from protocols.adaptive_sampling import WIDTH_TIMES_SLOPE
from protocols.switching_schedule import AdaptiveSchedule

AMPLITUDES, SPAN, OFF_CENTRE = 21, 6.0, 2.0
MOST = 5000


@dataclass(frozen=True)
class Curve:
    v50: float
    slope: float
    device: int

    def switched(self, volts, events):
        u = noise.uniform(11, noise.stream("outcome"), self.device, events)
        return u < 1 / (1 + np.exp(-self.slope * (volts - self.v50)))


@dataclass(frozen=True)
class Outcome:
    attempts: int
    uncertainty: float
    error: float
    covered: bool


def curve(device: int) -> Curve:
    z = noise.normal(7, noise.stream("device"), device, np.arange(2))
    return Curve(0.9 * (1 + 0.05 * z[0]), 43.0 * math.exp(0.2 * z[1]), device)


def ends(one: Curve) -> tuple[float, float]:
    """Return the range of amplitudes, off centre by a uniform draw of +-2 widths."""
    width = WIDTH_TIMES_SLOPE / one.slope
    u = float(noise.uniform(7, noise.stream("centre"), one.device, 0))
    centre = one.v50 + OFF_CENTRE * width * (2 * u - 1)
    return centre - SPAN * width, centre + SPAN * width


def judged(one: Curve, volts, switched) -> Outcome:
    fit = fit_switching(counts_of(np.asarray(volts), np.asarray(switched)))
    v50 = fit.parameters["v50"]
    low, high = v50.interval
    return Outcome(len(volts), v50.uncertainty, v50.value - one.v50, low <= one.v50 <= high)


def by_grid(one: Curve, repeats: int) -> Outcome:
    volts = np.repeat(np.linspace(*ends(one), AMPLITUDES), repeats)
    return judged(one, volts, one.switched(volts, np.arange(len(volts))))


def adaptive(one: Curve, precision: float) -> Outcome:
    """Attempt block by block, as the protocol does, until V50 is known to ``precision``."""
    schedule = AdaptiveSchedule(5, str(one.device), [("P->AP", 10e-9)], ends(one), precision, MOST)
    volts, switched = [], []
    for number in count():
        block = schedule.block(number)
        if not block:
            return judged(one, volts, switched)
        for attempt in block:
            volts.append(attempt.volts)
            switched.append(bool(one.switched(volts[-1], 100_000 + len(volts))))
            schedule.learn(attempt, switched[-1])
    raise AssertionError("a schedule ends")


def compare(devices: int, repeats: int) -> tuple[list[Outcome], list[Outcome]]:
    grids, adapted = [], []
    for device in range(devices):
        one = curve(device)
        grid = by_grid(one, repeats)
        if not math.isfinite(grid.uncertainty):  # all outcomes on one side of a step: nothing to compare
            continue
        grids.append(grid)
        adapted.append(adaptive(one, grid.uncertainty))
    return grids, adapted


def row(name: str, outcomes: list[Outcome]) -> str:
    attempts = np.mean([o.attempts for o in outcomes])
    claimed = 1e3 * math.sqrt(np.mean([o.uncertainty**2 for o in outcomes]))
    real = 1e3 * math.sqrt(np.mean([o.error**2 for o in outcomes]))
    covered = 100 * np.mean([o.covered for o in outcomes])
    return f"| {name} | {attempts:.0f} | {claimed:.2f} mV | {real:.2f} mV | {covered:.1f} % |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=100)
    parser.add_argument("--repeats", type=int, nargs="+", default=[20, 50], help="of each grid amplitude")
    parser.add_argument("--publish", action="store_true")
    chosen = parser.parse_args()
    lines = [
        "| amplitudes | attempts, mean | V50 uncertainty claimed | rms error | 95 % interval covers |",
        "|---|---|---|---|---|",
    ]
    began = time.process_time()
    for repeats in chosen.repeats:
        grids, adapted = compare(chosen.devices, repeats)
        ratio = np.mean([a.attempts for a in adapted]) / np.mean([g.attempts for g in grids])
        lines.append(row(f"grid, 21 x {repeats}", grids))
        lines.append(row(f"adaptive, to the same uncertainty (x {ratio:.3f}; goal <= 0.333)", adapted))
    lines += ["", f"{chosen.devices} devices; {time.process_time() - began:.0f} s of CPU."]
    print("\n".join(lines))
    repeats_text = " ".join(map(str, chosen.repeats))
    if chosen.publish:
        publish(
            "Adaptive switching probability",
            f"python benchmarks/protocol_adaptive.py --devices {chosen.devices} --repeats {repeats_text}",
            lines,
        )


if __name__ == "__main__":
    main()
