"""A training stopped anywhere and taken up from its state is the training that never stopped."""

from __future__ import annotations

import io

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_training_fused import make_layer

from labtrain.errors import UsageError
from labtrain.session import Recording, Session
from labtrain.training.checkpoints import checkpoint, read_checkpoint
from labtrain.training.determinism import weights_digest
from labtrain.training.loop import Schedule, Split, Step, Training
from labtrain.training.networks import perceptron
from labtrain.training.randomness import initialise

COUNT = 12
SCHEDULE = Schedule(epochs=3, batch_size=7, learning_rate=0.02)


class Stop(Exception):
    pass


def make(dtype: torch.dtype = torch.float32, width: int = COUNT, schedule: Schedule = SCHEDULE) -> Training:
    network = perceptron((4, width, 3), [make_layer(count=width)], dtype)
    initialise(network, 5, 0)
    x = torch.sin(torch.arange(30 * 4, dtype=dtype)).reshape(30, 4)
    y = torch.arange(30) % 3
    return Training(network, Split(x, y, x[:6], y[:6]), schedule, seed=5)


def stopped_after(training: Training, steps: int) -> None:
    def stop(step: Step) -> None:
        if step.step + 1 == steps:
            raise Stop

    with pytest.raises(Stop):
        training.run(stop)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@settings(max_examples=6, deadline=None)
@given(steps=st.integers(1, 15))
def test_resumed_is_uninterrupted(dtype, steps):
    whole = make(dtype)
    whole.run()
    first, second = make(dtype), make(dtype)
    stopped_after(first, steps)
    file = io.BytesIO()
    torch.save(first.state_dict(), file)
    file.seek(0)
    second.load_state_dict(torch.load(file))
    second.run()
    assert weights_digest(second.network) == weights_digest(whole.network)
    assert second.history == whole.history
    assert second.network[1].array.state_dict() == whole.network[1].array.state_dict()


def test_a_state_goes_through_a_session(tmp_path):
    whole, first, second = make(), make(), make()
    whole.run()
    stopped_after(first, 8)
    with Session.create(tmp_path / "s.h5", start={"command": "train", "seed": 5}) as session:
        checkpoint(session, "train/test", 8, first.state_dict())
    with Recording.open(tmp_path / "s.h5") as recording:
        second.load_state_dict(read_checkpoint(recording, "train/test"))
    second.run()
    assert weights_digest(second.network) == weights_digest(whole.network)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"width": COUNT + 1}, "shapes"),
        ({"schedule": Schedule(4, 7, 0.02)}, "epochs"),
        ({"schedule": Schedule(3, 7, 0.01)}, "learning_rate"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused_and_changes_nothing(change, key):
    other, training = make(**change), make()
    stopped_after(other, 2)
    before = weights_digest(training.network), training.network[1].array.state_dict()
    with pytest.raises(UsageError, match="another training") as caught:
        training.load_state_dict(other.state_dict())
    assert caught.value.key == key
    assert (weights_digest(training.network), training.network[1].array.state_dict()) == before
