"""How a number is a stream: bipolar (XNOR multiplies) or unipolar with a sign bit (AND multiplies)."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from labtrain.errors import UsageError
from labtrain.naming import nearest


@dataclass(frozen=True, slots=True)
class Encoding:
    """One encoding of numbers.

    Attributes
    ----------
    low
        The least value of an input or hidden output; the largest is 1. Weights reach from -1 to 1 in both:
        the unipolar ones as a magnitude's stream and a sign bit that says whether ones count up or down.
    doc
        One sentence.
    """

    name: str
    low: float
    doc: str

    @property
    def bipolar(self) -> bool:
        """Whether x stands for 2p - 1 (else for p)."""
        return self.low < 0

    def probability(self, values: torch.Tensor) -> torch.Tensor:
        """Return the probability of a one, for an input or the magnitude of a weight."""
        return (values + 1.0) / 2.0 if self.bipolar else values.abs()

    def stream_value(self, values: torch.Tensor) -> torch.Tensor:
        """Return the mean of a stream's step: the value itself, or the magnitude."""
        return values if self.bipolar else values.abs()

    def spread(self, values: torch.Tensor) -> torch.Tensor:
        """Return the variance of one step: 1 - x^2 (steps of -1 and 1), or p (1 - p)."""
        magnitude = self.stream_value(values)
        return 1.0 - magnitude.square() if self.bipolar else magnitude - magnitude.square()


BIPOLAR = Encoding("bipolar", -1.0, "x = 2p - 1; XNOR multiplies")
UNIPOLAR = Encoding("unipolar", 0.0, "x = p, weights with a sign bit; AND multiplies")
ENCODINGS = {encoding.name: encoding for encoding in (BIPOLAR, UNIPOLAR)}
ADDERS = ("apc", "mux")
"""Accumulative parallel counter (exact); multiplexer (one product a step)."""
GENERATORS = ("own", "shared")
"""Of the weights: one generator each, or one for all equal magnitudes (bipolar: values) of a layer."""


def encoding_named(name: str) -> Encoding:
    """Return an encoding.

    Raises
    ------
    UsageError
        For a name that is none.
    """
    if name not in ENCODINGS:
        raise UsageError(f"encoding {name!r} is not known", remedy=nearest(name, ENCODINGS), key="encoding")
    return ENCODINGS[name]
