"""Slopes from a twin that was fitted to recorded readings of the same chip."""

from __future__ import annotations

import numpy as np
import pytest
from training_chip import TestChip

from labtrain.errors import UsageError
from labtrain.physics import neuron
from labtrain.training import Context
from labtrain.training.afd.gradients import cosine
from labtrain.training.afd.surrogate import surrogate_from_twin
from labtrain.training.iris_afd import RECIPE
from labtrain.twins import Twin, fit_nano_neuron

CURRENTS = np.linspace(0.5e-6, 50e-6, 120)


@pytest.fixture(scope="module")
def twin_file(tmp_path_factory):
    chip = TestChip(2, seed=3)
    volts = chip.respond(np.repeat(CURRENTS[:, None], 2, axis=1)).volts
    fits = {f"neurons[{j}]": fit_nano_neuron(CURRENTS, volts[:, j]) for j in range(2)}
    return str(Twin.from_fits(fits).write(tmp_path_factory.mktemp("twin") / "chip.toml"))


def test_the_twin_slopes_are_those_of_the_devices(twin_file):
    """The belief came from 120 noisy readings a device; the order of the names is that of the columns."""
    chip, amperes = TestChip(2, seed=3), np.repeat(np.linspace(20e-6, 40e-6, 41)[:, None], 2, axis=1)
    believed = surrogate_from_twin(twin_file, ["neurons[1]", "neurons[0]"]).respond(chip, amperes).ohms
    truth = neuron.slope(chip._devices(0), amperes)
    assert cosine(believed[:, ::-1], truth) > 0.99


def test_devices_without_a_twin_are_named(twin_file):
    with pytest.raises(UsageError, match=r"neurons\[7\]"):
        surrogate_from_twin(twin_file, ["neurons[0]", "neurons[7]"])


def test_surrogate_without_a_twin_and_a_twin_without_surrogate_are_refused(twin_file):
    with pytest.raises(UsageError, match="needs a twin"):
        RECIPE.run(Context(settings={"estimator": "surrogate"}))
    with pytest.raises(UsageError, match="uses no twin"):
        RECIPE.run(Context(twin=twin_file))
