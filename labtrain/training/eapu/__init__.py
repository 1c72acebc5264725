"""EaPU: error-aware probabilistic updates of weights on memristors, as an ordinary torch optimiser.

Method and figures: Nature Communications 2025, doi 10.1038/s41467-025-66240-7.
"""

from labtrain.training.eapu.cells import Cells, NoisyIncrements
from labtrain.training.eapu.optimiser import EaPU, matrices_on_devices
from labtrain.training.eapu.rules import (
    Accumulator,
    Address,
    EveryStep,
    FixedThreshold,
    Probabilistic,
    WriteRule,
    Writes,
)
from labtrain.training.eapu.tiles import TiledSynapses, convert, read_back

__all__ = [
    "Accumulator",
    "Address",
    "Cells",
    "EaPU",
    "EveryStep",
    "FixedThreshold",
    "NoisyIncrements",
    "Probabilistic",
    "TiledSynapses",
    "WriteRule",
    "Writes",
    "convert",
    "matrices_on_devices",
    "read_back",
]
