"""Training on a chip, fold after fold: calibrate, choose neurons, train, watch for drift, record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from labtrain.arrays.neurons import NeuronPairArray
from labtrain.errors import UsageError
from labtrain.training.afd.calibration import Calibration, calibrate, check_range
from labtrain.training.afd.care import NeuronCare
from labtrain.training.afd.chip import open_neurons
from labtrain.training.afd.device_neurons import DeviceNeurons, device_layers
from labtrain.training.afd.device_settings import SIMULATION_SETTINGS
from labtrain.training.afd.drift import DriftWatch, has_reference
from labtrain.training.afd.estimators import SlopeEstimator, SurrogateEstimator, make_estimator
from labtrain.training.afd.gradients import GradientCheck, check_gradients
from labtrain.training.afd.health import Health, assess
from labtrain.training.afd.mapping import fit_mapping
from labtrain.training.afd.pair_check import PairCheck, check_currents
from labtrain.training.afd.records import NeuronRecord
from labtrain.training.afd.surrogate import surrogate_from_twin
from labtrain.training.loop import Criterion, Epoch, Schedule, Split, Step, Training
from labtrain.training.networks import perceptron
from labtrain.training.randomness import initialise
from labtrain.training.recipes import Context

CHECKED_EPOCHS = 5
"""Epochs between checks where ``drift_every`` is not set."""


@dataclass
class DeviceTraining:
    """One run of a recipe with device neurons.

    Attributes
    ----------
    sizes
        Of the network, inputs and outputs included.
    array
        The whole chip; ``chosen`` are the neurons used, layer after layer.
    layers
        Every device layer built, of all folds: the ledger is the sum of theirs.
    """

    context: Context
    recipe: str
    sizes: tuple[int, ...]
    dtype: torch.dtype
    array: NeuronPairArray
    health: Health
    chosen: NDArray[np.intp]
    record: NeuronRecord
    drift: DriftWatch | None
    started_ns: int | None
    layers: list[DeviceNeurons] = field(default_factory=list)
    gradient_checks: list[GradientCheck] = field(default_factory=list)
    findings: list[dict[str, object]] = field(default_factory=list)
    retired: set[int] = field(default_factory=set)
    checks: list[PairCheck] = field(default_factory=list)
    calibration_readings: int = 0
    latest: Calibration | None = None

    @classmethod
    def prepare(
        cls, context: Context, recipe: str, sizes: tuple[int, ...], dtype: torch.dtype
    ) -> DeviceTraining:
        """Open the chip, read it once, choose healthy neurons.

        Raises
        ------
        UsageError
            For too few (healthy) devices, or a bias range beyond limits.
        """
        settings, bench = context.settings, context.bench
        count = sum(sizes[1:-1])
        array = open_neurons(context, count, {name: settings[name] for name in SIMULATION_SETTINGS})
        check_range(array.name, array.max_amperes, *bias_range(settings, array))
        _estimator(context, array, ())
        started = bench.clock.now_ns() if bench else None
        calibration = _read(context, array)
        health = assess(calibration)
        chosen = health.choose(count, array.name)
        devices = [f"{array.name}[{index}]" for index in chosen]
        record = NeuronRecord(context.sink, recipe, {"recipe": recipe, "devices": devices})
        drift = None
        if bench and has_reference(bench):
            drift = DriftWatch(bench, context.sink, f"train/{recipe}/drift", settings["drift_limit"])
        run = cls(context, recipe, sizes, dtype, array, health, chosen, record, drift, started)
        run.calibration_readings += calibration.readings
        return run

    def run_fold(
        self,
        fold: int,
        split: Split,
        schedule: Schedule,
        beside: Sequence[Epoch],
        *,
        k: int | None = None,
        criterion: Criterion | None = None,
    ) -> tuple[torch.nn.Sequential, list[Epoch]]:
        """Train one fold; return the network and its epochs.

        Parameters
        ----------
        fold
            Names it in the record, and addresses initial weights and batches where ``k`` is None.
        beside
            The baseline's epochs, empty without one.
        criterion
            The loss; cross entropy if None.
        """
        k = fold if k is None else k
        network = self.build(k)
        care = self.care(network)
        care.begin(fold, device_layers(network), self.latest)
        training = Training(
            network,
            split,
            schedule,
            seed=self.context.seed,
            k=k,
            criterion=criterion,
            processes=self.context.processes,
        )

        state = self.context.processes.of_first(self.record.go_on(fold))
        if state is not None:
            self._take_up(state, training, care)
            self.context.progress.advance(len(training.history), "from its checkpoint")

        every = self.context.settings["drift_every"] or CHECKED_EPOCHS * training.steps_an_epoch

        def after_step(step: Step) -> None:
            self.record.step(fold, step, network)
            if (step.step + 1) % every == 0:
                self.watch(fold, step.epoch, network, care)

        def after_epoch(epoch: Epoch) -> None:
            self.record.epoch(fold, epoch, beside[epoch.epoch] if beside else None)
            care.after_epoch(fold, epoch.epoch, network)
            if schedule.keeps_state(epoch.epoch, self.context.settings["checkpoint_every"]):
                self.record.state(fold, epoch.epoch, self._state(training, care))
            self.context.progress.advance(note=epoch.told())

        history = training.run(after_step, after_epoch)
        self.finish_fold(fold, network)
        return network, history

    def _state(self, training: Training, care: NeuronCare) -> dict[str, Any]:
        """All that a fold needs to go on from the end of an epoch."""
        own = {"calibration_readings": self.calibration_readings, "care": care.state_dict()}
        return {**training.state_dict(), "devices": own}

    def _take_up(self, state: Mapping[str, Any], training: Training, care: NeuronCare) -> None:
        """Take :meth:`_state`'s result back."""
        layers = device_layers(training.network)
        care.load_state_dict(state["devices"]["care"], layers)  # first: it says which pairs the layers have
        training.load_state_dict(state)
        for layer in layers:
            layer.last_look = layer.ledger.copy()
        self.calibration_readings = state["devices"]["calibration_readings"]

    def care(self, network: torch.nn.Module) -> NeuronCare:
        """Begin to look after the neurons of a network."""
        settings, in_use = self.context.settings, self.array.select([int(index) for index in self.chosen])
        currents = check_currents([layer.mapping for layer in device_layers(network)])
        check = PairCheck(in_use, currents, settings["drift_limit"])
        self.checks.append(check)
        return NeuronCare(
            self.array,
            self.chosen,
            self.sizes[1:-1],
            [i for i in self.health.healthy if i not in self.chosen and i not in self.retired],
            self.calibrate,
            lambda array, neurons: _estimator(self.context, array, neurons),
            check,
            self.record,
            settings["on_failure"],
            settings["stop_share"],
            self.findings,
            self.retired,
        )

    def build(self, fold: int) -> torch.nn.Sequential:
        """Build the network of a fold on a fresh calibration read of the chosen neurons."""
        self.latest = calibration = self.calibrate(self.array.select([int(index) for index in self.chosen]))
        kappa = self.context.settings["current_per_unit"]
        layers = []
        for columns in self._columns():
            part, neurons = calibration.columns(columns), [int(index) for index in self.chosen[columns]]
            array = self.array.select(neurons)
            estimator = _estimator(self.context, array, neurons)
            estimator.prepare(part)
            mapping = fit_mapping(part, estimator.delta_amperes, kappa)
            layers.append(DeviceNeurons(array, estimator, mapping))
        self.layers += layers
        network = perceptron(self.sizes, layers, self.dtype)
        initialise(network, self.context.seed, fold)
        return network

    def calibrate(self, neurons: NeuronPairArray) -> Calibration:
        """Read pairs on the calibration grid."""
        calibration = _read(self.context, neurons)
        self.calibration_readings += calibration.readings
        return calibration

    def watch(self, fold: int, epoch: int, network: torch.nn.Module, care: NeuronCare) -> None:
        """Read reference and pairs; where the reference moved, all offsets are measured again."""
        if self.drift is not None and self.drift.moved():
            care.renew(fold, epoch, device_layers(network))
        else:
            care.after_check(fold, epoch, network)

    def finish_fold(self, fold: int, network: torch.nn.Module) -> None:
        """Note the weights; after the first fold compare device slopes with central differences."""
        self.record.checkpoint(fold, network)
        if fold > 0:
            return
        for layer, columns in zip(device_layers(network), self._columns(), strict=True):
            check = check_gradients(layer)
            self.record.gradients([int(index) for index in self.chosen[columns]], check)
            self.gradient_checks.append(check)

    def _columns(self) -> list[NDArray[np.intp]]:
        """Which of the chosen neurons each layer has."""
        return np.split(np.arange(len(self.chosen)), np.cumsum(self.sizes[1:-2]))


def _estimator(context: Context, array: NeuronPairArray, neurons: Sequence[int]) -> SlopeEstimator:
    """Make the estimator of the settings for the neurons of ``array``."""
    settings = context.settings
    if settings["estimator"] == SurrogateEstimator.name:
        return surrogate_from_twin(context.twin, [f"{array.name}[{index}]" for index in neurons])
    if context.twin is not None:
        raise UsageError(
            f"the estimator {settings['estimator']} uses no twin",
            remedy="give estimator=surrogate, or leave the twin out",
            key="twin",
        )
    return make_estimator(settings["estimator"], settings["delta_current"], array.resolution_amperes)


def bias_range(settings: Mapping[str, Any], array: NeuronPairArray) -> tuple[float, float]:
    """Return the lowest and highest current that the settings ask for."""
    highest = settings["highest_current"]
    return settings["lowest_current"], array.max_amperes if highest is None else highest


def _read(context: Context, array: NeuronPairArray) -> Calibration:
    settings = context.settings
    return calibrate(
        array,
        *bias_range(settings, array),
        points=settings["calibration_points"],
        repeats=settings["calibration_repeats"],
    )
