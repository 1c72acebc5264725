"""Every model of source meter, over every mount."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from instruments_calls import mounted
from instruments_meters import METERS, Meter
from instruments_rigs import MeterRig


@pytest.fixture(params=METERS, ids=str)
def facts(request: pytest.FixtureRequest) -> Meter:
    return request.param


@pytest.fixture(params=["in-process", "tcp", "replayed"])
def rig(request: pytest.FixtureRequest, facts: Meter, tmp_path: Path) -> Iterator[MeterRig]:
    with mounted(lambda stage: MeterRig(stage=stage, facts=facts), request.param, tmp_path) as rig:
        yield rig
