"""The settings that every EaPU recipe shares, and the optimiser that they describe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from labtrain.training.eapu.belief import threshold_of
from labtrain.training.eapu.cells import NoisyIncrements
from labtrain.training.eapu.optimiser import EaPU
from labtrain.training.eapu.rules import Accumulator, EveryStep, FixedThreshold, Probabilistic, WriteRule
from labtrain.training.recipes import Context
from labtrain.training.settings import Setting

IDEAL = "ideal"

INNER_SETTINGS = (
    Setting(
        "optimiser", "choice", "adam", "the inner optimiser", choices=("sgd", "adam", "adamw", "rmsprop")
    ),
    Setting("momentum", "quantity", 0.9, "of sgd", low=0.0, high=0.9999),
    Setting("weight_decay", "quantity", 0.0, "of the inner optimiser", low=0.0, high=1.0),
)

_RULES = (Probabilistic.name, EveryStep.name, FixedThreshold.name, Accumulator.name)
RULE = Setting(
    "rule",
    "choice",
    Probabilistic.name,
    "probabilistic: EaPU as published; noise-only, deterministic, mixed-precision: its controls",
    choices=_RULES,
)

SIEMENS_PER_UNIT = Setting(
    "siemens_per_unit", "quantity", 80e-6, "a weight of 1", unit="siemens", low=1e-9, high=1e-2
)

PUBLISHED_DEVICE_SETTINGS = (
    Setting(
        "rule",
        "choice",
        Probabilistic.name,
        f"{RULE.doc}; ideal: every step written without error",
        choices=(*_RULES, IDEAL),
    ),
    Setting(
        "write_noise",
        "quantity",
        0.025,
        "standard deviation of a write, in units of the weights (published: 2 uS at 80 uS a unit)",
        low=0.0,
        high=10.0,
    ),
    Setting(
        "threshold",
        "quantity",
        None,
        "smallest change that is written, in units of the weights; if not given, the write noise: the twin's",
        low=1e-9,
        high=10.0,
    ),
    SIEMENS_PER_UNIT,
    Setting(
        "target",
        "choice",
        "weight",
        "what a write starts from: the weight as it is (errors add up, as published), or a digital copy",
        choices=("weight", "copy"),
    ),
    *INNER_SETTINGS,
)

DEFAULT_THRESHOLD = 0.025


def inner_optimiser(
    network: torch.nn.Module, rate: float, settings: Mapping[str, Any]
) -> torch.optim.Optimizer:
    """Return the inner optimiser of a network: the whole of the baseline's."""
    parameters, decay = network.named_parameters(), settings["weight_decay"]
    if settings["optimiser"] == "sgd":
        return torch.optim.SGD(parameters, lr=rate, momentum=settings["momentum"], weight_decay=decay)
    kinds = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "rmsprop": torch.optim.RMSprop}
    return kinds[settings["optimiser"]](parameters, lr=rate, weight_decay=decay)


def write_rule(name: str, threshold: float) -> WriteRule:
    """Return the rule of that name."""
    thresholded = {rule.name: rule for rule in (Probabilistic, FixedThreshold, Accumulator)}
    return thresholded[name](threshold) if name in thresholded else EveryStep()


def device_optimiser(network: torch.nn.Module, context: Context) -> EaPU:
    """Wrap the inner optimiser; every matrix of ``network`` is on devices of the published kind."""
    settings = context.settings
    sigma = 0.0 if settings["rule"] == IDEAL else settings["write_noise"]
    matrices = [tensor for tensor in network.parameters() if tensor.dim() > 1]
    cells = {
        tensor: NoisyIncrements(sigma, from_copy=settings["target"] == "copy", count_cells=True)
        for tensor in matrices
    }
    threshold = threshold_of(context, settings["write_noise"] or DEFAULT_THRESHOLD)
    inner = inner_optimiser(network, settings["learning_rate"], settings)
    rule = write_rule(settings["rule"], threshold)
    return EaPU(inner, rule=rule, cells=cells, seed=context.seed)
