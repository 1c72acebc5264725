"""A checkpoint gives back the state that was noted, bit for bit and type for type."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from session_operations import plain_arrays, same

from labtrain.errors import DataError, UsageError
from labtrain.session import Recording, Replay, Session, recover
from labtrain.session.checkpoint import note_state, read_state, state_names
from labtrain.session.export import export
from labtrain.training import checkpoint, read_checkpoint
from labtrain.training.checkpoints import checkpoints

RUN = "train/x"
DTYPES = [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.uint8, torch.bool]
tensors = st.builds(
    lambda bits, dtype, shape: torch.tensor(bits[: math.prod(shape)], dtype=dtype).reshape(shape),
    st.lists(st.integers(0, 1), min_size=12, max_size=12),
    st.sampled_from(DTYPES),
    st.sampled_from([(), (0,), (3,), (2, 3), (1, 2, 3)]),
)
texts = st.text(st.characters(), max_size=8)
leaves = st.none() | st.booleans() | st.integers() | st.floats() | texts | plain_arrays | tensors
keys = texts | st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False)
states = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(keys, inner, max_size=3)
    ),
    max_leaves=8,
)


def equal(a: Any, b: Any) -> bool:
    """Equal in value, type and every bit; floats that are no number equal one another."""
    if isinstance(a, torch.Tensor):
        return isinstance(b, torch.Tensor) and a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and same(a, b)
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        alike = [(type(k), k) for k in a] == [(type(k), k) for k in b]
        return alike and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(equal, a, b))
    return repr(a) == repr(b)


def noted(folder: Any, *states: Any, step: Any = 1) -> Recording:
    with Session.create(folder / "run.h5", start={}) as session:
        for state in states:
            checkpoint(session, RUN, step, state)
    return Recording.open(folder / "run.h5")


@settings(max_examples=20)
@given(state=states)
def test_any_state_comes_back(tmp_path_factory, state) -> None:
    with noted(tmp_path_factory.mktemp("state"), state) as recording:
        assert equal(read_checkpoint(recording, RUN), state)
        replay = Replay(recording)
        checkpoint(replay.sink, RUN, 1, state)
        assert replay.finish().identical


def trained(steps: int) -> tuple[torch.nn.Module, torch.optim.Optimizer, Any]:
    torch.manual_seed(1)
    network = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Tanh(), torch.nn.Linear(3, 2))
    optimiser = torch.optim.Adam(network.parameters(), lr=0.01, amsgrad=True)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 10)
    go_on(network, optimiser, scheduler, range(steps))
    return network, optimiser, scheduler


def go_on(network: Any, optimiser: Any, scheduler: Any, steps: range) -> None:
    for step in steps:
        x = torch.arange(8.0).reshape(2, 4) + step
        optimiser.zero_grad()
        network(x).square().mean().backward()
        optimiser.step()
        scheduler.step()


def test_a_training_goes_on_from_it_to_the_same_bits(tmp_path) -> None:
    parts = trained(4)
    state = {name: part.state_dict() for name, part in zip(("model", "optimiser", "lr"), parts, strict=True)}
    with noted(tmp_path, {**state, "generator": torch.get_rng_state()}) as recording:
        found = read_checkpoint(recording, RUN)
        (file,) = export(recording, "checkpoint", tmp_path / "pt")
    assert equal(torch.load(file)["optimiser"]["state"][0], found["optimiser"]["state"][0])
    assert torch.equal(torch.get_rng_state(), found["generator"])
    again = trained(0)
    for part, name in zip(again, ("model", "optimiser", "lr"), strict=True):
        part.load_state_dict(found[name])
    go_on(*again, range(4, 7))
    whole = trained(7)
    assert all(map(torch.equal, again[0].parameters(), whole[0].parameters()))


@given(state=states)
@settings(max_examples=6)
def test_torch_load_reads_what_is_exported_with_its_default(tmp_path_factory, state) -> None:
    folder = tmp_path_factory.mktemp("export")
    with noted(folder, {"nested": state}) as recording:
        (file,) = export(recording, "checkpoint", folder / "pt")
        found = torch.load(file)
        assert (found["uuid"], found["run"], found["checkpoint"]) == (recording.uuid, RUN, "1")
        assert "nested" in found


def test_the_newest_of_a_name_is_read_and_one_cut_short_is_not(tmp_path) -> None:
    session = Session.create(tmp_path / "run.h5", start={})
    for value in (1.0, 2.0):
        checkpoint(session, RUN, "last", {"w": torch.full((3,), value)})
    session.array(f"{RUN}/checkpoints/last/w", np.full(3, 9.0, np.float32))  # killed while a third was noted
    session.array(f"{RUN}/checkpoints/next/w", np.full(3, 9.0, np.float32))
    session._journal.close()
    recover(session.path)
    with Recording.open(session.path) as recording:
        assert checkpoints(recording, RUN) == ["last"]
        assert read_checkpoint(recording, RUN)["w"].tolist() == [2.0] * 3


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes", {"a": [object()]}, {(1, 2): 3}, 1j])
def test_what_cannot_be_kept_is_refused_with_its_place(tmp_path, value) -> None:
    with Session.create(tmp_path / "run.h5", start={}) as session:
        with pytest.raises(UsageError, match=f"{RUN}/checkpoints/1/here.* which no checkpoint keeps"):
            checkpoint(session, RUN, 1, {"here": value})
    with Recording.open(tmp_path / "run.h5") as recording:
        assert state_names(recording) == []
        with pytest.raises(DataError, match="no checkpoint"):
            read_checkpoint(recording, RUN)


def test_numpy_states_need_no_torch(tmp_path) -> None:
    state = {"counts": np.arange(3), "mean": np.float32(0.1), "name": "chip 7"}
    with Session.create(tmp_path / "run.h5", start={}) as session:
        note_state(session, "world/checkpoints/0", state)
        checkpoint(session, RUN, 0, torch.zeros(2))
    with Recording.open(session.path) as recording:
        found = read_state(recording, "world/checkpoints/0")
        assert type(found["mean"]) is np.float32 and equal(found["counts"], state["counts"])
        with pytest.raises(DataError, match="read_checkpoint"):
            read_state(recording, f"{RUN}/checkpoints/0")
