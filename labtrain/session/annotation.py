"""An operator's note on a sealed session: a new file replaces the old one, which is never written to."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np

from labtrain.errors import RecordError
from labtrain.session.file_seal import add_seal, check_seal, drop_seal
from labtrain.session.layout import read_dataset
from labtrain.session.recording import Recording
from labtrain.session.texts import check_text

_NOTES = "session/notes"
AFTERWARDS = -1
"""The sequence number of a note that was made after the run."""


def annotate(path: Path, text: str) -> None:
    """Add a note to a sealed session; data and ``journal_digest`` stay as they are.

    Raises
    ------
    DataError
        When ``path`` is no intact session.
    UsageError
        When the note is no plain text.
    RecordError
        When the new file cannot be written; the old one stays.
    """
    path = Path(path)
    check_text("the note", text)
    Recording.open(path).close()
    draft = path.with_name(path.name + ".noting")
    try:
        shutil.copyfile(path, draft)
        drop_seal(draft)
        with h5py.File(draft, "r+") as file:
            _add(file, text)
        add_seal(draft)
        check_seal(draft)
        os.replace(draft, path)
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        raise RecordError(
            f"the note cannot be kept: {error.strerror or error}",
            file=path,
            remedy="make room, then note it again",
        ) from error


def _add(file: h5py.File, text: str) -> None:
    texts = [*read_dataset(file[f"{_NOTES}/text"]), text]
    seqs = np.append(file[f"{_NOTES}/seq"][()], np.int64(AFTERWARDS))
    del file[f"{_NOTES}/text"], file[f"{_NOTES}/seq"]
    file.create_dataset(f"{_NOTES}/text", data=np.array(texts, dtype=object), dtype=h5py.string_dtype())
    file.create_dataset(f"{_NOTES}/seq", data=seqs)
