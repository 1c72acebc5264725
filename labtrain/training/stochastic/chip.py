"""Junctions that give a network's input streams: a bench's array, or the devices of a fitted twin."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from labtrain.arrays.bitstreams import BitstreamSource
from labtrain.arrays.simulated_bitstreams import SimulatedBitstreamSource
from labtrain.errors import UsageError
from labtrain.populations import model_named, stated
from labtrain.training.chips import array_in_role, require_enough
from labtrain.training.recipes import Context
from labtrain.training.settings import Setting
from labtrain.training.stochastic.generators import DeviceGenerators, StreamCurve

MODEL, FIT = "s-mtj", "logistic"
DEFAULT_ARRAY = "streams"

DEVICE_SETTINGS = (
    Setting("v50", "quantity", 0.06, "of the junctions, as believed", unit="volt", low=-10.0, high=10.0),
    Setting("slope", "quantity", 80.0, "2 Delta/V_c, as believed", unit="1/volt", low=0.1, high=1e4),
    Setting("interval", "quantity", 0.25, "from bit to bit of a device", unit="second", low=1e-9, high=1e4),
    Setting(
        "device_samples",
        "integer",
        20,
        "images inferred with streams of a bench's junctions, or of a twin's",
        low=1,
        high=10_000,
    ),
)


def device_generators(context: Context) -> DeviceGenerators | None:
    """Return the generators of a bench's array, or of a twin's devices; None without either.

    With a twin each junction is biased by its own fitted curve, else all by the settings'.

    Raises
    ------
    UsageError
        For an array that is none of bit sources, or a twin without the devices.
    """
    settings, name = context.settings, context.device or DEFAULT_ARRAY
    if context.bench is None:
        if context.twin is None:
            return None
        curve = curve_of_twin(context.twin, None)
        return DeviceGenerators(twin_source(curve, context.seed, name), curve, settings["interval"])
    source: BitstreamSource = array_in_role(context.bench, name, BitstreamSource, "bit sources", MODEL)  # type: ignore[type-abstract]
    require_enough(len(source), 1, name, "junctions")
    if context.twin is not None:
        curve = curve_of_twin(context.twin, [f"{name}[{index}]" for index in range(len(source))])
    else:
        curve = StreamCurve(np.array(settings["v50"]), np.array(settings["slope"]))
    return DeviceGenerators(source, curve, settings["interval"])


def curve_of_twin(path: str, devices: Sequence[str] | None) -> StreamCurve:
    """Return the fitted curves of some devices, or of all that the twin has.

    Raises
    ------
    UsageError
        Where the twin has no logistic fit of one of them.
    """
    from labtrain.twins import Twin  # with SciPy's statistics, which a run without a twin need not wait for

    fits = {
        name.partition("/")[0]: fit.values()
        for name, fit in Twin.read(Path(path)).devices.items()
        if fit.model == FIT
    }
    wanted = list(fits) if devices is None else list(devices)
    missing = [name for name in wanted if name not in fits]
    if missing or not wanted:
        raise UsageError(
            f"the twin has no {FIT} fit of {', '.join(missing) or 'any device'}",
            remedy="record them with labtrain run bitstream and fit the session with labtrain fit",
            file=path,
            key="twin",
        )
    v50, slope = (np.array([fits[name][key] for name in wanted]) for key in ("v50", "slope"))
    return StreamCurve(v50, slope)


def twin_source(curve: StreamCurve, seed: int, name: str) -> SimulatedBitstreamSource:
    """Simulate junctions with these curves; barrier height and attempt time are the model's defaults."""
    model = model_named(MODEL)
    delta = model.settings["delta"].default
    rows = [
        {"v50": float(v50), "v_c": 2.0 * delta / float(slope)}
        for v50, slope in zip(curve.v50, curve.slope, strict=True)
    ]
    reach = float(np.max(np.abs(curve.v50) + 12.0 / curve.slope))
    return SimulatedBitstreamSource(stated(model, seed, rows, name), max_volts=reach)
