"""Names of numbers below ``smua`` and ``smub``: ``smua.OUTPUT_ON`` (Reference Manual 2600BS-901-01)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

CONSTANTS: Final[Mapping[str, float]] = {
    "OUTPUT_DCAMPS": 0.0, "OUTPUT_DCVOLTS": 1.0, "OUTPUT_OFF": 0.0, "OUTPUT_ON": 1.0, "OUTPUT_HIGH_Z": 2.0,
    "OUTPUT_NORMAL": 0.0, "OUTPUT_ZERO": 1.0, "SENSE_LOCAL": 0.0, "SENSE_REMOTE": 1.0,
    "AUTORANGE_OFF": 0.0, "AUTORANGE_ON": 1.0, "AUTOZERO_OFF": 0.0, "AUTOZERO_ONCE": 1.0,
    "AUTOZERO_AUTO": 2.0, "DISABLE": 0.0, "ENABLE": 1.0, "SOURCE_IDLE": 0.0, "SOURCE_HOLD": 1.0,
    "LIMIT_AUTO": 0.0, "DELAY_OFF": 0.0, "DELAY_AUTO": -1.0, "FILTER_OFF": 0.0, "FILTER_ON": 1.0,
    "REL_OFF": 0.0, "REL_ON": 1.0, "FILTER_MOVING_AVG": 0.0, "FILTER_REPEAT_AVG": 1.0, "FILTER_MEDIAN": 2.0,
    "FILL_ONCE": 0.0, "FILL_WINDOW": 1.0, "SETTLE_SMOOTH": 0.0, "SETTLE_FAST_RANGE": 1.0,
    "SETTLE_FAST_POLARITY": 2.0, "SETTLE_DIRECT_IRANGE": 3.0, "SETTLE_SMOOTH_100NA": 4.0,
    "SETTLE_FAST_ALL": 128.0, "OE_NONE": 0.0, "OE_OUTPUT_OFF": 1.0,
}  # fmt: skip
