"""For pandas: one Parquet file a row stream, with units and attributes in ``DataFrame.attrs``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from labtrain.session.export import flat, need
from labtrain.session.recording import Recording, Rows


def to_parquet(recording: Recording, folder: Path) -> list[Path]:
    """Write every row stream; ``pandas.read_parquet(file)`` gives the same bits back.

    Parquet rather than a pickle: nothing in it is executed when it is read.
    """
    need("pyarrow", "pyarrow", "pandas")
    files = []
    for name in recording.stream_names():
        files.append(folder / f"{flat(name)}.parquet")
        to_frame(recording.rows(name)).to_parquet(files[-1], engine="pyarrow")
    return files


def to_frame(rows: Rows) -> Any:
    """Return a row stream as a ``pandas.DataFrame``; ``attrs`` hold ``units`` and the stream's attributes."""
    pandas = need("pandas", "pandas", "pandas")
    frame = pandas.DataFrame(rows.columns)
    frame.attrs.update({"units": dict(rows.units), **rows.attributes})
    return frame
