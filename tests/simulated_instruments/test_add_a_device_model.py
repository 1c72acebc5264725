"""docs/add-a-device-model.md, followed step by step: files written, installed by pip, commands run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from followed_pages import FollowedPage

from labtrain.session import Recording


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> FollowedPage:
    return FollowedPage("add-a-device-model.md", tmp_path_factory.mktemp("acme"))


def test_the_page_can_be_followed_and_the_device_obeys_its_equation(followed: FollowedPage) -> None:
    said = {words[0]: followed.labtrain(*words) for words in followed.commands()}
    assert list(said) == ["bench", "run", "replay"]
    assert said["run"]["status"] == "complete" and said["replay"]["identical"] is True
    volts, amperes = measured(followed.folder / "parts.h5")
    # Of I = (V / R) (1 + (V / V0)^2), fitted as two linear terms, the page's knee must come back.
    linear, cubic = np.linalg.lstsq(np.stack([volts, volts**3], axis=1), amperes, rcond=None)[0]
    assert (linear / cubic) ** 0.5 == pytest.approx(0.2, rel=0.02)
    assert 1 / linear == pytest.approx(10e3, rel=0.3)


def measured(file: Path) -> tuple[np.ndarray, np.ndarray]:
    with Recording.open(file) as recording:
        (name,) = recording.stream_names()
        columns = recording.rows(name).columns
    assert not np.any(columns["flags"])
    return np.asarray(columns["volts"]), np.asarray(columns["amperes"])


LAWS = """
from acme_devices import physics
from acme_devices.model import VARISTOR
from labtrain.arrays.plain import as_numpy
import numpy as np, torch

cells = VARISTOR.draw(3, 8, {"mismatch": 0.1}, "parts")
fewer = VARISTOR.draw(3, 5, {"mismatch": 0.1}, "parts")
assert (cells.parameters["resistance"][:5] == fewer.parameters["resistance"]).all()
one, volts, step = cells.cell(0), np.linspace(-0.4, 0.4, 41), 1e-6
slope = (physics.current(one, volts + step) - physics.current(one, volts - step)) / (2 * step)
assert np.allclose(slope, physics.conductance(one, volts), rtol=1e-6)
assert np.array_equal(physics.current(one, volts), as_numpy(physics.current(one, torch.from_numpy(volts))))
"""


def test_the_model_keeps_the_laws_of_the_page(followed: FollowedPage) -> None:
    done = followed.run("-c", LAWS)
    assert done.returncode == 0, done.stderr
