"""Hidden devices with known parameters, measured with addressed noise: what fits must find again."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from labtrain import noise
from labtrain.kernels import memristor_sweeps
from labtrain.physics import memristor, neuron, stt, telegraph, tunnelling
from labtrain.twins import Fit
from labtrain.twins.models import MODELS


@dataclass(frozen=True)
class Hidden:
    """One device: its model, parameters, and how a seed's measurement looks, by roles."""

    model: str
    truth: dict
    measure: Callable[[int], dict]

    def fit(self, seed: int, model: str | None = None) -> Fit:
        return MODELS[model or self.model].fit(self.measure(seed))


def normal(seed, name, count, cell=0):
    return noise.normal(seed, noise.stream(f"hidden/{name}"), cell, np.arange(count))


def uniform(seed, name, count, cell=0):
    return noise.uniform(seed, noise.stream(f"hidden/{name}"), cell, np.arange(count))


def switched(seed, name, probability):
    return (uniform(seed, name, len(probability)) < probability).astype(float)


LOGISTIC = {"v50": 0.9, "slope": 43.0}
PLATEAUED = {"v50": 0.9, "slope": 60.0, "low": 0.1, "high": 0.8}
AMPLITUDES = np.repeat(np.linspace(0.8, 1.0, 15), 50)


def logistic(seed):
    p = 1 / (1 + np.exp(-43.0 * (AMPLITUDES - 0.9)))
    return {"voltage": AMPLITUDES, "switched": switched(seed, "logistic", p)}


def plateaued(seed):
    volts = np.repeat(np.linspace(0.75, 1.05, 19), 100)
    p = 0.1 + 0.7 / (1 + np.exp(-60.0 * (volts - 0.9)))
    return {"voltage": volts, "switched": switched(seed, "plateaued", p)}


NEEL_BROWN = {"delta": 45.0, "v_c": 0.42, "exponent": 1.5}
WIDTHS = (10e-9, 100e-9, 1e-6, 1e-5, 1e-4)


def neel_brown(seed):
    fine = np.linspace(0.02, 0.45, 2000)
    volts, widths = [], []
    for width in WIDTHS:
        p = stt.neel_brown(45.0, fine / 0.42, width, exponent=1.5)
        low, high = fine[np.searchsorted(p, [0.02, 0.98])]
        volts.append(np.repeat(np.linspace(1.3 * low - 0.3 * high, 1.3 * high - 0.3 * low, 11), 50))
        widths.append(np.full(len(volts[-1]), width))
    volts, widths = np.concatenate(volts), np.concatenate(widths)
    p = stt.neel_brown(45.0, volts / 0.42, widths, exponent=1.5)
    return {"voltage": volts, "width": widths, "switched": switched(seed, "neel-brown", p)}


TELEGRAPH = {"delta": 12.0, "v50": 0.01, "v_c": 0.45}
SAMPLE_SECONDS = 20e-6
BIASES = np.linspace(-0.03, 0.05, 7)


def chain(low, high, draws):
    """A two-state chain: below ``low`` goes to 1, from ``high`` to 0, between them stays."""
    forced = np.where(draws < low, 1, np.where(draws >= high, 0, -1))
    last = np.maximum.accumulate(np.where(forced >= 0, np.arange(len(draws)), -1))
    return np.where(last >= 0, forced[np.maximum(last, 0)], 0).astype(float)


def telegraph_trace(seed, samples=3000):
    volts, states = [], []
    for bias, volt in enumerate(BIASES):
        low, high = telegraph.thresholds({**TELEGRAPH, "tau0": 1e-9}, volt, SAMPLE_SECONDS)
        states.append(chain(low, high, uniform(seed, "telegraph", samples, bias)))
        volts.append(np.full(samples, volt))
    volts = np.concatenate(volts)
    interval = np.full(len(volts), SAMPLE_SECONDS)
    return {"voltage": volts, "state": np.concatenate(states), "interval": interval}


NEURON = {"r_p": 4e3, "tmr0": 1.2, "v_h": 0.5, "i50": 30e-6, "w": 2e-6}
NEURON_MORE = {"r_series": 0.0, "tau_c": 20e-9, "read_noise": 3e-4}


def nano_neuron(seed):
    amperes = np.tile(np.linspace(0, 50e-6, 41), 4)
    truth = NEURON | NEURON_MORE
    scatter = neuron.window_noise(truth, amperes, 2e-4) * normal(seed, "neuron", len(amperes))
    return {"current": amperes, "voltage": neuron.mean_voltage(truth, amperes) + scatter}


def resistance(seed):
    amperes = np.tile(np.linspace(-1e-3, 1e-3, 11), 3)
    return {"current": amperes, "voltage": 1e3 * amperes + 2e-6 + 1e-6 * normal(seed, "ohm", len(amperes))}


BIAS = {"r_p": 4e3, "tmr0": 1.2, "v_h": 0.5, "offset": 2e-9}


def bias_tmr(seed):
    volts = np.tile(np.linspace(-0.3, 0.3, 31), 4)
    state = np.repeat([0.0, 1.0, 0.0, 1.0], 31)
    amperes = volts / tunnelling.barrier_resistance(BIAS, volts, state) + BIAS["offset"]
    return {
        "voltage": volts,
        "state": state,
        "current": amperes + 2e-8 * normal(seed, "bias", len(volts)),
    }


