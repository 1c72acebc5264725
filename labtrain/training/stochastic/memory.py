r"""What memory between bits costs: streams of telegraph noise sampled faster than it forgets.

A superparamagnetic junction sampled every :math:`\Delta t` is a two-state Markov chain with
:math:`\rho = e^{-\Delta t/\tau_c}`. With linear barriers (:mod:`labtrain.physics.telegraph`)
:math:`\tau_c = \tau_{c,1/2} \cdot 2\sqrt{p(1-p)}`: longest where both states are as likely.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from labtrain.errors import UsageError


@dataclass(frozen=True, slots=True)
class Memory:
    """Sampling interval over correlation time.

    Attributes
    ----------
    ratio
        Interval over the correlation time at p = 1/2, the longest.
    """

    ratio: float

    def __post_init__(self) -> None:
        if not 0 < self.ratio < math.inf:
            raise UsageError(
                f"an interval of {self.ratio} correlation times cannot be",
                remedy="give a positive number; 5 and more leave no memory worth the name",
                key="interval_ratio",
            )

    def rho(self, probability: torch.Tensor) -> torch.Tensor:
        """Return the correlation of neighbouring bits of a generator at this probability."""
        shortening = 2.0 * (probability * (1.0 - probability)).clamp(min=0.0).sqrt()
        return torch.exp(-self.ratio / shortening)  # exp(-inf) = 0 where p is 0 or 1


def inflation(rho: torch.Tensor, n_bits: int) -> torch.Tensor:
    r"""Return the variance of a mean of ``n_bits`` over that of independent bits.

    .. math:: 1 + 2 \sum_{k=1}^{N-1} (1 - k/N) \rho^k
        = \frac{1 + \rho}{1 - \rho} - \frac{2 \rho (1 - \rho^N)}{N (1 - \rho)^2}

    exact for a stationary chain; the inverse of effective over real length.
    """
    gap = (1.0 - rho).clamp(min=1e-9)
    exact = (1.0 + rho) / gap - 2.0 * rho * (1.0 - rho**n_bits) / (n_bits * gap.square())
    return torch.where(rho > 1.0 - 1e-6, torch.full_like(rho, float(n_bits)), exact)
