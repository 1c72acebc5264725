"""Device-level calls as a session notes them: their form once, then shapes and data."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, final

from numpy.typing import NDArray

from labtrain.clock import Clock
from labtrain.session.array_form import ExchangeForm, form_of, is_plain, pack_exchange, plain_array
from labtrain.session.frames import Kind
from labtrain.session.journal import Journal
from labtrain.session.names import numbered

Arrays = Mapping[str, NDArray[Any]]


@final
class SessionExchanges:
    """Numbers the forms of calls and appends the calls.

    Parameters
    ----------
    define
        ``define(kind, number, payload)``: notes a form.
    """

    def __init__(self, journal: Journal, clock: Clock, define: Callable[[Kind, int, bytes], None]) -> None:
        self._journal = journal
        self._clock = clock
        self._define = define
        self._forms: dict[tuple[object, ...], int] = {}
        self._defining = threading.Lock()

    def note(self, array: str, verb: str, inputs: Arrays, outputs: Arrays) -> None:
        """Note one call."""
        ins, outs = _plain(array, verb, "input", inputs), _plain(array, verb, "output", outputs)
        arrays = [*ins.values(), *outs.values()]
        signature = (array, verb, *ins, None, *outs, *[(value.dtype, value.ndim) for value in arrays])
        number = self._forms.get(signature)
        if number is None:
            number = self._number(signature, form_of(array, verb, {"inputs": ins, "outputs": outs}))
        self._journal.append_parts(Kind.EXCHANGE, number, self._clock.now_ns(), pack_exchange(arrays))

    def _number(self, signature: tuple[object, ...], form: ExchangeForm) -> int:
        with self._defining:
            if signature not in self._forms:
                form.check()
                number = numbered(len(self._forms) + 1, "forms of exchanges")
                self._define(Kind.FORM, number, form.to_json())
                self._forms[signature] = number
            return self._forms[signature]


def _plain(array: str, verb: str, side: str, given: Arrays) -> dict[str, NDArray[Any]]:
    return {
        name: value if is_plain(value) else plain_array(f"{side} {name!r} of {array!r}.{verb}", value)
        for name, value in given.items()
    }
