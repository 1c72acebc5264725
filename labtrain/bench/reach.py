"""What a wired array may ask of its bench."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from labtrain.bench.pulse_path import PulsePath
from labtrain.bus import RecordedClock
from labtrain.roles.source_meter import SourceMeter


@dataclass(frozen=True, slots=True)
class Reach:
    """``Bench.route``, ``Bench.pulse_path`` and the bench's clock."""

    route: Callable[[str, str], AbstractContextManager[SourceMeter]]
    pulse_path: Callable[[str, str], PulsePath]
    clock: RecordedClock
