"""Neurons that fail while they are used: found, reported, replaced, silenced or trained through.

Every check reads each pair at three currents (:mod:`labtrain.training.afd.pair_check`) and looks at what the
epoch itself has counted. Only where something moved is the whole calibration read again and judged as before
training; offsets and, of neurons whose curve has moved, the mapping are then renewed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from labtrain.arrays.neurons import NeuronPairArray
from labtrain.errors import CheckFailed
from labtrain.training.afd.calibration import Calibration
from labtrain.training.afd.device_neurons import DeviceNeurons, device_layers
from labtrain.training.afd.estimators import SlopeEstimator
from labtrain.training.afd.health import assess
from labtrain.training.afd.mapping import fit_mapping
from labtrain.training.afd.pair_check import PairCheck, check_currents
from labtrain.training.afd.records import NeuronRecord

POLICIES = ("replace", "silence", "through", "stop")
OFTEN = 0.5
"""The share of an epoch's responses flagged, or biases out of range, that makes a neuron worth a word."""
MOVED_CURVE = 0.02
"""Root mean square change of a response, in its own half swing, above which its mapping is fitted anew."""
Indices = NDArray[np.intp]


@dataclass
class NeuronCare:
    """Looks after the neurons of one network.

    Attributes
    ----------
    chip
        All pairs; ``chosen[j]`` is the pair behind the network's ``j``-th neuron, layer after layer.
    spares
        Healthy pairs not in use.
    policy
        For a neuron found dead or stuck: ``replace`` it by a spare while there are any, then silence it;
        ``silence`` it (activation 0, no gradient); train ``through`` it as it is; ``stop``.
    stop_share
        Training stops when more than this share of the neurons has failed and is not replaced.
    found, retired
        Filled: every finding, and the pairs replaced.
    failed
        Which of the network's neurons have failed and were not replaced.
    saturating
        Neurons whose biases were often out of range; each is reported once.
    new
        Pairs that have just replaced others, without a mapping of their own yet.
    """

    chip: NeuronPairArray
    chosen: Indices
    widths: Sequence[int]
    spares: list[int]
    read: Callable[[NeuronPairArray], Calibration]
    make_estimator: Callable[[NeuronPairArray, Sequence[int]], SlopeEstimator]
    check: PairCheck
    record: NeuronRecord
    policy: str
    stop_share: float
    found: list[dict[str, object]]
    retired: set[int]
    failed: set[int] = field(default_factory=set)
    saturating: set[int] = field(default_factory=set)
    new: set[int] = field(default_factory=set)

    def begin(self, fold: int, layers: Sequence[DeviceNeurons], calibration: Calibration | None) -> None:
        """Deal with neurons that have failed since the folds before, seen in a fold's first calibration."""
        if calibration is not None and len(assess(calibration).healthy) < len(self.chosen):
            self.renew(fold, 0, layers)

    def after_check(self, fold: int, epoch: int, network: torch.nn.Module) -> None:
        """Read every pair at its three currents; where one has moved, read and judge every neuron.

        Raises
        ------
        CheckFailed
            When too many neurons have failed, or one has and the policy is to stop.
        """
        self._judge(fold, epoch, device_layers(network), self.check.moved())

    def after_epoch(self, fold: int, epoch: int, network: torch.nn.Module) -> None:
        """Judge the epoch's counts; where they ask for it, read and judge every neuron.

        Raises
        ------
        CheckFailed
            As :meth:`after_check`.
        """
        layers = device_layers(network)
        flagged, saturated = self._shares(layers)
        for j in np.flatnonzero(saturated > OFTEN):
            if j not in self.saturating:
                self.saturating.add(int(j))
                self._note(fold, epoch, int(j), "saturating", "through", float(saturated[j]))
        self._judge(fold, epoch, layers, flagged > OFTEN)

    def _judge(
        self, fold: int, epoch: int, layers: Sequence[DeviceNeurons], suspicious: NDArray[np.bool_]
    ) -> None:
        suspicious[sorted(self.failed)] = False
        if suspicious.any():
            self.renew(fold, epoch, layers)
        self._stop_if_needed(epoch)

    def renew(self, fold: int, epoch: int, layers: Sequence[DeviceNeurons]) -> None:
        """Calibrate all neurons, deal with those that fail, give the rest their new offsets."""
        calibration = self.read(self._view(self.chosen))
        health = assess(calibration)
        for condition, indices in (("dead", health.dead), ("stuck", health.stuck)):
            for j in indices:
                if j not in self.failed:
                    self._deal_with(fold, epoch, j, condition)
        fresh = self.read(self._view(self.chosen))
        for layer, columns in zip(layers, self.columns(), strict=True):
            self._fit(fold, epoch, layer, columns, fresh.columns(columns))
        self.check.accept(self._view(self.chosen), check_currents([layer.mapping for layer in layers]))
        self.new.clear()
        self._shares(layers)  # what was counted so far is of the neurons as they were

    def columns(self) -> list[Indices]:
        """Which of the chosen neurons each layer has."""
        return np.split(np.arange(len(self.chosen)), np.cumsum(self.widths[:-1]))

    def state_dict(self) -> dict[str, Any]:
        """Which pairs are in use, spare, failed and retired, what was found, and what checks compare with."""
        return {
            "chosen": self.chosen.copy(),
            "spares": list(self.spares),
            "found": [dict(finding) for finding in self.found],
            "retired": sorted(self.retired),
            "failed": sorted(self.failed),
            "saturating": sorted(self.saturating),
            "check": self.check.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any], layers: Sequence[DeviceNeurons]) -> None:
        """Take :meth:`state_dict`'s result back, and give the layers the pairs that they had."""
        self.chosen[:] = state["chosen"]
        self.spares[:], self.found[:] = state["spares"], state["found"]
        for own, name in (
            (self.retired, "retired"),
            (self.failed, "failed"),
            (self.saturating, "saturating"),
        ):
            own.clear()
            own.update(state[name])
        for layer, columns in zip(layers, self.columns(), strict=True):
            neurons = [int(index) for index in self.chosen[columns]]
            array = self.chip.select(neurons)
            layer.rewire(array, self.make_estimator(array, neurons), layer.mapping)
        self.check.load_state_dict(self._view(self.chosen), state["check"])

    def _deal_with(self, fold: int, epoch: int, j: int, condition: str) -> None:
        if self.policy == "replace" and self.spares:
            old, self.chosen[j] = int(self.chosen[j]), self.spares.pop(0)
            action = f"replaced by {self.chip.name}[{self.chosen[j]}]"
            self.retired.add(old)
            self.new.add(int(self.chosen[j]))
            self._note(fold, epoch, j, condition, action, 1.0, pair=old)
            return
        self.failed.add(j)
        through = self.policy in ("through", "stop")
        self._note(fold, epoch, j, condition, "through" if through else "silenced", 1.0)

    def _fit(self, fold: int, epoch: int, layer: DeviceNeurons, columns: Indices, part: Calibration) -> None:
        """Rewire a layer to its pairs; refit what moved, silence what failed."""
        before, neurons = layer.mapping, [int(index) for index in self.chosen[columns]]
        array = self._view(self.chosen[columns])
        estimator = self.make_estimator(array, neurons)
        estimator.prepare(part)
        fitted = fit_mapping(part, estimator.delta_amperes, before.kappa_amperes)
        failed = np.isin(columns, sorted(self.failed))
        replaced = np.array([int(index) in self.new for index in self.chosen[columns]], dtype=bool)
        away = (before.distance(part) > MOVED_CURVE) | replaced
        for place in np.flatnonzero(away & ~failed & ~replaced):
            self._note(fold, epoch, int(columns[place]), "moved", "mapping fitted anew", 1.0)
        mapping = before.merged(fitted, away & ~failed)
        layer.rewire(array, estimator, mapping if self.policy == "through" else mapping.silenced(failed))

    def _shares(self, layers: Sequence[DeviceNeurons]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the shares of responses flagged and of biases clipped since the last call, ``[n]``."""
        shares = []
        for layer in layers:
            count, before = layer.ledger.responses, layer.last_look
            now = layer.ledger.tally
            done = max(count - before.responses, 1)
            shares.append(
                ((now.flagged - before.tally.flagged) / done, (now.clipped - before.tally.clipped) / done)
            )
            layer.last_look = layer.ledger.copy()
        flagged, clipped = (np.concatenate(parts) for parts in zip(*shares, strict=True))
        return flagged, clipped

    def _stop_if_needed(self, epoch: int) -> None:
        share = len(self.failed) / len(self.chosen)
        if share > self.stop_share or (self.policy == "stop" and self.failed):
            names = ", ".join(f"{self.chip.name}[{self.chosen[j]}]" for j in sorted(self.failed))
            raise CheckFailed(
                f"training stopped in epoch {epoch + 1}: {len(self.failed)} of {len(self.chosen)} neurons"
                f" have failed ({names})",
                remedy="look at the contacts and the bias range; the record holds every finding",
                key="stop_share",
            )

    def _note(
        self,
        fold: int,
        epoch: int,
        j: int,
        condition: str,
        action: str,
        share: float,
        pair: int | None = None,
    ) -> None:
        name = f"{self.chip.name}[{self.chosen[j] if pair is None else pair}]"
        finding = {
            "fold": fold,
            "epoch": epoch,
            "neuron": name,
            "condition": condition,
            "action": action,
            "share": share,
        }
        self.found.append(finding)
        self.record.finding(finding)

    def _view(self, neurons: Indices) -> NeuronPairArray:
        return self.chip.select([int(index) for index in neurons])
