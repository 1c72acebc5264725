"""Junctions on a bench that give a network's input streams."""

from __future__ import annotations

import numpy as np

from labtrain.arrays.bitstreams import BitstreamSource
from labtrain.training.chips import array_in_role, require_enough
from labtrain.training.recipes import Context
from labtrain.training.settings import Setting
from labtrain.training.stochastic.generators import DeviceGenerators, StreamCurve

MODEL = "s-mtj"
DEFAULT_ARRAY = "streams"

WIRED_SETTINGS = (
    Setting(
        "v50", "quantity", 0.06, "of a bench's junctions, as believed", unit="volt", low=-10.0, high=10.0
    ),
    Setting("slope", "quantity", 80.0, "2 Delta/V_c, as believed", unit="1/volt", low=0.1, high=1e4),
    Setting("interval", "quantity", 0.25, "from bit to bit on a bench", unit="second", low=1e-9, high=1e4),
    Setting(
        "wired_samples",
        "integer",
        20,
        "images inferred with streams of a bench's junctions",
        low=1,
        high=10_000,
    ),
)


def wired_generators(context: Context) -> DeviceGenerators | None:
    """Return the generators of a bench's array; None without a bench.

    Raises
    ------
    UsageError
        For an array that is none of bit sources.
    """
    if context.bench is None:
        return None
    name, settings = context.device or DEFAULT_ARRAY, context.settings
    source: BitstreamSource = array_in_role(context.bench, name, BitstreamSource, "bit sources", MODEL)  # type: ignore[type-abstract]
    require_enough(len(source), 1, name, "junctions")
    curve = StreamCurve(np.array(settings["v50"]), np.array(settings["slope"]))
    return DeviceGenerators(source, curve, settings["interval"])
