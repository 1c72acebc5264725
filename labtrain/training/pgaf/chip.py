"""The switches that a p-GAF recipe trains with: a bench's array, or directly simulated ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypedDict

import numpy as np
import torch
from numpy.typing import NDArray

from labtrain import noise
from labtrain.arrays.recorded_switches import RecordedSwitchArray
from labtrain.arrays.simulated_switches import SimulatedSwitchArray
from labtrain.arrays.switches import SwitchArray
from labtrain.errors import UsageError
from labtrain.populations import draw
from labtrain.training.chips import array_in_role, require_enough
from labtrain.training.pgaf.belief import devices_for, of_twin, population_for
from labtrain.training.pgaf.calibration import calibrate
from labtrain.training.pgaf.converting import MakeSampler
from labtrain.training.pgaf.gates import Activation, gate_named
from labtrain.training.pgaf.ledger import samplers
from labtrain.training.pgaf.sampler import SwitchCurve, SwitchSampler
from labtrain.training.recipes import Context
from labtrain.training.settings import Setting

MODEL = "sot-mtj"
MEASURED = SwitchCurve(0.896, 43.0, 0.75e-9)
"""The measured device of the ``sot-mtj`` model's defaults: P to AP, 0.75 ns pulses."""
THROUGH_RELAYS = SwitchCurve(0.512, 75.2, 100e-9)
"""The same device at a width that relays of 10 MHz pass, by the model's law of widths."""
OVERDRIVE = 1.8
"""Reset pulses of simulated switches, over V50."""


def switch_settings(curve: SwitchCurve) -> tuple[Setting, ...]:
    """Declare the settings of gates and switches; ``curve`` is what is believed where nothing is given."""
    return (
        Setting(
            "gate",
            "choice",
            "half-xor",
            "what two samples make of the derivative",
            choices=("first-not-second", "xor", "half-xor"),
        ),
        Setting(
            "forward",
            "choice",
            "deterministic",
            "whether the forward pass is the activation or a sample of it",
            choices=("deterministic", "sampled"),
        ),
        Setting(
            "gate_per",
            "choice",
            "sample",
            "gates for every sample, or one for a whole batch at its mean pre-activation (biased)",
            choices=("sample", "batch"),
        ),
        Setting(
            "mismatch",
            "quantity",
            None,
            "relative spread of V50 from device to device, of simulated switches; left out: none",
            low=0.0,
            high=0.5,
        ),
        Setting(
            "drift",
            "quantity",
            None,
            "relative change of V50 in a million attempts, its standard deviation from device to device, of"
            " simulated switches; left out: none",
            low=0.0,
            high=1e4,
        ),
        Setting(
            "calibration",
            "integer",
            0,
            "attempts on each device that find its own V50; 0: v50 is believed of all",
            low=0,
            high=100_000,
        ),
        Setting(
            "calibrate_every",
            "integer",
            0,
            "epochs after which devices are calibrated again; 0: at the start only",
            low=0,
            high=100_000,
        ),
        Setting(
            "belief",
            "choice",
            "each",
            "of a twin: each device's own curve, or one for all of them",
            choices=("each", "all"),
        ),
        Setting("v50", "quantity", curve.v50, "what is believed of all devices", "volt", 0.01, 10.0),
        Setting("slope", "quantity", curve.slope, "what is believed of all devices", "1/volt", 0.1, 1e4),
        Setting("width", "quantity", curve.seconds, "of the pulses", "second", 0.2e-9, 1.0),
    )


class Passes(TypedDict):
    """How converted layers take their samples; see :class:`~labtrain.training.pgaf.layers.GatedLinear`."""

    sampled: bool
    per_batch: bool


def passes_of(settings: Mapping[str, Any]) -> Passes:
    """Return what ``forward`` and ``gate_per`` of :func:`switch_settings` ask of converted layers."""
    return Passes(sampled=settings["forward"] == "sampled", per_batch=settings["gate_per"] == "batch")


def sampler_maker(context: Context, widths: Sequence[int]) -> MakeSampler:
    """Return what gives hidden layer ``i`` its switches.

    Raises
    ------
    UsageError
        For too few devices, an array that is none of switches, or simulation settings with a bench.
    """
    settings, count, name = context.settings, sum(widths), context.device or "switches"
    if settings["calibrate_every"] and not settings["calibration"]:
        raise UsageError(
            "calibrate_every needs the number of attempts",
            remedy="set calibration=400, say",
            key="calibration",
        )
    curve = SwitchCurve(settings["v50"], settings["slope"], settings["width"])
    if context.twin is not None:
        known = [f"{name}[{i}]" for i in range(count)]
        names = known if context.bench is not None else devices_for(context.twin, count)
        curve = of_twin(curve, context.twin, names)
        curve = curve if settings["belief"] == "each" else curve.of_all()
    array = _open(context, curve, count, name)
    if settings["calibration"]:
        found = calibrate(array.select(range(count)), curve.v50, curve.seconds, settings["calibration"])
        curve = replace(curve, each_v50=torch.from_numpy(found))
    gate = gate_named(settings["gate"])

    def make(activation: Activation, neurons: int, layer: int) -> SwitchSampler:
        start = sum(widths[:layer])
        chosen = slice(start, start + neurons)
        part = array.select(range(chosen.start, chosen.stop))
        return SwitchSampler(part, curve.of(chosen), activation, gate)

    return make


def calibrate_again(network: torch.nn.Module, epoch: int, settings: Mapping[str, Any]) -> None:
    """Calibrate all switches of a network at the end of ``epoch``, where the settings ask for it."""
    every = settings["calibrate_every"]
    if every and (epoch + 1) % every == 0:
        for sampler in samplers(network):
            sampler.calibrate(settings["calibration"])


def _open(context: Context, curve: SwitchCurve, count: int, name: str) -> SwitchArray:
    if context.bench is None:
        return _simulated(context, curve, count, name)
    for key in ("mismatch", "drift"):
        if context.settings[key] is not None:
            raise UsageError(
                f"{key} cannot be set where a bench gives the devices",
                remedy="leave it out; the bench file says what its devices are",
                key=key,
            )
    array: SwitchArray = array_in_role(context.bench, name, SwitchArray, "switches", MODEL)  # type: ignore[type-abstract]
    require_enough(len(array), count, name, "switches")
    return array


def _simulated(context: Context, curve: SwitchCurve, count: int, name: str) -> SwitchArray:
    spread = context.settings["mismatch"]
    if context.twin is None:
        population = draw(MODEL, context.seed, count, {"mismatch": spread or 0.0}, name)
    elif spread is None:
        population = population_for(context.twin, context.seed, count, name)
    else:
        raise UsageError("a twin gives the devices' spread", remedy="leave mismatch out", key="mismatch")
    reset = OVERDRIVE * curve.v50
    array = SimulatedSwitchArray(
        population,
        max_volts=1.25 * reset,
        reset_volts=reset,
        reset_seconds=curve.seconds,
        rows=context.processes.rows,
        drift=drift_of(context.settings["drift"], context.seed, count, name),
    )
    return RecordedSwitchArray(array, context.sink, digests=context.keeps_digests)


def drift_of(deviation: float | None, seed: int, count: int, name: str) -> NDArray[np.float64] | None:
    """Draw the relative change of V50 with one attempt of ``count`` devices; None where there is none.

    Parameters
    ----------
    deviation
        Standard deviation of the change in a million attempts.
    """
    if not deviation:
        return None
    drawn = noise.normal(seed, noise.stream(f"{name}/drift"), np.arange(count), 0)
    return np.asarray(drawn) * (deviation / 1e6)
