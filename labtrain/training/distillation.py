"""Knowledge distillation: a small network learns from a large one's scores beside the labels.

Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network", arXiv 1503.02531 (2015): both
networks' scores are softened by a temperature T; the soft part of the loss is multiplied by T squared, so
that its gradients keep their size whatever T is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray


@dataclass(frozen=True)
class Distillation:
    """The loss ``share * T^2 * KL(teacher || student) + (1 - share) * cross entropy``.

    Attributes
    ----------
    scores
        The teacher's, of every training sample, ``[N, classes]``.
    labels
        ``[N]``.
    """

    scores: torch.Tensor
    labels: torch.Tensor
    temperature: float
    share: float

    def __call__(self, scores: torch.Tensor, batch: NDArray[np.intp]) -> torch.Tensor:
        """Return the loss of the student's scores of some training samples."""
        soft = torch.nn.functional.kl_div(
            torch.log_softmax(scores / self.temperature, dim=1),
            torch.log_softmax(self.scores[batch] / self.temperature, dim=1),
            reduction="batchmean",
            log_target=True,
        )
        hard = torch.nn.functional.cross_entropy(scores, self.labels[batch])
        return self.share * self.temperature**2 * soft + (1.0 - self.share) * hard


def scores_of(network: torch.nn.Module, x: torch.Tensor, batch_size: int = 1000) -> torch.Tensor:
    """Return a network's scores in eval mode, ``[N, classes]``."""
    network.eval()
    with torch.no_grad():
        return torch.cat([network(some) for some in x.split(batch_size)])


def parameter_count(network: torch.nn.Module) -> int:
    """Count weights and biases."""
    return sum(parameter.numel() for parameter in network.parameters())
