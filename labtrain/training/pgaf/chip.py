"""The switches that a p-GAF recipe trains with: a bench's array, or directly simulated ones."""

from __future__ import annotations

from collections.abc import Callable

from labtrain.arrays.recorded_switches import RecordedSwitchArray
from labtrain.arrays.simulated_switches import SimulatedSwitchArray
from labtrain.arrays.switches import SwitchArray
from labtrain.populations import draw
from labtrain.training.chips import array_in_role, require_enough
from labtrain.training.pgaf.gates import Activation, gate_named
from labtrain.training.pgaf.sampler import SwitchCurve, SwitchSampler
from labtrain.training.recipes import Context
from labtrain.training.settings import Setting

MODEL = "sot-mtj"
V50, SLOPE, SECONDS = 0.896, 43.0, 0.75e-9
"""The measured device of the ``sot-mtj`` model's defaults: P to AP, 0.75 ns pulses."""
MAX_VOLTS, RESET_VOLTS = 2.0, 1.6

SWITCH_SETTINGS = (
    Setting(
        "gate",
        "choice",
        "first-not-second",
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
    Setting("mismatch", "quantity", 0.0, "relative spread of V50 from device to device", low=0.0, high=0.5),
    Setting("v50", "quantity", V50, "what is believed of all devices", unit="volt", low=0.01, high=10.0),
    Setting("slope", "quantity", SLOPE, "what is believed of all devices", unit="1/volt", low=0.1, high=1e4),
    Setting("width", "quantity", SECONDS, "of the pulses", unit="second", low=0.2e-9, high=1.0),
)


def sampler_maker(
    context: Context, widths: tuple[int, ...]
) -> Callable[[Activation, int, int], SwitchSampler]:
    """Return what gives hidden layer ``i`` its switches.

    Raises
    ------
    UsageError
        For too few devices, or an array that is none of switches.
    """
    array = _open(context, sum(widths))
    starts = [sum(widths[:i]) for i in range(len(widths))]
    settings = context.settings
    curve = SwitchCurve(settings["v50"], settings["slope"], settings["width"])
    gate = gate_named(settings["gate"])

    def make(activation: Activation, neurons: int, layer: int) -> SwitchSampler:
        chosen = array.select(range(starts[layer], starts[layer] + neurons))
        return SwitchSampler(chosen, curve, activation, gate)

    return make


def _open(context: Context, count: int) -> SwitchArray:
    settings, name = context.settings, context.device or "switches"
    if context.bench is None:
        population = draw(MODEL, context.seed, count, {"mismatch": settings["mismatch"]}, name)
        switches = SimulatedSwitchArray(
            population, max_volts=MAX_VOLTS, reset_volts=RESET_VOLTS, reset_seconds=settings["width"]
        )
        return RecordedSwitchArray(switches, context.sink, digests=context.keeps_digests)
    array: SwitchArray = array_in_role(context.bench, name, SwitchArray, "switches", MODEL)  # type: ignore[type-abstract]
    require_enough(len(array), count, name, "switches")
    return array
