"""Distillation: the loss, and the recipe on a small image set."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from test_training_datasets import place

from labtrain.training import Context
from labtrain.training.distillation import Distillation, parameter_count, scores_of
from labtrain.training.mnist_afd_distill import RECIPE
from labtrain.training.networks import tanh_perceptron

SCORES = torch.linspace(-3, 3, 20, dtype=torch.float64).reshape(5, 4)
LABELS = torch.tensor([0, 1, 2, 3, 0])
BATCH = np.array([1, 3])


def test_without_a_teacher_it_is_cross_entropy():
    loss = Distillation(SCORES, LABELS, temperature=2.0, share=0.0)
    asked = torch.randn(2, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    torch.testing.assert_close(loss(asked, BATCH), torch.nn.functional.cross_entropy(asked, LABELS[BATCH]))


@given(temperature=st.floats(0.5, 20.0))
def test_the_teachers_own_scores_cost_nothing_and_pull_nowhere(temperature):
    loss = Distillation(SCORES, LABELS, temperature, share=1.0)
    asked = SCORES[BATCH].clone().requires_grad_()
    value = loss(asked, BATCH)
    value.backward()
    assert abs(value.item()) < 1e-12
    assert asked.grad.abs().max().item() < 1e-12


def test_a_high_temperature_matches_scores_up_to_a_constant():
    """The gradient is then that of half the squared distance of centred scores over the classes (2.1)."""
    loss = Distillation(SCORES, LABELS, 1000.0, share=1.0)
    asked = torch.tensor([[1.0, -2.0, 0.5, 0.5], [0.0, 1.0, 2.0, -3.0]], dtype=torch.float64).requires_grad_()
    loss(asked, BATCH).backward()
    taught = SCORES[BATCH] - SCORES[BATCH].mean(dim=1, keepdim=True)
    torch.testing.assert_close(asked.grad, (asked.detach() - taught) / (4 * 2), rtol=1e-2, atol=1e-4)


def test_scores_are_those_of_eval_mode_in_the_samples_order():
    network = tanh_perceptron((3, 5, 4), torch.float64)
    x = torch.linspace(-1, 1, 21, dtype=torch.float64).reshape(7, 3)
    torch.testing.assert_close(scores_of(network, x, batch_size=2), network(x).detach())
    assert parameter_count(network) == 3 * 5 + 5 + 5 * 4 + 4


@pytest.mark.parametrize("baseline", [True, False])
def test_a_student_learns_from_its_teacher(tmp_path, baseline):
    place(tmp_path)
    settings = {"hidden": 2, "teacher_hidden": "16x16", "epochs": 2, "teacher_epochs": 2, "batch_size": 50}
    result = RECIPE.run(Context(settings=settings, data_dir=tmp_path, baseline=baseline))
    assert result["gain"] == pytest.approx(result["accuracy"] - result["alone_accuracy"])
    assert result["gap_to_teacher"] == pytest.approx(result["teacher_accuracy"] - result["accuracy"])
    assert result["parameter_ratio"] > 3
    assert (result["baseline_accuracy"] is None) is not baseline
