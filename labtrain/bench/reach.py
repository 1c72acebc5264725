"""What a wired array may ask of its bench."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from labtrain.bench.pulse_path import PulsePath
from labtrain.roles.digitizer import Digitizer
from labtrain.roles.source_meter import SourceMeter


@dataclass(frozen=True, slots=True)
class Reach:
    """``Bench.route``, ``Bench.pulse_path`` and ``Bench.digitizer``."""

    route: Callable[[str, str], AbstractContextManager[SourceMeter]]
    pulse_path: Callable[[str, str], PulsePath]
    digitizer: Callable[[str], Digitizer]
