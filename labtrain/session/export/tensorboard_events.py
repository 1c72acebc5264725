"""TensorBoard: every stream that counts steps or epochs, a curve a column (and fold)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from labtrain.session.export import need
from labtrain.session.recording import Recording, Rows

_COUNTERS = ("step", "epoch")
_SPLIT_BY = "fold"


def to_tensorboard(recording: Recording, folder: Path) -> list[Path]:
    """Write an event file for ``tensorboard --logdir FOLDER``.

    Rows carry no wall time (a replay could not repeat it), so that all points bear the session's creation.
    """
    writer_module = need("tensorboardX", "tensorboardX", "tensorboard")
    created = datetime.fromisoformat(recording.created_utc).timestamp()
    before = set(folder.iterdir())
    streams = [(name, recording.rows(name)) for name in recording.stream_names()]
    counted = [(name, rows) for name, rows in streams if set(_COUNTERS) & rows.columns.keys()]
    if counted:
        with writer_module.SummaryWriter(str(folder)) as writer:
            for name, rows in counted:
                for tag, value, step in curves(name, rows):
                    writer.add_scalar(tag, value, step, walltime=created)
    return sorted(set(folder.iterdir()) - before)


def curves(name: str, rows: Rows) -> Iterator[tuple[str, float, int]]:
    """Yield ``(tag, value, step)`` of every finite number in a stream that counts steps or epochs."""
    counter = next(known for known in _COUNTERS if known in rows.columns)
    steps = rows.columns[counter].tolist()
    folds = rows.columns[_SPLIT_BY].tolist() if _SPLIT_BY in rows.columns else [None] * len(steps)
    for column, values in rows.columns.items():
        if values.dtype.kind != "f":
            continue
        for value, step, fold in zip(values.tolist(), steps, folds, strict=True):
            if math.isfinite(value):
                yield f"{name}/{column}" + ("" if fold is None else f"/fold_{fold}"), value, step
