"""A training's result: the fields that ``labtrain train`` promises, and the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from labtrain.training.afd.chip import SIMULATED
from labtrain.training.afd.costs import counted_costs
from labtrain.training.afd.device_training import DeviceTraining
from labtrain.training.afd.gradients import pooled_cosine, pooled_rmse


def training_result(
    training: DeviceTraining,
    split: str,
    accuracies: Sequence[float],
    baselines: Sequence[float | None],
    train_seconds: float,
    more: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Gather the result and note it in the record as ``result/<recipe>``.

    ``more`` are fields of the recipe's own. Wall-clock ``train_seconds`` is returned but not noted: a replay
    compares what is noted.
    """
    context = training.context
    conventional = [accuracy for accuracy in baselines if accuracy is not None]
    name = training.array.name
    result = {
        "recipe": training.recipe,
        "seed": context.seed,
        "split": split,
        "accuracy": fmean(accuracies),
        "accuracies": list(accuracies),
        "baseline_accuracy": fmean(conventional) if conventional else None,
        "baseline_accuracies": conventional,
        "gradient_cosine": pooled_cosine(training.gradient_checks),
        "gradient_rmse": pooled_rmse(training.gradient_checks),
        "estimator": context.settings["estimator"],
        "neurons": [f"{name}[{index}]" for index in training.chosen],
        "dead": [f"{name}[{index}]" for index in training.health.dead],
        "stuck": [f"{name}[{index}]" for index in training.health.stuck],
        "findings": training.findings,
        "drift_alarms": training.drift.alarms if training.drift else None,
        "ledger": ledger(training),
        **(more or {}),
    }
    context.sink.document(f"result/{training.recipe}", result)
    return {**result, "train_seconds": train_seconds}


def ledger(training: DeviceTraining) -> dict[str, float]:
    """Sum what all layers asked of the devices, and what it costs (:mod:`labtrain.training.afd.costs`).

    ``reads`` counts readings of one device, calibration included; ``flagged_reads`` those that came back
    flagged. ``latency_seconds`` is what the readings last one after the other at the aperture.
    ``bench_seconds`` is the bench's clock: settling, relays and messages included.
    """
    aperture = training.context.settings["aperture"] or SIMULATED["aperture"]
    calibration_reads = training.calibration_readings + sum(check.readings for check in training.checks)
    ledgers = [layer.ledger for layer in training.layers]
    reads = calibration_reads + sum(one.reads for one in ledgers)
    counts: dict[str, float] = {
        "reads": reads,
        "calibration_reads": calibration_reads,
        "flagged_reads": sum(int(one.tally.flagged.sum()) for one in ledgers),
        "clipped_biases": sum(int(one.tally.clipped.sum()) for one in ledgers),
        "latency_seconds": reads * aperture,
    }
    first = ledgers[:: max(len(training.sizes) - 2, 1)]  # of each network its first device layer
    counts |= counted_costs(
        training.sizes,
        sum(one.responses for one in first),
        sum(one.trained for one in first),
        reads,
        aperture * sum(float(one.tally.watts.sum()) for one in ledgers),
    )
    bench = training.context.bench
    if bench is not None and training.started_ns is not None:
        counts["bench_seconds"] = (bench.clock.now_ns() - training.started_ns) / 1e9
    return counts
