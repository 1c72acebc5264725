"""A row stream of a session."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, final

from labtrain.clock import Clock
from labtrain.session.frames import Kind
from labtrain.session.row_form import RowForm
from labtrain.session.sink import RowStream

_ROW = int(Kind.ROW)


@final
class SessionRows(RowStream):
    """Packs each row and appends it to the journal."""

    def __init__(self, form: RowForm, number: int, append: Callable[..., int], clock: Clock) -> None:
        self.count = 0
        self._pack = form.pack
        self._number = number
        self._append = append
        self._now_ns = clock.now_ns

    def append(self, row: Mapping[str, Any]) -> None:
        """Add one row."""
        self._append(_ROW, 0, self._number, self._now_ns(), 0, self._pack(row))
        self.count += 1
