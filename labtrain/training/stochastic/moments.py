r"""Mean and variance of what a layer counts, in closed form.

With :math:`a = |w|` (unipolar) or :math:`w` (bipolar), :math:`v_x` and :math:`v_a` the variances of one step
of the two streams, independent generators and independent steps,

.. math::
    \mu = \sum_i w_i x_i, \quad
    \sigma^2_\mathrm{apc} = \frac{1}{N} \sum_i \left[(x_i^2 + v_{x,i})(a_i^2 + v_{a,i}) - x_i^2 a_i^2\right],
    \quad \sigma^2_\mathrm{mux} = \frac{n^2}{N}\left[\frac{1}{n} \sum_i m_i - \frac{\mu^2}{n^2}\right]

where :math:`m_i` is a product's second moment: 1 (XNOR), :math:`a_i x_i` (AND). Bipolar the first is
:math:`\sum (1 - w^2 x^2)/N`.

A step's product remembers (:mod:`.memory`): its variance splits into :math:`a^2 v_x`, :math:`v_a x^2` and
:math:`v_a v_x`, which decay as :math:`\rho_x^k`, :math:`\rho_a^k` and :math:`(\rho_x\rho_a)^k`. One generator
for all equal weights makes their noise common: :math:`v_a x_i^2` summed becomes
:math:`v_a (\sum \pm x_i)^2`, which does not average out over the inputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch

from labtrain.errors import UsageError
from labtrain.training.stochastic.encodings import Encoding
from labtrain.training.stochastic.memory import Memory, inflation


@dataclass(frozen=True, slots=True)
class Counting:
    """How a layer counts.

    Attributes
    ----------
    encoding, adder, shared
        Of numbers, of sums; whether equal weights share a generator.
    n_bits
        Length of the streams.
    memory
        Of the generators, None: every bit is independent.
    """

    encoding: Encoding
    adder: str = "apc"
    n_bits: int = 100
    shared: bool = False
    memory: Memory | None = None


def variance(counting: Counting, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Return ``[B, O]``: the variance of ``x[B, n] @ weight[O, n].T`` as it is counted.

    Values must lie within the encoding's range.

    Raises
    ------
    UsageError
        For more than 64 different weights where they share generators or remember.
    """
    if counting.adder == "mux":
        return _multiplexed(counting, x, weight)
    if counting.shared or counting.memory is not None:
        return _by_state(counting, x, weight)
    return _independent(counting, x, weight)


def _independent(counting: Counting, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Sum the variances of the products; one matrix product bipolar, two unipolar."""
    squares = (x * x) @ (weight * weight).T
    return (_second(counting.encoding, x, weight) - squares) / counting.n_bits


def _second(encoding: Encoding, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor | float:
    """Return the sum of the products' second moments."""
    return float(x.shape[1]) if encoding.bipolar else x @ weight.abs().T


def _multiplexed(counting: Counting, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    n = x.shape[1]
    second = _second(counting.encoding, x, weight)
    fresh = (n * second - (x @ weight.T).square()) / counting.n_bits
    if counting.memory is None:
        return fresh
    # Two steps remember each other only where both took the same input: once in n.
    alone = Counting(counting.encoding, "apc", counting.n_bits)
    with_memory = Counting(counting.encoding, "apc", counting.n_bits, counting.shared, counting.memory)
    if counting.shared:
        raise UsageError(
            "no closed form for a multiplexer with shared generators that remember",
            remedy="use evaluator bits, generators own or independent bits",
            key="generators",
        )
    return fresh + _by_state(with_memory, x, weight) - _independent(alone, x, weight)


def _by_state(counting: Counting, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Sum over the different magnitudes (bipolar: values) of the weights."""
    encoding, memory, n = counting.encoding, counting.memory, counting.n_bits
    magnitudes = encoding.stream_value(weight)
    spread_x = encoding.spread(x)
    rho_x = memory.rho(encoding.probability(x.detach())) if memory else torch.zeros_like(x)
    alone = spread_x * inflation(rho_x, n)
    total = torch.zeros(x.shape[0], weight.shape[0], dtype=x.dtype, device=x.device)
    for a in _different(magnitudes):
        here = (magnitudes == a).to(x.dtype)
        spread_a = encoding.spread(a)
        rho_a = memory.rho(encoding.probability(a)) if memory else torch.zeros_like(a)
        grown = inflation(rho_a, n)
        both = spread_x * inflation(rho_x * rho_a, n)
        if counting.shared:
            signed = here if encoding.bipolar else here * weight.sign()
            common = spread_a * grown * (x @ signed.T).square()
        else:
            common = (spread_a * grown * x.square()) @ here.T
        total += (a.square() * alone + spread_a * both) @ here.T + common
    return total / counting.n_bits


def _different(magnitudes: torch.Tensor) -> torch.Tensor:
    found = cast(torch.Tensor, torch.unique(magnitudes.detach()))
    if len(found) > _MOST_STATES:
        raise UsageError(
            f"moments of {len(found)} different weights that share generators or remember",
            remedy=f"quantise the weights to {_MOST_STATES} states or fewer, or use evaluator bits",
            key="levels",
        )
    return found


_MOST_STATES = 64
