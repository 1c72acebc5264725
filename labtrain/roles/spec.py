"""What a driver file tells the bench about itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

RoleName = Literal["source-meter", "pulse-generator", "switch-matrix", "sensor"]

SOURCE_METER_NODES = ("hi", "lo", "sense_hi", "sense_lo")
"""Of a source meter with four-wire sensing."""


@dataclass(frozen=True, slots=True)
class DriverSpec:
    """The entry that the group ``labtrain.drivers`` points to.

    Attributes
    ----------
    model
        The name used in bench files.
    role
        Which role owns the driver.
    open
        ``open(adapter, name, options)`` builds the PyMeasure instrument; ``options`` are the
        bench file's own keys for this instrument (in SI numbers).
    channels
        The instrument's channels; ``("",)`` for an instrument without.
    channel
        ``channel(instrument, name)`` gives the driver object that one role owns.
    nodes
        ``nodes(channel)`` names the electrical nodes behind the alias, :data:`SOURCE_METER_NODES` for a
        source meter (``("hi", "lo")`` without sensing), ``("1",)`` for channel 1 of a generator. Matrices:
        empty.
    transport
        How a real one is reached; also which loopback mount imitates it.
    termination
        Of messages and replies alike.
    synchronise
        A query that is answered once everything sent before has been carried out; None where
        every command is answered anyway.
    safe_off
        Raw messages, in order, that end in the safe state whatever state the instrument is in
        (abort first, then output off or relays open). Used by the guard and ``bench off``,
        which have no PyMeasure.
    closing
        ``closing(row, column)`` is the raw message that closes one relay, for a safe state that grounds
        devices; None where a matrix has none.
    keep_alive
        A raw message that a matrix's watchdog wants to hear now and then while relays are closed; None
        where there is no watchdog.
    answers_every_line
        Whether each line is answered (the serial matrix), so that the guard reads the answers.
    fast_buffer
        Whether a source meter's driver reads into the instrument's buffer at a standing level
        (:class:`labtrain.roles.dialects.FastBufferDialect`).
    event_status
        Asks for the standard event status register (IEEE 488.2), whose bit 7 says that the power has been
        off, and clears it; None where there is none.
    options
        Keys that the bench file may give for this model, each with its SI unit ("" for text).
    properties
        What a sensor reads: those of the driver's properties that are numbers, each with its unit, such as
        ``{"field": "mT"}``.
    settings
        What the record keeps of how an instrument is set: name (with its unit, where it has one) -> the
        question, without terminator, that reads it and changes nothing.
    rows, columns
        The numbers of a matrix's rows and columns, as used on the wire.
    """

    model: str
    role: RoleName
    open: Callable[[Any, str, Mapping[str, Any]], Any]
    channels: tuple[str, ...] = ("",)
    channel: Callable[[Any, str], Any] = lambda instrument, name: instrument
    nodes: Callable[[str], tuple[str, ...]] = lambda name: ()
    transport: Literal["visa", "serial"] = "visa"
    termination: bytes = b"\n"
    synchronise: bytes | None = b"*OPC?\n"
    safe_off: tuple[bytes, ...] = ()
    closing: Callable[[int, int], bytes] | None = None
    keep_alive: bytes | None = None
    answers_every_line: bool = False
    identify: bytes = b"*IDN?\n"
    event_status: bytes | None = b"*ESR?\n"
    fast_buffer: bool = False
    options: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, bytes] = field(default_factory=dict)
    rows: range = range(0)
    columns: range = range(0)
