"""Throughput of the device floor on one core: kernels beside the plain functions they equal.

Run: ``OPENBLAS_NUM_THREADS=1 python benchmarks/device_kernels.py [--publish]``. CPU time, so that a shared
machine disturbs little; medians of repeated rounds.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
from harness import paired, publish, seconds

from labtrain import noise
from labtrain.arrays.simulated_neurons import SimulatedNeuronArray
from labtrain.arrays.simulated_switches import SimulatedSwitchArray
from labtrain.kernels import events, stt_table
from labtrain.kernels import neuron as kernel
from labtrain.physics import neuron
from labtrain.physics.crossbar import Crossbar
from labtrain.populations import draw
from labtrain.populations.stt import STT_MTJ

BATCH, COUNT, ROUNDS = 512, 256, 9
EVERY = np.arange(COUNT)
LINES: list[str] = []


def cpu_seconds(work: Callable[[], object]) -> float:
    work()
    rounds = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        rounds.append(time.process_time() - start)
    return statistics.median(rounds)


def say(line: str) -> None:
    print(line, flush=True)
    LINES.append(line)


def report(name: str, items: int, work: Callable[[], object], goal: str = "") -> None:
    spent = cpu_seconds(work)
    say(f"| {name} | {items / spent:.3g} /s | {seconds(spent / items)} | {goal} |")


def neurons() -> None:
    population = draw("mtj-neuron-pair", 1, COUNT, {"mismatch": 0.05}, "neurons")
    parameters = population.take(slice(0, None, 2))
    amperes = np.linspace(0, 50e-6, BATCH * COUNT).reshape(BATCH, COUNT)
    first = np.zeros(COUNT, np.int64)
    report(
        "neuron with noise, kernel",
        amperes.size,
        lambda: kernel.noisy_voltage(parameters, amperes, 2e-4, 1, 2, EVERY, first),
        ">= 3e7 /s",
    )
    array = SimulatedNeuronArray(population)
    report("neuron array, respond", amperes.size, lambda: array.respond(amperes))
    k = np.arange(BATCH)[:, None]

    def plain() -> object:
        sigma = neuron.window_noise(parameters, amperes, 2e-4)
        return neuron.mean_voltage(parameters, amperes) + sigma * noise.normal(1, 2, EVERY, k)

    report("neuron with noise, plain NumPy", amperes.size, plain)


def switches() -> None:
    probability = np.full((BATCH, COUNT), 0.5)
    start = np.zeros((BATCH, COUNT), np.uint8)
    reset = np.ones((2, COUNT))

    def attempts() -> object:
        state, pulses = np.zeros(COUNT, np.uint8), np.zeros(COUNT, np.int64)
        return events.attempt(probability, start, reset, state, 1, 2, EVERY, pulses)

    report("switching attempt, P given, reset and pulse", probability.size, attempts, ">= 1e8 /s")
    array = SimulatedSwitchArray(draw("sot-mtj", 1, COUNT))
    volts = np.full((BATCH, COUNT), 0.63)
    report("SOT attempt from V and t", volts.size, lambda: array.attempt(volts, 3e-9), ">= 3e7 /s")
    stt = STT_MTJ.draw(1, COUNT, {"mismatch": 0.04}).parameters
    report(
        "STT probability from the table",
        volts.size,
        lambda: stt_table.switching_probability(stt, volts, 4e-9),
    )
    pulses = np.full((BATCH, COUNT), 0.5)
    transfer = SimulatedSwitchArray(
        STT_MTJ.draw(1, COUNT, {"mismatch": 0.04}), max_volts=1.0, reset_volts=0.8
    )
    report("STT attempt from V and t", pulses.size, lambda: transfer.attempt(pulses, 4e-9))


def streams() -> None:
    low, high = np.full(COUNT, 0.2), np.full(COUNT, 0.8)
    n_bits = 8 * BATCH

    def sample() -> object:
        return events.telegraph(
            low, high, np.zeros(COUNT, np.uint8), 1, 2, EVERY, np.zeros(COUNT, np.int64), n_bits
        )

    report("telegraph bit", n_bits * COUNT, sample)


def crossbars() -> None:
    siemens = 4e-6 + 2e-4 * noise.uniform(1, 2, np.arange(128 * 128).reshape(128, 128), 0)
    volts = np.full((1, 128), 0.1)
    report("128 x 128 crossbar, first solve", 1, lambda: Crossbar(siemens).multiply(volts), "<= 80 ms")
    crossbar = Crossbar(siemens)
    report("128 x 128 crossbar, further input", 1, lambda: crossbar.multiply(volts), "<= 5 ms")


def macrospins() -> None:
    """A 10 ns trajectory at 1 ps, with heat, beside cmtj's Heun solver; interleaved, median of ratios."""
    import cmtj

    from labtrain.kernels import macrospin
    from labtrain.physics.macrospin import Macrospin

    spin, start, torques = Macrospin(), np.array([[0.05, 0.02, -0.9985]]), np.zeros(10_000)
    energy, constant = 0.5 * spin.anisotropy_field, cmtj.ScalarDriver.getConstantDriver
    volume = spin.delta * 1.380649e-23 * 300.0 / energy

    def theirs() -> None:
        vector = cmtj.CVector
        layer = cmtj.Layer(
            "free", vector(*start[0]), vector(0, 0, 1), 1.0, 1e-9, volume / 1e-9, [vector(0, 0, 0)] * 3, 0.02
        )
        layer.setReferenceLayer(vector(0, 0, 1))
        junction = cmtj.Junction([layer], 100, 200)
        junction.setLayerAnisotropyDriver("free", constant(energy))
        junction.setLayerTemperatureDriver("free", constant(300.0))
        junction.runSimulation(10e-9, 1e-12, 9.9e-9, False, False, cmtj.SolverMode.Heun)

    def ours() -> object:
        return macrospin.final(spin, start, torques, 1, 2)

    found = paired("", theirs, ours, pairs=ROUNDS, calls=10, clock=time.process_time)
    say(f"| macrospin, 10 ns at 1 ps | {1 / found.theirs:.3g} /s | {seconds(found.theirs)} |  |")
    say(f"| cmtj over ours, macrospin | {found.ratio:.3g} ({found.low:.3g}-{found.high:.3g}) |  | >= 1.3 |")


if __name__ == "__main__":
    say("| work | rate | each | goal |")
    say("|---|---|---|---|")
    neurons()
    switches()
    streams()
    crossbars()
    macrospins()
    if "--publish" in sys.argv:
        command = "OPENBLAS_NUM_THREADS=1 python benchmarks/device_kernels.py --publish"
        publish("Device kernels, one core, CPU time", command, LINES)
