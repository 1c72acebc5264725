"""A link carries whole messages to one instrument and back.

It knows bytes and terminators. It does not know what they mean, who sent them
or what has been recorded: that is the bus's work.
"""

from __future__ import annotations

from abc import ABC, abstractmethod


class Link(ABC):
    """The transport of one instrument's messages; terminators included.

    Errors are :class:`labtrain.errors.InstrumentTimeout` and
    :class:`labtrain.errors.ConnectionLost`, naming the resource.
    """

    resource: str

    @abstractmethod
    def send(self, message: bytes) -> None:
        """Send one message, its terminator included."""

    @abstractmethod
    def receive(self) -> bytes:
        """Return the next reply: a line with its terminator, or an IEEE 488.2 block with its terminator."""

    @abstractmethod
    def clear(self) -> None:
        """Device clear where the transport has one, and drop what waits to be read."""

    @abstractmethod
    def close(self) -> None:
        """Close; closing twice is harmless."""
