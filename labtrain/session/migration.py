"""Sessions of an older schema as files of the present one; the old file is never written to.

Each step is a function of an open HDF5 file that brings it from one version to the next. Files of
this major version are read as they are, so that migrating is for archives and other programs.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from labtrain.errors import RecordError, UsageError
from labtrain.session.file_seal import add_seal, check_seal, drop_seal
from labtrain.session.recording import Recording
from labtrain.session.sealing import SCHEMA_VERSION


def migrate(path: Path, out: Path) -> Path:
    """Write the session ``path`` to ``out`` in the present schema; data and ``journal_digest`` stay.

    Raises
    ------
    DataError
        When ``path`` is no intact session, or of a newer major schema.
    UsageError
        When ``out`` exists.
    RecordError
        When ``out`` cannot be written.
    """
    path, out = Path(path), Path(out)
    with Recording.open(path) as recording:
        version = recording.schema_version
    if out.exists():
        raise UsageError(f"{out} exists", file=out, remedy="choose another file")
    draft = out.with_name(out.name + ".migrating")
    try:
        shutil.copyfile(path, draft)
        drop_seal(draft)
        with h5py.File(draft, "r+") as file:
            while version in STEPS:
                version = STEPS[version](file)
                file.attrs["schema_version"] = version
        add_seal(draft)
        check_seal(draft)
        os.replace(draft, out)
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        raise RecordError(f"cannot be written: {error.strerror or error}", file=out) from error
    return out


def _stop_says_more(file: h5py.File) -> str:
    """1.0 to 1.1: the stop record names the interrupt and the error; the bench's clock has pairs."""
    stop: dict[str, Any] | None = json.loads(file["session/stop"].asstr()[()])
    if stop is not None:
        _replace_text(file, "session/stop", json.dumps({"interrupted_after": None, "error": None, **stop}))
    file["session/bench_clock"] = np.zeros((0, 2), np.int64)
    file["session/bench_clock"].attrs.update(columns="utc_ns, mono_ns", units="ns")
    return "1.1"


def _replace_text(file: h5py.File, name: str, text: str) -> None:
    del file[name]
    file.create_dataset(name, data=text, dtype=h5py.string_dtype())


STEPS: dict[str, Callable[[h5py.File], str]] = {"1.0": _stop_says_more}
"""Version -> the step that leads on from it; each returns the version it leads to."""

PRESENT = ".".join(map(str, SCHEMA_VERSION))
