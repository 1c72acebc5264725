"""What a source meter's channel is set to, function by function."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Source:
    """Settings of one source function; ``limit`` is of the other quantity."""

    limit: float
    range: float
    level: float = 0.0
    auto: bool = True
    delay: float = 0.0
    delay_auto: bool = True
    readback: bool = True
    off_state: str = "NORM"


@dataclass(slots=True)
class Sense:
    """Settings of one measure function."""

    range: float
    auto: bool = True
    nplc: float = 1.0
    remote: bool = False
