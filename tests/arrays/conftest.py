"""A sink that keeps exchanges in memory, standing for a session and its recording."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from labtrain.session.sink import NullSink


@dataclass
class Exchange:
    seq: int
    verb: str
    inputs: dict
    outputs: dict


@dataclass
class MemoryRecord(NullSink):
    kept: dict = field(default_factory=dict)
    _seq: int = 0

    def exchange(self, array, verb, inputs, outputs):
        self._seq += 1
        copies = [{name: np.array(value) for name, value in side.items()} for side in (inputs, outputs)]
        self.kept.setdefault(array, []).append(Exchange(self._seq, verb, *copies))

    def exchanges(self, array):
        return self.kept.get(array, [])


@pytest.fixture
def record():
    return MemoryRecord()
