"""A source meter's rig, ready to source; what the tests of its role share."""

from __future__ import annotations

from instruments_rigs import MeterRig

from labtrain.roles import SourceMeter

TOLERANCE = 1.002
"""The virtual 2450's own source errors: gain within 0.02 %, offset within a millivolt's part."""
OFFSET_VOLTS = 1e-3


def volts_ready(rig: MeterRig) -> SourceMeter:
    rig.meter.configure("voltage", 0.5, 60e-6, 60e-6, 0.1)
    rig.meter.output_enabled = True
    return rig.meter


def amperes_ready(rig: MeterRig) -> SourceMeter:
    rig.meter.configure("current", 60e-6, 0.5, 0.5, 0.1)
    rig.meter.output_enabled = True
    return rig.meter
