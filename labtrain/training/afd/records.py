"""What a training with device neurons leaves in the record besides steps and epochs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labtrain.session.sink import Column, RowStream, Sink
from labtrain.training.afd.gradients import GradientCheck
from labtrain.training.records import TrainingRecord

_INT = Column("int64")

GRADIENTS = {
    "neuron": _INT,
    "amperes": Column(unit="A"),
    "device_slope": Column(unit="ohm", long_name="estimated from the pair"),
    "reference_slope": Column(unit="ohm", long_name="central difference of the forward device"),
}
FINDINGS = {
    "fold": _INT,
    "epoch": _INT,
    "neuron": Column("str"),
    "condition": Column("str", long_name="dead, stuck, moved or saturating"),
    "action": Column("str", long_name="what was done about it"),
    "share": Column(long_name="of the epoch's responses or biases that showed it"),
}
DRIFT = {"t_ns": Column("int64", "ns"), "device": Column("str"), "ohm": Column(unit="ohm")}


class NeuronRecord(TrainingRecord):
    """Findings and slopes beside steps and epochs, under ``train/<recipe>``."""

    def __init__(self, sink: Sink, recipe: str, attributes: Mapping[str, Any]) -> None:
        super().__init__(sink, recipe, attributes)
        self._findings: RowStream | None = None
        self._gradients: RowStream | None = None

    def finding(self, row: Mapping[str, Any]) -> None:
        """Note what was found wrong with a neuron in use."""
        if self._findings is None:
            self._findings = self._sink.stream(f"{self._root}/findings", FINDINGS, self._attributes)
        self._findings.append(row)

    def gradients(self, neurons: list[int], check: GradientCheck) -> None:
        """Note every slope of a gradient check; one of each layer."""
        if self._gradients is None:
            self._gradients = self._sink.stream(f"{self._root}/gradients", GRADIENTS, self._attributes)
        for column, neuron in enumerate(neurons):
            for point in range(len(check.amperes)):
                self._gradients.append(
                    {
                        "neuron": neuron,
                        "amperes": float(check.amperes[point, column]),
                        "device_slope": float(check.device_ohms[point, column]),
                        "reference_slope": float(check.reference_ohms[point, column]),
                    }
                )
