"""What can happen to a reading, in the same bits everywhere."""

from __future__ import annotations

from enum import IntFlag


class Flag(IntFlag):
    """What happened to a reading; every array uses the same bits (uint8)."""

    NONE = 0
    COMPLIANCE = 1
    CLIPPED = 2
    OVERRANGE = 4
    DEAD = 8
    STUCK = 16
    DRIFTED = 32