SOFT = {"g_min": 20e-6, "g_max": 225e-6, "step_up": 12e-6, "step_down": 12e-6}
SOFT |= {"cycle_spread": 0.3, "read_noise": 0.003}
PULSE = {"v_threshold": 0.5, "v_pulse": 1.2, "v_scale": 0.2, "t_pulse": 1e-6, "stuck": 0.0}


def soft_bounds(seed, pulses=50, cycles=2):
    polarity = np.tile(np.repeat([1.0, -1.0], pulses), cycles)
    siemens = [60e-6]
    for sign, xi in zip(polarity, normal(seed, "write", len(polarity)), strict=True):
        siemens.append(float(memristor.pulsed(SOFT | PULSE, siemens[-1], 1.2 * sign, 1e-6, xi)))
    read = np.array(siemens) * np.exp(0.003 * normal(seed, "read", len(siemens)))
    return {"before": read[:-1], "conductance": read[1:], "polarity": polarity}


WRITES = {"gain": 1.01, "offset": 2e-6, "write_noise": 16e-6}


def write_noise(seed):
    target = np.tile(np.linspace(40e-6, 200e-6, 9), 12)
    return {"target": target, "conductance": 2e-6 + 1.01 * target + 16e-6 * normal(seed, "w", len(target))}


REPEATED = {"resistance": 5e3, "cycle_spread": 0.16}


def repeated_writes(seed):
    return {"resistance": 5e3 * np.exp(0.16 * normal(seed, "cycle", 100))}


RELAXATION = {"relax_mean": 6.5e-6, "relax_spread": 6.5e-6, "g_max": 225e-6, "read_noise": 0.003}


def relaxation(seed, writes=60, times=(1.0, 10.0, 100.0, 1000.0)):
    programmed = np.linspace(25e-6, 210e-6, writes)
    xi = normal(seed, "relax", writes)
    before = programmed * np.exp(0.003 * normal(seed, "before", writes))
    after = [
        memristor.relaxed(RELAXATION | {"g_min": 4e-6}, programmed, time, xi)
        * np.exp(0.003 * normal(seed, "after", writes, k))
        for k, time in enumerate(times)
    ]
    return {
        "before": np.tile(before, len(times)),
        "conductance": np.concatenate(after),
        "time": np.repeat(times, writes),
    }


VTEAM = {"r_on": 5e3, "r_off": 85e3, "v_on": -0.8, "v_off": 0.7, "k_on": -15.0, "k_off": 15.0, "x0": 0.3}
YAKOPCIC = {"a1": 2e-7, "a2": 2e-7, "b": 9.0, "b2": 6.0, "a_p": 4.0, "a_n": 4.0, "v_p": 0.3, "v_n": 0.5}
YAKOPCIC |= {"r_series": 100.0, "x0": 0.05}
WINDOWS = {"x_p": 0.3, "x_n": 0.5, "alpha_p": 1.0, "alpha_n": 1.0, "eta": 1.0}


def triangle(up, down, points):
    there, back = np.linspace(0, up, points), np.linspace(0, down, points)
    return np.concatenate([there, there[::-1], back, back[::-1]])


def swept(seed, name, kernel, parameters, volts, seconds, relative, floor):
    """Readings with a relative noise, and an equal one below ``floor``."""
    amperes = kernel(parameters, volts, seconds, np.zeros(len(volts)))
    scatter = relative * np.hypot(amperes, floor) * normal(seed, name, len(volts))
    return {"voltage": volts, "time": seconds, "current": amperes + scatter}


def vteam(seed):
    volts = triangle(1.5, -1.5, 30)
    parameters = VTEAM | {"a_on": 3.0, "a_off": 3.0}
    times = 0.02 * np.arange(len(volts))
    return swept(seed, "vteam", memristor_sweeps.vteam_sweep, parameters, volts, times, 0.01, 1e-7)


def yakopcic(seed):
    volts = triangle(1.0, -1.5, 30)
    times = 0.05 * np.arange(len(volts))
    kernel = memristor_sweeps.yakopcic_sweep
    return swept(seed, "yakopcic", kernel, YAKOPCIC | WINDOWS, volts, times, 0.02, 1e-9)


CASES = {
    "resistance": Hidden("resistance", {"resistance": 1e3, "offset": 2e-6}, resistance),
    "logistic": Hidden("logistic", LOGISTIC, logistic),
    "plateaued-logistic": Hidden("plateaued-logistic", PLATEAUED, plateaued),
    "neel-brown": Hidden("neel-brown", NEEL_BROWN, neel_brown),
    "two-state-telegraph": Hidden("two-state-telegraph", TELEGRAPH, telegraph_trace),
    "nano-neuron": Hidden("nano-neuron", NEURON, nano_neuron),
    "bias-tmr": Hidden("bias-tmr", BIAS, bias_tmr),
    "soft-bounds": Hidden("soft-bounds", SOFT, soft_bounds),
    "write-noise": Hidden("write-noise", WRITES, write_noise),
    "write-noise-repeated": Hidden("write-noise", REPEATED, repeated_writes),
    "relaxation": Hidden("relaxation", RELAXATION, relaxation),
    "vteam": Hidden("vteam", VTEAM, vteam),
    "yakopcic": Hidden("yakopcic", YAKOPCIC, yakopcic),
}


@cache
def fitted(name: str, seed: int) -> Fit:
    """The fit of a case's own model to one measurement; several tests judge the same fits."""
    return CASES[name].fit(seed)
