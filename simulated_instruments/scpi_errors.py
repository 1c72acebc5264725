"""SCPI errors: what a virtual instrument puts into its queue.

Numbers and texts are those of SCPI-1999, volume 2, chapter 21.8.
"""

from __future__ import annotations

from collections import deque

TEXTS = {
    0: "No error",
    -100: "Command error",
    -101: "Invalid character",
    -102: "Syntax error",
    -104: "Data type error",
    -108: "Parameter not allowed",
    -109: "Missing parameter",
    -113: "Undefined header",
    -114: "Header suffix out of range",
    -120: "Numeric data error",
    -131: "Invalid suffix",
    -151: "Invalid string data",
    -200: "Execution error",
    -211: "Trigger ignored",
    -221: "Settings conflict",
    -222: "Data out of range",
    -223: "Too much data",
    -224: "Illegal parameter value",
    -230: "Data corrupt or stale",
    -310: "System error",
    -350: "Queue overflow",
    803: "Not permitted with OUTPUT off",
    824: "Cannot exceed compliance range",
    1133: "Parameter 4, Syntax error, expected valid name parameters",
}


class ScpiError(Exception):
    """Raised inside a virtual instrument; ends in its error queue, never outside."""

    def __init__(self, code: int, detail: str = "") -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


class ErrorQueue:
    """First in, first out; the last place turns into -350 when it is full.

    Parameters
    ----------
    size
        How many errors are kept.
    """

    def __init__(self, size: int = 32) -> None:
        self._size = size
        self._entries: deque[tuple[int, str]] = deque()

    def __len__(self) -> int:
        return len(self._entries)

    def push(self, error: ScpiError) -> None:
        """Add one error."""
        if len(self._entries) >= self._size:
            self._entries[-1] = (-350, TEXTS[-350])
            return
        text = TEXTS.get(error.code, "Device-specific error")
        detail = error.detail.replace('"', "'")
        self._entries.append((error.code, f"{text};{detail}" if detail else text))

    def pop(self) -> str:
        """Take the oldest as ``code,"text"``; ``0,"No error"`` when there is none."""
        code, text = self._entries.popleft() if self._entries else (0, TEXTS[0])
        return f'{code},"{text}"'

    def clear(self) -> None:
        """Forget all."""
        self._entries.clear()

    def codes(self) -> list[int]:
        """The numbers waiting, oldest first."""
        return [code for code, _ in self._entries]
