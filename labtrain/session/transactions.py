"""Messages as an index of columns over one blob of bytes; text columns would not keep every byte."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labtrain.session.frames import STATUSES, Kind, Scan

NO_REPLY = -1
COLUMNS = {
    "seq": "sequence number of the command",
    "t_ns": "monotonic time of the command in ns",
    "dt_ns": "from the command to its reply in ns; -1 without a reply",
    "port_number": "index into ports",
    "status_code": "index into statuses",
    "reply_seq": "sequence number of the reply; -1 without a reply",
    "command_start": "first byte of the command in blob; -1 where the row is a further reply",
    "command_length": "bytes of the command, terminator included",
    "reply_start": "first byte of the reply in blob",
    "reply_length": "bytes of the reply, terminator included",
}


@dataclass(frozen=True, slots=True)
class Transactions:
    """Messages in the order of their commands.

    A command that was answered more than once has one more row for each
    further reply, with an empty command and the same ``seq``.

    Attributes
    ----------
    seq, t_ns, dt_ns
        ``[N]`` int64: sequence number and time of the command, time to its reply (-1: none).
    port, status
        ``[N]`` text: the instrument's alias; ``ok``, ``timeout``, ``lost``, ``error``, or ``none``
        for a command without any noted reply.
    index
        All columns as they stand in the file.
    """

    seq: NDArray[np.int64]
    t_ns: NDArray[np.int64]
    dt_ns: NDArray[np.int64]
    port: NDArray[np.str_]
    status: NDArray[np.str_]
    index: dict[str, NDArray[np.int64]]
    blob: bytes

    @classmethod
    def of(cls, index: dict[str, NDArray[np.int64]], blob: bytes, ports: list[str]) -> Transactions:
        """Put names to the numbers of an index."""
        port = np.array(ports or [""])[index["port_number"]]
        status = np.array(STATUSES)[index["status_code"]]
        return cls(index["seq"], index["t_ns"], index["dt_ns"], port, status, index, blob)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.seq)

    def command(self, row: int) -> bytes:
        """Return the bytes of a row's command."""
        return self._bytes("command", row)

    def reply(self, row: int) -> bytes:
        """Return the bytes of a row's reply, empty without one."""
        return self._bytes("reply", row)

    def commands(self) -> list[bytes]:
        """Return all commands."""
        return self._all("command")

    def replies(self) -> list[bytes]:
        """Return all replies."""
        return self._all("reply")

    def select(self, rows: NDArray[Any]) -> Transactions:
        """Return some of the rows."""
        index = {name: column[rows] for name, column in self.index.items()}
        return Transactions(
            index["seq"], index["t_ns"], index["dt_ns"], self.port[rows], self.status[rows], index, self.blob
        )

    def _bytes(self, what: str, row: int) -> bytes:
        start = int(self.index[f"{what}_start"][row])
        return self.blob[start : start + int(self.index[f"{what}_length"][row])] if start >= 0 else b""

    def _all(self, what: str) -> list[bytes]:
        starts, lengths = self.index[f"{what}_start"].tolist(), self.index[f"{what}_length"].tolist()
        blob = self.blob
        return [blob[a : a + n] if n else b"" for a, n in zip(starts, lengths, strict=True)]

    def __iter__(self) -> Iterator[tuple[str, bytes, bytes]]:
        """Iterate over (port, command, reply)."""
        return zip(self.port.tolist(), self.commands(), self.replies(), strict=True)


def index_messages(
    journal: Scan, ports: dict[int, int]
) -> tuple[dict[str, NDArray[np.int64]], NDArray[np.uint8]]:
    """Join commands and replies of a journal; ``ports`` gives the index of each port number.

    Returns
    -------
    index
        The columns of :data:`COLUMNS`.
    blob
        The bytes of all messages in the order of the journal.
    """
    commands, replies = journal.of(Kind.COMMAND), journal.of(Kind.REPLY)
    messages = np.sort(np.concatenate([commands, replies]))
    starts = np.zeros(len(journal.headers), np.int64)
    lengths = journal.headers["length"].astype(np.int64)
    starts[messages] = np.cumsum(lengths[messages]) - lengths[messages]
    blob = journal.joined(messages)
    index = _join(journal.headers, commands, replies, starts, lengths)
    numbers = np.zeros(max(ports, default=0) + 1, np.int64)
    numbers[list(ports)] = list(ports.values())
    index["port_number"] = numbers[index["port_number"]]
    return index, blob


def _join(
    headers: NDArray[Any],
    commands: NDArray[np.int64],
    replies: NDArray[np.int64],
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
) -> dict[str, NDArray[np.int64]]:
    seqs = headers["seq"].astype(np.int64)
    times = headers["t_ns"]
    refs = headers["ref"][replies].astype(np.int64)
    known = np.isin(refs, seqs[commands])
    orphans, replies, refs = replies[~known], replies[known], refs[known]
    rows = np.searchsorted(seqs[commands], refs)
    answered, first = np.unique(rows, return_index=True)
    further = np.delete(np.arange(len(replies)), first)
    asked = np.concatenate([commands, commands[rows[further]], orphans])
    reply = np.full(len(asked), NO_REPLY)
    reply[answered] = replies[first]
    reply[len(commands) :] = np.concatenate([replies[further], orphans])
    none = reply == NO_REPLY
    extra = np.arange(len(asked)) >= len(commands)
    index = {
        "seq": seqs[asked],
        "t_ns": times[asked],
        "dt_ns": np.where(none, NO_REPLY, times[reply] - times[asked]),
        "port_number": headers["number"][asked].astype(np.int64),
        "status_code": np.where(none, 0, headers["status"][reply]).astype(np.int64),
        "reply_seq": np.where(none, NO_REPLY, seqs[reply]),
        "command_start": np.where(extra, NO_REPLY, starts[asked]),
        "command_length": np.where(extra, 0, lengths[asked]),
        "reply_start": np.where(none, NO_REPLY, starts[reply]),
        "reply_length": np.where(none, 0, lengths[reply]),
    }
    order = np.lexsort((index["reply_seq"], index["seq"]))
    return {name: column[order] for name, column in index.items()}
