"""How open the gates of a training are, layer by layer and epoch by epoch."""

from __future__ import annotations

import torch

from labtrain.session.sink import Column, Sink
from labtrain.training.loop import Step
from labtrain.training.pgaf.ledger import reduction, samplers

GATES = {
    "fold": Column("int64"),
    "epoch": Column("int64"),
    "layer": Column("int64", long_name="hidden layer, from 0"),
    "open": Column("int64", long_name="gates found open since the training began"),
    "gates": Column("int64", long_name="gates sampled since the training began"),
    "gradient_mac_reduction": Column(long_name="of the whole network, since the training began"),
}


class GateRecord:
    """The stream ``train/<recipe>/gates`` of one run."""

    def __init__(self, sink: Sink, recipe: str) -> None:
        self._rows = sink.stream(f"train/{recipe}/gates", GATES, {"recipe": recipe})
        self._epoch = 0

    def step(self, step: Step) -> None:
        """Take one update that was just made."""
        self._epoch = step.epoch

    @property
    def at(self) -> int:
        """The epoch of the last step."""
        return self._epoch

    def epoch(self, network: torch.nn.Module, fold: int = 0) -> None:
        """Note where the gates of all layers stand; differences of two rows are an epoch's."""
        for layer, sampler in enumerate(samplers(network)):
            self._rows.append(
                {
                    "fold": fold,
                    "epoch": self._epoch,
                    "layer": layer,
                    "open": sampler.ledger.open,
                    "gates": sampler.ledger.gates,
                    "gradient_mac_reduction": reduction(network),
                }
            )
