"""A session's checkpoints as files that ``torch.load`` opens with its default (weights only)."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import torch

from labtrain.session import Recording

_CHECKPOINT = re.compile(r"(?P<run>.+)/checkpoints/(?P<step>[^/]+)/(?P<part>.+)")


def to_checkpoint(recording: Recording, folder: Path) -> list[Path]:
    """Write one ``.pt`` a checkpoint: ``{"model": {name: tensor}, "session", "uuid", "run", "checkpoint"}``.

    ``network.load_state_dict(torch.load(file)["model"])`` puts the weights back, bit for bit.
    """
    found: dict[tuple[str, str], dict[str, torch.Tensor]] = defaultdict(dict)
    for name in recording.array_names():
        if match := _CHECKPOINT.fullmatch(name):
            found[match["run"], match["step"]][match["part"]] = torch.from_numpy(recording.array(name).copy())
    files = []
    for (run, step), model in found.items():
        files.append(folder / f"{run.replace('/', '.')}.{step}.pt")
        origin = {"session": recording.path.name, "uuid": recording.uuid, "run": run, "checkpoint": step}
        torch.save({"model": model, **origin}, files[-1])
    return files
