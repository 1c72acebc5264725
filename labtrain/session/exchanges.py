"""The calls of a device array as a recording gives them back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final, overload

import h5py
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Exchange:
    """One device-level call of an array."""

    seq: int
    verb: str
    inputs: dict[str, NDArray[Any]]
    outputs: dict[str, NDArray[Any]]


@final
class Exchanges(Sequence[Exchange]):
    """The calls of one array in their order; each is built when asked for."""

    def __init__(self, forms: list[FormData], until: int | None = None) -> None:
        self._forms = forms
        seqs = np.concatenate([form.seq for form in forms]) if forms else np.zeros(0, np.int64)
        owners = np.repeat(np.arange(len(forms)), [len(form.seq) for form in forms])
        places = np.concatenate([np.arange(len(form.seq)) for form in forms]) if forms else seqs
        order = np.argsort(seqs)
        if until is not None:
            order = order[seqs[order] <= until]
        self._where: list[tuple[int, int]] = list(
            zip(owners[order].tolist(), places[order].tolist(), strict=True)
        )

    def __len__(self) -> int:
        """Return the number of calls."""
        return len(self._where)

    @overload
    def __getitem__(self, place: int) -> Exchange: ...
    @overload
    def __getitem__(self, place: slice) -> list[Exchange]: ...
    def __getitem__(self, place: int | slice) -> Exchange | list[Exchange]:
        """Return one call, or several."""
        if isinstance(place, slice):
            return [self[i] for i in range(len(self))[place]]
        owner, row = self._where[place]
        return self._forms[owner].exchange(row)


@final
class FormData:
    """The calls of one form, as they stand in the file."""

    def __init__(self, file: h5py.File, described: Mapping[str, Any]) -> None:
        path = described["path"]
        self.verb = str(described["verb"])
        self.seq: NDArray[np.int64] = file[f"{path}/seq"][()]
        self._parts = [
            (side, name, *_part(file, path, f"{side}/{name}", ragged))
            for side, name, ragged in described["parts"]
        ]

    def exchange(self, row: int) -> Exchange:
        """Return the call in one row."""
        sides: dict[str, dict[str, NDArray[Any]]] = {"inputs": {}, "outputs": {}}
        for side, name, data, shapes, starts in self._parts:
            if shapes is None:
                sides[side][name] = np.asarray(data[row])
            else:
                sides[side][name] = data[starts[row] : starts[row + 1]].reshape(shapes[row])
        return Exchange(int(self.seq[row]), self.verb, sides["inputs"], sides["outputs"])


def _part(file: h5py.File, path: str, name: str, ragged: bool) -> tuple[Any, Any, Any]:
    data = file[f"{path}/{name}"][()]
    if not ragged:
        return data, None, None
    shapes = file[f"{path}/shapes/{name}"][()]
    starts = np.concatenate([[0], np.cumsum(shapes.prod(axis=1, dtype=np.int64))])
    return data, shapes, starts
