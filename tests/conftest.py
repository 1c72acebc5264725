"""What every test shares: a state directory of its own and the data sets' place."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "labtrain", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("labtrain")

ROOT = Path(__file__).resolve().parent.parent

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell leaves it for jobs in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _own_state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Locks and logbooks of a test stay out of the user's own."""
    monkeypatch.setenv("LABTRAIN_STATE", str(tmp_path_factory.mktemp("state")))


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder with MNIST and measured device data; skips with the reason where there is none."""
    named = os.environ.get("LABTRAIN_DATA")
    place = Path(named) if named else ROOT.parent / "shared" / "data"
    if not place.is_dir():
        pytest.skip(f"no data sets: neither $LABTRAIN_DATA nor {place} is a folder")
    return place
