"""Checkpoints of a training in its session: any ``state_dict``, its tensors as datasets, bit for bit.

A checkpoint holds all that decides how a training goes on: weights, optimiser, scheduler, devices with their
counters, generators, the place in the data::

    checkpoint(sink, "train/iris-afd", step, {
        "model": network.state_dict(), "optimiser": optimiser.state_dict(), "epoch": epoch, "step": step,
    })
    state = read_checkpoint(recording, "train/iris-afd")          # the newest
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from labtrain.errors import DataError
from labtrain.session import Recording, Sink
from labtrain.session.checkpoint import Leaf, checkpoint_name, note_state, read_state, state_names

_BITS = {1: torch.uint8, 2: torch.int16}
"""Types of NumPy's that hold the bits of those that NumPy has not (bfloat16, the float8s), by size."""


def checkpoint(sink: Sink, run: str, step: int | str, state: Any) -> None:
    """Note ``state`` as a checkpoint of ``run``; when this returns it would survive a power cut.

    Parameters
    ----------
    run
        Such as ``"train/iris-afd"``.
    step
        Names the checkpoint: a step's number, or ``"fold0-epoch3"``.
    state
        Nested mappings, lists and tuples of tensors, arrays, numbers, texts, booleans and None.

    Raises
    ------
    UsageError
        For anything else in it, naming the place.
    """
    note_state(sink, checkpoint_name(run, step), state, _leaf)


def go_on(sink: Sink, run: str, steps: str = "") -> Any:
    """Return the state from which a resumed run goes on; every other run begins at the beginning: None.

    When this returns, the record has been taken over up to that state.

    Parameters
    ----------
    run, steps
        Whose states, and how the names of those in question begin: ``"fold0-"``.
    """
    ahead = sink.checkpoint_ahead(run, steps)
    if ahead is None:
        return None
    state = read_state(ahead.recording, ahead.name, _tensor)
    ahead.take_over()
    return state


def checkpoints(recording: Recording, run: str) -> list[str]:
    """Return the steps at which a run noted checkpoints, oldest first."""
    head = checkpoint_name(run, "")
    return [name.removeprefix(head) for name in state_names(recording) if name.startswith(head)]


def read_checkpoint(recording: Recording, run: str, step: int | str | None = None) -> Any:
    """Return a checkpoint's state, its tensors on the CPU.

    Parameters
    ----------
    step
        None takes the newest.

    Raises
    ------
    DataError
        When the session holds no such checkpoint.
    """
    known = checkpoints(recording, run)
    if step is None and not known:
        raise DataError(
            f"the session holds no checkpoint of {run!r}",
            file=recording.path,
            remedy="a run notes checkpoints at the end of every epoch",
        )
    return read_state(recording, checkpoint_name(run, known[-1] if step is None else step), _tensor)


def _leaf(value: Any) -> Leaf | None:
    if not isinstance(value, torch.Tensor):
        return None
    plain = value.detach().cpu().resolve_conj().resolve_neg().contiguous()
    try:
        array = plain.numpy()
    except TypeError:
        array = plain.view(_BITS[plain.element_size()]).numpy()
    return Leaf(array, str(value.dtype))


def _tensor(leaf: Leaf) -> torch.Tensor:
    dtype: torch.dtype = getattr(torch, leaf.kind.removeprefix("torch."))
    found = torch.from_numpy(np.array(leaf.value))  # a copy: the record's own is read-only
    return found if found.dtype == dtype else found.view(dtype)
