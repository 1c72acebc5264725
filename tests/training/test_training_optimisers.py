"""Every optimiser is a citizen of torch; torch's own pass the same checks, so that the checks are fair."""

from __future__ import annotations

import pytest
import torch
from training_optimiser_citizenship import OPTIMISER_CHECKS

from labtrain.training.eapu import EaPU

OPTIMISERS = {
    "torch-sgd": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
    "torch-adam": lambda p: torch.optim.Adam(p, lr=0.01),
    "eapu-sgd": lambda p: EaPU(torch.optim.SGD(p, lr=0.1, momentum=0.9), threshold=0.01, write_noise=0.01),
    "eapu-adam": lambda p: EaPU(torch.optim.Adam(p, lr=0.01), threshold=0.01, write_noise=0.01),
}


@pytest.mark.parametrize("name", OPTIMISERS)
@pytest.mark.parametrize("check", OPTIMISER_CHECKS, ids=lambda check: check.__name__)
def test_optimiser_is_a_citizen_of_torch(check, name):
    check(OPTIMISERS[name])
