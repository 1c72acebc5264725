"""The append-only journal: one write a record, nothing acknowledged is lost.

A record has been acknowledged when :meth:`Journal.append` returns: the
operating system has its bytes, so that killing the process cannot lose it. A
thread calls ``fsync`` once a second against power cuts; :meth:`Journal.barrier`
does so at once.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, final

from xxhash import xxh3_64_digest

from labtrain.errors import RecordError, UsageError
from labtrain.session.frames import MAGIC, MAX_PAYLOAD, SUMMED, frame_parts
from labtrain.session.locks import try_lock

_write, _pack, _digest = os.write, SUMMED.pack, xxh3_64_digest
_SYNC_SECONDS = 1.0
_SYNCS_A_MINUTE = 60
_LOCK_AGAIN_SECONDS = 1e-3
_SMALL_BYTES = 2**15  # below this, one copy costs less than gathering
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_BINARY", 0)


@final
class Journal:
    """The write end of a new journal file; thread-safe.

    A failed write poisons the journal: this call and every later one raise
    :class:`~labtrain.errors.RecordError`, and the file is cut back to its last
    whole record.

    Attributes
    ----------
    every_minute
        Called by the synchronising thread; may append.

    Raises
    ------
    RecordError
        When the file cannot be created.
    UsageError
        When it exists.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.every_minute: Callable[[], None] = lambda: None
        self.seq = 0
        self._closed_because: str | None = None
        self._lock = threading.Lock()
        try:
            self._descriptor = os.open(path, _FLAGS, 0o644)
        except FileExistsError as error:
            raise UsageError(
                "another program has just begun a session here", file=path, remedy="choose another --out"
            ) from error
        except OSError as error:
            raise RecordError(
                f"the record cannot be created: {error.strerror}; nothing was driven",
                file=path,
                remedy="choose a folder that can be written, and a shorter name",
            ) from error
        self._size = 0
        self._synced = 0
        try:
            self._take_lock()
            self._write_all([MAGIC])
        except BaseException:
            os.close(self._descriptor)
            path.unlink(missing_ok=True)
            raise
        self._stopping = threading.Event()
        self._syncer = threading.Thread(target=self._keep_synced, name="labtrain-journal-sync", daemon=True)
        self._syncer.start()

    def append(self, kind: int, status: int, number: int, t_ns: int, ref: int, payload: bytes) -> int:
        """Write one record and return its sequence number.

        Raises
        ------
        RecordError
            When the record could not be written whole, now or earlier.
        """
        with self._lock:  # not acquire() and try: an interrupt between the two would keep the lock for ever
            if self._closed_because is not None:
                raise self._refusal(self._closed_because)
            self.seq = seq = self.seq + 1
            body = _pack(len(payload), kind, status, number, seq, t_ns, ref) + payload
            whole = _digest(body) + body
            size = len(whole)
            try:
                if _write(self._descriptor, whole) != size:
                    self._complete_short_write([whole])
                self._size += size
            except BaseException as error:
                self._mend(error, size)
                raise
            return seq

    def append_parts(self, kind: int, number: int, t_ns: int, parts: Sequence[Any]) -> int:
        """Write one record out of several buffers, without copying the large ones."""
        size = sum([memoryview(part).nbytes for part in parts])
        if size < _SMALL_BYTES:
            return self.append(kind, 0, number, t_ns, 0, b"".join(parts))
        if size > MAX_PAYLOAD:
            raise RecordError("one record holds at most 4 GiB", remedy="note the array in pieces")
        with self._lock:
            if self._closed_because is not None:
                raise self._refusal(self._closed_because)
            self.seq += 1
            self._write_all(frame_parts(kind, number, self.seq, t_ns, parts))
            return self.seq

    def barrier(self) -> None:
        """Return when everything acknowledged would survive a power cut."""
        with self._lock:
            if self._closed_because is not None:
                raise self._refusal(self._closed_because)
            size = self._size
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            with self._lock:
                self._poison(error)
            raise self._refusal(f"cannot be synchronised: {error.strerror}") from error
        self._synced = max(self._synced, size)

    def stop(self, because: str) -> None:
        """Refuse further records, keep the lock; harmless if repeated."""
        with self._lock:
            self._closed_because = self._closed_because or because
        self._stopping.set()
        if self._syncer is not threading.current_thread():
            self._syncer.join()

    def close(self) -> None:
        """Stop, and let the file and its lock go; harmless if repeated."""
        self.stop("is closed")
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    @property
    def failed(self) -> bool:
        """Whether a record could not be written."""
        return self._closed_because is not None

    def _take_lock(self) -> None:
        """Lock the new file; whoever just asks whether it is locked lets go at once."""
        waiting = threading.Event()
        while not try_lock(self._descriptor):
            waiting.wait(_LOCK_AGAIN_SECONDS)

    def _write_all(self, parts: Sequence[Any]) -> None:
        total = sum(memoryview(part).nbytes for part in parts)
        try:
            if _gather_write(self._descriptor, parts) != total:
                self._complete_short_write(parts)
            self._size += total
        except BaseException as error:
            self._mend(error, total)
            raise

    def _complete_short_write(self, parts: Sequence[Any]) -> None:
        """Write what a short write left over; the next write says why it was short."""
        whole = memoryview(b"".join(bytes(part) for part in parts))
        written = os.fstat(self._descriptor).st_size - self._size
        while written < len(whole):
            written += os.write(self._descriptor, whole[written:])

    def _mend(self, error: BaseException, total: int) -> None:
        """End the file on a whole record again, whether the disk or Ctrl-C broke in."""
        written = os.fstat(self._descriptor).st_size - self._size
        if written == total:
            self._size += total
        elif written:
            os.ftruncate(self._descriptor, self._size)
        if isinstance(error, OSError):
            self._poison(error)
            raise self._refusal(f"cannot be written: {error.strerror}") from error

    def _poison(self, error: OSError) -> None:
        self._closed_because = (
            f"could not be written earlier ({error.strerror}); nothing after that is recorded"
        )

    def _refusal(self, why: str) -> RecordError:
        return RecordError(
            f"the record {why}",
            file=self.path,
            remedy="make room or mend the disk; `labtrain session recover` then keeps what was acknowledged",
        )

    def _keep_synced(self) -> None:
        rounds = 0
        while not self._stopping.wait(_SYNC_SECONDS):
            rounds += 1
            try:
                if rounds % _SYNCS_A_MINUTE == 0:
                    self.every_minute()
                if self._size != self._synced:
                    self.barrier()
            except RecordError:
                return


def _gather_write(descriptor: int, parts: Sequence[Any]) -> int:
    if sys.platform == "win32":
        return os.write(descriptor, b"".join(bytes(part) for part in parts))
    return os.writev(descriptor, parts)
