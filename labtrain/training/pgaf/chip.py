"""The switches that a p-GAF recipe trains with: a bench's array, or directly simulated ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypedDict

import torch

from labtrain.arrays.recorded_switches import RecordedSwitchArray
from labtrain.arrays.simulated_switches import SimulatedSwitchArray
from labtrain.arrays.switches import SwitchArray
from labtrain.errors import UsageError
from labtrain.populations import draw
from labtrain.training.chips import array_in_role, require_enough
from labtrain.training.pgaf.belief import of_twin
from labtrain.training.pgaf.calibration import calibrate
from labtrain.training.pgaf.converting import MakeSampler
from labtrain.training.pgaf.gates import Activation, gate_named
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
            "calibration",
            "integer",
            0,
            "attempts on each device that find its own V50; 0: v50 is believed of all",
            low=0,
            high=100_000,
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
    settings = context.settings
    curve = SwitchCurve(settings["v50"], settings["slope"], settings["width"])
    array = _open(context, curve, sum(widths))
    if context.twin is not None:
        curve = of_twin(curve, context.twin, [f"{array.name}[{i}]" for i in range(sum(widths))])
    if settings["calibration"]:
        chosen = array.select(range(sum(widths)))
        found = calibrate(chosen, curve.v50, curve.seconds, settings["calibration"])
        curve = replace(curve, each_v50=torch.from_numpy(found))
    gate = gate_named(settings["gate"])

    def make(activation: Activation, neurons: int, layer: int) -> SwitchSampler:
        start = sum(widths[:layer])
        chosen = slice(start, start + neurons)
        part = array.select(range(chosen.start, chosen.stop))
        return SwitchSampler(part, curve.of(chosen), activation, gate)

    return make


def _open(context: Context, curve: SwitchCurve, count: int) -> SwitchArray:
    name = context.device or "switches"
    if context.bench is None:
        return _simulated(context, curve, count, name)
    if context.settings["mismatch"] is not None:
        raise UsageError(
            "mismatch cannot be set where a bench gives the devices",
            remedy="it is a key of the bench file's array",
            key="mismatch",
        )
    array: SwitchArray = array_in_role(context.bench, name, SwitchArray, "switches", MODEL)  # type: ignore[type-abstract]
    require_enough(len(array), count, name, "switches")
    return array


def _simulated(context: Context, curve: SwitchCurve, count: int, name: str) -> SwitchArray:
    population = draw(MODEL, context.seed, count, {"mismatch": context.settings["mismatch"] or 0.0}, name)
    reset = OVERDRIVE * curve.v50
    array = SimulatedSwitchArray(
        population,
        max_volts=1.25 * reset,
        reset_volts=reset,
        reset_seconds=curve.seconds,
        rows=context.processes.rows,
    )
    return RecordedSwitchArray(array, context.sink, digests=context.keeps_digests)
