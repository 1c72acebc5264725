"""Where data sets are looked for: the folder named, ``$LABTRAIN_DATA``, the user cache, then the mirrors."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from platformdirs import user_cache_path

from labtrain.errors import DataError
from labtrain.training.datasets.fetching import SOURCES, fetch

T = TypeVar("T")


def locate(
    name: str,
    data_dir: Path | None,
    look: Callable[[Path], T | None],
    wanted: str,
    folders: tuple[str, ...] = (),
    bare: bool = True,
) -> tuple[T, Path]:
    """Return what ``look`` finds in the first place that has it, and the place.

    Parameters
    ----------
    name
        Of the data set, and of the folder that may hold it in each place.
    look
        ``look(folder)``: the files, None where any is missing.
    wanted
        The files in words, for who has to put them somewhere.
    folders
        Other names of the data set's folder.
    bare
        Whether files that lie in ``$LABTRAIN_DATA`` or the cache itself can only be this data set's.

    Raises
    ------
    DataError
        Where it is nowhere and no mirror gives it: which places, which mirrors and why, where to put it.
    """
    places = list(_places(name, data_dir, folders, bare))
    for place in places:
        found = look(place)
        if found is not None:
            return found, place
    own = user_cache_path("labtrain") / name
    reasons: list[str] = []
    if name in SOURCES:
        reasons = fetch(SOURCES[name], own)
        for place in _within(own, folders):
            found = look(place)
            if found is not None:
                return found, place
    tried = f", and no mirror gave it ({'; '.join(reasons)})" if reasons else ""
    raise DataError(
        f"the data set {name} is not in {', '.join(str(place) for place in places)}{tried}",
        remedy=f"put {wanted} into {own}, or name their folder with --data",
        key="data",
    )


def _places(name: str, data_dir: Path | None, folders: tuple[str, ...], bare: bool) -> Iterator[Path]:
    """List folders in their order; one that bears the data set's name goes before what holds it."""
    if data_dir is not None:
        yield from _within(Path(data_dir) / name, folders)
        yield from _within(Path(data_dir), folders)
    given = os.environ.get("LABTRAIN_DATA")
    for root in (*([Path(given)] if given else []), user_cache_path("labtrain")):
        yield from _within(root / name, folders)
        if bare:
            yield from _within(root, folders)


def _within(root: Path, folders: tuple[str, ...]) -> Iterator[Path]:
    yield root
    yield from (root / folder for folder in folders)
