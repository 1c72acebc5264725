"""Neurons that fail in use: found, replaced, silenced, trained through, and when training stops."""

from __future__ import annotations

import numpy as np
import pytest
from test_training_iris import BenchOfOneChip, KeepingSink
from training_chip import TestChip

from labtrain.errors import CheckFailed
from labtrain.training import Context, calibrate
from labtrain.training.afd.mapping import fit_mapping
from labtrain.training.afd.pair_check import PairCheck, check_currents
from labtrain.training.iris_afd import RECIPE

EPOCHS = 6


class FailingChip(TestChip):
    """A chip whose pair ``victim`` fails when the chip has answered ``after`` calls."""

    __test__ = False

    def __init__(self, count: int, kind: str, after: int, victim: int = 1) -> None:
        super().__init__(count)
        self.fate, self.after, self.victim = [kind], after, victim  # lists are shared by all views

    def _read(self, amperes, partner):
        if len(self.calls) > self.after and self.fate:
            self.fail(self.fate.pop())
        return super()._read(amperes, partner)

    def fail(self, kind: str) -> None:
        if kind == "moved":
            self.parameters["i50"] = self.parameters["i50"].copy()
            self.parameters["i50"][2 * self.victim : 2 * self.victim + 2] += 2e-6
        else:
            getattr(self, kind).append(self.victim)


def run(chip: TestChip, sink=None, **settings):
    # Epochs of 2 batches of 2 calls, so the victim dies in the second; checks follow every epoch.
    chosen = {"folds": 2, "hidden": 4, "epochs": EPOCHS, "drift_every": 2} | settings
    sink = sink or KeepingSink()
    return RECIPE.run(Context(bench=BenchOfOneChip(chip), sink=sink, settings=chosen, baseline=False, seed=1))


@pytest.mark.parametrize("kind", ["dead", "stuck"])
def test_a_neuron_that_fails_in_use_is_replaced_by_a_spare(kind):
    sink = KeepingSink()
    result = run(FailingChip(7, kind, after=9), sink)
    (finding,) = result["findings"]
    assert (finding["neuron"], finding["condition"]) == ("neurons[1]", kind)
    assert finding["action"] == "replaced by neurons[4]"
    assert sink.streams["train/iris-afd/findings"].rows == [finding]
    assert "neurons[1]" not in result["neurons"] and "neurons[4]" in result["neurons"]


def test_without_spares_it_is_silenced_and_the_others_train_on():
    result = run(FailingChip(4, "dead", after=9), folds=2, learning_rate=0.1, epochs=20)
    assert [finding["action"] for finding in result["findings"]] == ["silenced", "silenced"]  # in each fold
    assert result["accuracy"] > 80  # three neurons still tell three classes apart


def test_a_curve_that_moved_has_its_mapping_fitted_anew():
    result = run(FailingChip(4, "moved", after=9))
    assert [finding["condition"] for finding in result["findings"]] == ["moved"]


@pytest.mark.parametrize(
    "settings", [{"on_failure": "stop"}, {"on_failure": "silence", "stop_share": 0.2}], ids=str
)
def test_training_stops_with_the_reason(settings):
    with pytest.raises(CheckFailed, match=r"training stopped in epoch \d+: 1 of 4 .*neurons\[1\]"):
        run(FailingChip(7, "dead", after=9), **settings)


@pytest.mark.parametrize("every", [1, 3, 5, 12])
def test_checks_follow_every_so_many_steps_across_epochs(every):
    steps, a_check = 2 * EPOCHS, 2 * 3 * 16 * 4  # both devices, three currents, sixteen times, four pairs
    reads = [run(TestChip(4), drift_every=n)["ledger"]["calibration_reads"] for n in (every, steps + 1)]
    assert reads[0] - reads[1] == 2 * (steps // every) * a_check  # in each of two folds


def test_a_check_in_the_middle_of_an_epoch_finds_what_has_failed_since():
    # The chip is read, the fold's pairs are read and accepted, then a step: the next step sees it dead.
    result = run(FailingChip(7, "dead", after=4), drift_every=1, epochs=1)
    assert [finding["action"] for finding in result["findings"]] == ["replaced by neurons[4]"]


def test_a_steady_chip_gives_no_alarm_on_thirty_chips():
    for seed in range(30):
        chip = TestChip(10, seed=seed)
        mapping = fit_mapping(calibrate(chip, 0.0, 50e-6), 1e-6)
        check = PairCheck(chip, check_currents([mapping]), limit=0.005)
        assert not any(check.moved().any() for _ in range(5))


def test_silenced_neurons_neither_say_nor_learn_anything():
    calibration = calibrate(TestChip(3), 0.0, 50e-6)
    mapping = fit_mapping(calibration, 1e-6).silenced(np.array([False, True, False]))
    assert np.all(mapping.activation(np.ones((2, 3)))[:, 1] == 0)
    assert np.all(mapping.gain(np.ones((2, 3)))[:, 1] == 0)
    assert np.all(mapping.gain(np.ones((2, 3)))[:, [0, 2]] != 0)


def test_states_in_the_record_are_of_the_epochs_asked_for():
    sink = KeepingSink()
    run(TestChip(4), sink, checkpoint_every=3)
    found = {name for name in sink.documents if "/checkpoints/" in name}
    assert found == {
        f"train/iris-afd/checkpoints/fold{fold}-epoch{epoch}" for fold in (0, 1) for epoch in (2, 5)
    }


def test_the_ledger_states_arithmetic_converters_and_energy():
    """4-4-3 on Iris, 2 folds of 75: one is trained on, the other classified; 13 slopes are checked."""
    result = run(TestChip(4))
    ledger, samples = result["ledger"], 2 * EPOCHS * 75
    forward, gradient = 4 * 4 + 4 * 3, 4 * 4 + 2 * 4 * 3
    assert ledger["macs"] == (2 * samples + 13) * forward + (samples + 13) * gradient
    assert ledger["converter_operations"] == 2 * ledger["reads"]
    parts = [ledger[f"{part}_joules"] for part in ("device", "converter", "mac")]
    assert ledger["energy_joules"] == pytest.approx(sum(parts)) and min(parts) > 0


def test_a_saturating_neuron_is_reported_once_and_trained_through():
    result = run(TestChip(4), current_per_unit="50uA")  # a unit of pre-activation spans the whole range
    saturating = [finding for finding in result["findings"] if finding["condition"] == "saturating"]
    assert saturating and {finding["action"] for finding in saturating} == {"through"}
    assert len({(finding["fold"], finding["neuron"]) for finding in saturating}) == len(saturating)
    assert result["ledger"]["clipped_biases"] > 0
