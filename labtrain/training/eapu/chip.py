"""The synapses that an EaPU recipe trains with: a bench's arrays, or directly simulated ones."""

from __future__ import annotations

import math
from collections.abc import Sequence

from labtrain.arrays.recorded_synapses import RecordedSynapseArray
from labtrain.arrays.simulated_synapses import SimulatedSynapseArray
from labtrain.arrays.synapses import SynapseArray
from labtrain.errors import UsageError
from labtrain.populations import draw
from labtrain.training.recipes import Context

MODEL = "memristor"
MISMATCH = 0.05
"""Relative spread of the simulated cells' bounds and starting conductance."""


def open_synapses(context: Context, names: Sequence[str], sizes: Sequence[int]) -> list[SynapseArray]:
    """Return an array of ``inputs x 2 outputs`` for each pair of neighbours in ``sizes``.

    Parameters
    ----------
    names
        Of the bench's arrays; a simulated chip's are called the same.

    Raises
    ------
    UsageError
        For an array that is not there, is none of synapses, or has another shape.
    """
    shapes = [(before, 2 * after) for before, after in zip(sizes, sizes[1:], strict=False)]
    if context.bench is not None:
        return [_wired(context, name, shape) for name, shape in zip(names, shapes, strict=True)]
    return [_simulated(context, name, shape) for name, shape in zip(names, shapes, strict=True)]


def _wired(context: Context, name: str, shape: tuple[int, int]) -> SynapseArray:
    assert context.bench is not None
    array = context.bench.array(name)
    if not isinstance(array, SynapseArray):
        raise UsageError(
            f"array {name!r} of the bench is not one of synapses",
            remedy="give it a kind such as memristor",
            key=name,
        )
    if array.shape != shape:
        raise UsageError(
            f"array {name!r} has {_text(array.shape)} cells, {_text(shape)} are needed",
            remedy=f"give it count = {math.prod(shape)} and writing.columns = {shape[1]}, or change hidden",
            key=name,
        )
    return array


def _text(shape: tuple[int, int]) -> str:
    return f"{shape[0]} x {shape[1]}"


def _simulated(context: Context, name: str, shape: tuple[int, int]) -> SynapseArray:
    cells = draw(MODEL, context.seed, shape[0] * shape[1], {"mismatch": MISMATCH}, name)
    synapses = SimulatedSynapseArray(cells, shape)
    return RecordedSynapseArray(synapses, context.sink, digests=context.keeps_digests)
