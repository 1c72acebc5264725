"""States in a session: nested mappings and lists, whose arrays are datasets and whose shape is a document.

The arrays come first and the document last, so that a checkpoint whose document is there is whole. What
tensors are is not known here: :mod:`labtrain.training.checkpoints` says how they become arrays.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from labtrain.errors import DataError, UsageError
from labtrain.session.recording import Recording
from labtrain.session.sink import Sink

FORM = "labtrain-state-1"
ROWS = "rows"
"""In a checkpoint's document: how many rows each stream had when it was noted."""
NUMPY, SCALAR = "numpy", "numpy-scalar"
_PLACE = "checkpoints"
_PART_LENGTH = 80
_PLAIN = (bool, int, str, type(None))


@dataclass(frozen=True, slots=True)
class Leaf:
    """An array, and what it is outside the file (``"numpy"``, ``"torch.float32"``)."""

    value: NDArray[Any]
    kind: str = NUMPY


Pack = Callable[[Any], Leaf | None]
"""Says how an object becomes an array; None for what it does not know."""


def no_more(value: Any) -> Leaf | None:
    """Know NumPy's arrays and numbers only."""
    return None


def checkpoint_name(run: str, step: int | str) -> str:
    """Return where a run keeps a checkpoint: ``"train/iris-afd/checkpoints/120"``."""
    return f"{run}/{_PLACE}/{step}"


def unknown(leaf: Leaf) -> Any:
    """Read NumPy's arrays and numbers only."""
    raise DataError(
        f"a part of the checkpoint is a {leaf.kind}",
        remedy="read it with labtrain.training.read_checkpoint, which makes tensors",
    )


def note_state(sink: Sink, name: str, state: Any, pack: Pack = no_more) -> None:
    """Note a state under ``name``; when this returns it would survive a power cut.

    Parameters
    ----------
    state
        Mappings, lists and tuples of arrays, numbers, texts, booleans and None; keys are texts, numbers,
        booleans or None.
    pack
        Makes arrays of other objects.

    Raises
    ------
    UsageError
        For anything else in it, naming the place; some of its arrays may have been noted then, which no
        reader takes for a checkpoint.
    """
    tree = _Writer(sink, name, pack).node(state, name)
    sink.document(name, {"form": FORM, "state": tree, ROWS: sink.rows_noted()})
    sink.barrier()


def read_state(recording: Recording, name: str, unpack: Callable[[Leaf], Any] = unknown) -> Any:
    """Return the newest state noted under ``name``.

    Parameters
    ----------
    unpack
        Makes objects of leaves that are no NumPy arrays.

    Raises
    ------
    DataError
        When the session holds no such checkpoint.
    """
    if name not in state_names(recording):
        known = ", ".join(state_names(recording)) or "none"
        raise DataError(
            f"the session holds no checkpoint {name!r}", file=recording.path, remedy=f"known: {known}"
        )
    until = recording.document_seqs(name)[-1]
    return _read(recording.document(name)["state"], lambda place: recording.array(place, until), unpack)


def state_names(recording: Recording) -> list[str]:
    """Return the names of a session's checkpoints, in the order of their first writing."""
    found = (name for name in recording.document_names() if f"/{_PLACE}/" in name)
    return [name for name in found if recording.document(name).get("form") == FORM]


class _Writer:
    """Walks a state: notes its arrays, returns its shape."""

    def __init__(self, sink: Sink, root: str, pack: Pack) -> None:
        self._sink = sink
        self._root = root
        self._pack = pack

    def node(self, value: Any, place: str) -> Any:
        leaf = self._leaf(value)
        if leaf is not None:
            where = place if place != self._root else f"{place}/value"
            self._sink.array(where, leaf.value)
            return {"array": where, "as": leaf.kind}
        if type(value) in _PLAIN:
            return value
        if type(value) is float:
            return value if math.isfinite(value) else {"float": repr(value)}
        if isinstance(value, Mapping):
            keys = [_key(key, place) for key in value]
            parts = _parts([str(key) for key in value])
            nodes = [
                self.node(item, f"{place}/{part}") for item, part in zip(value.values(), parts, strict=True)
            ]
            return {"mapping": [list(pair) for pair in zip(keys, nodes, strict=True)]}
        if type(value) in (list, tuple):
            nodes = [self.node(item, f"{place}/{index}") for index, item in enumerate(value)]
            return {"list" if type(value) is list else "tuple": nodes}
        raise _refusal(place, value)

    def _leaf(self, value: Any) -> Leaf | None:
        if isinstance(value, np.ndarray):
            return Leaf(value)
        if isinstance(value, np.generic):
            return Leaf(np.asarray(value), SCALAR)
        return self._pack(value)


def _key(key: Any, place: str) -> Any:
    if type(key) in _PLAIN:
        return key
    if type(key) is float:
        return key if math.isfinite(key) else {"float": repr(key)}
    raise _refusal(f"a key of {place}", key)


def _parts(keys: list[str]) -> list[str]:
    """Return what stands for keys in a path: printable, without ``/`` and ``@``, no two alike."""
    taken: dict[str, None] = {}
    for key in keys:
        part = plain = quote(key[:_PART_LENGTH], safe=" +,:;=!()[]{}", errors="backslashreplace") or "_"
        plain = part = f"_{plain}" if set(plain) == {"."} else plain
        number = 1
        while part in taken:
            number += 1
            part = f"{plain}~{number}"
        taken[part] = None
    return list(taken)


def _read(node: Any, array: Callable[[str], NDArray[Any]], unpack: Callable[[Leaf], Any]) -> Any:
    if not isinstance(node, dict):
        return node
    if "array" in node:
        leaf = Leaf(array(node["array"]), node["as"])
        if leaf.kind == NUMPY:
            return leaf.value
        return leaf.value[()] if leaf.kind == SCALAR else unpack(leaf)
    if "float" in node:
        return float(node["float"])
    if "mapping" in node:
        return {_read(key, array, unpack): _read(item, array, unpack) for key, item in node["mapping"]}
    if "tuple" in node:
        return tuple(_read(item, array, unpack) for item in node["tuple"])
    return [_read(item, array, unpack) for item in node["list"]]


def _refusal(place: str, value: Any) -> UsageError:
    return UsageError(
        f"{place} is a {type(value).__name__}, which no checkpoint keeps",
        remedy="give mappings, lists and tuples of arrays, tensors, numbers, texts, booleans and None",
        key=place,
    )
