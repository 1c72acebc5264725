"""A session's checkpoints as files that ``torch.load`` opens with its default (weights only)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from labtrain.session import Recording
from labtrain.session.checkpoint import state_names
from labtrain.training.checkpoints import read_checkpoint
from labtrain.training.state import as_tensors

_CHECKPOINT = re.compile(r"(?P<run>.+?)/checkpoints/(?P<step>[^/]+)(/(?P<part>.+))?")


def to_checkpoint(recording: Recording, folder: Path) -> list[Path]:
    """Write one ``.pt`` a checkpoint: its state, with ``"session"``, ``"uuid"``, ``"run"``, ``"checkpoint"``.

    ``network.load_state_dict(torch.load(file)["model"])`` puts the weights back, bit for bit. A state that is
    no mapping stands under ``"state"``.
    """
    files = []
    for run, step, state in (*_states(recording), *_weights(recording)):
        content = state if isinstance(state, Mapping) else {"state": state}
        origin = {"session": recording.path.name, "uuid": recording.uuid, "run": run, "checkpoint": step}
        files.append(folder / f"{run.replace('/', '.')}.{step}.pt")
        torch.save({**content, **origin}, files[-1])
    return files


def _states(recording: Recording) -> Iterator[tuple[str, str, Any]]:
    for name in state_names(recording):
        if match := _CHECKPOINT.fullmatch(name):
            run, step = match["run"], match["step"]
            yield run, step, as_tensors(read_checkpoint(recording, run, step))


def _weights(recording: Recording) -> Iterator[tuple[str, str, Any]]:
    """Checkpoints of weights alone: arrays under a checkpoint's name, without a document of their shape."""
    whole = tuple(f"{name}/" for name in state_names(recording))
    found: dict[tuple[str, str], dict[str, torch.Tensor]] = defaultdict(dict)
    for name in recording.array_names():
        match = _CHECKPOINT.fullmatch(name)
        if match and match["part"] and not name.startswith(whole):
            found[match["run"], match["step"]][match["part"]] = torch.from_numpy(recording.array(name).copy())
    for (run, step), model in found.items():
        yield run, step, {"model": model}
