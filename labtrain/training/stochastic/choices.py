"""The settings of a stochastic network, and the design that they mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labtrain.training.settings import Setting
from labtrain.training.stochastic.encodings import ADDERS, ENCODINGS, GENERATORS, encoding_named
from labtrain.training.stochastic.ledger import CostTable
from labtrain.training.stochastic.memory import Memory
from labtrain.training.stochastic.moments import Counting
from labtrain.training.stochastic.network import Design

STOCHASTIC_SETTINGS = (
    Setting(
        "levels",
        "integer",
        5,
        "states of weights and hidden outputs; 0: any value (analog weights)",
        low=0,
        high=256,
    ),
    Setting("length", "integer", 100, "bits of a stream", low=1, high=1_000_000),
    Setting(
        "encoding",
        "choice",
        "bipolar",
        "of numbers: 2p - 1 (XNOR), or p and a sign bit of the weights (AND)",
        choices=tuple(ENCODINGS),
    ),
    Setting(
        "adder",
        "choice",
        "apc",
        "parallel counter, or a multiplexer that takes one product a step",
        choices=ADDERS,
    ),
    Setting(
        "generators",
        "choice",
        "own",
        "one a weight, or one for all equal weights of a layer",
        choices=GENERATORS,
    ),
    Setting("input_levels", "integer", 5, "states of the inputs; 0: as they come", low=0, high=65_536),
    Setting(
        "train_noise",
        "choice",
        "true",
        "whether training meets the noise of the count (mean and exact variance)",
        choices=("true", "false"),
    ),
    Setting(
        "evaluator",
        "choice",
        "bits",
        "of the last accuracy: true bits, or their mean and variance",
        choices=("bits", "moments"),
    ),
    Setting(
        "start",
        "choice",
        "scratch",
        "drawn weights, or those of the trained network of floats",
        choices=("scratch", "float"),
    ),
    Setting(
        "interval_ratio",
        "quantity",
        0.0,
        "sampling interval over the longest correlation time; 0: independent bits",
        low=0.0,
        high=1e6,
    ),
    Setting("bit_energy", "quantity", CostTable.bit, "of a random bit", unit="joule", low=0.0, high=1.0),
    Setting(
        "bit_time",
        "quantity",
        CostTable.cycle,
        "from one bit to the next",
        unit="second",
        low=1e-12,
        high=1e3,
    ),
)


def design_of(settings: Mapping[str, Any], seed: int) -> Design:
    """Return what the settings mean."""
    ratio = settings["interval_ratio"]
    counting = Counting(
        encoding_named(settings["encoding"]),
        settings["adder"],
        settings["length"],
        settings["generators"] == "shared",
        Memory(ratio) if ratio > 0 else None,
    )
    return Design(
        counting,
        settings["levels"],
        settings["input_levels"],
        "moments" if settings["train_noise"] == "true" else "exact",
        settings["evaluator"],
        seed=seed,
    )
