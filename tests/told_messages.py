"""A sink that remembers every message, as the bus notes it."""

from __future__ import annotations

from labtrain.session.sink import NullSink


class ToldMessages(NullSink):
    """``told``: commands as (port, payload, t_ns), replies as (port, seq, payload, status, t_ns)."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[object, ...]] = []

    def command(self, port: str, payload: bytes, t_ns: int) -> int:
        self.told.append((port, payload, t_ns))
        return super().command(port, payload, t_ns)

    def reply(self, port: str, seq: int, payload: bytes, status: str, t_ns: int) -> None:
        self.told.append((port, seq, payload, status, t_ns))
