"""The settings that every recipe with device neurons shares."""

from __future__ import annotations

from labtrain.training.afd.care import POLICIES
from labtrain.training.afd.estimators import ESTIMATORS, SurrogateEstimator
from labtrain.training.settings import Setting

CHOICES = (*ESTIMATORS, SurrogateEstimator.name)

DEVICE_SETTINGS = (
    Setting("estimator", "choice", "calibrated-pair", "how slopes are found", choices=CHOICES),
    Setting("delta_current", "quantity", 1e-6, "dI between the two reads of a pair", "ampere", 1e-9, 1e-3),
    Setting("lowest_current", "quantity", 0.0, "lower end of the bias range", "ampere", -1e-2, 1e-2),
    Setting(
        "highest_current",
        "quantity",
        None,
        "upper end of the bias range (default: all that the array allows)",
        "ampere",
        -1e-2,
        1e-2,
    ),
    Setting(
        "current_per_unit",
        "quantity",
        None,
        "kappa: current a unit of pre-activation (default: found from the calibration read)",
        "ampere",
        1e-9,
        1e-3,
    ),
    Setting("calibration_points", "integer", 64, "currents of the calibration read", low=16, high=2000),
    Setting("calibration_repeats", "integer", 4, "readings averaged at each of them", low=1, high=1000),
    Setting(
        "drift_every",
        "integer",
        None,
        "steps between checks of the reference resistor and the pairs (default: five epochs of them)",
        low=1,
        high=1_000_000_000,
    ),
    Setting(
        "drift_limit", "quantity", 0.005, "relative change that has the offsets measured again", low=0, high=1
    ),
    Setting(
        "on_failure",
        "choice",
        POLICIES[0],
        "what becomes of a neuron found dead or stuck in use",
        choices=POLICIES,
    ),
    Setting(
        "stop_share", "quantity", 0.25, "share of failed neurons above which training stops", low=0, high=1
    ),
    Setting("mismatch", "quantity", None, "of a chip without a bench (default 0.05)", low=0, high=0.5),
    Setting("read_noise", "quantity", None, "of a chip without a bench (default 0.1 mV)", "volt", 0, 0.1),
    Setting(
        "converter_bits",
        "integer",
        None,
        "of a chip without a bench, over +-0.5 V (default 0: not quantised)",
        low=0,
        high=32,
    ),
    Setting("aperture", "quantity", None, "of a chip without a bench (default 0.2 ms)", "second", 1e-9, 10),
)
SIMULATION_SETTINGS = ("mismatch", "read_noise", "aperture", "converter_bits")
