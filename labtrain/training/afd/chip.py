"""The chip of neuron pairs that a recipe trains with: a bench's array, or a directly simulated one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from labtrain.arrays.neurons import NeuronPairArray
from labtrain.arrays.recorded_neurons import DigestedNeuronArray, RecordedNeuronArray
from labtrain.arrays.simulated_neurons import SimulatedNeuronArray
from labtrain.arrays.simulated_readout import Readout
from labtrain.errors import UsageError
from labtrain.limits import tightest
from labtrain.populations import draw
from labtrain.training.afd.calibration import check_range
from labtrain.training.chips import array_in_role, require_enough
from labtrain.training.recipes import Context

if TYPE_CHECKING:
    from labtrain.bench import Bench, FarBench

MODEL = "mtj-neuron-pair"
SIMULATED = {"mismatch": 0.05, "read_noise": 100e-6, "aperture": 200e-6, "converter_bits": 0}
"""A chip without a bench: 5 % mismatch; 0.1 mV rms of instrument and contacts in 0.01 power line
cycles, to which the junctions' own telegraph noise (about 0.9 mV at the step) adds in quadrature."""
RESOLUTION_AMPERES = 5e-9
"""The step of a Keithley 2450 on its 100 uA range (data sheet)."""
MAX_AMPERES = 50e-6
"""Up to here a nano-neuron of the default population stays below 0.5 V, its barrier's DC limit."""
CONVERTER_VOLTS = 0.5
"""Half of a simulated converter's range."""
SPARES = 2
"""Pairs of a simulated chip beyond those that the network needs."""


def open_neurons(context: Context, count: int, population: Mapping[str, Any]) -> NeuronPairArray:
    """Return an array of at least ``count`` pairs.

    Parameters
    ----------
    population
        ``mismatch``, ``read_noise`` (V) and ``aperture`` (s) of a directly simulated chip; with a bench
        these are the bench file's business, and must be None.

    Raises
    ------
    UsageError
        For too few devices, an array that is none of neuron pairs, or simulation settings with a bench.
    """
    if context.bench is None:
        return _simulated(context, count, population)
    given = [name for name, value in population.items() if value is not None]
    if given:
        raise UsageError(
            f"{', '.join(given)} cannot be set where a bench gives the devices",
            remedy="these are keys of the bench file's array (mismatch, read_noise) or of its instruments",
            key=given[0],
        )
    name = context.device or "neurons"
    _check_plan(context, context.bench, name, count)
    array = array_in_role(context.bench, name, NeuronPairArray, "neuron pairs", MODEL)  # type: ignore[type-abstract]
    require_enough(len(array), count, name, "device neurons")
    return array


def _check_plan(context: Context, bench: Bench | FarBench, name: str, count: int) -> None:
    """Refuse what a bench's file here tells already: the array's own numbers need a contact."""
    from labtrain.bench import FarBench

    planned = None if isinstance(bench, FarBench) else bench.plan.arrays.get(name)
    if planned is None:
        return
    require_enough(len(planned.devices), count, name, "device neurons")
    lowest, highest = context.settings["lowest_current"], context.settings["highest_current"]
    limits = tightest(one.limits for device in planned.devices for one in device.terminals.values())
    check_range(name, limits.current, lowest, limits.current if highest is None else highest)


def _simulated(context: Context, count: int, population: Mapping[str, Any]) -> NeuronPairArray:
    """Draw a chip with spares from the run's seed; settings left out take their stated defaults."""
    chosen = {name: SIMULATED[name] if value is None else value for name, value in population.items()}
    name = context.device or "neurons"
    spread = {key: chosen[key] for key in ("mismatch", "read_noise")}
    drawn = draw(MODEL, context.seed, count + SPARES, spread, name)
    array = SimulatedNeuronArray(
        drawn,
        Readout(
            seconds=chosen["aperture"], range_volts=CONVERTER_VOLTS, adc_bits=int(chosen["converter_bits"])
        ),
        max_amperes=MAX_AMPERES,
        resolution_amperes=RESOLUTION_AMPERES,
        rows=context.processes.rows,
    )
    recorded = DigestedNeuronArray if context.keeps_digests else RecordedNeuronArray
    return recorded(array, context.sink)
