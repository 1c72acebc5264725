"""Bench files by path or by the name of a shipped one, and where labtrain keeps its state."""

from __future__ import annotations

import os
from pathlib import Path

from labtrain.errors import UsageError
from labtrain.naming import nearest

_PACKAGE = Path(__file__).resolve().parents[1]


def shipped_folder() -> Path:
    """Return the folder of the shipped bench files: in a wheel's package, or in a checkout."""
    in_wheel = _PACKAGE / "_benches"
    return in_wheel if in_wheel.is_dir() else _PACKAGE.parent / "data" / "benches"


def bench_names() -> list[str]:
    """Return the names of the shipped benches."""
    return sorted(file.stem for file in shipped_folder().glob("*.toml"))


def locate_bench(file: str | Path) -> Path:
    """Find a bench file by its path, or a shipped one by its name.

    Raises
    ------
    UsageError
        When it is neither, with the nearest shipped names.
    """
    path = Path(file)
    if path.is_file():
        return path
    if (
        path.parent == Path(".")
        and (shipped_folder() / f"{path.stem}.toml").is_file()
        and path.suffix in ("", ".toml")
    ):
        return shipped_folder() / f"{path.stem}.toml"
    shipped = nearest(path.stem, bench_names())
    raise UsageError(
        f"there is no bench file {str(file)!r}",
        remedy=f"give the path of a .toml file or the name of a shipped bench; {shipped}",
        file=str(file),
    )


def state_directory() -> Path:
    """Return (and make) the folder of locks: ``$LABTRAIN_STATE``, else the user's state folder."""
    given = os.environ.get("LABTRAIN_STATE")
    if given:
        place = Path(given)
    else:
        import platformdirs

        place = platformdirs.user_state_path("labtrain")
    place.mkdir(parents=True, exist_ok=True)
    return place
